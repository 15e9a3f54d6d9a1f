"""Outlines: the ink of several digits and their boxes in it."""

import io

import numpy as np
from PIL import Image

from digits.ink import outlines, segmentation, strokes

DRAWING = strokes.check([[[70, 60], [210, 60], [120, 230]], [[260, 60], [262, 220]]])


def test_boxes_hold_their_digits_ink():
    """Each box lies within the picture, in reading order, and all ink lies in one of them."""
    parts = segmentation.find_parts(DRAWING, size=(280, 400), pen_width=12)
    outlined = outlines.outline(parts)
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
    """The boxes fill most of the picture, however large the sheet is."""
    parts = segmentation.find_parts(DRAWING, size=(1000, 1000), pen_width=12)
    _, _, _, high = outlines.outline(parts).boxes[0]
    assert high > 0.7
