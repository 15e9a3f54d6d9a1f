"""Steps: what became of a drawing on its way to the network, as three small pictures."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from digits.ink import strokes
from digits.ink.glyphs import BOX_SIDE, PEN_WIDTH, Glyph
from digits.settings import IMAGE_SIZE

SIDE = 224  # pixels, of each picture
_UNIT = SIDE // IMAGE_SIZE  # so many of them to one that the network sees
_FRAME, _EDGE = "#c2621a", "#d9d4c9"


@dataclass(frozen=True)
class Step:
    """One step: dark ink on white as a PNG of `SIDE` pixels a side, a caption, and the picture in words."""

    png: bytes
    caption: str
    alt: str


def show(glyph: Glyph) -> list[Step]:
    """Return the steps from the visitor's ink to the network's image. Takes about 5 ms."""
    height, width = glyph.found.shape
    x0, y0, x1, y1 = glyph.box
    return [
        Step(
            _found(glyph),
            "found",
            f"The ink as it was found on {width} by {height} pixels, in a box of {x1 - x0} by {y1 - y0}",
        ),
        Step(_fitted(glyph), "fitted", f"The digit drawn anew in a box of {BOX_SIDE} by {BOX_SIDE}, its shape kept"),
        Step(
            _seen(glyph),
            "what the model sees",
            "The drawing as 28 by 28 grey pixels, centred by its mass, as the model receives it",
        ),
    ]


def _found(glyph: Glyph) -> bytes:
    """The whole sheet, beside nothing where it is not square, with a box around the digit."""
    height, width = glyph.found.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    sheet = Image.new("RGBA", (SIDE, SIDE))
    sheet.paste(_edged(Image.fromarray(255 - glyph.found).resize(size, Image.Resampling.BILINEAR)), (left, top))
    x0, y0, x1, y1 = (round(bound * scale) for bound in glyph.box)
    frame = (left + max(x0 - 5, 0), top + max(y0 - 5, 0))
    frame += (left + min(x1 + 4, size[0] - 1), top + min(y1 + 4, size[1] - 1))
    ImageDraw.Draw(sheet).rectangle(frame, outline=_FRAME, width=2)
    return _png(sheet)


def _fitted(glyph: Glyph) -> bytes:
    """The lines, enlarged with their box to as many pixels as fit, before they are reduced."""
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
    """Give a picture an edge that shows where its paper ends on a page as light."""
    picture = grey.convert("RGB")
    ImageDraw.Draw(picture).rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_EDGE, width=2)
    return picture


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
