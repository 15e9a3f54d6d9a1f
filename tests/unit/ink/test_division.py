"""Division: gaps decide what is clear, and the recogniser what is not."""

import numpy as np

from digits.ink import division
from digits.ink.division import Part


def block(left: int, width: int = 20, height: int = 60, top: int = 0) -> np.ndarray:
    """Return the points of a rectangle of ink."""
    x, y = np.meshgrid(np.arange(left, left + width), np.arange(top, top + height))
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def group(pieces, sureness, owners=None):
    """Group pieces, or the parts of pieces where they have the same owner."""
    return division.group([Part(*one) for one in zip(pieces, owners or range(len(pieces)), strict=True)], 0.0, sureness)


def sure_of(is_digit, high=0.9, low=0.1):
    """A recogniser that is confident in groups for which `is_digit` is true."""
    return lambda groups, _: np.array([high if is_digit(pieces) else low for pieces in groups])


def test_wide_gaps_separate_without_a_recogniser():
    """Groups come from left to right, whatever the order of the pieces."""
    assert group([block(80), block(0), block(40)], None) == [[1], [2], [0]]


def test_in_a_narrow_gap_the_recogniser_decides():
    """Two blocks one pixel apart are one digit or two, whichever it reads better."""
    pieces = [block(0), block(21)]
    assert group(pieces, sure_of(lambda parts: len(parts) == 2)) == [[0, 1]]
    assert group(pieces, sure_of(lambda parts: len(parts) == 1)) == [[0], [1]]


def test_what_was_divided_is_not_joined_again():
    """The parts of one piece are separate digits, even if they read well as one."""
    assert group([block(0), block(20)], sure_of(lambda parts: len(parts) == 2), owners=[0, 0]) == [[0], [1]]


def test_ink_that_reads_well_is_not_cut():
    """The recogniser is asked before a wide piece is cut."""
    assert len(division.cut([block(0, width=50)], 4.0, sure_of(lambda parts: True))) == 1


def test_hundreds_of_pieces_ask_the_recogniser_only_so_often():
    """With more questions than allowed, the gaps decide alone."""
    asked = []

    def sureness(groups, _):
        asked.extend(groups)
        return np.full(len(groups), 0.5)

    pieces = [block(21 * place) for place in range(200)]
    found = division.divide(pieces, 0.0, sureness)
    assert len(asked) <= division._MAX_QUESTIONS
    assert [len(digit) for digit in found] == [len(digit) for digit in division.divide(pieces, 0.0, None)]
