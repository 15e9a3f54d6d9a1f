"""Fit the bundled models' temperatures, and measure their calibration.

    DIGITS_DATA_DIR=… python -m benchmarks.calibration --drawn FOLDER [--write]

--write stores the temperatures, fitted on the validation images, in the bundled models' cards. FOLDER holds pen digits,
as for `benchmarks.judge`. The result goes to benchmarks/results/calibration.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _results
from digits.accuracy import accuracy
from digits.data import drawings, mnist
from digits.data.datasets import CLASS_NAMES
from digits.models import calibration, catalogue
from digits.models.recogniser import apply_temperature
from digits.settings import Settings

FIRST_TRAIN_IMAGE = 5848  # as for the bundled models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, metavar="FOLDER", help="labelled pen strokes as a second test set")
    parser.add_argument("--write", action="store_true", help="write the temperatures into the bundled cards")
    options = parser.parse_args()
    dataset = mnist.load_mnist(Settings.from_environment(), first_train_image=FIRST_TRAIN_IMAGE)
    sets = {"MNIST test": (dataset.test.images, dataset.test.labels)}
    if options.drawn:
        pen = drawings.load_examples(options.drawn, CLASS_NAMES)
        labels = np.array([CLASS_NAMES.index(label) for label in pen.labels])
        sets["pen digits"] = (pen.images, labels[pen.owners])
    figures = {}
    for model in catalogue.bundled():
        temperature = calibration.temperature_of(model.recogniser.probabilities, dataset.validation)
        figures[model.id] = {"temperature": temperature}
        for name, (images, labels) in sets.items():
            figures[model.id][name] = measure(model, images, labels, temperature)
            print(f"{model.id:16} {temperature:.3f} {name:12}", *figures[model.id][name].items())
        if options.write:
            calibration.write_temperature(model.folder / catalogue.CARD, temperature)
    print("Written to", _results.save("calibration", figures))


def measure(model: catalogue.Model, images: np.ndarray, labels: np.ndarray, temperature: float) -> dict[str, Any]:
    """Return a model's expected calibration error and its loss, before and after its temperature is applied."""
    before = model.recogniser.probabilities(images)
    after = apply_temperature(before, temperature)
    report = calibration.report(before, labels, temperature)
    figures = {
        "accuracy": accuracy(before, labels).share,
        "confidence_before": before.max(axis=1).mean(),
        "confidence_after": after.max(axis=1).mean(),
        "ece_before": report.before,
        "ece_after": report.after,
        "loss_before": loss(before, labels),
        "loss_after": loss(after, labels),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross entropy in nats; unlike the calibration error, it depends on no bins."""
    given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(given, 1e-30)).mean())


if __name__ == "__main__":
    main()
