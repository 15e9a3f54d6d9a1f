"""Calibration: make a model's confidence match its accuracy by temperature scaling.

A calibrated model is correct for 90% of the images that it predicts with a confidence of 90%. A temperature divides
the logits before softmax (C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML
2017). Above 1 it lowers the confidence, below 1 it raises it; the order of the classes stays the same. A `.tflite`
model returns probabilities. Their logarithms are the logits plus a constant, which softmax cancels.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.accuracy import Accuracy
from digits.data.datasets import Split
from digits.errors import ModelNotFound
from digits.files import write_whole
from digits.models.recogniser import apply_temperature, is_temperature, logits_of, softmax

if TYPE_CHECKING:
    import pandas as pd

TEMPERATURES = (0.05, 20.0)  # the range of a fitted temperature
BINS = 15  # as in Guo et al.

_PRIOR = 4.0  # the weight of the prior, in images; without it, 500 correct of 500 would give an extreme temperature


@dataclass(frozen=True, eq=False)
class Report:
    """A model's calibration with and without its temperature.

    Attributes:
        before: the expected calibration error without the temperature, in [0, 1].
        after: the expected calibration error with the temperature, in [0, 1].
        table: `reliability` with the temperature, which is the confidence that pages show.
    """

    before: float
    after: float
    table: "pd.DataFrame"


def report(probabilities: np.ndarray, labels: np.ndarray, temperature: float) -> Report:
    """Measure a model's calibration with and without its temperature.

    Args:
        probabilities: float32 (n, classes), n >= 1, as `Recogniser.probabilities` returns them: without a temperature.
        labels: integer (n,); neither the model nor the temperature was fitted on these images.
        temperature: above 0, as `catalogue.Model.temperature`.

    Raises:
        ValueError: `temperature` is not a finite number above 0.
    """
    calibrated = apply_temperature(probabilities, temperature)
    before, after = (expected_calibration_error(rows, labels) for rows in (probabilities, calibrated))
    return Report(before, after, reliability(calibrated, labels))


def temperature_of(predict: Callable[[np.ndarray], np.ndarray], validation: Split) -> float:
    """Fit the temperature for a model's card, on images that the model was not trained on.

    Args:
        predict: the model's uncalibrated prediction, `Recogniser.probabilities`.
        validation: at least one image.

    Returns:
        The temperature, within `TEMPERATURES`, rounded to four decimals.
    """
    return round(fit_temperature(predict(validation.images), validation.labels), 4)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the highest posterior probability, given labelled images.

    A weak prior keeps it near 1 if the images are few or if none is misclassified.

    Args:
        probabilities: float32 (n, classes), n >= 1, as `Recogniser.probabilities` returns them.
        labels: integer (n,); the model was not trained on these images.

    Returns:
        The temperature, within `TEMPERATURES`.
    """
    logits = logits_of(probabilities)
    labelled = np.take_along_axis(logits, np.asarray(labels, dtype=np.int64)[:, None], axis=1).mean()

    def slope(sharpness: float) -> float:
        """The derivative of the loss by 1 / temperature. The loss is convex in it, so the derivative increases."""
        prior = _PRIOR / len(logits) * (1 - 1 / sharpness)  # a gamma prior with its mode at 1
        return float((softmax(logits * sharpness) * logits).sum(axis=1).mean() - labelled) + prior

    low, high = (math.log(1 / temperature) for temperature in TEMPERATURES[::-1])
    for _ in range(40):  # bisection, to 1e-12 of the range
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) < 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error (Guo et al., section 2).

    It is the mean difference between confidence and accuracy over bins of equal width, weighted by the number of images
    in each bin. The confidence is the probability of the predicted class, which is the highest probability.

    >>> three_of_four = expected_calibration_error(np.float32([[0.8, 0.2]] * 4), np.array([0, 0, 0, 1]))
    >>> round(three_of_four, 4)
    0.05

    Args:
        probabilities: float32 (n, classes), n >= 1.
        labels: integer (n,).
        bins: the number of bins.

    Returns:
        The error, in [0, 1].
    """
    table = reliability(probabilities, labels, bins)
    return float(((table["confidence"] - table["accuracy"]).abs() * table["count"]).sum() / table["count"].sum())


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> "pd.DataFrame":
    """Compare a model's confidence with its accuracy, in bins of equal confidence width.

    Args:
        probabilities: float32 (n, classes).
        labels: integer (n,).
        bins: the number of bins of equal width in [0, 1].

    Returns:
        A row for each bin that contains an image, in order. The columns are `bin`, counted from 0; the mean
        `confidence` and the `accuracy` of its images, in [0, 1]; `count`, the number of images; and `low` and `high`,
        the 95% interval of the accuracy.
    """
    import pandas as pd  # takes half a second and 60 MB, and a trainer needs none

    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    table = pd.DataFrame(
        {
            # A bin includes its upper edge: (0, 1/bins], (1/bins, 2/bins] and so on.
            "bin": np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1),
            "confidence": confidence,
            "accuracy": (probabilities.argmax(axis=1) == labels).astype(np.float64),
        }
    )
    groups = table.groupby("bin")
    rows = groups.mean().assign(count=groups.size()).reset_index()
    correct = groups["accuracy"].sum().astype(int)
    intervals = [Accuracy(*pair).interval for pair in zip(correct, rows["count"], strict=True)]
    return rows.assign(low=[low for low, _ in intervals], high=[high for _, high in intervals])


def write_temperature(card: Path, temperature: float) -> None:
    """Write a temperature into a model's card and keep everything else.

    The file is replaced atomically: a concurrent reader gets the old card or the new one.

    Args:
        card: the path of `card.json`.
        temperature: above 0; it is rounded to four decimals.

    Raises:
        ModelNotFound: the card is missing or is not a JSON object.
        ValueError: `temperature` is not a finite number above 0.
    """
    if not is_temperature(temperature):
        raise ValueError(f"`temperature` must be a finite number above 0; received {temperature!r}.")
    try:
        facts = json.loads(card.read_text(encoding="utf-8")) | {"temperature": round(float(temperature), 4)}
    except (OSError, ValueError, TypeError) as error:
        raise ModelNotFound(f"{card} must be a model's card in JSON; {error}. Train the model again.") from error
    with write_whole(card) as stream:
        stream.write((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
