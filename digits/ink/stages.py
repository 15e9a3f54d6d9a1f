"""Stages: the steps from a drawing to the network's image as small pictures, and the boxes of its digits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from digits.ink import strokes
from digits.ink.glyphs import Glyph
from digits.ink.pen import BOX_SIDE, PEN_WIDTH
from digits.ink.segmentation import Digit
from digits.settings import IMAGE_SIZE

SIDE = 224  # pixels, of each picture
_UNIT = SIDE // IMAGE_SIZE  # pixels for one pixel of the network's image
CAPTIONS = ("your ink", "centred and scaled", "28×28 input")
_FRAME, _EDGE = "#c2621a", "#d9d4c9"
_MAX_OUTLINE_SIDE = 1024  # pixels; larger photographs are reduced
_MARGIN = 0.12  # of paper around the writing, as a share of its shorter side


@dataclass(frozen=True)
class Stage:
    """One step of a drawing on its way to the network.

    Attributes:
        png: dark ink on white, `SIDE` pixels a side.
        caption: a few words to print below it.
        alt: the picture in words.
    """

    png: bytes
    caption: str
    alt: str


def show(glyph: Glyph) -> list[Stage]:
    """Return the steps from the visitor's ink to the network's image. Takes about 5 ms."""
    pictures = (_found(glyph), _fitted(glyph), _seen(glyph))
    return [Stage(*step) for step in zip(pictures, CAPTIONS, describe(glyph), strict=True)]


def describe(glyph: Glyph) -> list[str]:
    """Return each step in words, without painting it."""
    height, width = glyph.size
    x0, y0, x1, y1 = glyph.box
    return [
        f"The ink found on {width} by {height} pixels, in a box of {x1 - x0} by {y1 - y0}",
        f"The digit redrawn in a box of {BOX_SIDE} by {BOX_SIDE}, with its proportions kept",
        "The drawing as 28 by 28 grey pixels, centred by its centre of mass, as the model receives it",
    ]


def _found(glyph: Glyph) -> bytes:
    """Paint the whole sheet with a box around the digit; transparent beside the sheet where it is not square."""
    height, width = glyph.size
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    sheet = Image.new("RGBA", (SIDE, SIDE))
    sheet.paste(_edged(Image.fromarray(255 - glyph.found).resize(size, Image.Resampling.BILINEAR)), (left, top))
    x0, y0, x1, y1 = (round(bound * scale) for bound in glyph.box)
    corner = (left + max(x0 - 5, 0), top + max(y0 - 5, 0))
    frame = (*corner, left + min(x1 + 4, size[0] - 1), top + min(y1 + 4, size[1] - 1))
    ImageDraw.Draw(sheet).rectangle(frame, outline=_FRAME, width=2)
    return _png(sheet)


def _fitted(glyph: Glyph) -> bytes:
    """Paint the centre lines and their box before they are reduced, as large as fits."""
    points = np.concatenate(glyph.lines)
    scale, centre = glyph.scale * _UNIT, (points.min(axis=0) + points.max(axis=0)) / 2
    lines = [((line - centre) * scale + SIDE / 2).astype(np.float32) for line in glyph.lines]
    ink = strokes.render(lines, size=(SIDE, SIDE), pen_width=PEN_WIDTH * _UNIT)
    picture = _edged(Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8)))
    margin = (SIDE - BOX_SIDE * _UNIT) // 2
    ImageDraw.Draw(picture).rectangle(
        (margin - 2, margin - 2, SIDE - margin + 1, SIDE - margin + 1), outline=_FRAME, width=2
    )
    return _png(picture)


def _seen(glyph: Glyph) -> bytes:
    return _png(_edged(Image.fromarray(255 - glyph.image).resize((SIDE, SIDE), Image.Resampling.NEAREST)))


def _edged(grey: Image.Image) -> Image.Image:
    """Give a picture an outline, so that its paper is visible on a light page."""
    picture = grey.convert("RGB")
    ImageDraw.Draw(picture).rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_EDGE, width=2)
    return picture


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


@dataclass(frozen=True)
class Outlines:
    """The writing, cut out of its sheet, and the boxes of its digits.

    Attributes:
        png: dark ink on white.
        size: the picture's width and height in pixels.
        boxes: left, top, width and height of each digit, as shares of the picture's width or height in [0, 1].
    """

    png: bytes
    size: tuple[int, int]
    boxes: tuple[tuple[float, float, float, float], ...]


def outline(digits: Sequence[Digit]) -> Outlines:
    """Return the ink of one digit or more, and their boxes."""
    ink = np.maximum.reduce([digit.glyph.found for digit in digits])
    height, width = ink.shape
    boxes = np.array([digit.box for digit in digits])
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = max(6, round(_MARGIN * min(x1 - x0, y1 - y0)))
    x0, y0, x1, y1 = max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, width), min(y1 + margin, height)
    picture = Image.fromarray(255 - ink[y0:y1, x0:x1])
    shares = (boxes - [x0, y0, x0, y0]) / [x1 - x0, y1 - y0, x1 - x0, y1 - y0]
    places = [(left, top, right - left, bottom - top) for left, top, right, bottom in shares.tolist()]
    picture.thumbnail((_MAX_OUTLINE_SIDE, _MAX_OUTLINE_SIDE), Image.Resampling.BOX)
    return Outlines(_png(picture), picture.size, tuple(places))
