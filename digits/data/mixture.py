"""The mixture that the network for drawings learns from: a declared list of sources, each with its share.

A drawing reaches a model as lines drawn with an even pen. MNIST's own images are scans of ink, of any width and grey. A
network that has seen both does not mind which it is given.
"""

import hashlib
import itertools
import logging
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import allographs, collected, handwriting, letters, mnist, own, samples, ways
from digits.data.datasets import CLASS_NAMES, Dataset, Part, Split
from digits.data.drawings import Drawing
from digits.errors import DatasetUnavailable
from digits.files import write_whole
from digits.ink import glyphs, pictures

_logger = logging.getLogger(__name__)

Examples = Iterator[tuple[np.ndarray, int]]  # an image uint8 (28, 28) and its class
Say = Callable[[str], None]


@dataclass(frozen=True)
class Share:
    """So many images of one kind.

    Attributes:
        source: "mnist", "allographs", "examples" (what is part of Digits), "own" (a visitor's set) or a key of
            `handwriting.SOURCES`.
        way: how they become 28×28: "strokes" by the pen, "picture" as a photograph would, "low resolution" as a picture
            of few pixels, "image" for images that are 28×28 as they are.
        images: how many at most; for a source of drawings, how many of each drawing.
        parts: of the source; a set that is validated on "development" leaves it out.
    """

    source: str
    way: str
    images: float
    parts: tuple[str, ...] = ("train", "development")


MIXTURE = (
    Share("mnist", "picture", 27_000),
    Share("mnist", "low resolution", 5_000),
    Share("allographs", "strokes", 27_000),
    Share("examples", "strokes", 8),
    Share("examples", "picture", 2),
    Share("unipen", "strokes", 4),
    Share("unipen", "picture", 1),
    Share("unipen", "low resolution", 0.5),
    Share("pendigits", "strokes", 3),
    Share("pendigits", "picture", 0.5),
    Share("swiss", "picture", 4),
)
_TRAIN = ("train",)
# Letters are validated on development writers.
LETTERS = (
    Share("mnist", "image", 10_000),
    Share("examples", "strokes", 3, _TRAIN),
    Share("unipen", "strokes", 1, _TRAIN),
    Share("pendigits", "strokes", 1, _TRAIN),
    Share("omniglot", "strokes", 1, _TRAIN),
    Share("emnist-letters", "image", 1, _TRAIN),
)
VARIED_LETTERS = (
    Share("mnist", "image", 10_000),
    Share("mnist", "picture", 10_000),
    Share("examples", "strokes", 10, _TRAIN),
    Share("examples", "picture", 2, _TRAIN),
    Share("unipen", "strokes", 2, _TRAIN),
    Share("unipen", "picture", 0.3, _TRAIN),
    Share("pendigits", "strokes", 1, _TRAIN),
    Share("omniglot", "strokes", 4, _TRAIN),
    Share("emnist-letters", "image", 1, _TRAIN),
    Share("emnist-letters", "picture", 1, _TRAIN),
    Share("emnist-letters", "low resolution", 0.3, _TRAIN),
)
OWN_STROKES = 6_000  # about as many images come of a visitor's set
OWN_COPIES = (4, 40)  # of a drawing, at least and at most


