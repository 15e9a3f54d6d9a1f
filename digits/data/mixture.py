"""The mixture that the network for drawings learns from: a declared list of sources, each with its share.

A drawing reaches a model as lines drawn with an even pen. MNIST's own images are scans of ink, of any width and grey. A
network that has seen both does not mind which it is given.
"""

import hashlib
import logging
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import allographs, handwriting
from digits.data.datasets import CLASS_NAMES, Dataset, Split
from digits.data.drawings import CANVAS_SIDE, place
from digits.errors import DatasetUnavailable
from digits.files import write_whole
from digits.ink import glyphs, pictures, strokes

LARGE = 112  # pixels; centre lines are found on an enlarged image
LOW_RESOLUTIONS = (16, 32)  # pixels, of a digit's longer side

_logger = logging.getLogger(__name__)

Examples = Iterator[tuple[np.ndarray, int]]  # an image uint8 (28, 28) and its class
Say = Callable[[str], None]


@dataclass(frozen=True)
class Share:
    """So many images of one kind.

    Attributes:
        source: "mnist", "allographs" or a key of `handwriting.SOURCES`.
        way: how they become 28×28: "strokes" by the pen, "picture" as a photograph would, "low resolution" as a picture
            of few pixels.
        images: how many at most; for a source of drawings, how many of each drawing.
    """

    source: str
    way: str
    images: float


MIXTURE = (
    Share("mnist", "picture", 27_000),
    Share("mnist", "low resolution", 5_000),
    Share("allographs", "strokes", 20_000),
    Share("unipen", "strokes", 3),
    Share("unipen", "picture", 1),
    Share("unipen", "low resolution", 0.5),
    Share("pendigits", "strokes", 2),
    Share("pendigits", "picture", 0.5),
    Share("swiss", "picture", 3),
)
_SAY_EVERY_SECONDS = 0.25  # so that it can be interrupted
_ALLOGRAPHS_AT_ONCE = 200  # a multiple of ten, so that the digits go on alternating
VERSION = 2  # of what is kept; raise it when the mixture or the way to 28×28 changes


def for_drawings(
    dataset: Dataset, memory: Path, say: Say = lambda words: None, *, data_dir: Path | None = None
) -> Dataset:
    """Add the images of the mixture to a data set's training images; validation and test images are unchanged.

    Args:
        dataset: the data set.
        memory: a folder that caches the added images; making them takes some minutes for the full MNIST.
        say: called with a short sentence about the progress several times a second; what it raises is passed on.
        data_dir: the folder with `handwriting/`; None for a mixture of MNIST and the allographs alone.

    Raises:
        TermsForbidTraining: a source of the mixture may only be measured on.
    """
    train = dataset.train
    # All parts depend on the training images: how many they are, and what their classes are.
    key = hashlib.sha256(train.images.tobytes() + repr(dataset.class_names).encode()).hexdigest()[:16]
    parts = [train]
    counts = [f"{len(train):,} of MNIST"]
    for share in MIXTURE:
        if share.source == "allographs" and dataset.class_names != CLASS_NAMES:
            continue
        if share.source in handwriting.SOURCES and data_dir is None:
            continue
        name = f"{share.source}-{share.way.replace(' ', '-')}-{share.images:g}-{key}"
        path = memory / f"mixture-{VERSION}-{name}.npz"
        part = _load_cached(path)
        if part is None:
            try:
                part = _make(share, dataset, data_dir, say)
            except DatasetUnavailable:
                continue
            try:
                _save_cached(path, part)
            except OSError as error:  # it is made again the next time
                _logger.warning("cannot keep the images of %s: %s", share.source, error)
        parts.append(part)
        counts.append(f"{len(part):,} of {_title(share.source)} ({share.way})")
    whole = Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))
    return replace(dataset, train=whole, description=f"{dataset.description} Learned from: {', '.join(counts)}.")


def _title(source: str) -> str:
    if source in handwriting.SOURCES:
        return handwriting.SOURCES[source].title
    return "MNIST" if source == "mnist" else source


def _make(share: Share, dataset: Dataset, data_dir: Path | None, say: Say) -> Split:
    images, labels = [], []
    rng = np.random.default_rng(0)
    words = f"Preparing what drawings look like: {_title(share.source)}"
    say(words)
    said = time.monotonic()
    for image, label in _examples(share, dataset, data_dir, rng):
        images.append(image)
        labels.append(label)
        if time.monotonic() - said >= _SAY_EVERY_SECONDS:
            say(f"{words}, {len(images):,}")
            said = time.monotonic()
    shape = (len(images), *dataset.train.images.shape[1:])
    return Split(np.array(images, np.uint8).reshape(shape), np.array(labels, np.uint8))


def _examples(share: Share, dataset: Dataset, data_dir: Path | None, rng: np.random.Generator) -> Examples:
    if share.source == "mnist":
        chosen = dataset.train.rows(0, min(int(share.images), len(dataset.train) // 3))
        redraw_as = redraw if share.way == "picture" else lambda image: redraw_small(image, rng)
        for image, label in zip(chosen.images, chosen.labels, strict=True):
            yield redraw_as(image), int(label)
    elif share.source == "allographs":
        count = min(int(share.images), len(dataset.train) // 3)
        for start in range(0, count, _ALLOGRAPHS_AT_ONCE):
            yield from zip(*allographs.examples(min(_ALLOGRAPHS_AT_ONCE, count - start), rng), strict=True)
    elif data_dir is None:
        raise DatasetUnavailable("There is no folder of handwriting. Set DIGITS_DATA_DIR.")
    elif share.source == "swiss":
        yield from _from_paper(share, data_dir, rng)
    else:
        yield from _from_strokes(share, dataset.class_names, data_dir, rng)


def _from_paper(share: Share, data_dir: Path, rng: np.random.Generator) -> Examples:
    found, labels, _ = handwriting.load_pictures(data_dir, "train", to_train=True)
    for _ in range(int(share.images)):
        for picture, label in zip(found, labels, strict=True):
            turned = Image.fromarray(picture).rotate(rng.normal(0, 4), Image.Resampling.BICUBIC, fillcolor=255)
            glyph = glyphs.fit(pictures.find_ink(np.asarray(turned, np.float32) / 255))
            if glyph is not None:
                yield glyph.image, int(label)


def _from_strokes(share: Share, class_names: tuple[str, ...], data_dir: Path, rng: np.random.Generator) -> Examples:
    drawings = [
        drawing
        for part in ("train", "development")
        for drawing in handwriting.load_strokes(data_dir, share.source, part, class_names, to_train=True)
    ]
    for copy in range(max(1, int(share.images))):
        for drawing in drawings:
            if rng.random() >= share.images:  # a share below 1
                continue
            # The first copy is as it was written.
            written = drawing.strokes if copy == 0 else allographs.vary(drawing.strokes, rng)
            if (image := _WAYS[share.way](written, rng)) is not None:
                yield image, class_names.index(drawing.label)


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


_WAYS: dict[str, Callable[[list[np.ndarray], np.random.Generator], np.ndarray | None]] = {
    "strokes": read_strokes,
    "picture": read_from_paper,
    "low resolution": read_small,
}


def _coarse(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (ink > 0.4).astype(np.float32) if rng.random() < 0.5 else ink


def _load_cached(path: Path) -> Split | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Split(arrays["images"], arrays["labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _save_cached(path: Path, split: Split) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(stream, images=split.images, labels=split.labels)
