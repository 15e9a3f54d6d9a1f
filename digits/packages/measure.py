"""Measuring: the card of an imported model, whose accuracy and temperature come from this machine's images alone.

A large network takes seconds for all images. So `estimate` looks at some of them, and `measure` later at all.
"""

import dataclasses
import datetime
import functools
import os
import platform
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np

from digits.accuracy import accuracy
from digits.data import sets
from digits.data.datasets import Dataset, Source, Split
from digits.errors import InvalidPackage
from digits.models import calibration, drawn_accuracy, figures
from digits.models.cards import Card
from digits.models.catalogue import PROBABILITIES_FILE, TFLITE_FILE
from digits.models.recogniser import CalibratedRecogniser, Recogniser
from digits.packages.claims import Claims
from digits.runs.presets import PRESETS
from digits.settings import Settings

_ESTIMATE_IMAGES = 1000  # at most
_IMAGES_AT_A_TIME = 500
_MAX_THREADS = 4
_NICENESS = 10  # reading a drawing has priority, as it has over training


def estimate(
    folder: Path, claims: Claims, settings: Settings, on_step: Callable[[str], None] = lambda step: None
) -> Card:
    """Return a provisional card for the model whose `.tflite` file lies in a folder.

    Args:
        folder: as `rebuild.write_files` leaves it; its name is the model's id.
        claims: give the card its hyperparameters, its data and its training time.
        settings: where the test images are.
        on_step: called with a short description of each step before it starts.

    Raises:
        InvalidPackage: the model gives no probabilities, because its numbers are too large.
        DatasetError: there are no test images.
    """
    on_step("Loading the test images")
    declared = sets.find(claims.hyperparameters.dataset)
    test = _load_test(settings, declared.name, declared.find_source(settings)).test
    rows = np.linspace(0, len(test) - 1, min(len(test), _ESTIMATE_IMAGES)).astype(int)  # MNIST's later ones are harder
    on_step(f"Measuring its accuracy on {len(rows):,} of {len(test):,} test images")
    with _threads() as pool:
        probabilities = _probabilities(_SharedOut(folder / TFLITE_FILE, pool), test.images[rows])
    network = claims.hyperparameters.network
    return Card(
        id=folder.name,
        title=declared.model_title(PRESETS[network].title),
        order=list(PRESETS).index(network),
        class_names=declared.class_names,
        data=claims.data,
        train_images=claims.train_images,
        hyperparameters=claims.hyperparameters.to_dict(),
        test=accuracy(probabilities, test.labels[rows]),
        versions={"python": platform.python_version(), **{name: version(name) for name in ("numpy", "ai-edge-litert")}},
        date=datetime.datetime.now(datetime.UTC).date(),
        seconds=claims.seconds,
        step=claims.step,
        mixture=claims.mixture,
        provisional=True,
    )


def measure(folder: Path, card: Card, settings: Settings, on_step: Callable[[str], None] = lambda step: None) -> Card:
    """Measure a model on all images, write its test probabilities to its folder, and return its card.

    Args:
        folder: has the model's `.tflite` file.
        card: from `estimate`.
        settings: where test and validation images are.
        on_step: as for `estimate`.

    Raises:
        InvalidPackage, DatasetError: as `estimate`.
    """
    on_step("Loading the test images")
    dataset = _load(settings, card.dataset, sets.find(card.dataset).find_source(settings))
    with _threads() as pool:
        recogniser = _SharedOut(folder / TFLITE_FILE, pool)
        on_step(f"Measuring its accuracy on {len(dataset.test):,} test images")
        probabilities = _probabilities(recogniser, dataset.test.images)
        on_step(f"Calibrating its confidence on {len(dataset.validation):,} validation images")
        temperature = calibration.temperature_of(recogniser.probabilities, dataset.validation)
        on_step("Measuring it on strangers' drawings")
        strangers = drawn_accuracy.measure_sample(CalibratedRecogniser(recogniser, dataset.class_names, temperature))
    np.save(folder / PROBABILITIES_FILE, probabilities)
    return dataclasses.replace(
        card,
        test=accuracy(probabilities, dataset.test.labels),
        tests=figures.by_set(probabilities, dataset),
        temperature=temperature,
        strangers=strangers,
        provisional=None,
    )


@functools.lru_cache(maxsize=1)  # 8 MB; drawing letters takes a second
def _load_test(settings: Settings, name: str, source: Source) -> Dataset:
    return sets.find(name).load_test(settings)


@functools.lru_cache(maxsize=1)  # 15 MB
def _load(settings: Settings, name: str, source: Source) -> Dataset:
    """Return a data set without its training images."""
    whole = sets.find(name).load(settings)
    train, validation, test = (_copy(split) for split in (whole.train.rows(0, 0), whole.validation, whole.test))
    return dataclasses.replace(whole, train=train, validation=validation, test=test)


def _copy(split: Split) -> Split:
    """Copy images that may be a view of many more."""
    return Split(split.images.copy(), split.labels.copy())


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS), initializer=_lower_priority)


def _probabilities(recogniser: Recogniser, images: np.ndarray) -> np.ndarray:
    """Return the model's probabilities; raises `InvalidPackage` if it gives none."""
    probabilities = recogniser.probabilities(images)
    if not np.isfinite(probabilities).all():
        raise InvalidPackage(
            "A package's model must give a probability for each class; this one's numbers are too large for that. "
            "Choose another package."
        )
    return probabilities


class _SharedOut(Recogniser):
    """A recogniser that shares many images out among the threads of a pool, each with an interpreter of its own."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor) -> None:
        super().__init__(path)
        self._path, self._pool, self._own = path, pool, threading.local()

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        if len(images) <= _IMAGES_AT_A_TIME:
            return super().probabilities(images)
        parts = [images[start : start + _IMAGES_AT_A_TIME] for start in range(0, len(images), _IMAGES_AT_A_TIME)]
        return np.concatenate(list(self._pool.map(self._read, parts)))

    def _read(self, images: np.ndarray) -> np.ndarray:
        if not hasattr(self._own, "recogniser"):
            self._own.recogniser = Recogniser(self._path)
        return self._own.recogniser.probabilities(images)


def _lower_priority() -> None:
    """Lower this thread's priority on Linux; elsewhere it would be the whole process's, for good."""
    if sys.platform == "linux":
        os.nice(_NICENESS)
