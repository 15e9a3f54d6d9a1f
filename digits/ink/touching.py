"""Touching digits: divides connected ink into digits along its seams, with the recogniser's help.

Every two seams enclose ink that may be a digit. Of all rows of seams from left to right, the cheapest is chosen (H.
Fujisawa, Y. Nakano, K. Kurino, "Segmentation methods for character recognition: from segmentation to document structure
analysis", Proceedings of the IEEE 80, 1992; LeCun et al. 1998, section V, as in `digits.ink.division`). A digit costs
-log of the recogniser's confidence in it, in nats, and more if it is wide.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy

from digits.ink import seams

Confidence = Callable[[Sequence[np.ndarray]], np.ndarray]  # in [0, 1], for each of several sets of pixels as one digit

# Costs are in nats, lengths in heights of the line of writing.
_WHOLE = 4.0  # that connected ink is several digits, which is rare; with 1.5, slashed zeros were cut in photographs
_CUT_COST = 0.2  # a seam...
_CROSSED_COST = 0.05  # ...and each stroke that it crosses
_STRANGE = 0.001  # the least confidence; two digits read as one have about this
_WIDE = 0.8  # a digit may be as wide...
_WIDTH_COST = 10.0  # ...and each 0.1 beyond costs 1 nat
_WIDEST = 1.1  # no digit beside others is wider...
_LOWEST = 0.5  # ...or lower, unless it is a bar
_SLACK = 0.15  # of a stroke of the line's height; so much ink may lie on the wrong sides of two seams
_CONNECTED = 0.8  # the share of a digit's ink that is connected, at least
_SAMPLED = 2000  # pixels that tell how wide and high the ink between two seams is


def divide(pixels: np.ndarray, height: float, pen_width: float, confidence: Confidence, most: int) -> list[np.ndarray]:
    """Divide connected ink into digits.

    Args:
        pixels: int (n, 2), x and y.
        height: of the line of writing, in pixels.
        pen_width: in pixels.
        confidence: the recogniser's.
        most: questions to it, at most; after these, the best division that is known.

    Returns:
        The pixels of each digit, from left to right; every pixel is in exactly one.
    """
    found = seams.find(pixels, height, pen_width) if most > 0 else []
    if not found:
        return [pixels]
    count = len(pixels)
    sides = np.stack([np.ones(count, bool), *(seam.is_right for seam in found), np.zeros(count, bool)])
    path = _cheapest_path(pixels, sides, _costs(pixels, sides, found, height, pen_width), pen_width, confidence, most)
    number = np.sum([sides[first] for first, _ in path], axis=0)  # where seams cross, a pixel's digit is the count
    return [pixels[number == place] for place in np.unique(number)]


def _costs(
    pixels: np.ndarray, sides: np.ndarray, found: list[seams.Seam], height: float, pen_width: float
) -> dict[tuple[int, int], float]:
    """Return what the ink between each two seams costs before the recogniser is asked; without what is no digit."""
    last = len(found) + 1
    width = float(np.ptp(pixels[:, 0])) / height
    costs = {(0, last): _WIDTH_COST * max(0.0, width - _WIDE) - _WHOLE}
    cuts = [0.0, *(_CUT_COST + _CROSSED_COST * seam.crossed for seam in found), 0.0]
    step = 1 + len(pixels) // _SAMPLED
    some, right = pixels[::step], sides[:, ::step]
    slack = _SLACK * height * pen_width / step
    for i in range(last):
        crossing = (right[i + 1 :] & ~right[i]).sum(axis=1)
        for j in (i + 1 + np.flatnonzero(crossing <= slack)).tolist():
            inside = some[right[i] & ~right[j]]
            if len(inside) and (i, j) != (0, last):
                width, tall = ((np.ptp(inside, axis=0) + 1) / height).tolist()
                if width <= _WIDEST and tall >= _LOWEST:
                    costs[i, j] = cuts[j] + _WIDTH_COST * max(0.0, width - _WIDE)
    return costs


def _cheapest_path(
    pixels: np.ndarray,
    sides: np.ndarray,
    costs: dict[tuple[int, int], float],
    pen_width: float,
    confidence: Confidence,
    most: int,
) -> list[tuple[int, int]]:
    """Find the cheapest row of digits, each from one seam to another.

    Only digits of the row that is cheapest if the recogniser is sure of all others are asked about.
    """
    last = len(sides) - 1
    asked: set[tuple[int, int]] = set()
    while True:
        path = _shortest(costs, last)
        questions = {(i, j): pixels[sides[i] & ~sides[j]] for i, j in path if (i, j) not in asked}
        if not questions:
            return path
        if len(asked) + len(questions) > most:
            return _shortest({edge: costs[edge] for edge in asked | {(0, last)}}, last)
        for edge in [edge for edge, inside in questions.items() if not _is_connected(inside, pen_width)]:
            if edge != (0, last):  # the whole may hold a hairline
                del costs[edge], questions[edge]
        if questions:
            shares = confidence(list(questions.values()))
            for edge, share in zip(questions, shares, strict=True):
                costs[edge] -= math.log(_STRANGE + (1 - _STRANGE) * share)
            asked.update(questions)


def _shortest(costs: dict[tuple[int, int], float], last: int) -> list[tuple[int, int]]:
    """Return the edges of the cheapest path from 0 to `last`; every edge leads to a higher number."""
    best: list[tuple[float, int]] = [(0.0, 0)] + [(math.inf, 0)] * last
    for (i, j), cost in sorted(costs.items()):
        if best[i][0] + cost < best[j][0]:
            best[j] = best[i][0] + cost, i
    path, place = [], last
    while place:
        path.append((best[place][1], place))
        place = best[place][1]
    return path[::-1]


def _is_connected(pixels: np.ndarray, pen_width: float) -> bool:
    """Return whether nearly all of some ink is connected, but for gaps far narrower than the pen."""
    x, y = ((pixels - pixels.min(axis=0)) // max(1, int(pen_width / 4))).T
    mask = np.zeros((y.max() + 1, x.max() + 1), bool)
    mask[y, x] = True
    labels, _ = scipy.ndimage.label(mask, np.ones((3, 3)))
    return bool(np.bincount(labels[mask]).max() > _CONNECTED * mask.sum())
