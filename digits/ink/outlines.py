"""Outlines: the ink of several digits as one picture, and where in it the box of each lies."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.ink.segmentation import Part

_MAX_SIDE = 1024  # pixels; a photograph is shown no larger
_MARGIN = 0.12  # of paper around the writing, in parts of its lower side


@dataclass(frozen=True)
class Outlines:
    """The writing, cut out of its sheet, and the boxes of its digits.

    Attributes:
        png: dark ink on white.
        size: the picture's width and height in pixels.
        boxes: for each digit left, top, width and height, as shares of the picture's width or height in [0, 1].
    """

    png: bytes
    size: tuple[int, int]
    boxes: tuple[tuple[float, float, float, float], ...]


def outline(parts: Sequence[Part]) -> Outlines:
    """Return the ink of the parts, of which there is at least one, and their boxes."""
    ink = np.maximum.reduce([part.glyph.found for part in parts])
    height, width = ink.shape
    boxes = np.array([part.box for part in parts])
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = max(6, round(_MARGIN * min(x1 - x0, y1 - y0)))
    x0, y0, x1, y1 = max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, width), min(y1 + margin, height)
    picture = Image.fromarray(255 - ink[y0:y1, x0:x1])
    shares = (boxes - [x0, y0, x0, y0]) / [x1 - x0, y1 - y0, x1 - x0, y1 - y0]
    places = [(left, top, right - left, bottom - top) for left, top, right, bottom in shares.tolist()]
    picture.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Outlines(stream.getvalue(), picture.size, tuple(places))
