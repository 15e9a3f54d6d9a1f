"""Drawn accuracy: how well a model reads labelled drawings, each as a visitor's is read.

A drawing counts as correct when the number read is its label: one that falls into two digits is wrong. Those that the
judge refuses count as they are read, and are told beside.
"""

import functools

import numpy as np

from digits.accuracy import Accuracy
from digits.data.drawings import Examples
from digits.errors import InvalidImage
from digits.models.reading import Classifier, looks_like_digits, read_ink


def measure(model: Classifier, examples: Examples) -> Accuracy:
    """Read every drawing with a model, and compare with its label."""
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


@functools.lru_cache(maxsize=4)  # the judge knows no model, so what it says of these images is the same for all
def _refused(examples: Examples, class_names: tuple[str, ...]) -> np.ndarray:
    """Return which drawings have no digit that looks like one, bool (n,); True for those that await a model."""
    is_refused = np.ones(len(examples.labels), bool)
    is_refused[examples.owners[looks_like_digits(examples.images, class_names)]] = False
    return is_refused
