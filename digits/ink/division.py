"""Division: divides the connected ink of one line of writing into digits, by gaps and by the recogniser's confidence.

Ink that reads badly is first divided by `digits.ink.touching`. Then pieces are taken from left to right, and of all
ways to join neighbours into digits, the cheapest is chosen (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based
learning applied to document recognition", 1998, section V). `digits.ink.segmentation` says what is weighed; strokes,
whose paths are known, are divided by `digits.ink.grouping`.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from digits.ink import touching
from digits.ink.pieces import LEANS, united_box

Pieces = Sequence[np.ndarray]
# For each of several groups of pieces, the confidence that they are one digit, float (n,). The second argument says
# whether they are connected ink.
Sureness = Callable[[Sequence[Pieces], Sequence[bool]], np.ndarray]

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
_CUT_WIDTH = 0.4  # only wider pieces may be several digits
_READ_WELL = 0.5  # a piece that is a digit with this confidence is not cut; one of eight single digits is below
_MAX_QUESTIONS = 60  # readings by the recogniser for one line; with more, as in a scribble, the gaps decide alone
_MOST_CUTTING = 300  # readings to divide the pieces of one line; the numbers of six digits that touch take about 100


class Part(NamedTuple):
    """A piece, or one digit of it.

    Attributes:
        pixels: int (n, 2), x and y.
        owner: the index of the piece.
    """

    pixels: np.ndarray
    owner: int


def divide(pieces: Pieces, pen_width: float, sureness: Sureness | None) -> list[list[np.ndarray]]:
    """Divide a line's pieces into digits: the most likely division, given the gaps and the readings.

    Args:
        pieces: int (n, 2) each, x and y.
        pen_width: in pixels.
        sureness: the recogniser's; without it the gaps decide alone, and no piece is cut.

    Returns:
        The pieces, or parts of them, of each digit; digits from left to right.
    """
    parts = cut(pieces, pen_width, sureness) if sureness else list(map(Part, pieces, range(len(pieces))))
    groups = group(parts, pen_width, sureness) or group(parts, pen_width, None) or []
    return [[parts[index].pixels for index in members] for members in groups]


def cut(pieces: Pieces, pen_width: float, sureness: Sureness) -> list[Part]:
    """Divide pieces that may be several touching digits, because they are wide and read badly as one."""
    height = pen_width + max(float(np.ptp(piece[:, 1])) for piece in pieces)
    left = _MOST_CUTTING

    def confidence(candidates: Pieces) -> np.ndarray:
        nonlocal left
        left -= len(candidates)
        return sureness([[pixels] for pixels in candidates], [False] * len(candidates))

    sides = [((np.ptp(piece, axis=0) + pen_width) / height).tolist() for piece in pieces]
    wide = [index for index, (width, tall) in enumerate(sides) if width > _CUT_WIDTH and tall > _FRAGMENT_HEIGHT]
    shares = confidence([pieces[index] for index in wide]) if 0 < len(wide) <= left else np.ones(len(wide))
    doubtful = {index for index, share in zip(wide, shares, strict=True) if share < _READ_WELL}
    parts = []
    for owner, piece in enumerate(pieces):
        is_doubtful = owner in doubtful
        found = touching.divide(piece, height, pen_width, confidence, left) if is_doubtful else [piece]
        parts += [Part(pixels, owner) for pixels in found]
    return parts


def group(parts: Sequence[Part], pen_width: float, sureness: Sureness | None) -> list[list[int]] | None:
    """Join parts into digits.

    Args:
        parts: of one line.
        pen_width: how far the points' outline extends beyond the pen's path, both sides together.
        sureness: the recogniser's; None if the gaps decide alone.

    Returns:
        Groups of indices, from left to right; None if that takes too many questions.
    """
    order = _from_left_to_right(parts)
    ordered = [parts[index] for index in order]
    height = max(1.0, pen_width + max(float(np.ptp(part.pixels[:, 1])) for part in _owners(parts)))
    costs = _separation_costs(ordered, height, pen_width)
    # Neighbours that surely belong together form one unit from here on.
    starts = [0] + [place for place in range(1, len(order)) if costs[place - 1] < math.inf] + [len(order)]
    units = list(itertools.pairwise(starts))
    breaks = [costs[first - 1] for first, _ in units[1:]]
    spans = _span_costs(ordered, units, breaks, height, pen_width)
    doubtful = {span for span in spans if not _is_certain(span, breaks)} if sureness else set()
    asked = 0
    while True:  # ask only about digits of the division that is cheapest if the recogniser is sure of all others
        boundaries = _cheapest_division(spans, breaks)
        questions = [span for span in boundaries if span in doubtful]
        if not questions or sureness is None:
            return [order[units[i][0] : units[j - 1][1]] for i, j in boundaries]
        asked += len(questions)
        if asked > _MAX_QUESTIONS:
            return None
        members = [ordered[units[first][0] : units[last - 1][1]] for first, last in questions]
        shares = sureness(
            [[part.pixels for part in row] for row in members], [_is_one_piece(row, ordered) for row in members]
        )
        for span, share in zip(questions, shares, strict=True):
            spans[span] += _reading_cost(share)
        doubtful.difference_update(questions)


def _from_left_to_right(parts: Sequence[Part]) -> list[int]:
    """Return the order of the parts by their middles; those of one piece stay in the order of its seams."""
    middles: list[float] = []
    for index, part in enumerate(parts):
        middle = float(part.pixels[:, 0].min() + part.pixels[:, 0].max()) / 2
        follows = index > 0 and parts[index - 1].owner == part.owner
        middles.append(max(middle, middles[-1]) if follows else middle)
    return sorted(range(len(parts)), key=lambda index: middles[index])


def _reading_cost(share: float) -> float:
    """Return the cost in nats of one digit in which the recogniser has this confidence."""
    return -math.log(_STRANGE + (1 - _STRANGE) * share)


def _owners(parts: Sequence[Part]) -> list[Part]:
    """Return for each part the whole piece."""
    owners: dict[int, list[Part]] = {}
    for part in parts:
        owners.setdefault(part.owner, []).append(part)
    wholes = {
        owner: found[0] if len(found) == 1 else Part(np.concatenate([part.pixels for part in found]), owner)
        for owner, found in owners.items()
    }
    return [wholes[part.owner] for part in parts]


def _is_one_piece(members: Sequence[Part], parts: Sequence[Part]) -> bool:
    """Return whether some parts are all those of one piece."""
    owner = members[0].owner
    return all(part.owner == owner for part in members) and sum(part.owner == owner for part in parts) == len(members)


def _separation_costs(parts: Sequence[Part], height: float, pen_width: float) -> list[float]:
    """Return the cost in nats of separating each two neighbours: inf if surely one digit, -inf if surely two."""
    leaning = [part.pixels[:, :1] + part.pixels[:, 1:] * np.array(LEANS) for part in parts]  # each (n, leans)
    lefts = np.array([points.min(axis=0) for points in leaning])
    rights = np.array([points.max(axis=0) for points in leaning])
    # everything before against everything after, because a bar may extend beyond its neighbour
    gaps = np.minimum.accumulate(lefts[::-1])[::-1][1:] - np.maximum.accumulate(rights)[:-1]
    gaps = (gaps + pen_width) / height
    is_fragment = [np.ptp(whole.pixels[:, 1]) + pen_width < _FRAGMENT_HEIGHT * height for whole in _owners(parts)]
    costs = []
    for place, slanted in enumerate(gaps):
        left, right = parts[place : place + 2]
        if left.owner == right.owner:
            costs.append(-math.inf)  # the reading has decided
            continue
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
    parts: Sequence[Part], units: list[tuple[int, int]], breaks: list[float], height: float, pen_width: float
) -> dict[tuple[int, int], float]:
    """Return the cost in nats of reading each span of units as one digit, by its width and its height.

    Returns:
        Costs by (first unit, one past the last). Spans that cannot be one digit are left out.
    """
    corners = [np.concatenate([part.pixels for part in parts[first:last]]) for first, last in units]
    boxes = [(*points.min(axis=0).tolist(), *points.max(axis=0).tolist()) for points in corners]  # x0, y0, x1, y1
    spans: dict[tuple[int, int], float] = {}
    for last in range(1, len(units) + 1):
        box = boxes[last - 1]
        for first in range(last - 1, -1, -1):
            box = united_box(box, boxes[first])
            width, tall = box[2] - box[0] + pen_width, box[3] - box[1] + pen_width
            if last - first > 1 and (width > _MAX_WIDTH * height or breaks[first] == -math.inf):
                break
            widest = _WIDEST if _is_one_piece(parts[units[first][0] : units[last - 1][1]], parts) else _WIDE
            spans[first, last] = _WIDTH_COST * max(0.0, width / max(tall, height) - widest)
            spans[first, last] += _FRAGMENT_COST * (tall < _FRAGMENT_HEIGHT * height)
    return spans


def _is_certain(span: tuple[int, int], breaks: list[float]) -> bool:
    """Return whether a span is one unit that surely stands apart on both sides, so that no reading can change it."""
    first, last = span
    sides = (breaks[place] for place in (first - 1, last - 1) if 0 <= place < len(breaks))
    return last - first == 1 and all(cost == -math.inf for cost in sides)


def _cheapest_division(spans: dict[tuple[int, int], float], breaks: list[float]) -> list[tuple[int, int]]:
    """Divide all units into spans with the smallest sum of costs, by dynamic programming.

    Args:
        spans: the cost of each possible span.
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
