"""The ways in which images and strokes become the 28×28 images that a network learns from.

As on the Draw page, by the pen; as in a picture, by the ink that a pen leaves; and as in a picture of few pixels.
"""

import numpy as np
from PIL import Image

from digits.data.drawings import CANVAS_SIDE, place
from digits.ink import glyphs, strokes

LARGE = 112  # pixels; centre lines are found on an enlarged image
LOW_RESOLUTIONS = (16, 32)  # pixels, of a digit's longer side


def redraw(image: np.ndarray) -> np.ndarray:
    """Pass an image uint8 (28, 28) through `glyphs.fit`, as a picture of it would be."""
    large = Image.fromarray(image).resize((LARGE, LARGE), Image.Resampling.BICUBIC)
    glyph = glyphs.fit(np.asarray(large, dtype=np.float32) / 255)
    return image if glyph is None else glyph.image


def redraw_small(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass an image uint8 (28, 28) through `glyphs.fit` as a picture of 16 to 32 pixels, with or without greys."""
    side = int(rng.integers(LOW_RESOLUTIONS[0], LOW_RESOLUTIONS[1] + 1))
    how = Image.Resampling.BOX if side < len(image) else Image.Resampling.BICUBIC
    small = Image.fromarray(image).resize((side, side), how)
    glyph = glyphs.fit(_coarse(np.asarray(small, dtype=np.float32) / 255, rng))
    return image if glyph is None else glyph.image


def read_from_paper(drawn: list[np.ndarray], rng: np.random.Generator) -> np.ndarray | None:
    """Read strokes by the ink that a pen of a random width leaves; None where there is none."""
    placed = place(drawn, rng)
    ink = strokes.render(placed.strokes, size=(CANVAS_SIDE, CANVAS_SIDE), pen_width=placed.pen_width)
    glyph = glyphs.fit(ink)  # on clean paper `pictures.find_ink` would find the same, and take ten times as long
    return None if glyph is None else glyph.image


def read_small(drawn: list[np.ndarray], rng: np.random.Generator) -> np.ndarray | None:
    """Read strokes as a picture in which they are 16 to 32 pixels long; None where nothing is left of them."""
    points = np.concatenate(drawn)
    low, high = points.min(axis=0), points.max(axis=0)
    side, pen_width = rng.uniform(*LOW_RESOLUTIONS), rng.uniform(1.2, 3.5)
    scale = (side - pen_width) / max(float((high - low).max()), 1.0)
    margin = 4 + pen_width / 2
    placed = [((stroke - low) * scale + margin + rng.uniform(0, 1)).astype(np.float32) for stroke in drawn]
    width, height = (np.ceil((high - low) * scale + 2 * margin + 1)).astype(int).tolist()
    ink = _coarse(strokes.render(placed, size=(height, width), pen_width=pen_width), rng)
    glyph = glyphs.fit(ink)
    return None if glyph is None else glyph.image


def read_strokes(drawn: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Read strokes as the Draw page does."""
    return glyphs.fit_strokes(drawn, size=(1, 1)).image


def _coarse(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (ink > 0.4).astype(np.float32) if rng.random() < 0.5 else ink
