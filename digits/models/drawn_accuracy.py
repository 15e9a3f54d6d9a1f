"""Drawn accuracy: how well a model reads labelled drawings, each as a visitor's is read.

A drawing counts as correct when the number read is its label: one that falls into two digits is wrong. Those that the
judge refuses count as they are read, and are told beside.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.accuracy import Accuracy
from digits.data.drawings import Examples
from digits.errors import InvalidImage
from digits.models.reading import Classifier, looks_like_digits, read_ink


@dataclass(frozen=True)
class DrawnAccuracy:
    """How many drawings are read correctly, and how many refused.

    Attributes:
        accuracy: the drawings read as their label.
        refused: the drawings of which nothing looks like a digit.
        data: what the drawings are, in a phrase.
    """

    accuracy: Accuracy
    refused: int
    data: str

    def to_dict(self) -> dict[str, Any]:
        """Return what a card says of it."""
        return self.accuracy.to_dict() | {"refused": self.refused, "data": self.data}

    def __str__(self) -> str:
        return f"{self.accuracy}; {self.refused:,} refused"


def measure(model: Classifier, examples: Examples) -> DrawnAccuracy:
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
    measured = Accuracy(int(is_correct.sum()), len(is_correct), independent=examples.drawings)
    return DrawnAccuracy(measured, int(is_refused.sum()), examples.description)


@functools.lru_cache(maxsize=4)  # the judge knows no model, so what it says of these images is the same for all
def _refused(examples: Examples, class_names: tuple[str, ...]) -> np.ndarray:
    """Return which drawings have no digit that looks like one, bool (n,); True for those that await a model."""
    is_refused = np.ones(len(examples.labels), bool)
    is_refused[examples.owners[looks_like_digits(examples.images, class_names)]] = False
    return is_refused
