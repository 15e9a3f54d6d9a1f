"""stages: three pictures show the steps from the ink to the network, and boxes mark several digits."""

import io

import numpy as np
import pytest
from PIL import Image

from digits.ink import glyphs, segmentation, stages, strokes

SEVEN = strokes.check([[[70, 60], [210, 60], [120, 230]]])
SMALL = [stroke * np.float32(0.3) + np.float32(180) for stroke in SEVEN]  # the same digit in a corner
DRAWING = strokes.check([[[70, 60], [210, 60], [120, 230]], [[260, 60], [262, 220]]])


def opened(stage):
    return np.asarray(Image.open(io.BytesIO(stage.png)).convert("RGB"))


@pytest.mark.parametrize("size", [(280, 280), (240, 640), (900, 300)], ids=["square", "wide", "tall"])
def test_are_three_squares_in_the_order_of_the_work(size):
    """For any sheet there are three squares of the same size, found, fitted and seen, each described in words."""
    shown = stages.show(glyphs.fit_strokes(SEVEN, size=size, pen_width=16))
    assert [stage.caption for stage in shown] == ["your ink", "centred and scaled", "28×28 input"]
    assert {opened(stage).shape for stage in shown} == {(stages.SIDE, stages.SIDE, 3)}
    assert f"{size[1]} by {size[0]}" in shown[0].alt
    assert all(stage.alt for stage in shown)


def test_size_and_place_show_in_what_was_found_alone():
    """A small drawing in a corner is found there, but it is fitted and seen like a large one."""
    large, small = (stages.show(glyphs.fit_strokes(drawn, pen_width=12)) for drawn in (SEVEN, SMALL))
    assert np.abs(opened(large[0]).astype(int) - opened(small[0])).mean() > 5
    for place in (1, 2):
        assert np.abs(opened(large[place]).astype(int) - opened(small[place])).mean() < 2


def test_last_one_is_what_the_network_gets():
    """Each pixel of the 28×28 image is a square in the last picture."""
    glyph = glyphs.fit_strokes(SEVEN)
    unit = stages.SIDE // 28
    centres = opened(stages.show(glyph)[2])[unit // 2 :: unit, unit // 2 :: unit, 0]
    assert (centres == 255 - glyph.image).all()


def test_of_a_dot_and_of_a_picture_can_be_shown():
    """A single point, and ink found in a picture, have these steps too."""
    ink = np.zeros((90, 60), np.float32)
    ink[20:70, 28:34] = 1
    for glyph in (glyphs.fit_strokes([np.float32([[5, 5]])]), glyphs.fit(ink)):
        assert all(opened(stage).min() < 80 for stage in stages.show(glyph))


def test_boxes_hold_their_digits_ink():
    """The boxes lie within the picture, in reading order, and together contain all ink."""
    digits = segmentation.find_digits(DRAWING, size=(280, 400), pen_width=12)
    outlined = stages.outline(digits)
    picture = np.asarray(Image.open(io.BytesIO(outlined.png)))
    assert picture.shape[::-1] == outlined.size
    width, height = outlined.size
    rest = picture < 128
    assert rest.any()
    for left, top, wide, high in outlined.boxes:
        assert left >= 0 <= top
        assert left + wide <= 1 >= top + high
        rows = slice(int(top * height), int(np.ceil((top + high) * height)) + 1)
        columns = slice(int(left * width), int(np.ceil((left + wide) * width)) + 1)
        assert rest[rows, columns].any()
        rest[rows, columns] = False
    assert not rest.any()
    assert outlined.boxes[0][0] < outlined.boxes[1][0]


def test_paper_around_the_writing_is_left_out():
    """The boxes fill most of the picture, for a sheet of any size."""
    digits = segmentation.find_digits(DRAWING, size=(1000, 1000), pen_width=12)
    _, _, _, high = stages.outline(digits).boxes[0]
    assert high > 0.7
