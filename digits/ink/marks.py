"""Marks: what the ink alone says about a glyph that is no digit: a dot, or a stroke that may become a digit."""

import numpy as np

from digits.ink.glyphs import Glyph
from digits.settings import IMAGE_SIZE

# Taps on a screen move by a few pixels, and digits of 20 pixels are still meant as digits.
_DOT_SHARE = 1 / IMAGE_SIZE  # of the sheet's shorter side: 10 pixels of 280
_DOT_PENS = 0.45  # pen widths
# Solid, nearly round ink. The most solid of 2,000 digits on paper as round as this fills 0.41 of its box.
_ROUND = 0.75  # its box's shorter side over the longer one
_SOLID = 0.7  # the share of its box that is ink; a disc has 0.79

# Of the first strokes of UNIPEN's digits that the judge refuses, 99 in 100 are shorter (development writers).
_LONGEST_BEGINNING = 2.5  # the length of the path over the longer side of its box


def is_dot(glyph: Glyph) -> bool:
    """Return whether a glyph is only a dot: a tap or a short tick of the pen, or a solid spot in a picture."""
    if not glyph.pen_width:
        return _is_solid(glyph)
    return _extent(glyph) < max(_DOT_SHARE * min(glyph.size), _DOT_PENS * glyph.pen_width)


def is_beginning(glyph: Glyph) -> bool:
    """Return whether a glyph that is no digit may become one with another stroke.

    People write a digit in two strokes: an L and a stem, a hook and a bar. So this is one stroke, drawn and not found
    in a picture, and no longer than such first strokes are. Letters and scribbles are mostly longer.
    """
    if not glyph.pen_width or len(glyph.lines) > 1:
        return False
    steps = np.diff(glyph.lines[0].astype(np.float64), axis=0)
    return is_dot(glyph) or float(np.hypot(*steps.T).sum()) < _LONGEST_BEGINNING * _extent(glyph)


def _is_solid(glyph: Glyph) -> bool:
    x0, y0, x1, y1 = glyph.box
    short, long = sorted((x1 - x0, y1 - y0))
    return short >= _ROUND * long and float(glyph.found[y0:y1, x0:x1].mean()) / 255 >= _SOLID


def _extent(glyph: Glyph) -> float:
    """Return the longer side of the box around the pen's path, in source pixels."""
    return float(np.ptp(np.concatenate(glyph.lines), axis=0).max())
