"""Glyphs: ink, drawn or found in a picture, as the 28×28 image that a network trained on MNIST expects.

MNIST was made by scaling each digit into 20×20 pixels, with its aspect ratio kept, and centring it on 28×28 by its
centre of mass (Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/). Here the digit's centre lines are
scaled and centred in this way, and then drawn with a pen as wide as MNIST's. So the visitor's pen width and the
drawing's size and position do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from digits.errors import InvalidImage
from digits.ink import pen
from digits.ink.pen import BOX_SIDE
from digits.ink.pieces import Box
from digits.ink.strokes import check, render
from digits.settings import IMAGE_SIZE

_SMALLEST_DRAWING = 8.0  # canvas pixels; anything smaller is a dot, and is not blown up
_WORK_SIDE = 80  # centre lines are found on a picture of this size...
_WORK_UNIT = _WORK_SIDE / BOX_SIDE  # ...which has as many of its pixels to one of the 28×28


@dataclass(frozen=True)
class Glyph:
    """A digit as the network sees it, and where it came from.

    Attributes:
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        ink: uint8 (height, width), the ink in the source without the paper around it, 0 is paper and 255 is ink.
        corner: x, y of the upper left pixel of `ink` in the source.
        size: height and width of the source, in pixels.
        box: x0, y0, x1, y1 of the ink in source pixels; x1 and y1 are exclusive.
        scale: pixels of `image` for one source pixel.
        shift: x, y in source pixels by which the ink moved to bring its centre of mass to the picture's centre.
        lines: float32 (n, 2) each, x and y in source pixels: the strokes or centre lines from which `image` is drawn.
        pen_width: of the visitor's pen, in source pixels; 0 if the ink was found in a picture.
    """

    image: np.ndarray
    ink: np.ndarray
    corner: tuple[int, int]
    size: tuple[int, int]
    box: Box
    scale: float
    shift: tuple[float, float]
    lines: Sequence[np.ndarray] = ()
    pen_width: float = 0.0

    @property
    def found(self) -> np.ndarray:
        """The ink in the whole source, uint8 `size`, 0 is paper and 255 is ink; made anew, because it may be large."""
        (x, y), (height, width) = self.corner, self.ink.shape
        found = np.zeros(self.size, np.uint8)
        found[y : y + height, x : x + width] = self.ink
        return found

    @property
    def zoom(self) -> float:
        """How much larger the digit is than if the whole source had been reduced to 28×28."""
        return self.scale * max(self.size) / IMAGE_SIZE


def fit(ink: np.ndarray) -> Glyph | None:
    """Turn the ink of a picture into a glyph.

    Args:
        ink: float32 (height, width), 0 is paper and 1 is ink.

    Returns:
        The glyph, or None when there is no ink.

    Raises:
        InvalidImage: `ink` is not two-dimensional or not all finite.

    Example:
        >>> fit(pictures.find_ink(decoding.load_picture(data))).image.shape
        (28, 28)
    """
    ink = np.asarray(ink, dtype=np.float32)
    if ink.ndim != 2 or not np.isfinite(ink).all():
        raise InvalidImage(f"`ink` must be a grey array (height, width) of finite numbers; received {ink.shape}.")
    box = _box(ink > 0.5)
    return None if box is None else fit_box(ink, box)


def fit_box(ink: np.ndarray, box: Box) -> Glyph:
    """Fit ink whose place is known.

    Args:
        ink: float32 (height, width), 0 is paper and 1 is ink.
        box: x0, y0, x1, y1 of its pixels above 0.5, of which there is at least one.
    """
    lines = _centre_lines(ink, box)
    image, scale, centre = pen.draw(lines, smallest=1.0)
    return _glyph(image, ink, scale, centre, lines)


def fit_strokes(strokes: Sequence[np.ndarray], *, size: tuple[int, int] = (280, 280), pen_width: float = 20.0) -> Glyph:
    """Turn strokes into a glyph.

    Args:
        strokes: at least one, float32 (n, 2) each, x and y in canvas pixels.
        size: height and width of the canvas, for `ink` and `shift`.
        pen_width: the visitor's pen width in canvas pixels, for `ink`; it does not change `image`.

    Raises:
        InvalidImage: there are no strokes, or one is not as `strokes.check` wants it.
    """
    checked = check(strokes)
    if not checked:
        raise InvalidImage("A drawing must have a stroke or more; received none. Draw something.")
    found = render(checked, size=size, pen_width=pen_width)
    image, scale, centre = pen.draw(checked, smallest=_SMALLEST_DRAWING)
    return _glyph(image, found, scale, centre, checked, pen_width)


def describe(glyph: Glyph) -> str:
    """Describe in a short sentence what was done to the drawing, as "Shifted 31 px and scaled 1.8×" does."""
    distance = float(np.hypot(*glyph.shift))
    moved = f"shifted {distance:.0f} px" if distance >= 1 else "left in its place"
    scaled = f"scaled {glyph.zoom:.1f}×" if abs(glyph.zoom - 1) >= 0.05 else "kept at its size"
    return f"{moved[0].upper()}{moved[1:]} and {scaled}."


def _glyph(
    image: np.ndarray,
    found: np.ndarray,
    scale: float,
    centre: np.ndarray,
    lines: Sequence[np.ndarray],
    pen_width: float = 0.0,
) -> Glyph:
    height, width = found.shape
    box = _box(found > 0.5) or (0, 0, width, height)
    shift = (float(width / 2 - centre[0]), float(height / 2 - centre[1]))
    x0, y0, x1, y1 = _box(found > 0.5 / 255) or (0, 0, 0, 0)
    ink = np.rint(np.clip(found[y0:y1, x0:x1], 0, 1) * 255).astype(np.uint8)
    return Glyph(image, ink, (x0, y0), (height, width), box, scale, shift, tuple(lines), pen_width)


def _box(mask: np.ndarray) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _centre_lines(ink: np.ndarray, box: Box) -> list[np.ndarray]:
    """Find the path that a pen's tip would have followed.

    Returns:
        The points of the path as strokes of one point each, float32 (1, 2), x and y in source pixels.
    """
    x0, y0, x1, y1 = box
    factor = _WORK_SIDE / max(x1 - x0, y1 - y0)
    size = (max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor)))
    if factor < 1:
        ink = _thick_enough(ink[y0:y1, x0:x1], 2 / factor)
        box = (0, 0, x1 - x0, y1 - y0)
    resampling = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    work = np.asarray(Image.fromarray(ink).resize(size, resampling, box=box))
    mask = np.pad(work, 2) > 0.5
    lines = thin_to_lines(mask)
    depth = scipy.ndimage.distance_transform_edt(mask)
    if not lines.any():  # thinning can erase a small round dot
        lines = depth == depth.max()
    body = depth > _body_depth(float(np.median(depth[lines])))
    y, x = np.nonzero(lines | body)
    points = np.stack([(x - 2 + 0.5) * (x1 - x0) / size[0] + x0, (y - 2 + 0.5) * (y1 - y0) / size[1] + y0], axis=-1)
    return list(points.astype(np.float32)[:, None, :])


def _thick_enough(ink: np.ndarray, width: float) -> np.ndarray:
    """Widen hairlines to about `width` pixels, so that they survive the reduction."""
    mask = ink > 0.5
    outline = mask & ~scipy.ndimage.binary_erosion(mask)
    missing = int(np.ceil(width - 2 * mask.sum() / max(1, outline.sum())))  # a line has two outlines
    return scipy.ndimage.maximum_filter(ink, missing + 1) if missing > 0 else ink


def _body_depth(radius: float) -> float:
    """Return how deep inside the ink a point must be to be drawn although it is not on a centre line.

    A loop that a thick pen has filled is not a line: drawn as its centre line, an 8 would become a 1. Ink clearly
    deeper than the pen's radius belongs to such a filled area. The thicker the pen, the more of the ink's own shape is
    kept. The constants are the best of a dozen tried on 550 drawn digits with pens up to half their height.
    """
    return 1.1 * radius - 0.5 * max(0.0, radius - 1.5 * _WORK_UNIT)


def thin_to_lines(mask: np.ndarray) -> np.ndarray:
    """Thin a mask to lines one pixel wide.

    Z. Guo, R. W. Hall, "Parallel thinning with two-subiteration algorithms", CACM 32 (1989) 359-373, the first of the
    two. Its conditions are tabulated over the 256 neighbourhoods.

    Args:
        mask: bool (height, width); its outermost pixels must be False.

    Returns:
        lines: bool (height, width).
    """
    lines = mask.astype(np.uint8)
    changed = True
    while changed:
        changed = False
        for table in _THINNING:
            removed = table[_neighbourhoods(lines)] & lines
            if removed.any():
                lines ^= removed
                changed = True
    return lines.astype(bool)


def _neighbourhoods(lines: np.ndarray) -> np.ndarray:
    """Return the eight neighbours of each pixel as one byte; bit 0 is north, the others follow clockwise."""
    padded = np.pad(lines, 1)
    height, width = lines.shape
    code = np.zeros_like(lines)
    for bit, (dy, dx) in enumerate([(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]):
        code |= padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] << bit
    return code


def _thinning_tables() -> tuple[np.ndarray, np.ndarray]:
    tables = np.zeros((2, 256), dtype=np.uint8)
    for code in range(256):
        n = [code >> bit & 1 for bit in range(8)]
        # branches that leave the pixel, and neighbours, two adjacent ones counted once
        branches = sum(not n[i] and (n[i + 1] or n[(i + 2) % 8]) for i in (0, 2, 4, 6))
        neighbours = min(sum(n[i] or n[(i + 1) % 8] for i in range(first, 8, 2)) for first in (0, 1))
        if branches == 1 and 2 <= neighbours <= 3:
            tables[0, code] = not ((n[0] or n[1] or not n[3]) and n[2])
            tables[1, code] = not ((n[4] or n[5] or not n[7]) and n[6])
    return tables[0], tables[1]


_THINNING = _thinning_tables()
