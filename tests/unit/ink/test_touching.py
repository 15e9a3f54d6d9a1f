"""touching: connected ink becomes the digits that the recogniser reads best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.ink import strokes as pen
from digits.ink import touching
from digits.ink.pieces import components

CIRCLE = np.float32([(25 * np.sin(a), -40 * np.cos(a)) for a in np.linspace(0, 6.3, 40)])
points = st.tuples(st.floats(5, 395, width=32), st.floats(5, 95, width=32))


def drawn(strokes):
    """Return the pixels of strokes that touch, int (n, 2)."""
    (pixels,) = components(pen.render(pen.check(strokes), size=(100, 400), pen_width=8) > 0.5)
    return pixels


def circles(count):
    return drawn([CIRCLE + np.float32([40 + 57 * place, 50]) for place in range(count)])


def narrow(asked=None):
    """A recogniser that takes for a digit what is as wide as a circle."""

    def confidence(candidates):
        if asked is not None:
            asked.extend(candidates)
        return np.array([0.98 if 52 < np.ptp(pixels[:, 0]) < 63 else 0.001 for pixels in candidates])

    return confidence


@given(st.lists(points, min_size=2, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_every_pixel_is_in_one_digit(path, random):
    """Whatever the recogniser says, the digits are a partition of the ink, and none is empty."""
    pixels = drawn([np.array(path, np.float32)])
    found = touching.divide(pixels, 90, 8.0, lambda some: np.array([random.random() for _ in some]), 40)
    assert all(len(part) for part in found)
    assert sorted(map(tuple, np.concatenate(found).tolist())) == sorted(map(tuple, pixels.tolist()))


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_a_row_of_circles_is_so_many_digits(count):
    """They touch each other; the digits come from left to right."""
    found = touching.divide(circles(count), 88, 8.0, narrow(), 300)
    assert len(found) == count
    for place, pixels in enumerate(found):
        assert pixels[:, 0].mean() == pytest.approx(40 + 57 * place, abs=4)


def test_ink_that_reads_well_stays_whole():
    """Connected ink is rarely two digits: these must read clearly better."""
    for share in (0.9, 0.5, 0.0):
        assert len(touching.divide(circles(2), 150, 8.0, lambda some, share=share: np.full(len(some), share), 99)) == 1


@pytest.mark.parametrize("most", [0, 5, 30])
def test_no_more_questions_than_allowed(most):
    """With too few, the ink stays whole or is divided as well as is known."""
    asked = []
    found = touching.divide(circles(6), 88, 8.0, narrow(asked), most)
    assert len(asked) <= most
    assert sum(map(len, found)) == len(circles(6))
