"""seams: thin paths down connected ink."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.ink import seams
from digits.ink import strokes as pen
from digits.ink.pieces import components

points = st.tuples(st.floats(5, 195, width=32), st.floats(5, 95, width=32))
paths = st.lists(points, min_size=2, max_size=12).map(lambda row: [np.array(row, np.float32)])
CIRCLE = np.float32([(25 * np.sin(a), -40 * np.cos(a)) for a in np.linspace(0, 6.3, 40)])


def drawn(strokes, pen_width=8.0, size=(100, 200)):
    """Return the pixels of strokes that touch, int (n, 2)."""
    (pixels,) = components(pen.render(pen.check(strokes), size=size, pen_width=pen_width) > 0.5)
    return pixels


@given(paths, st.sampled_from([8.0, 20.0, 90.0, 400.0]))
@settings(max_examples=15)
def test_a_seam_leaves_ink_on_both_sides(strokes, height):
    """Whatever the ink, and its part of the line's height; the seams are ordered by the ink on their right."""
    pixels = drawn(strokes)
    found = seams.find(pixels, height, 8.0)
    assert all(seam.is_right.shape == (len(pixels),) and 0 < seam.is_right.sum() < len(pixels) for seam in found)
    rights = [seam.is_right.sum() for seam in found]
    assert rights == sorted(rights, reverse=True)


def agreement(left, right, height=92.0):
    """Return the largest share of the ink of two digits that a seam puts on its side; ink of both is on either."""
    pixels = drawn([*left, *right])
    inks = [pen.render(pen.check(digit), size=(100, 200), pen_width=8) > 0.5 for digit in (left, right)]
    is_left, is_right = (ink[pixels[:, 1], pixels[:, 0]] for ink in inks)
    found = seams.find(pixels, height, 8.0)
    return max((np.where(seam.is_right, is_right, is_left).mean() for seam in found), default=0.0)


def test_circles_that_touch_are_separated():
    """There is a seam where they touch."""
    assert agreement([CIRCLE + np.float32([40, 50])], [CIRCLE + np.float32([97, 50])]) > 0.97


def test_no_straight_line_is_needed():
    """A 0 stands below the arm of a 7, and touches it."""
    seven, zero = [np.float32([(20, 10), (120, 10), (60, 94)])], [CIRCLE * np.float32(0.7) + np.float32([118, 48])]
    assert agreement(seven, zero) > 0.95


def test_strokes_that_cross_stay_whole():
    """The arm of one digit crosses the stem of the next, and its end does not become part of that."""
    hook, stem = [np.float32([(30, 10), (40, 90), (120, 50)])], [np.float32([(90, 8), (92, 94)])]
    assert agreement(hook, stem) > 0.97


def test_ink_that_cannot_be_two_digits_has_no_seam():
    """A lone stem, a long rule."""
    assert seams.find(drawn([np.float32([(50, 10), (52, 90)])]), 88, 8.0) == []
    assert seams.find(drawn([np.float32([(5, 50), (195, 52)])]), 20, 8.0) == []
