"""Drawn accuracy: how well a model reads labelled drawings, read in the same way as a visitor's drawings.

A drawing is correct if the number read is its label, so a digit read as two is wrong. A drawing that the judge refuses
still counts by its reading; the number of refused drawings is reported separately.
"""

import functools
from dataclasses import dataclass

import numpy as np

from digits.accuracy import Accuracy
from digits.data.drawings import Examples
from digits.errors import InvalidImage
from digits.models.reading import Classifier, looks_like_digits, read_ink, read_strokes


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What came of each drawing, bool (n,) each.

    Attributes:
        correct: whether the number read is its label.
        refused: whether nothing in it looks like a digit.
        split: whether it was read as several digits.
    """

    correct: np.ndarray
    refused: np.ndarray
    split: np.ndarray


def measure(model: Classifier, examples: Examples) -> Accuracy:
    """Read every drawing with a model, and count the readings that equal the label."""
    outcomes = read(model, examples)
    return Accuracy(
        int(outcomes.correct.sum()),
        len(outcomes.correct),
        independent=examples.drawings,
        refused=int(outcomes.refused.sum()),
        data=examples.description,
    )


def read(model: Classifier, examples: Examples) -> Outcomes:
    """Read every drawing with a model."""
    is_correct = np.zeros(len(examples.labels), bool)
    counts = np.bincount(examples.owners, minlength=len(is_correct))
    is_refused = _refused(examples, model.class_names).copy()
    if len(examples.images):
        names = np.array(model.class_names)[model.probabilities(examples.images).argmax(axis=1)]
        is_correct[examples.owners] = names == examples.labels[examples.owners]
        is_correct &= counts == 1
    for place, drawing in examples.doubtful.items():
        try:
            reading = read_ink(drawing, model) if isinstance(drawing, np.ndarray) else read_strokes(drawing, model)
        except InvalidImage:  # too many marks
            continue
        counts[place] = len(reading.digits)
        is_correct[place] = reading.text == examples.labels[place]
        is_refused[place] = not reading.accepted.any()
    return Outcomes(is_correct, is_refused, counts > 1)


def interval_by_writer(is_true: np.ndarray, writers: np.ndarray, *, resamples: int = 2000) -> tuple[float, float]:
    """Return the 95 % interval of a share, by the bootstrap over writers (B. Efron, Annals of Statistics 7, 1979).

    Drawings by one writer resemble each other, so what is drawn again is writers, each with all that they drew.

    Args:
        is_true: bool (n,), n >= 1.
        writers: str (n,), who drew each.
        resamples: how often as many writers are drawn, with replacement.
    """
    _, owners = np.unique(writers, return_inverse=True)
    totals = np.bincount(owners)
    hits = np.bincount(owners, weights=is_true)
    chosen = np.random.default_rng(0).integers(len(totals), size=(resamples, len(totals)))
    shares = hits[chosen].sum(axis=1) / totals[chosen].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


@functools.lru_cache(maxsize=4)  # the judge does not depend on the model, so all models share its answers
def _refused(examples: Examples, class_names: tuple[str, ...]) -> np.ndarray:
    """Return the drawings in which the judge accepts no digit, bool (n,); True for those that still need a model."""
    is_refused = np.ones(len(examples.labels), bool)
    is_refused[examples.owners[looks_like_digits(examples.images, class_names)]] = False
    return is_refused
