"""Segmentation: separates the digits of a number in a drawing or a picture, each with its glyph.

The writing is divided into lines, and each line into pieces: pen strokes, or connected ink. Strokes are grouped into
digits by `digits.ink.grouping`. Connected ink is grouped from left to right. Whether two neighbours are one digit
depends on the gap between them, as a share of the line's height. The gap is measured along the straight cut, upright or
slanted, that separates them most. A wide gap separates them and a deep overlap joins them. In between, the recogniser
decides, by its confidence in each grouping (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning
applied to document recognition", 1998, section V). Digits that touch in a picture are cut at a thin bridge if the
recogniser then reads the parts clearly better. Digits written in one stroke, or joined along a thick seam, stay one
digit.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from digits.errors import InvalidImage
from digits.ink import glyphs, grouping
from digits.ink import strokes as pen
from digits.ink.pieces import FAINTEST, LEANS, Box, components, cut_apart, lines_of_writing, paint, united_box

Score = Callable[[np.ndarray], np.ndarray]  # uint8 (n, 28, 28) to float32 (n, classes), each row sums to 1
_Sureness = Callable[..., float]  # confidence in pieces as one digit, which may be one component of ink

MAX_DIGITS = 40  # each takes milliseconds to fit; more marks than this are not a number


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
_CONNECTED = 0.15  # the least probability that connected ink is a digit: the judge alone does not have it cut
_STRANGE = 0.02  # the least confidence: people also write what is no digit
_CUT_COST = 2.0  # connected ink is rarely two digits, so the parts must read clearly better
_CUT_WIDTH = 0.7  # only wider pieces may be two digits; two narrow digits seldom touch
_HAIRLINE = (
    0.06  # of the highest piece, and at most two pixels: a gap as narrow is one that the pen or the threshold left
)
_READ_WELL = 0.2  # a piece that is a digit with this confidence is not cut, unless it is wider than any digit
_MAX_QUESTIONS = 60  # readings by the recogniser for one line; with more, as in a scribble, the gaps decide alone


@dataclass(frozen=True)
class Digit:
    """One digit of a drawing or a picture.

    Attributes:
        glyph: the digit as the network sees it; its `found` is the whole source with this digit's ink alone.
        box: x0, y0, x1, y1 of its ink in source pixels; x1 and y1 are exclusive.
        line: its line of writing, counted from 0 at the top.
    """

    glyph: glyphs.Glyph
    box: Box
    line: int = 0


def split_strokes(strokes: Sequence[np.ndarray], *, score: Score | None = None) -> list[list[int]]:
    """Group strokes into digits.

    Args:
        strokes: float32 (n, 2) each, x and y in canvas pixels.
        score: the recogniser; it decides where the strokes' places do not, and is asked about single images. Its rows
            may sum to less than 1: the rest is the probability that an image is no digit. Without it the places of the
            strokes decide alone.

    Returns:
        The indices of each digit's strokes: lines from top to bottom, digits from left to right. Every stroke is in
        exactly one digit; a stroke that holds several digits stays whole.

    Raises:
        InvalidImage: as in `strokes.check`.
    """
    return [group for line in _stroke_lines(pen.check(strokes), score) for group in line]


def split_ink(ink: np.ndarray, *, score: Score | None = None) -> list[tuple[Box, np.ndarray]]:
    """Divide ink into digits.

    Args:
        ink: float32 (height, width), 0 is paper and 1 is ink.
        score: as in `split_strokes`; without it, digits that touch are not cut apart.

    Returns:
        Each digit's box x0, y0, x1, y1 and its ink, float32 (y1 - y0, x1 - x0), in the order of `split_strokes`. Every
        pixel above `pieces.FAINTEST` is in exactly one digit.

    Raises:
        InvalidImage: `ink` is not two-dimensional or holds something other than numbers.
    """
    return [digit for line in _ink_lines(_checked(ink), score) for digit in line]


def find_digits(
    strokes: Sequence[np.ndarray],
    *,
    size: tuple[int, int] = (280, 280),
    pen_width: float = 20.0,
    score: Score | None = None,
) -> list[Digit]:
    """Find the digits of a drawing; arguments as in `glyphs.fit_strokes` and `split_strokes`.

    Raises:
        InvalidImage: as in `strokes.check`, or there are more than `MAX_DIGITS` digits.
    """
    strokes = pen.check(strokes)
    lines = _stroke_lines(strokes, score)
    _limit(lines)
    digits = []
    for number, line in enumerate(lines):
        for group in line:
            glyph = glyphs.fit_strokes([strokes[index] for index in group], size=size, pen_width=pen_width)
            digits.append(Digit(glyph, glyph.box, number))
    return digits


def find_digits_in_ink(ink: np.ndarray, *, score: Score | None = None) -> list[Digit]:
    """Find the digits in the ink of a picture; arguments as in `split_ink`.

    Raises:
        InvalidImage: as in `split_ink`, or there are more than `MAX_DIGITS` digits.
    """
    ink = _checked(ink)
    lines = _ink_lines(ink, score)
    _limit(lines)
    digits = []
    for number, line in enumerate(lines):
        for box, digit in line:
            x0, y0, x1, y1 = box
            alone = np.zeros_like(ink)
            alone[y0:y1, x0:x1] = digit
            digits.append(Digit(glyphs.fit_box(alone, box), box, number))
    return digits


def _limit(lines: list) -> None:
    count = sum(map(len, lines))
    if count > MAX_DIGITS:
        raise InvalidImage(
            f"At most {MAX_DIGITS} digits can be read at once; this has {count} separate marks. Clear it, or choose a "
            "picture with less on it."
        )


def _checked(ink: np.ndarray) -> np.ndarray:
    ink = np.asarray(ink, dtype=np.float32)
    if ink.ndim != 2 or not np.isfinite(ink).all():
        raise InvalidImage(f"`ink` must be a grey array (height, width) of numbers; received {ink.shape}.")
    return ink


def _stroke_lines(strokes: list[np.ndarray], score: Score | None) -> list[list[list[int]]]:
    def fitted(pieces: list[np.ndarray]) -> glyphs.Glyph:
        return glyphs.fit_strokes(pieces, size=(1, 1))  # only the image matters, so the canvas is one pixel

    sureness = _sureness(fitted, score)
    lines = []
    for members in lines_of_writing(strokes):
        groups = grouping.group([strokes[index] for index in members], sureness)
        lines.append([sorted(members[index] for index in group) for group in groups])
    return lines


def _ink_lines(ink: np.ndarray, score: Score | None) -> list[list[tuple[Box, np.ndarray]]]:
    def fitted(pieces: list[np.ndarray]) -> glyphs.Glyph:
        digit = paint(pieces, ink)[1]
        return glyphs.fit_box(digit, (0, 0, digit.shape[1], digit.shape[0]))

    sureness = _sureness(fitted, score)
    mask = ink > FAINTEST
    pieces = components(mask, bridge=_hairline(mask))
    if not pieces:
        return []
    depth = scipy.ndimage.distance_transform_edt(mask)[mask]
    pen_width = 4 * float(depth.mean())  # a strip's mean depth is a quarter of its width
    lines = []
    for members in lines_of_writing(pieces):
        line = [pieces[index] for index in members]
        owners = list(range(len(line)))
        if sureness:
            line, owners = _cut_all(line, pen_width, sureness)
        groups = _group(line, sureness, pen_width=pen_width, owners=owners)
        lines.append([paint([line[index] for index in group], ink) for group in groups])
    return lines


def _hairline(mask: np.ndarray) -> int:
    """Return the width in pixels of a gap that a stroke has where the pen hardly touched the paper."""
    rows = [np.ptp(piece[:, 1]) + 1 for piece in components(mask)]
    return min(2, int(_HAIRLINE * max(rows, default=0)))


def _sureness(fitted: Callable[[list[np.ndarray]], glyphs.Glyph], score: Score | None) -> _Sureness | None:
    """Return a function that fits pieces as one digit and gives the recogniser's confidence; None without `score`."""
    if score is None:
        return None

    def sureness(pieces: list[np.ndarray], is_connected: bool = False) -> float:
        row = score(fitted(pieces).image[None])[0]
        confidence, is_digit = float(row.max()), float(row.sum())
        if not is_connected:
            return confidence
        return confidence / max(is_digit, 1e-6) * (_CONNECTED + (1 - _CONNECTED) * is_digit)

    return sureness


def _group(
    pieces: Sequence[np.ndarray],
    sureness: _Sureness | None,
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
    sureness: _Sureness | None,
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


def _cut_all(pieces: list[np.ndarray], pen_width: float, sureness: _Sureness) -> tuple[list[np.ndarray], list[int]]:
    """Cut wide pieces that may be two touching digits; `_group` may join the parts again.

    Returns:
        The pieces, and for each the index of the original piece.
    """
    height = pen_width + max(float(np.ptp(piece[:, 1])) for piece in pieces)
    cut, owners = [], []
    for owner, piece in enumerate(pieces):
        width, tall = ((np.ptp(piece, axis=0) + pen_width) / height).tolist()
        is_candidate = width > _CUT_WIDTH and tall > _FRAGMENT_HEIGHT
        is_candidate = is_candidate and (width > _WIDEST or sureness([piece], True) < _READ_WELL)
        found = cut_apart(piece, height, pen_width) if is_candidate else [piece]
        cut += found
        owners += [owner] * len(found)
    return cut, owners
