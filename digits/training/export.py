"""Export: a trained model as Keras and LiteRT files with a card, checked to give the same predictions.

Weights are rounded to float16 before they are written, which halves the files. The card's accuracy is measured on the
written files, so it includes the effect of rounding.
"""

import contextlib
import dataclasses
import datetime
import io
import platform
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits import logs
from digits.accuracy import Accuracy, accuracy
from digits.data import sets
from digits.data.datasets import Dataset
from digits.errors import ExportMismatch, ModelNotFound, TrainingDiverged
from digits.models import calibration, drawn_accuracy, figures, weights
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, PROBABILITIES_FILE, TFLITE_FILE
from digits.models.recogniser import CalibratedRecogniser, Recogniser
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.store import FolderStore
from digits.training import explain, networks

_COMPRESSION_LEVEL = 1  # nine times as fast as the default; the files are 7 to 20% larger
_TOLERANCE = 1e-3  # probabilities of the two files may differ by this much, so a tie may fall either way


def save_model(model: keras.Model, folder: Path, **how: Any) -> Card:
    """Write a model's files into `folder`, which appears whole or not at all; everything else is as in `write_model`.

    Raises:
        OSError: the files cannot be written, for example because the disk is full.
    """
    with FolderStore(folder.parent).write_folder(folder.name) as draft:
        return write_model(model, draft, folder.name, **how)


def write_model(
    model: keras.Model,
    draft: Path,
    name: str,
    *,
    hyperparameters: Hyperparameters,
    dataset: Dataset,
    facts: Mapping[str, Any],
    on_step: Callable[[str], None] = lambda step: None,
    on_tested: Callable[[Accuracy], None] = lambda measured: None,
) -> Card:
    """Write a model's files into an empty folder, test it on the test images, and return its card.

    This is the only place where a run uses the test images.

    Args:
        model: float32, as from `programs.Program.exportable_model`; its weights are rounded in place.
        draft: the empty folder.
        name: the model's id.
        facts: further fields of the card, such as the command and the seconds that training took.
        on_step: called with a short description of each step before it begins.
        on_tested: called with the test accuracy as soon as it is known; the files are finished after that. Called again
            if the LiteRT file breaks a tie differently: its accuracy is the one on the card.

    Raises:
        ExportMismatch: the two files do not give the same predictions.
        TrainingDiverged: the weights are not finite.
        OSError: the files cannot be written.
    """
    _round_weights(model)
    recogniser, probabilities = _test_and_convert(model, draft, dataset, on_step, on_tested)
    on_step("Saving")
    _write_keras(model, draft / KERAS_FILE)
    explain.write(model, draft / weights.EXPLAIN_FILE)
    card = dataclasses.replace(
        _card(name, hyperparameters, dataset, probabilities), **_measure(recogniser, dataset), **facts
    )
    (draft / CARD).write_text(card.to_json(), encoding="utf-8")
    return card


def _test_and_convert(
    model: keras.Model,
    draft: Path,
    dataset: Dataset,
    on_step: Callable[[str], None],
    on_tested: Callable[[Accuracy], None],
) -> tuple[Recogniser, np.ndarray]:
    """Test the model, write its LiteRT file and test probabilities, and return the LiteRT model and the latter."""
    on_step("Testing on the test images, for the first and only time")
    expected = predict(model, dataset.test.images)
    keras_accuracy = accuracy(expected, dataset.test.labels)
    on_tested(keras_accuracy)
    on_step("Converting to LiteRT, and proving that it predicts the same")
    (draft / TFLITE_FILE).write_bytes(_convert(model))
    with logs.without_start_up_lines():
        recogniser = Recogniser(draft / TFLITE_FILE)
    probabilities = recogniser.probabilities(dataset.test.images)
    _prove_same(expected, probabilities)
    measured = accuracy(probabilities, dataset.test.labels)
    if measured != keras_accuracy:  # a tie between two classes fell the other way
        on_tested(measured)
    np.save(draft / PROBABILITIES_FILE, probabilities)
    return recogniser, probabilities