def of_own(drawings: int) -> dict[str, tuple[Share, ...]]:
    """Return what comes of a visitor's set, by augmentation: the fewer drawings, the more copies of each.

    Args:
        drawings: how many there are to learn from.
    """
    low, high = OWN_COPIES
    copies = min(high, max(low, OWN_STROKES // max(1, drawings)))
    drawn = Share(own.SOURCE, "strokes", copies)
    seen = (Share(own.SOURCE, "picture", max(1, copies // 5)), Share(own.SOURCE, "low resolution", 1))
    return {"none": (drawn,), "drawing": (drawn, *seen)}


_SAY_EVERY_SECONDS = 0.25  # so that it can be interrupted
_ALLOGRAPHS_AT_ONCE = 200  # a multiple of ten, so that the digits go on alternating
VERSION = 3  # of what is kept; raise it when the mixture or the way to 28×28 changes


def for_drawings(
    dataset: Dataset,
    memory: Path,
    say: Say = lambda words: None,
    *,
    data_dir: Path | None = None,
    shares: Sequence[Share] = MIXTURE,
) -> Dataset:
    """Add the images of the mixture to a data set's training images; validation and test images are unchanged.

    Args:
        dataset: the data set.
        memory: a folder that caches the added images; making them takes some minutes for the full MNIST.
        say: called with a short sentence about the progress several times a second; what it raises is passed on.
        data_dir: the folder with `handwriting/`; without it, a few examples that are part of Digits stand for it.
        shares: what is added.

    Raises:
        TermsForbidTraining: a source of the mixture may only be measured on.
    """
    train = dataset.train
    # All parts depend on the training images: how many they are, and what their classes are.
    is_folded = len(dataset.labels) > len(dataset.class_names)  # then the names alone do not tell what is learned
    classes = repr(dataset.labels if is_folded else dataset.class_names)
    key = hashlib.sha256(train.images.tobytes() + classes.encode()).hexdigest()[:16]
    parts = [train] if len(train) else []
    mixture = [Part(dataset.name, "", len(train))] if len(train) else []
    has_handwriting = data_dir is not None and (data_dir / "handwriting").is_dir()
    for share in shares:
        if share.source in ("allographs", "mnist") and not set(CLASS_NAMES) <= set(dataset.class_names):
            continue
        if share.source in handwriting.SOURCES and not has_handwriting:
            continue
        if share.source == "examples" and has_handwriting:  # they are among what is there
            continue
        name = f"{share.source}-{share.way.replace(' ', '-')}-{share.images:g}-{key}"
        path = memory / f"mixture-{VERSION}-{name}.npz"
        is_kept = share.source != own.SOURCE  # a set takes seconds, and may be used once
        part = _load_cached(path) if is_kept else None
        if part is None:
            try:
                part = _make(share, dataset, data_dir, say)
            except DatasetUnavailable:
                continue
            try:
                if is_kept:
                    _save_cached(path, part)
            except OSError as error:  # it is made again the next time
                _logger.warning("cannot keep the images of %s: %s", share.source, error)
        if not len(part):
            continue
        parts.append(part)
        mixture.append(Part(share.source, share.way, len(part)))
    whole = Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))
    return replace(dataset, train=whole, mixture=tuple(mixture))


def title(source: str) -> str:
    """Return a source's name for people."""
    if source in handwriting.SOURCES:
        return handwriting.SOURCES[source].title
    named = {
        "mnist": "MNIST",
        "examples": "real handwriting that is part of Digits",
        own.SOURCE: "a visitor's drawings",
    }
    return named.get(source, source)


def _make(share: Share, dataset: Dataset, data_dir: Path | None, say: Say) -> Split:
    images, labels = [], []
    rng = np.random.default_rng(0)
    words = f"Preparing what drawings look like: {title(share.source)}"
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
        yield from _from_images(share, _digits(share, dataset, data_dir), rng)
    elif share.source == "allographs":
        count = min(int(share.images), len(dataset.train) // 2)
        for start in range(0, count, _ALLOGRAPHS_AT_ONCE):
            yield from zip(*allographs.examples(min(_ALLOGRAPHS_AT_ONCE, count - start), rng), strict=True)
    elif share.source == "examples":
        known = _bundled_examples(dataset)
        drawings = [known[row] for row in rng.permutation(len(known))]
        most = len(dataset.train) // 3 or None  # a share of MNIST's images; letters have none besides these
        yield from _drawn(share, itertools.islice(_copies(share, drawings, rng), most), dataset.labels, rng)
    elif share.source == own.SOURCE:
        yield from _from_set(share, dataset, rng)
    elif data_dir is None:
        raise DatasetUnavailable("There is no folder of handwriting. Set DIGITS_DATA_DIR.")
    elif share.source == "swiss":
        yield from _from_paper(share, data_dir, rng)
    elif share.source == "emnist-letters":
        images, names = handwriting.load_letters(data_dir, "train", to_train=True)
        rows = [row for row, name in enumerate(names) if name in dataset.labels]
        chosen = Split(images[rows], np.array([dataset.labels[names[row]] for row in rows], np.uint8))
        for _ in range(max(1, int(share.images))):
            yield from _from_images(share, chosen, rng)
    else:
        yield from _from_strokes(share, dataset.labels, data_dir, rng)


def _digits(share: Share, dataset: Dataset, data_dir: Path | None) -> Split:
    """Return the images of MNIST that a share begins with."""
    if dataset.name == "mnist":
        return dataset.train.rows(0, min(int(share.images), len(dataset.train) // 3))
    if data_dir is None:
        raise DatasetUnavailable("There is no folder with MNIST. Set DIGITS_DATA_DIR.")
    return mnist.load_training_digits(data_dir).rows(0, int(share.images))


def _bundled_examples(dataset: Dataset) -> list[Drawing]:
    if dataset.name == "mnist":
        return [drawing for drawing in samples.load(samples.EXAMPLES) if drawing.label in dataset.labels]
    return letters.learned_from(letters.examples(dataset.labels))


def _from_set(share: Share, dataset: Dataset, rng: np.random.Generator) -> Examples:
    """Yield a visitor's drawings, varied; a picture of one cannot be, and comes once."""
    learned = own.find(dataset.name).parts()["train"]
    drawings = [Drawing(sample.label, sample.strokes) for sample in learned if sample.image is None]
    yield from _drawn(share, _copies(share, drawings, rng), dataset.labels, rng)
    chosen = collected.split([sample for sample in learned if sample.image is not None], dataset.labels)
    way = "image" if share.way == "strokes" else share.way
    yield from _from_images(replace(share, way=way, images=1), chosen, rng)


def _from_images(share: Share, chosen: Split, rng: np.random.Generator) -> Examples:
    redraw_as: Callable[[np.ndarray], np.ndarray] = {
        "image": lambda image: image,
        "picture": ways.redraw,
        "low resolution": lambda image: ways.redraw_small(image, rng),
    }[share.way]
    for image, label in zip(chosen.images, chosen.labels, strict=True):
        if share.images >= 1 or rng.random() < share.images:
            yield redraw_as(image), int(label)


def _from_paper(share: Share, data_dir: Path, rng: np.random.Generator) -> Examples:
    found, labels, _ = handwriting.load_pictures(data_dir, "train", to_train=True)
    for _ in range(int(share.images)):
        for picture, label in zip(found, labels, strict=True):
            turned = Image.fromarray(picture).rotate(rng.normal(0, 4), Image.Resampling.BICUBIC, fillcolor=255)
            glyph = glyphs.fit(pictures.find_ink(np.asarray(turned, np.float32) / 255))
            if glyph is not None:
                yield glyph.image, int(label)


def _from_strokes(share: Share, labels: Mapping[str, int], data_dir: Path, rng: np.random.Generator) -> Examples:
    drawings = [
        drawing
        for part in share.parts
        for drawing in handwriting.load_strokes(data_dir, share.source, part, labels, to_train=True)
    ]
    yield from _drawn(share, _copies(share, drawings, rng), labels, rng)


def _copies(share: Share, drawings: Sequence[Drawing], rng: np.random.Generator) -> Iterator[Drawing]:
    """Yield each drawing as often as a share says; the first copy is as it was written, the others vary."""
    for copy in range(max(1, int(share.images))):
        for drawing in drawings:
            if rng.random() < share.images:  # a share below 1
                yield replace(drawing, strokes=allographs.vary(drawing.strokes, rng)) if copy else drawing


def _drawn(share: Share, drawings: Iterable[Drawing], labels: Mapping[str, int], rng: np.random.Generator) -> Examples:
    for drawing in drawings:
        if (image := _WAYS[share.way](drawing.strokes, rng)) is not None:
            yield image, labels[drawing.label]


_WAYS: dict[str, Callable[[list[np.ndarray], np.random.Generator], np.ndarray | None]] = {
    "strokes": ways.read_strokes,
    "picture": ways.read_from_paper,
    "low resolution": ways.read_small,
}


def _load_cached(path: Path) -> Split | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Split(arrays["images"], arrays["labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _save_cached(path: Path, split: Split) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(stream, images=split.images, labels=split.labels)
