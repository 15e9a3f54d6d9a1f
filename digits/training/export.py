"""A trained model as files: Keras, LiteRT and a card, proved to predict alike before anyone sees them.

Weights are rounded to float16 before they are written, which halves the files. The card's accuracy is measured on the
files themselves, so the rounding is part of what it reports.
"""

import contextlib
import dataclasses
import datetime
import io
import platform
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.accuracy import Accuracy, accuracy
from digits.data.datasets import Dataset
from digits.data.drawings import Examples
from digits.errors import ExportMismatch, TrainingDiverged
from digits.models import calibration, drawn_accuracy, weights
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, PROBABILITIES_FILE, TFLITE_FILE
from digits.models.recogniser import CalibratedRecogniser, Recogniser
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.training import explain, networks

_LEVEL = 1  # of compression: nine times as quick as the default, and the files are 7 to 20 % larger
_TOLERANCE = 1e-3  # probabilities may differ by this much between the two files; a tie may then fall either way


def save_model(
    model: keras.Model,
    folder: Path,
    *,
    hyperparameters: Hyperparameters,
    dataset: Dataset,
    drawings: Examples | None,
    facts: Mapping[str, Any],
    on_step: Callable[[str], None] = lambda step: None,
    on_tested: Callable[[Accuracy], None] = lambda measured: None,
) -> Card:
    """Write a model's files into `folder`, test it on the test images, and return its card.

    The folder appears whole or not at all. This is the one place where test images are looked at.

    Args:
        model: float32, as `loop.Program.exportable_model` gives it; its weights are rounded in place.
        drawings: what drawn accuracy is measured on, where there are any.
        facts: what else the card should say, by its fields, such as the command and the seconds it took.
        on_step: told in a few words what happens next.
        on_tested: told the test accuracy as soon as it is known; what nobody waits for is made and written after that.
            Told again where the LiteRT file, which the card's accuracy is of, decides a tie otherwise.

    Raises:
        ExportMismatch: the two files do not give the same predictions.
        TrainingDiverged: the weights are not finite.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".saving-") as temporary:
        draft = Path(temporary) / folder.name
        draft.mkdir()
        _round_weights(model)
        on_step("Testing on the test images, for the first and only time")
        expected = predict(model, dataset.test.images)
        told = accuracy(expected, dataset.test.labels)
        on_tested(told)
        on_step("Converting to LiteRT, and proving that it predicts the same")
        (draft / TFLITE_FILE).write_bytes(_convert(model))
        recogniser = Recogniser(draft / TFLITE_FILE)
        probabilities = recogniser.probabilities(dataset.test.images)
        _prove_same(expected, probabilities)
        measured = accuracy(probabilities, dataset.test.labels)
        if measured != told:  # a tie between two classes fell the other way
            on_tested(measured)
        on_step("Saving")
        np.save(draft / PROBABILITIES_FILE, probabilities)
        _write_keras(model, draft / KERAS_FILE)
        explain.write(model, draft / weights.EXPLAIN_FILE)
        temperature = calibration.temperature_of(recogniser.probabilities, dataset.validation)
        calibrated = CalibratedRecogniser(recogniser, dataset.class_names, temperature)
        card = dataclasses.replace(
            _card(folder.name, hyperparameters, dataset, measured),
            temperature=temperature,
            drawn=drawn_accuracy.measure(calibrated, drawings) if drawings else None,
            **facts,
        )
        (draft / CARD).write_text(card.to_json(), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    return card


def warm_up(model: keras.Model) -> None:
    """Convert a model for nothing: the first conversion in a process takes twice as long as those after it."""
    _convert(model)


def write_explanation(folder: Path) -> None:
    """Write the weights that people look at beside a model that was exported without them, from its Keras file."""
    explain.write(keras.models.load_model(folder / KERAS_FILE), folder / weights.EXPLAIN_FILE)


def _round_weights(model: keras.Model) -> None:
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise TrainingDiverged(
            "The weights should be finite numbers; some have grown beyond. Start again with a lower learning rate."
        )
    with np.errstate(over="ignore"):
        rounded = [weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()]
    if all(np.isfinite(weight).all() for weight in rounded):  # float16 ends at 65,504; larger weights stay as they are
        model.set_weights(rounded)


def _write_keras(model: keras.Model, path: Path) -> None:
    """Save the model, then compress the archive: Keras does not, and rounded weights shrink by half."""
    stored = path.with_name("stored.keras")
    model.save(stored)
    with (
        zipfile.ZipFile(stored) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as target,
    ):
        for item in source.infolist():
            target.writestr(item.filename, source.read(item))
    stored.unlink()


def _convert(model: keras.Model) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    # float16 weights: exactly the rounded ones, at half the size.
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints the model's signature
        return converter.convert()


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return what a Keras model itself gives for images uint8 (n, 28, 28): float32 (n, classes)."""
    size = networks.reading_batch(model)
    return np.concatenate(
        [model(images[start : start + size].astype(np.float32)).numpy() for start in range(0, len(images), size)]
    )


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two models' probabilities for the same images agree, but for how they were computed."""
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _TOLERANCE)  # NaN is the same as nothing


def _prove_same(expected: np.ndarray, probabilities: np.ndarray) -> None:
    difference = float(np.abs(expected - probabilities).max())
    if not difference <= _TOLERANCE:
        raise ExportMismatch(
            f"The .keras and the .tflite file should give the same probabilities within {_TOLERANCE:g}; "
            f"they differ by {difference:.2g}. Report this with the run's settings."
        )


def _card(name: str, hyperparameters: Hyperparameters, dataset: Dataset, measured: Accuracy) -> Card:
    return Card(
        id=name,
        title=PRESETS[hyperparameters.network].title,
        order=list(PRESETS).index(hyperparameters.network),
        class_names=dataset.class_names,
        data=dataset.description,
        train_images=len(dataset.train),
        hyperparameters=hyperparameters.to_dict(),
        test=measured,
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in ("tensorflow", "keras", "numpy", "ai-edge-litert")},
        },
        date=datetime.datetime.now(datetime.UTC).date(),
    )
