"""A lesson: what a network learns from a visitor's corrections, mixed with what it has learned before.

Without the latter it would forget (R. Ratcliff, Psychological Review 97, 1990; "replay" or "rehearsal").
"""

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits.data import allographs, letters, ways
from digits.data.datasets import Dataset, Part, Split
from digits.data.drawings import Drawing
from digits.ink import glyphs

COPIES = 40  # of each correction, written a little differently each time
HELD_OUT = 10  # further copies of each, to measure on
REPLAYED = 3_000  # images of the data set, and as many drawings that are part of Digits, at most
_REPLAYED_COPIES = 2  # of each of these drawings, besides itself
_VALIDATION = 150  # images of the data set's validation images, and as many copies, at most; more took most of the time
_LEARN, _MEASURE = 1, 2  # the seeds of the copies
_AS_PICTURE = 4  # one copy of so many is read by the ink of a pen of some width


def build(dataset: Dataset, corrections: Sequence[Drawing], *, copies: int = COPIES) -> Dataset:
    """Return the data set of a lesson; its test images are unchanged.

    Args:
        dataset: the one that the network has learned to read.
        corrections: strokes with the names of their classes.
        copies: of each correction.
    """
    taught = vary(corrections, dataset.class_names, copies=copies, seed=_LEARN)
    replayed = _replay(dataset)
    held_out = variations(corrections, dataset.class_names)
    rows = np.linspace(0, len(held_out) - 1, min(_VALIDATION, len(held_out))).astype(int)
    measured = Split(held_out.images[rows], held_out.labels[rows])
    return replace(
        dataset,
        description=f"{len(corrections):,} corrections, each {copies} times, and {len(replayed):,} images of before. "
        f"{dataset.description}",
        train=_join([taught, replayed]),
        validation=_join([dataset.validation.rows(0, _VALIDATION), measured]),
        mixture=(Part(dataset.name, "", len(replayed)), Part("corrections", "strokes", len(taught))),
        batches=(),
    )


def prepare(dataset: Dataset) -> None:
    """Draw the handwriting that lessons of a data set replay, which takes some seconds once in a process."""
    _handwriting(dataset.class_names, tuple(dataset.labels.items()))


def variations(corrections: Sequence[Drawing], class_names: Sequence[str]) -> Split:
    """Return copies of the corrections, written differently, that no lesson learns from."""
    return vary(corrections, class_names, copies=HELD_OUT, seed=_MEASURE)


def vary(corrections: Sequence[Drawing], class_names: Sequence[str], *, copies: int, seed: int) -> Split:
    """Return images of corrections that are slanted, stretched and shaken as by the same hand at another time."""
    rng = np.random.default_rng(seed)
    images, labels = [], []
    for copy in range(copies):
        for place, drawing in enumerate(corrections):
            strokes = allographs.vary(drawing.strokes, rng)
            way = ways.read_strokes if (copy + place) % _AS_PICTURE else ways.read_from_paper
            image = way(strokes, rng)
            if image is not None:
                images.append(image)
                labels.append(class_names.index(drawing.label))
    return _split(images, labels)


def as_drawn(corrections: Sequence[Drawing], class_names: Sequence[str]) -> Split:
    """Return the images of the corrections as the Draw page reads them."""
    images = [glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in corrections]
    return _split(images, [class_names.index(drawing.label) for drawing in corrections])


def _replay(dataset: Dataset) -> Split:
    """Return images like those that the network has learned from: the data set's own, and real handwriting."""
    train = dataset.train
    rows = np.linspace(0, len(train) - 1, min(REPLAYED, len(train))).astype(int)
    own = Split(train.images[rows], train.labels[rows])
    return _join([own, _handwriting(dataset.class_names, tuple(dataset.labels.items()))])


@functools.lru_cache(maxsize=2)  # lessons of one data set often follow each other
def _handwriting(class_names: tuple[str, ...], labels: tuple[tuple[str, int], ...]) -> Split:
    """Return the drawings of these labels that are part of Digits, each as it is and varied."""
    class_of = dict(labels)
    known = letters.learned_from(letters.examples(class_of))
    chosen = [known[row] for row in np.linspace(0, len(known) - 1, min(REPLAYED, len(known))).astype(int)]
    named = [replace(drawing, label=class_names[class_of[drawing.label]]) for drawing in chosen]
    return _join([as_drawn(named, class_names), vary(named, class_names, copies=_REPLAYED_COPIES, seed=0)])


def _split(images: Sequence[np.ndarray], labels: Sequence[int]) -> Split:
    return Split(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


def _join(parts: Sequence[Split]) -> Split:
    return Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))
