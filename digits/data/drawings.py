"""Labelled drawings, placed on a canvas at a random position and size, as a visitor would draw them.

A folder of drawings holds `*.json` or `*.json.gz` files, each a list of `{"label": "7", "strokes": [[[x, y], …], …]}`,
or pictures in folders named after their class (`7/photo.jpg`), or both.
"""

import functools
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.errors import DatasetCorrupt, DatasetUnavailable, InvalidImage
from digits.ink import decoding, glyphs, pictures, segmentation
from digits.ink import strokes as pen
from digits.ink.segmentation import Digit
from digits.limits import read_file
from digits.settings import IMAGE_SIZE, MAX_UPLOAD_BYTES

CANVAS_SIDE = 280
_MAX_STROKES_BYTES = 512 * 2**20  # packed or unpacked; 100,000 drawings take about a fifth
_CANVAS = (CANVAS_SIDE, CANVAS_SIDE)
SIZES = (40.0, 260.0)  # a drawing's longer side in canvas pixels, drawn uniformly from this range
PEN_WIDTHS = (4.0, 40.0)
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}


@dataclass(frozen=True)
class Drawing:
    """A labelled drawing: its recorded strokes, or a picture file or its bytes, and its writer if known."""

    label: str
    strokes: list[np.ndarray]
    picture: Path | bytes | None = None
    writer: int | str | None = None
    part: str | None = None  # "train" or "validation", where the file says so


@dataclass(frozen=True)
class Placed:
    """A drawing on the canvas: its strokes, its longer side and its pen width, all in canvas pixels."""

    strokes: list[np.ndarray]
    size: float
    pen_width: float


def load_drawings(folder: Path, class_names: tuple[str, ...]) -> list[Drawing]:
    """Read the drawings of `folder` whose label is one of `class_names`.

    Raises:
        DatasetUnavailable: there are none.
        DatasetCorrupt: a file does not have the format that this module describes.
    """
    found: list[Drawing] = []
    for path in sorted(folder.rglob("*")):
        if path.name.endswith((".json", ".json.gz")):
            found += [drawing for drawing in read_strokes_file(path) if drawing.label in class_names]
        elif path.suffix.lower() in _PICTURES and path.parent.name in class_names:
            found.append(Drawing(path.parent.name, [], path))
    if not found:
        raise DatasetUnavailable(
            f"{folder} should hold drawings labelled {', '.join(class_names)}, as *.json files of strokes or as "
            "pictures in folders named after their class; none were found. Check the path."
        )
    return found


def load_writers(folder: Path, class_names: tuple[str, ...]) -> dict[int | str, list[Drawing]]:
    """Read the drawings of `folder` whose label is one of `class_names`, grouped by writer.

    Returns:
        Each writer's drawings, by the `writer` of their rows.

    Raises:
        DatasetUnavailable: there are none.
        DatasetCorrupt: a file does not have the format that this module describes, or a drawing has no writer.
    """
    writers: dict[int | str, list[Drawing]] = {}
    for path in sorted(folder.rglob("*.json*")):
        for drawing in read_strokes_file(path):
            if drawing.label in class_names:
                if drawing.writer is None:
                    raise DatasetCorrupt(f"{path} should name the `writer` of each drawing; one has none. Add it.")
                writers.setdefault(drawing.writer, []).append(drawing)
    if not writers:
        raise DatasetUnavailable(f"{folder} should hold labelled strokes with writers; there are none. Check the path.")
    return writers


def place(strokes: list[np.ndarray], rng: np.random.Generator) -> Placed:
    """Place a whole drawing on the canvas at a random size and position, with a random pen width."""
    low, high = np.min([s.min(0) for s in strokes], 0), np.max([s.max(0) for s in strokes], 0)
    size = float(rng.uniform(*SIZES))
    # A pen as wide as the drawing would leave an unreadable blob.
    pen_width = float(min(rng.uniform(*PEN_WIDTHS), size / 3))
    scale = size / max(float((high - low).max()), 1.0)
    margin = pen_width / 2
    room = np.maximum(CANVAS_SIDE - 2 * margin - (high - low) * scale, 0)
    corner = margin + rng.uniform(size=2) * room
    return Placed([((s - low) * scale + corner).astype(np.float32) for s in strokes], size, pen_width)


def read_as_strokes(placed: Placed) -> np.ndarray:
    """Return a drawing's 28×28 image from its strokes, uint8 (28, 28), as one digit on the Draw page."""
    return glyphs.fit_strokes(placed.strokes, size=(1, 1)).image


