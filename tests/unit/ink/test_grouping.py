"""grouping: which strokes of a line form a digit, by their geometry and the recogniser's confidence."""

import time

import numpy as np
import pytest

from digits.ink import grouping

STEM = np.float32([[0, 0], [0, 100]])
RING = np.float32([[30 + 30 * np.sin(a), 50 - 50 * np.cos(a)] for a in np.linspace(0, 6.28, 30)])


def at(stroke, x, y=0.0):
    return stroke + np.float32([x, y])


def test_one_stroke_is_one_digit():
    """A single stroke asks nobody, even a scribble of 2,000 points."""
    scribble = np.random.default_rng(0).uniform(0, 200, (2000, 2)).astype(np.float32)
    started = time.process_time()
    assert grouping.group([scribble], None) == [[0]]
    assert grouping.group([], None) == []
    assert time.process_time() - started < 0.01


def test_strokes_far_apart_ask_nobody():
    """Two strokes with half a height between them are two digits, without the recogniser."""

    def confidence(strokes):
        raise AssertionError

    assert grouping.group([at(STEM, 110), RING], confidence) == [[1], [0]]


def test_the_recogniser_decides_where_strokes_are_near():
    """A ring beside a stem is one digit or two, as the recogniser is sure of the whole or of the parts."""
    strokes = [RING, at(STEM, 66)]
    assert grouping.group(strokes, lambda chosen: float(len(chosen) == 2)) == [[0, 1]]
    assert grouping.group(strokes, lambda chosen: float(len(chosen) == 1)) == [[0], [1]]


def test_strokes_need_not_follow_each_other():
    """A bar that was drawn last belongs to the first of three digits."""
    seven = [np.float32([[0, 0], [55, 0], [20, 100]]), np.float32([[10, 50], [48, 50]])]
    strokes = [seven[0], at(RING, 75), at(STEM, 160), seven[1]]
    assert grouping.group(strokes, None) == [[0, 3], [1], [2]]


def test_a_letter_of_touching_strokes_stays_whole():
    """Strokes that cross stay one mark even if the recogniser finds no digit in them but one in each."""
    cross = [np.float32([[0, 0], [70, 100]]), np.float32([[70, 0], [0, 100]])]
    assert grouping.group(cross, lambda chosen: 0.0 if len(chosen) == 2 else 0.9) == [[0, 1]]


def test_the_division_costs_least():
    """Dynamic programming finds the cheapest of all divisions."""
    costs = {(0,): 1.0, (1,): 1.0, (2,): 1.0, (0, 2): 0.5, (0, 1): 1.9, (1, 2): 1.7}
    assert grouping._cheapest_division([0, 1, 2], costs) == [[0, 2], [1]]


@pytest.mark.parametrize("count", [40, 500])
def test_a_scribble_of_many_strokes_stays_quick(count):
    """With more sets of strokes than questions allowed, the geometry alone decides."""
    rng = np.random.default_rng(1)
    strokes = [rng.uniform(0, 200, (20_000 // count, 2)).astype(np.float32) for _ in range(count)]
    asked = []
    started = time.process_time()
    groups = grouping.group(strokes, lambda chosen: asked.append(1) or 0.5)
    assert len(asked) <= grouping.MAX_QUESTIONS
    assert sorted(index for found in groups for index in found) == list(range(count))
    assert time.process_time() - started < 2
