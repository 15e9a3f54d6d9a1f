"""Segmentation: separates the digits of a number in a drawing or a picture, each with its glyph.

The writing is divided into lines, and each line into pieces: pen strokes, or connected ink. Strokes are grouped into
digits by `digits.ink.grouping`. Connected ink is grouped from left to right by `digits.ink.division`. Whether two
neighbours are one digit depends on the gap between them, as a share of the line's height. The gap is measured along the
straight cut, upright or slanted, that separates them most. A wide gap separates them and a deep overlap joins them. In
between, the recogniser decides, by its confidence in each grouping (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner,
"Gradient-based learning applied to document recognition", 1998, section V). Digits that touch in a picture are cut at a
thin bridge if the recogniser then reads the parts clearly better. Digits written in one stroke, or joined along a thick
seam, stay one digit.
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
    def fitted(pieces: list[np.ndarray]) -> glyphs.Glyph:
        return glyphs.fit_strokes(pieces, size=(1, 1))  # only the image matters, so the canvas is one pixel

    sureness = _sureness(fitted, score)
    lines = []
    for members in lines_of_writing(strokes):
        groups = grouping.group([strokes[index] for index in members], sureness, bias)
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
            line, owners = division.cut(line, pen_width, sureness)
        groups = division.group(line, sureness, pen_width=pen_width, owners=owners)
        lines.append([paint([line[index] for index in group], ink) for group in groups])
    return lines


def _hairline(mask: np.ndarray) -> int:
    """Return the width in pixels of a gap that a stroke has where the pen hardly touched the paper."""
    rows = [np.ptp(piece[:, 1]) + 1 for piece in components(mask)]
    return min(2, int(_HAIRLINE * max(rows, default=0)))


def _sureness(fitted: Callable[[list[np.ndarray]], glyphs.Glyph], score: Score | None) -> Sureness | None:
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
