"""Division: divides the connected ink of one line of writing into digits, by gaps and by the recogniser's confidence.

The pieces are taken from left to right. `digits.ink.segmentation` says what the division weighs; strokes, whose paths
are known, are divided by `digits.ink.grouping`.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from digits.ink.pieces import LEANS, cut_apart, united_box

Sureness = Callable[..., float]  # confidence in pieces as one digit, which may be one component of ink

# Gaps lie between the pen's paths, as shares of the line's height. Costs are in nats, like -log(confidence).
_EVEN_GAP = -0.03  # here one digit and two are equally likely; the threshold without a recogniser
_SURELY_APART = 0.06  # in 120 digits of several strokes no gap is over 0.042
_SURELY_TOGETHER = -0.2  # neighbours seldom overlap so far, but the strokes of a 4 or a 7 mostly do
_GAP_EVIDENCE = 20.0  # nats for a gap of the line's height: a gap of 0.1 counts as much as a confidence of 1/7
_FRAGMENT_HEIGHT = 0.5  # anything lower is a bar or a serif, because digits of one number vary less in size
_FRAGMENT_COST = 5.0  # more than any doubtful reading costs, or the width of a 5 with a long bar
_FRAGMENT_REACH = 0.2  # a bar may belong to a neighbour up to this far away
_WIDE = 0.9  # width over height: 90% of 550 pen digits are narrower...
_WIDTH_COST = 10.0  # ...and each 0.1 beyond makes two digits more likely, by 1 nat
_WIDEST = 1.4  # none of 550 pen digits is wider than 1.36
_MAX_WIDTH = 1.8  # wider groups are not considered
_STRANGE = 0.02  # the least confidence: people also write what is no digit
_CUT_COST = 2.0  # connected ink is rarely two digits, so the parts must read clearly better
_CUT_WIDTH = 0.7  # only wider pieces may be two digits; two narrow digits seldom touch
_READ_WELL = 0.2  # a piece that is a digit with this confidence is not cut, unless it is wider than any digit
_MAX_QUESTIONS = 60  # readings by the recogniser for one line; with more, as in a scribble, the gaps decide alone


def cut(pieces: list[np.ndarray], pen_width: float, sureness: Sureness) -> tuple[list[np.ndarray], list[int]]:
    """Cut wide pieces that may be two touching digits; `group` may join the parts again.

    Returns:
        The pieces, and for each the index of the original piece.
    """
    height = pen_width + max(float(np.ptp(piece[:, 1])) for piece in pieces)
    parts, owners = [], []
    for owner, piece in enumerate(pieces):
        width, tall = ((np.ptp(piece, axis=0) + pen_width) / height).tolist()
        is_candidate = width > _CUT_WIDTH and tall > _FRAGMENT_HEIGHT
        is_candidate = is_candidate and (width > _WIDEST or sureness([piece], True) < _READ_WELL)
        found = cut_apart(piece, height, pen_width) if is_candidate else [piece]
        parts += found
        owners += [owner] * len(found)
    return parts, owners


def group(
    pieces: Sequence[np.ndarray],
    sureness: Sureness | None,
    *,
    pen_width: float = 0.0,
    owners: Sequence[int] | None = None,
) -> list[list[int]]:
    """Divide a line's pieces into digits: the most likely grouping, given the gaps and the readings.

    Args:
        pieces: points (n, 2) each, x and y.
        sureness: the recogniser's confidence in pieces as one digit; None if the gaps decide alone.
        pen_width: how far the points' outline extends beyond the pen's path, both sides together.
        owners: pieces with the same owner were cut from one piece.

    Returns:
        Groups of indices, from left to right.
    """
    centres = [piece[:, 0].min() / 2 + piece[:, 0].max() / 2 for piece in pieces]
    order = sorted(range(len(pieces)), key=lambda index: centres[index])
    ordered = [pieces[index] for index in order]
    height = max(1.0, pen_width + max(float(np.ptp(piece[:, 1])) for piece in pieces))
    costs = _gap_costs(ordered, height, pen_width)
    owned = [index if owners is None else owners[index] for index in order]
    for place in range(1, len(order)):
        if owned[place - 1] == owned[place]:
            costs[place - 1] = _CUT_COST
    # Neighbours that surely belong together form one unit from here on.
    starts = [0] + [place for place in range(1, len(order)) if costs[place - 1] < math.inf] + [len(order)]
    units = list(itertools.pairwise(starts))
    breaks = [costs[first - 1] for first, _ in units[1:]]
    spans = _span_costs(ordered, owned, units, breaks, height, pen_width, sureness)
    boundaries = _cheapest_division(spans, breaks)
    return [order[units[i][0] : units[j - 1][1]] for i, j in boundaries]


def _gap_costs(pieces: list[np.ndarray], height: float, pen_width: float) -> list[float]:
    """Return the cost in nats of separating each two neighbours: inf if surely one digit, -inf if surely two."""
    leaning = [piece[:, :1] + piece[:, 1:] * np.array(LEANS) for piece in pieces]  # each (n, leans)
    lefts = np.array([points.min(axis=0) for points in leaning])
    rights = np.array([points.max(axis=0) for points in leaning])
    # everything before against everything after, because a bar may extend beyond its neighbour
    gaps = np.minimum.accumulate(lefts[::-1])[::-1][1:] - np.maximum.accumulate(rights)[:-1]
    gaps = (gaps + pen_width) / height
    is_fragment = [np.ptp(piece[:, 1]) + pen_width < _FRAGMENT_HEIGHT * height for piece in pieces]
    costs = []
    for place, slanted in enumerate(gaps):
        is_bar = is_fragment[place] or is_fragment[place + 1]
        # a slanted cut separates the bar of a 5 from its body, and two digits that lean
        gap = float(slanted[LEANS.index(0.0)] if is_bar else slanted.max())
        reach = _FRAGMENT_REACH if is_bar else _SURELY_APART
        if gap > reach or gap < _SURELY_TOGETHER:
            costs.append(math.copysign(math.inf, -gap))
        else:
            costs.append(_GAP_EVIDENCE * (_EVEN_GAP - gap))
    return costs


def _span_costs(
    pieces: list[np.ndarray],
    owners: list[int],
    units: list[tuple[int, int]],
    breaks: list[float],
    height: float,
    pen_width: float,
    sureness: Sureness | None,
) -> dict[tuple[int, int], float]:
    """Return the cost in nats of reading each span of units as one digit, by its width, its height and the recogniser.

    Returns:
        Costs by (first unit, one past the last). Spans that cannot be one digit are left out.
    """
    corners = [np.concatenate(pieces[first:last]) for first, last in units]
    boxes = [(*points.min(axis=0).tolist(), *points.max(axis=0).tolist()) for points in corners]  # x0, y0, x1, y1
    spans: dict[tuple[int, int], float] = {}
    for last in range(1, len(units) + 1):
        box = boxes[last - 1]
        for first in range(last - 1, -1, -1):
            box = united_box(box, boxes[first])
            width, tall = box[2] - box[0] + pen_width, box[3] - box[1] + pen_width
            if last - first > 1 and (width > _MAX_WIDTH * height or breaks[first] == -math.inf):
                break
            is_connected = len(set(owners[units[first][0] : units[last - 1][1]])) == 1
            widest = _WIDEST if is_connected else _WIDE
            spans[first, last] = _WIDTH_COST * max(0.0, width / max(tall, height) - widest)
            spans[first, last] += _FRAGMENT_COST * (tall < _FRAGMENT_HEIGHT * height)
    doubtful = [span for span in spans if not _is_certain(span, breaks)]
    if sureness and len(doubtful) <= _MAX_QUESTIONS:
        for first, last in doubtful:
            members = slice(units[first][0], units[last - 1][1])
            is_whole = owners.count(owners[members.start]) == members.stop - members.start
            confidence = sureness(pieces[members], is_whole and len(set(owners[members])) == 1)
            spans[first, last] -= math.log(_STRANGE + (1 - _STRANGE) * confidence)
    return spans


def _is_certain(span: tuple[int, int], breaks: list[float]) -> bool:
    """Return whether a span is one unit that surely stands apart on both sides, so that no reading can change it."""
    first, last = span
    sides = (breaks[place] for place in (first - 1, last - 1) if 0 <= place < len(breaks))
    return last - first == 1 and all(cost == -math.inf for cost in sides)


def _cheapest_division(spans: dict[tuple[int, int], float], breaks: list[float]) -> list[tuple[int, int]]:
    """Divide all units into spans with the smallest sum of costs, by dynamic programming.

    Args:
        spans: the cost of each possible span, as from `_span_costs`.
        breaks: the cost of separating each unit from the next; minus infinity where they are surely separate.

    Returns:
        (first unit, one past the last) of each span, from left to right.
    """
    # For the first 0, 1, 2, … units: the smallest cost, and where the last span begins.
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(1, len(breaks) + 2):
        options = []
        for first in range(last):
            if (first, last) in spans:
                separation = breaks[first - 1] if first and breaks[first - 1] > -math.inf else 0.0
                options.append((best[first][0] + separation + spans[first, last], first))
        best.append(min(options))
    found, last = [], len(breaks) + 1
    while last:
        found.append((best[last][1], last))
        last = best[last][1]
    return found[::-1]
