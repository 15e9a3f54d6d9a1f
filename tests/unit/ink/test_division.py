"""Division: gaps decide what is clear, and the recogniser what is not."""

import numpy as np

from digits.ink import division


def block(left: int, width: int = 20, height: int = 60) -> np.ndarray:
    """Return the points of a rectangle of ink."""
    x, y = np.meshgrid(np.arange(left, left + width), np.arange(height))
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def test_wide_gaps_separate_without_a_recogniser():
    """Groups come from left to right, whatever the order of the pieces."""
    assert division.group([block(80), block(0), block(40)], None) == [[1], [2], [0]]


def test_in_a_narrow_gap_the_recogniser_decides():
    """Two blocks one pixel apart are one digit or two, whichever it reads better."""
    pieces = [block(0), block(21)]
    assert division.group(pieces, lambda parts, _=False: 0.9 if len(parts) == 2 else 0.1) == [[0, 1]]
    assert division.group(pieces, lambda parts, _=False: 0.1 if len(parts) == 2 else 0.9) == [[0], [1]]


def test_parts_of_one_piece_need_a_clearly_better_reading():
    """Connected ink is rarely two digits."""
    pieces = [block(0), block(20)]
    assert division.group(pieces, lambda parts, _=False: 0.5, owners=[0, 0]) == [[0, 1]]


def test_ink_that_reads_well_is_not_cut():
    """The recogniser is asked before a wide piece is cut."""
    assert len(division.cut([block(0, width=50)], 4.0, lambda *_: 0.9)[0]) == 1


def test_hundreds_of_pieces_ask_the_recogniser_only_so_often():
    """With more questions than allowed, the gaps decide alone."""
    asked = []
    division.group([block(21 * place) for place in range(200)], lambda *_: asked.append(1) or 0.5)
    assert len(asked) <= division._MAX_QUESTIONS
