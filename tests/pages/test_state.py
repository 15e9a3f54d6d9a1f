"""What a page remembers, when the browser's address and its widgets disagree."""


def test_a_knob_turned_before_the_browser_knew_the_new_address_is_kept(open_page):
    """A slow connection sends the older address along with the next knob; it must not undo the knob before."""
    page = open_page("train.py", iterations="1000")
    before = dict(page.query_params)
    page.slider(key="train.iterations").set_value(1500).run()
    page.query_params.clear()
    page.query_params.update(before)
    page.slider(key="train.dropout").set_value(0.2).run()
    assert page.slider(key="train.iterations").value == 1500
    assert page.query_params["iterations"] == "1500"
    assert page.query_params["dropout"] == "0.2"


def test_the_browsers_back_button_brings_the_older_values_again(open_page):
    """Where no knob was turned, an older address is one that the visitor went back to."""
    page = open_page("train.py", iterations="1000")
    before = dict(page.query_params)
    page.slider(key="train.iterations").set_value(1500).run()
    page.query_params.clear()
    page.query_params.update(before)
    page.run()
    assert page.slider(key="train.iterations").value == 1000
