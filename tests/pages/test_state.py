"""What a page remembers, when the browser's address and its widgets disagree."""


def test_a_knob_turned_before_the_browser_knew_the_new_address_is_kept(open_page):
    """A slow connection sends the older address with the next change of a widget; the earlier change must stay."""
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
    """If no widget was changed, an older address means that the visitor went back to it."""
    page = open_page("train.py", iterations="1000")
    before = dict(page.query_params)
    page.slider(key="train.iterations").set_value(1500).run()
    page.query_params.clear()
    page.query_params.update(before)
    page.run()
    assert page.slider(key="train.iterations").value == 1000
