"""Segmentation: separates the digits of a number in a drawing or a picture, each with its glyph.

The writing is divided into lines, and each line into pieces: pen strokes, or connected ink. Strokes are grouped into
digits by `digits.ink.grouping`. Connected ink is grouped from left to right by `digits.ink.division`. Whether two
neighbours are one digit depends on the gap between them, as a share of the line's height. The gap is measured along the
straight cut, upright or slanted, that separates them most. A wide gap separates them and a deep overlap joins them. In
between, the recogniser decides, by its confidence in each grouping. Ink that it reads badly may be several digits that
touch: `digits.ink.touching` divides it along its seams (`digits.ink.seams`) if it then reads clearly better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from digits.errors import InvalidImage
from digits.ink import division, glyphs, grouping
from digits.ink import strokes as pen
from digits.ink.division import Sureness
from digits.ink.pieces import FAINTEST, Box, components, lines_of_writing, paint

Score = Callable[[np.ndarray], np.ndarray]  # uint8 (n, 28, 28) to float32 (n, classes), each row sums to 1

MAX_DIGITS = 40  # each takes milliseconds to fit; more marks than this are not a number
_CONNECTED = 0.15  # the least probability that connected ink is a digit: the judge alone does not have it cut
# Of the highest piece, and at most two pixels: a gap as narrow is one that the pen or the threshold left.
_HAIRLINE = 0.06


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
    bias: float = 0.0,
) -> list[Digit]:
    """Find the digits of a drawing; arguments as in `glyphs.fit_strokes`, `split_strokes` and `grouping.group`.

    Raises:
        InvalidImage: as in `strokes.check`, or there are more than `MAX_DIGITS` digits.
    """
    strokes = pen.check(strokes)
    lines = _stroke_lines(strokes, score, bias)
    _limit(lines)
    digits = []
    for number, line in enumerate(lines):
        for group in line:
            glyph = glyphs.fit_strokes([strokes[index] for index in group], size=size, pen_width=pen_width)
            digits.append(Digit(glyph, glyph.box, number))
    return digits


def find_digits_in_ink(ink: np.ndarray, *, score: Score | None = None, most: int = MAX_DIGITS) -> list[Digit]:
    """Find the digits in the ink of a picture; arguments as in `split_ink`.

    Raises:
        InvalidImage: as in `split_ink`, or there are more than `most` digits.
    """
    ink = _checked(ink)
    lines = _ink_lines(ink, score)
    _limit(lines, most)
    digits = []
    for number, line in enumerate(lines):
        for box, digit in line:
            x0, y0, x1, y1 = box
            alone = np.zeros_like(ink)
            alone[y0:y1, x0:x1] = digit
            digits.append(Digit(glyphs.fit_box(alone, box), box, number))
    return digits


def _limit(lines: list, most: int = MAX_DIGITS) -> None:
    count = sum(map(len, lines))
    if count > most:
        raise InvalidImage(
            f"At most {most} digits can be read at once; this has {count} separate marks. Clear it, or choose a "
            "picture with less on it."
        )


def _checked(ink: np.ndarray) -> np.ndarray:
    ink = np.asarray(ink, dtype=np.float32)
    if ink.ndim != 2 or not np.isfinite(ink).all():
        raise InvalidImage(f"`ink` must be a grey array (height, width) of numbers; received {ink.shape}.")
    return ink


def _stroke_lines(strokes: list[np.ndarray], score: Score | None, bias: float = 0.0) -> list[list[list[int]]]:
    def confidence(pieces: list[np.ndarray]) -> float:
        glyph = glyphs.fit_strokes(pieces, size=(1, 1))  # only the image matters, so the canvas is one pixel
        return float(score(glyph.image[None]).max()) if score else 0.0

    lines = []
    for members in lines_of_writing(strokes):
        groups = grouping.group([strokes[index] for index in members], confidence if score else None, bias)
        lines.append([sorted(members[index] for index in group) for group in groups])
    return lines


def _ink_lines(ink: np.ndarray, score: Score | None) -> list[list[tuple[Box, np.ndarray]]]:
    mask = ink > FAINTEST
    pieces = components(mask, bridge=_hairline(mask))
    if not pieces:
        return []
    depth = scipy.ndimage.distance_transform_edt(mask)[mask]
    pen_width = 4 * float(depth.mean())  # a strip's mean depth is a quarter of its width
    sureness = _sureness(ink, score) if score else None
    lines = []
    for members in lines_of_writing(pieces):
        digits = division.divide([pieces[index] for index in members], pen_width, sureness)
        lines.append([paint(digit, ink) for digit in digits])
    return lines


def _hairline(mask: np.ndarray) -> int:
    """Return the width in pixels of a gap that a stroke has where the pen hardly touched the paper."""
    rows = [np.ptp(piece[:, 1]) + 1 for piece in components(mask)]
    return min(2, int(_HAIRLINE * max(rows, default=0)))


def _sureness(ink: np.ndarray, score: Score) -> Sureness:
    """Return a function that fits pieces of ink as digits and gives the recogniser's confidence in each."""

    def fitted(pieces: Sequence[np.ndarray]) -> np.ndarray:
        digit = paint(pieces, ink)[1]
        return glyphs.fit_box(digit, (0, 0, digit.shape[1], digit.shape[0])).image

    def sureness(candidates: Sequence[Sequence[np.ndarray]], are_connected: Sequence[bool]) -> np.ndarray:
        rows = score(np.stack([fitted(pieces) for pieces in candidates]))
        confidence, is_digit = rows.max(axis=1), rows.sum(axis=1)
        spared = confidence / np.maximum(is_digit, 1e-6) * (_CONNECTED + (1 - _CONNECTED) * is_digit)
        return np.where(are_connected, spared, confidence)

    return sureness
