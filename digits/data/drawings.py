"""Drawn accuracy: how well a model reads labelled drawings that pass through the same doors as a visitor's.

A drawing is placed on a canvas at a random place and size and read as the Draw page reads it. A folder of drawings
holds `*.json` or `*.json.gz` files, each a list of `{"label": "7", "strokes": [[[x, y], …], …]}`, or pictures in
folders named after their class (`7/photo.jpg`), or both.
"""

import functools
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.accuracy import Accuracy, accuracy
from digits.errors import DatasetCorrupt, DatasetUnavailable, InvalidImage
from digits.ink import glyphs, pictures
from digits.ink import strokes as pen
from digits.models.recogniser import Recogniser

CANVAS_SIDE = 280
SIZES = (40.0, 260.0)  # canvas pixels of a drawing's longer side, drawn evenly from this range
PEN_WIDTHS = (4.0, 40.0)
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}


@dataclass(frozen=True)
class Drawing:
    """A labelled drawing: strokes as they were recorded, or a picture file's path; and its writer, where known."""

    label: str
    strokes: list[np.ndarray]
    picture: Path | None = None
    writer: int | None = None


@dataclass(frozen=True)
class Placed:
    """A drawing put on the canvas: its strokes in canvas pixels, its longer side and the pen, both in pixels."""

    strokes: list[np.ndarray]
    size: float
    pen_width: float


def load_drawings(folder: Path, class_names: tuple[str, ...]) -> list[Drawing]:
    """Read the drawings of `folder` whose label is one of `class_names`.

    Raises:
        DatasetUnavailable: there are none.
        DatasetCorrupt: a file is not as the module describes.
    """
    found: list[Drawing] = []
    for path in sorted(folder.rglob("*")):
        if path.name.endswith((".json", ".json.gz")):
            found += [drawing for drawing in _read_strokes(path) if drawing.label in class_names]
        elif path.suffix.lower() in _PICTURES and path.parent.name in class_names:
            found.append(Drawing(path.parent.name, [], path))
    if not found:
        raise DatasetUnavailable(
            f"{folder} should hold drawings labelled {', '.join(class_names)}, as *.json files of strokes or as "
            "pictures in folders named after their class; none were found. Check the path."
        )
    return found


def load_writers(folder: Path, class_names: tuple[str, ...]) -> dict[int, list[Drawing]]:
    """Read the drawings of `folder` whose label is one of `class_names`, by their rows' `writer`.

    Raises:
        DatasetUnavailable: there are none.
        DatasetCorrupt: a file is not as the module describes, or names no writer.
    """
    writers: dict[int, list[Drawing]] = {}
    for path in sorted(folder.rglob("*.json*")):
        for drawing in _read_strokes(path):
            if drawing.label in class_names:
                if drawing.writer is None:
                    raise DatasetCorrupt(f"{path} should name the `writer` of each drawing; one has none. Add it.")
                writers.setdefault(drawing.writer, []).append(drawing)
    if not writers:
        raise DatasetUnavailable(f"{folder} should hold labelled strokes with writers; there are none. Check the path.")
    return writers


def place(strokes: list[np.ndarray], rng: np.random.Generator) -> Placed:
    """Put a drawing on the canvas at a random size and place, whole, with a random pen."""
    low, high = np.min([s.min(0) for s in strokes], 0), np.max([s.max(0) for s in strokes], 0)
    size = float(rng.uniform(*SIZES))
    # A pen as wide as the drawing is long would leave a blob that nobody could read.
    pen_width = float(min(rng.uniform(*PEN_WIDTHS), size / 3))
    scale = size / max(float((high - low).max()), 1.0)
    margin = pen_width / 2
    room = np.maximum(CANVAS_SIDE - 2 * margin - (high - low) * scale, 0)
    corner = margin + rng.uniform(size=2) * room
    return Placed([((s - low) * scale + corner).astype(np.float32) for s in strokes], size, pen_width)


def read_as_strokes(placed: Placed) -> np.ndarray:
    """Return the uint8 (28, 28) image that the Draw page's pen gives a model; blank where it finds no ink."""
    glyph = glyphs.fit_strokes(placed.strokes, size=(CANVAS_SIDE, CANVAS_SIDE), pen_width=placed.pen_width)
    return _image(glyph)


def read_as_picture(placed: Placed) -> np.ndarray:
    """Return the uint8 (28, 28) image that the same drawing gives as a picture file."""
    ink = pen.render(placed.strokes, size=(CANVAS_SIDE, CANVAS_SIDE), pen_width=placed.pen_width)
    return _image(glyphs.fit(pictures.find_ink(np.float32(1) - ink)))


def examples(drawings: list[Drawing], *, seed: int, as_picture: bool = False) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each drawing's label and the uint8 (28, 28) image that a model is given; placed anew for every seed."""
    rng = np.random.default_rng(seed)
    for drawing in drawings:
        if drawing.picture is None:
            placed = place(drawing.strokes, rng)
            yield drawing.label, (read_as_picture if as_picture else read_as_strokes)(placed)
        else:
            picture = pictures.load_picture(drawing.picture.read_bytes())
            yield drawing.label, _image(glyphs.fit(pictures.find_ink(picture)))


@dataclass(frozen=True, eq=False)
class Examples:
    """Drawings as a model is given them.

    Attributes:
        images: uint8 (n, 28, 28).
        labels: indices into the class names, integer (n,).
        drawings: how many drawings they come from; the rest are other placings of the same.
        description: what they are, in a phrase.
    """

    images: np.ndarray
    labels: np.ndarray
    drawings: int
    description: str


@functools.lru_cache(maxsize=4)  # placing and fitting take about a millisecond each, and every run asks for the same
def load_examples(
    folder: Path, class_names: tuple[str, ...], *, placings: int = 4, as_picture: bool = False
) -> Examples:
    """Read a folder's drawings and place each `placings` times, seeded 0, 1, …; raises as `load_drawings`."""
    drawings = load_drawings(folder, class_names)
    pairs = [pair for seed in range(placings) for pair in examples(drawings, seed=seed, as_picture=as_picture)]
    labels = np.array([class_names.index(label) for label, _ in pairs])
    means = "read as pictures" if as_picture else "read by their strokes"
    description = f"{len(drawings):,} labelled drawings, each at {placings} random places and sizes, {means}"
    return Examples(np.stack([image for _, image in pairs]), labels, len(drawings), description)


def measure(recogniser: Recogniser, given: Examples) -> Accuracy:
    """Return a model's drawn accuracy."""
    counted = accuracy(recogniser.probabilities(given.images), given.labels)
    return Accuracy(counted.correct, counted.total, independent=given.drawings, data=given.description)


def _image(glyph: glyphs.Glyph | None) -> np.ndarray:
    return np.zeros((28, 28), np.uint8) if glyph is None else glyph.image


def _read_strokes(path: Path) -> list[Drawing]:
    try:
        content = path.read_bytes()
        rows: Any = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        return [Drawing(str(row["label"]), pen.check(row["strokes"]), writer=row.get("writer")) for row in rows]
    except (OSError, EOFError, ValueError, TypeError, KeyError, InvalidImage) as error:
        raise DatasetCorrupt(
            f'{path} should be a list of {{"label": …, "strokes": [[[x, y], …], …]}}; {error}. Repair or remove it.'
        ) from error
