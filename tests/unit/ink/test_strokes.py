"""strokes: they are rendered in place, with the pen's width."""

import math

import numpy as np
import pytest

from digits.ink import strokes


class TestRender:
    def test_a_dot_is_a_disk_of_the_pens_width(self):
        ink = strokes.render([np.array([[20.0, 20.0]])], size=(40, 40), pen_width=10)
        assert ink.dtype == np.float32
        assert ink.shape == (40, 40)
        assert ink.sum() == pytest.approx(math.pi * 25, rel=0.05)
        assert (ink[20, 20], ink[0, 0]) == (1, 0)

    def test_a_line_has_the_pens_width_round_ends_and_stands_where_it_should(self):
        ink = strokes.render([np.array([[10, 15], [30, 15]])], size=(30, 40), pen_width=6)
        assert ink.sum() == pytest.approx(20 * 6 + math.pi * 9, rel=0.03)
        rows, columns = np.mgrid[:30, :40] + 0.5
        assert (ink * columns).sum() / ink.sum() == pytest.approx(20, abs=0.1)
        assert (ink * rows).sum() / ink.sum() == pytest.approx(15, abs=0.1)

    def test_a_sharp_corner_has_no_notch(self):
        ink = strokes.render([np.array([[10, 30], [20, 10], [30, 30]])], size=(40, 40), pen_width=8)
        assert ink[10, 20] == 1

    def test_no_strokes_leave_the_paper_white(self):
        assert strokes.render([], size=(5, 7), pen_width=3).sum() == 0

    def test_what_lies_outside_is_cut_off(self):
        assert strokes.render([np.array([[-400, -400], [-300, 4000]])], size=(20, 20), pen_width=3).sum() == 0
