"""Calibration: is a model that says 90 % right nine times in ten, and how to bring it there with one number.

A temperature divides the logits before softmax (C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern
neural networks", ICML 2017): above 1 it makes a model humbler, below 1 surer, and it keeps the classes in their order.
A `.tflite` model gives probabilities, whose logarithms are its logits up to a constant that softmax takes away again.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from digits.accuracy import Accuracy
from digits.data.datasets import Split
from digits.errors import ModelNotFound
from digits.files import write_whole
from digits.models.recogniser import apply_temperature, is_temperature, logits_of, softmax

TEMPERATURES = (0.05, 20.0)  # a fit stays within these
BINS = 15  # as in Guo et al.

_PRIOR = 4.0  # images' worth of trust in temperature 1: 500 of 500 right is no reason to be endlessly sure


@dataclass(frozen=True, eq=False)
class Report:
    """How far a model's confidence can be trusted.

    Attributes:
        before, after: the expected calibration error in [0, 1], without and with the temperature.
        table: `reliability` with the temperature: how sure the model is, as pages say it, and how often it is right.
    """

    before: float
    after: float
    table: pd.DataFrame


def report(probabilities: np.ndarray, labels: np.ndarray, temperature: float) -> Report:
    """Measure a model's calibration before and after its temperature.

    Args:
        probabilities: float32 (n, classes), n >= 1, as `Recogniser.probabilities` gives them: without a temperature.
        labels: integer (n,), of images that neither the model nor the temperature was fitted on.
        temperature: over 0, as `catalogue.Model.temperature`.

    Raises:
        ValueError: `temperature` is not a number over 0.
    """
    cooled = apply_temperature(probabilities, temperature)
    before, after = (expected_calibration_error(rows, labels) for rows in (probabilities, cooled))
    return Report(before, after, reliability(cooled, labels))


def temperature_of(read: Callable[[np.ndarray], np.ndarray], validation: Split) -> float:
    """Fit the temperature that a model's card holds, on images that it has not trained on.

    Args:
        read: the model's own answer, as `Recogniser.probabilities`.
        validation: at least one image.
    """
    return round(fit_temperature(read(validation.images), validation.labels), 4)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the most likely temperature given labels that the model has not trained on.

    A weak prior holds it near 1 where few images, or none that were read wrongly, would let it run away.

    Args:
        probabilities: float32 (n, classes), n >= 1, as `Recogniser.probabilities` gives them.
        labels: integer (n,).

    Returns:
        The temperature, within `TEMPERATURES`.
    """
    logits = logits_of(probabilities)
    labelled = np.take_along_axis(logits, np.asarray(labels, dtype=np.int64)[:, None], axis=1).mean()

    def slope(sharpness: float) -> float:
        """The loss's derivative by 1 / temperature, in which the loss is convex: so the slope only ever grows."""
        towards_one = _PRIOR / len(logits) * (1 - 1 / sharpness)  # a gamma prior with its peak at 1
        return float((softmax(logits * sharpness) * logits).sum(axis=1).mean() - labelled) + towards_one

    low, high = (math.log(1 / temperature) for temperature in TEMPERATURES[::-1])
    for _ in range(40):  # bisection, down to 1e-12 of the range
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) < 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return by how much confidence and accuracy differ, in [0, 1]: the mean over bins, each weighed by its images.

    The confidence is the most probable class's probability, and the bins have equal width, as in Guo et al., section 2.
    """
    table = reliability(probabilities, labels, bins)
    return float(((table["confidence"] - table["accuracy"]).abs() * table["count"]).sum() / table["count"].sum())


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Compare how sure a model is with how often it is right.

    Args:
        probabilities: float32 (n, classes).
        labels: integer (n,).
        bins: how many parts of equal width [0, 1] is cut into.

    Returns:
        A row for each bin that any image falls into, in order: `bin` from 0, the mean `confidence` and the `accuracy`
        in [0, 1] of its images, their `count`, and `low` and `high`, the 95 % interval of the accuracy.
    """
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    table = pd.DataFrame(
        {
            # A bin holds its upper end: (0, 1/bins], (1/bins, 2/bins] and so on.
            "bin": np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1),
            "confidence": confidence,
            "accuracy": (probabilities.argmax(axis=1) == labels).astype(np.float64),
        }
    )
    bins_of = table.groupby("bin")
    rows = bins_of.mean().assign(count=bins_of.size()).reset_index()
    hits = bins_of["accuracy"].sum().astype(int)
    intervals = [Accuracy(*pair).interval for pair in zip(hits, rows["count"], strict=True)]
    return rows.assign(low=[low for low, _ in intervals], high=[high for _, high in intervals])


def write_temperature(card: Path, temperature: float) -> None:
    """Write a temperature into a model's card, and leave the rest; a reader sees the old card or the new one.

    Raises:
        ModelNotFound: there is no card that can be read.
        ValueError: `temperature` is not a number over 0.
    """
    if not is_temperature(temperature):
        raise ValueError(f"`temperature` must be a number over 0; received {temperature!r}.")
    try:
        facts = json.loads(card.read_text(encoding="utf-8")) | {"temperature": round(float(temperature), 4)}
    except (OSError, ValueError, TypeError) as error:
        raise ModelNotFound(f"{card} should be a model's card in JSON; {error}. Train the model again.") from error
    with write_whole(card) as stream:
        stream.write((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
