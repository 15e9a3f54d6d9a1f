"""Outlines: the boxes of several digits, drawn over the ink they were found in."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from digits.segmentation import Part

_MAX_SIDE = 1024  # pixels; a photograph is shown no larger
_COLOUR, _CHOSEN = "#5f7f9f", "#c2621a"


def outlined(parts: Sequence[Part], chosen: int) -> bytes:
    """Return a PNG, dark ink on white, with a thin box around every part and a thick one around the chosen.

    Args:
        parts: at least one; each one's `glyph.found` is as large as the source.
        chosen: the place of a part in `parts`.
    """
    ink = np.maximum.reduce([part.glyph.found for part in parts])
    picture = Image.fromarray(255 - ink).convert("RGB")
    scale = min(1.0, _MAX_SIDE / max(picture.size))
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BOX)
    draw = ImageDraw.Draw(picture)
    for place, part in enumerate(parts):
        is_chosen = place == chosen
        x0, y0, x1, y1 = (bound * scale for bound in part.box)
        box = (max(x0 - 4, 0), max(y0 - 4, 0), min(x1 + 3, picture.width - 1), min(y1 + 3, picture.height - 1))
        draw.rectangle(box, outline=_CHOSEN if is_chosen else _COLOUR, width=3 if is_chosen else 1)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
