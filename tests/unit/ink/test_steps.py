"""Steps: three pictures that show what became of the ink."""

import io

import numpy as np
import pytest
from PIL import Image

from digits.ink import glyphs, steps, strokes

SEVEN = strokes.check([[[70, 60], [210, 60], [120, 230]]])
SMALL = [stroke * np.float32(0.3) + np.float32(180) for stroke in SEVEN]  # the same, in a corner


def opened(step):
    return np.asarray(Image.open(io.BytesIO(step.png)).convert("RGB"))


@pytest.mark.parametrize("size", [(280, 280), (240, 640), (900, 300)], ids=["square", "wide", "tall"])
def test_are_three_squares_in_the_order_of_the_work(size):
    """Whatever the sheet, there are a found, a fitted and a seen digit of the same size, each told in words."""
    shown = steps.show(glyphs.fit_strokes(SEVEN, size=size, pen_width=16))
    assert [step.caption for step in shown] == ["found", "fitted", "what the model sees"]
    assert {opened(step).shape for step in shown} == {(steps.SIDE, steps.SIDE, 3)}
    assert f"{size[1]} by {size[0]}" in shown[0].alt
    assert all(step.alt for step in shown)


def test_size_and_place_show_in_what_was_found_alone():
    """A small drawing in a corner is found there, and is fitted and seen as the large one is."""
    large, small = (steps.show(glyphs.fit_strokes(drawn, pen_width=12)) for drawn in (SEVEN, SMALL))
    assert np.abs(opened(large[0]).astype(int) - opened(small[0])).mean() > 5
    for place in (1, 2):
        assert np.abs(opened(large[place]).astype(int) - opened(small[place])).mean() < 2


def test_last_one_is_what_the_network_gets():
    """Each pixel of the 28 by 28 is a square in the last picture."""
    glyph = glyphs.fit_strokes(SEVEN)
    unit = steps.SIDE // 28
    centres = opened(steps.show(glyph)[2])[unit // 2 :: unit, unit // 2 :: unit, 0]
    assert (centres == 255 - glyph.image).all()


def test_of_a_dot_and_of_a_picture_can_be_shown():
    """A single point, and ink found in a picture, have steps too."""
    ink = np.zeros((90, 60), np.float32)
    ink[20:70, 28:34] = 1
    for glyph in (glyphs.fit_strokes([np.float32([[5, 5]])]), glyphs.fit(ink)):
        assert all(opened(step).min() < 80 for step in steps.show(glyph))