def warm_up(model: keras.Model) -> None:
    """Convert a model and discard the result: the first conversion in a process takes twice as long as later ones."""
    _convert(model)


def write_tflite(model: keras.Model, folder: Path) -> None:
    """Write a model as `model.tflite` alone, its weights rounded to float16 in place."""
    _round_weights(model)
    (folder / TFLITE_FILE).write_bytes(_convert(model))


def write_explanation(folder: Path) -> None:
    """Write the file of weights for people to look at, for a model that was exported without it."""
    explain.write(keras.models.load_model(folder / KERAS_FILE), folder / weights.EXPLAIN_FILE)


def _round_weights(model: keras.Model) -> None:
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise TrainingDiverged(
            "The weights should be finite numbers; some are not. Start again with a lower learning rate."
        )
    with np.errstate(over="ignore"):
        rounded = [weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()]
    if all(np.isfinite(weight).all() for weight in rounded):  # if one exceeds 65,504, none is rounded
        model.set_weights(rounded)


def _write_keras(model: keras.Model, path: Path) -> None:
    """Save the model and compress the archive: Keras does not, and compression halves rounded weights."""
    stored = path.with_name("stored.keras")
    model.save(stored)
    with (
        zipfile.ZipFile(stored) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as target,
    ):
        for item in source.infolist():
            target.writestr(item.filename, source.read(item))
    stored.unlink()


def _convert(model: keras.Model) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    # float16 holds the rounded weights exactly, in half the space.
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints the model's signature
        return converter.convert()


def read_weights(folder: Path) -> list[np.ndarray]:
    """Return the weights of a finished model, in the order of its network; raises `ModelNotFound`."""
    try:
        return keras.models.load_model(folder / KERAS_FILE).get_weights()
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise ModelNotFound(
            f"A model's {KERAS_FILE} should be whole; it cannot be read ({type(error).__name__}). Choose another model."
        ) from error


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a Keras model's probabilities float32 (n, classes) for images uint8 (n, 28, 28)."""
    size = networks.reading_batch(model)
    return np.concatenate(
        [model(images[start : start + size].astype(np.float32)).numpy() for start in range(0, len(images), size)]
    )


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two models' probabilities for the same images agree, up to rounding errors."""
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _TOLERANCE)  # False for NaN


def _prove_same(expected: np.ndarray, probabilities: np.ndarray) -> None:
    difference = float(np.abs(expected - probabilities).max())
    if not difference <= _TOLERANCE:
        raise ExportMismatch(
            f"The .keras and the .tflite file should give the same probabilities within {_TOLERANCE:g}; "
            f"they differ by {difference:.2g}. Report this with the run's settings."
        )


def _measure(recogniser: Recogniser, dataset: Dataset) -> dict[str, Any]:
    """Return two fields of the card: the calibration's temperature, and how the calibrated model reads strangers."""
    temperature = calibration.temperature_of(recogniser.probabilities, dataset.validation)
    calibrated = CalibratedRecogniser(recogniser, dataset.class_names, temperature)
    return {
        "temperature": temperature,
        "strangers": drawn_accuracy.measure_sample(calibrated),
    }


def _card(name: str, hyperparameters: Hyperparameters, dataset: Dataset, probabilities: np.ndarray) -> Card:
    title, place = PRESETS[hyperparameters.network].title, sets.place(dataset.name)
    return Card(
        id=name,
        title=title
        if dataset.name == sets.MNIST
        else f"{sets.find(dataset.name).title}: {title[0].lower()}{title[1:]}",
        order=place * len(PRESETS) + list(PRESETS).index(hyperparameters.network),
        class_names=dataset.class_names,
        data=dataset.description,
        train_images=len(dataset.train),
        mixture=dataset.mixture,
        hyperparameters=hyperparameters.to_dict(),
        test=accuracy(probabilities, dataset.test.labels),
        tests=figures.by_set(probabilities, dataset),
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in ("tensorflow", "keras", "numpy", "ai-edge-litert")},
        },
        date=datetime.datetime.now(datetime.UTC).date(),
    )
