"""completion: an imported model is there at once, and its figures follow; whatever happens, none of them is false."""

import logging
import os
import threading
import time
from errno import ENOSPC

import numpy as np
import pytest

from digits.data import mnist
from digits.errors import RunNotFound, TooManyPackages
from digits.models import catalogue
from digits.packages import completion, intake, measure, pack
from digits.settings import Settings

PACKAGE = pack.pack(catalogue.find("softmax", Settings.from_environment()))


@pytest.fixture(autouse=True)
def _few_images(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setattr(measure, "_ESTIMATE_IMAGES", 200)


@pytest.fixture
def settings(registry):
    return Settings.from_environment()


@pytest.fixture
def imported(registry, settings):
    return intake.import_package(PACKAGE, registry=registry, settings=settings, owner="ada")


@pytest.fixture
def held(monkeypatch):
    """Let no measurement begin before this event is set."""
    free, whole = threading.Event(), measure.measure
    monkeypatch.setattr(measure, "measure", lambda *given: free.wait(20) and whole(*given))
    yield free
    free.set()
    wait()


def wait():
    deadline = time.monotonic() + 30
    while completion._steps and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not completion._steps


def test_a_model_can_be_used_at_once_and_its_figures_follow(imported, registry, settings, held, runs_dir):
    """Its card and its run state the estimate, with the number of images, until all are measured."""
    images = mnist.load_test(settings).test.images
    first = catalogue.find(imported, settings)
    completion.begin(imported, registry, settings)
    completion.begin(imported, registry, settings)  # another tab
    assert len(completion._steps) == 1
    assert completion.step(imported)
    assert (first.card.provisional, first.test_accuracy.total) == (True, 200)
    assert registry.get(imported).test_accuracy == first.test_accuracy
    before = first.probabilities(images)
    held.set()
    wait()
    last = catalogue.find(imported, settings)
    assert (last.card.provisional, last.test_accuracy.total, last.strangers.is_sample) == (None, 1000, True)
    assert last.temperature != 1.0
    run = registry.get(imported)
    assert run.test_accuracy == last.test_accuracy
    assert run.disk_bytes == sum(file.stat().st_size for file in last.folder.iterdir())
    assert np.array_equal(before.argmax(axis=1), last.probabilities(images).argmax(axis=1))
    assert [path.name for path in runs_dir.iterdir() if path.is_dir()] == [imported]


def test_a_model_that_is_removed_meanwhile_does_not_come_back(imported, registry, settings, monkeypatch, runs_dir):
    whole = measure.measure

    def remove_and_measure(*given):
        catalogue.remove_of_run(imported, settings)
        registry.purge(imported)
        return whole(*given)

    monkeypatch.setattr(measure, "measure", remove_and_measure)
    with pytest.raises(RunNotFound):
        completion.complete(imported, registry, settings)
    assert not [path for path in runs_dir.iterdir() if path.is_dir()]


def test_a_full_disk_leaves_the_estimate_and_another_try(imported, registry, settings, monkeypatch, caplog, runs_dir):
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", lambda *_: (_ for _ in ()).throw(OSError(ENOSPC, os.strerror(ENOSPC))))
        with caplog.at_level(logging.WARNING):
            completion.begin(imported, registry, settings)
            wait()
    assert "cannot be measured" in caplog.text
    assert catalogue.find(imported, settings).card.provisional
    assert [path.name for path in runs_dir.iterdir() if path.is_dir()] == [imported]
    completion.begin(imported, registry, settings)
    wait()
    assert catalogue.find(imported, settings).card.provisional is None
    completion.complete(imported, registry, settings)  # there is nothing left to do


def test_no_more_are_imported_than_can_be_measured_soon(imported, registry, settings, held, monkeypatch):
    monkeypatch.setattr(completion, "MAX_WAITING", 1)
    completion.begin(imported, registry, settings)
    with pytest.raises(TooManyPackages, match="1 imported models are still being measured"):
        intake.import_package(PACKAGE, registry=registry, settings=settings, owner="ada")
    held.set()
    wait()
    assert intake.import_package(PACKAGE, registry=registry, settings=settings, owner="ada")