def read_as_picture(placed: Placed) -> np.ndarray:
    """Return a drawing's 28×28 image from a picture of it, uint8 (28, 28); blank if no ink is found."""
    glyph = glyphs.fit(pictures.find_ink(_paint(placed)))
    return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8) if glyph is None else glyph.image


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled drawings, prepared as far as possible without a model.

    Attributes:
        labels: str (n,), the label of each placed drawing.
        images: uint8 (m, 28, 28), the digits of the drawings whose segmentation does not depend on the model.
        owners: integer (m,), the index of each image's drawing in `labels`, ascending.
        doubtful: the other drawings by index in `labels`, which the model must divide into digits: their strokes,
            float32 (n, 2) each, or their ink, float32 (height, width).
        drawings: the number of original drawings; each may be placed several times.
        description: what they are, in a phrase.
        writers: str (n,), who drew each; "" where that is not known.
    """

    labels: np.ndarray
    images: np.ndarray
    owners: np.ndarray
    doubtful: dict[int, list[np.ndarray] | np.ndarray]
    drawings: int
    description: str
    writers: np.ndarray


@functools.lru_cache(maxsize=4)  # placing and fitting take about a millisecond each, and every run uses the same
def load_examples(
    folder: Path, class_names: tuple[str, ...], *, placings: int = 4, as_picture: bool = False
) -> Examples:
    """Read a folder's drawings and place each `placings` times, with seeds 0, 1, …

    Raises:
        DatasetUnavailable, DatasetCorrupt: as in `load_drawings`.
    """
    return prepare(load_drawings(folder, class_names), placings=placings, as_picture=as_picture)


def prepare(drawings: Sequence[Drawing], *, placings: int, as_picture: bool = False) -> Examples:
    """Place each drawing `placings` times, with seeds 0, 1, …, and find its digits where that needs no model."""
    labels: list[str] = []
    images: list[np.ndarray] = []
    owners: list[int] = []
    doubtful: dict[int, list[np.ndarray] | np.ndarray] = {}
    for seed in range(placings):
        rng = np.random.default_rng(seed)
        for drawing in drawings:
            found = _find_digits(drawing, rng, as_picture=as_picture)
            if isinstance(found, _Doubtful):
                doubtful[len(labels)] = found.drawing
            else:
                images += [digit.glyph.image for digit in found]
                owners += [len(labels)] * len(found)
            labels.append(drawing.label)
    means = "read as pictures" if as_picture else "read by their strokes"
    description = f"{len(drawings):,} labelled drawings, each at {placings} random places and sizes, {means}"
    stacked = np.stack(images) if images else np.zeros((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    writers = np.array([str(drawing.writer or "") for drawing in drawings] * placings)
    return Examples(np.array(labels), stacked, np.array(owners, int), doubtful, len(drawings), description, writers)


class _ModelNeeded(Exception):
    """The model must decide how to divide a drawing into digits."""


@dataclass(frozen=True, eq=False)
class _Doubtful:
    """Strokes or ink that the model must divide into digits."""

    drawing: list[np.ndarray] | np.ndarray


def _ask_model(images: np.ndarray) -> np.ndarray:
    raise _ModelNeeded


def _find_digits(drawing: Drawing, rng: np.random.Generator, *, as_picture: bool) -> list[Digit] | _Doubtful:
    """Place a drawing and find its digits, if that needs no model."""
    if drawing.picture is not None:
        picture = drawing.picture
        content = (
            picture if isinstance(picture, bytes) else read_file(picture, max_bytes=MAX_UPLOAD_BYTES, what="A picture")
        )
        return _find_in_ink(pictures.find_ink(decoding.load_picture(content)))
    placed = place(drawing.strokes, rng)
    return _find_in_ink(pictures.find_ink(_paint(placed))) if as_picture else _find_in_strokes(placed)


def _find_in_strokes(placed: Placed) -> list[Digit] | _Doubtful:
    try:
        return segmentation.find_digits(placed.strokes, size=_CANVAS, pen_width=placed.pen_width, score=_ask_model)
    except _ModelNeeded:
        return _Doubtful(placed.strokes)
    except InvalidImage:  # too many marks for a number: nothing is read
        return []


def _find_in_ink(ink: np.ndarray) -> list[Digit] | _Doubtful:
    try:
        return segmentation.find_digits_in_ink(ink, score=_ask_model)
    except _ModelNeeded:
        return _Doubtful(ink)
    except InvalidImage:  # as above
        return []


def _paint(placed: Placed) -> np.ndarray:
    """Return the drawing in black on white, float32 (height, width), 0 is black and 1 is white."""
    return np.float32(1) - pen.render(placed.strokes, size=_CANVAS, pen_width=placed.pen_width)


def read_strokes_file(path: Path) -> list[Drawing]:
    """Read all drawings of one file of strokes; raises `DatasetCorrupt`."""
    try:
        content = read_file(path, max_bytes=_MAX_STROKES_BYTES, what="A file of strokes")
        if path.suffix == ".gz":
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(_MAX_STROKES_BYTES)
        rows: Any = json.loads(content)
        return [
            Drawing(str(row["label"]), pen.check(row["strokes"]), writer=row.get("writer"), part=row.get("part"))
            for row in rows
        ]
    except (OSError, EOFError, ValueError, TypeError, KeyError, RecursionError, InvalidImage) as error:
        raise DatasetCorrupt(
            f'{path} should be a list of {{"label": …, "strokes": [[[x, y], …], …]}}; {error}. Repair or remove it.'
        ) from error
