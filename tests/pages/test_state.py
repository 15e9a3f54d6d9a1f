"""What a page remembers, when the browser's address and its widgets disagree."""

import numpy as np

from digits.ink import codec
from pages import _state


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


def test_only_the_latest_drawings_are_remembered(open_page, monkeypatch):
    """A session that draws for days does not grow; an old drawing in the address is a link like any other."""
    monkeypatch.setattr(_state, "_MOST_QUIET", 3)
    page = open_page("draw.py")
    inks = [codec.encode([np.array([[70, 70 + 9 * turn], [200, 68], [140, 190]])]) for turn in range(6)]
    for ink in inks:
        page.query_params["ink"] = ink
        page.run()
    assert list(page.session_state["draw.quiet"]) == [hash(ink) for ink in inks[-3:]]
    drawn = page.session_state["draw.strokes"]
    for ink, is_taken in ((inks[-2], False), (inks[0], True)):
        page.query_params["ink"] = ink
        page.run()
        assert np.array_equal(page.session_state["draw.strokes"][0], drawn[0]) != is_taken
