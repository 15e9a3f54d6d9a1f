"""Drawn accuracy: how well a model reads labelled drawings, read in the same way as a visitor's drawings.

A drawing is correct if the number read is its label, so a digit read as two is wrong. A drawing that the judge refuses
still counts by its reading; the number of refused drawings is reported separately.
"""

import functools

import numpy as np

from digits.accuracy import Accuracy
from digits.data.drawings import Examples
from digits.errors import InvalidImage
from digits.models.reading import Classifier, looks_like_digits, read_ink


def measure(model: Classifier, examples: Examples) -> Accuracy:
    """Read every drawing with a model, and count the readings that equal the label."""
    is_correct = np.zeros(len(examples.labels), bool)
    is_refused = _refused(examples, model.class_names).copy()
    if len(examples.images):
        names = np.array(model.class_names)[model.probabilities(examples.images).argmax(axis=1)]
        is_correct[examples.owners] = names == examples.labels[examples.owners]
        is_correct &= np.bincount(examples.owners, minlength=len(is_correct)) == 1
    for place, ink in examples.doubtful.items():
        try:
            reading = read_ink(ink, model)
        except InvalidImage:  # too many marks
            continue
        is_correct[place] = reading.text == examples.labels[place]
        is_refused[place] = not reading.accepted.any()
    return Accuracy(
        int(is_correct.sum()),
        len(is_correct),
        independent=examples.drawings,
        refused=int(is_refused.sum()),
        data=examples.description,
    )


@functools.lru_cache(maxsize=4)  # the judge does not depend on the model, so all models share its answers
def _refused(examples: Examples, class_names: tuple[str, ...]) -> np.ndarray:
    """Return the drawings in which the judge accepts no digit, bool (n,); True for those that still need a model."""
    is_refused = np.ones(len(examples.labels), bool)
    is_refused[examples.owners[looks_like_digits(examples.images, class_names)]] = False
    return is_refused
