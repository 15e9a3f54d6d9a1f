"""The catalogue: the bundled models and the models of runs. Each is a folder with a card."""

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.accuracy import Accuracy
from digits.data.datasets import Dataset
from digits.errors import ModelNotFound
from digits.models import calibration, cards
from digits.models.cards import Card
from digits.models.figures import Strangers
from digits.models.identity import ModelId, Weights
from digits.models.recogniser import CARD, TFLITE_FILE, Recogniser, apply_temperature
from digits.settings import BUNDLED_MODELS_DIR, Settings, work_dir

KERAS_FILE = "model.keras"
PROBABILITIES_FILE = "test-probabilities.npy"
DEFAULT_MODEL = "drawing"


@dataclass(frozen=True)
class Model:
    """A trained model on disk.

    Attributes:
        id: the model's name in links, `str()` of its `ModelId`.
        folder: the folder of its files.
        card: its card.
    """

    id: str
    folder: Path
    card: Card

    @property
    def title(self) -> str:
        return self.card.title

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.card.class_names

    @property
    def test_accuracy(self) -> Accuracy:
        return self.card.test

    @property
    def strangers(self) -> Strangers | None:
        """How the model reads people from whom nothing was learned; None if it was not measured."""
        return self.card.strangers

    @property
    def recogniser(self) -> Recogniser:
        """The loaded LiteRT model, shared by all callers; raises `ModelNotFound` if its file cannot be read."""
        path = self.folder / TFLITE_FILE
        return _recogniser(path, path.stat().st_mtime_ns if path.is_file() else 0)

    @property
    def temperature(self) -> float:
        """The temperature that calibrates the model's confidence (see `calibration`); 1 if its card has none."""
        return self.card.temperature

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each class for each image; pages show these as confidence.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, classes), in [0, 1]; each row sums to 1. Calibration keeps the classes in the same order.
        """
        return apply_temperature(self.recogniser.probabilities(images), self.temperature)

    def test_probabilities(self, dataset: Dataset) -> np.ndarray:
        """Return `probabilities` for all test images of `dataset`, from a file if possible, and cached.

        Returns:
            float32 (n, classes), in [0, 1]; each row sums to 1.
        """
        return _test_probabilities(self.folder, (self.folder / CARD).stat().st_mtime_ns, dataset)

    def calibration_report(self, dataset: Dataset) -> calibration.Report:
        """Measure the calibration of the model's confidence on the test images of `dataset`."""
        uncalibrated = _uncalibrated_test_probabilities(self.folder, (self.folder / CARD).stat().st_mtime_ns, dataset)
        return calibration.report(uncalibrated, dataset.test.labels, self.temperature)


def bundled() -> list[Model]:
    """Return the bundled models, the simplest first."""
    folders = [path.parent for path in BUNDLED_MODELS_DIR.glob(f"*/{CARD}")]
    return sorted((_load(folder) for folder in folders), key=lambda model: model.card.order)


def find(model_id: str, settings: Settings) -> Model:
    """Return a bundled model or a run's model by its id.

    >>> find("softmax", Settings.from_environment()).title
    'Softmax regression'

    Args:
        model_id: any text, as from a link; no text leads to a folder outside the catalogue.
        settings: its `runs_dir` holds the models of runs.

    Raises:
        ModelNotFound: no model has this id, or its card cannot be read.
    """
    if identity := ModelId.parse(model_id):
        for home in (BUNDLED_MODELS_DIR, settings.runs_dir):
            if (home / str(identity) / CARD).is_file():
                return _load(home / str(identity))
    raise ModelNotFound(
        f"A model's name must be {', '.join(model.id for model in bundled())} or a finished run's id; "
        f"received {model_id[:60]!r}. Choose a model from the list."
    )


def of_run(run_id: str, settings: Settings) -> list[Model]:
    """Return a run's models, in this order:

    1. the best weights, if they differ from the last;
    2. the last weights;
    3. the copies saved during training, by iteration.
    """
    return [_load(folder) for folder in _folders_of_run(run_id, settings) if (folder / CARD).is_file()]


def remove_of_run(run_id: str, settings: Settings) -> None:
    """Delete all files of a run: its models, its checkpoint and its snapshots."""
    for folder in (*_folders_of_run(run_id, settings), work_dir(settings.runs_dir, run_id)):
        shutil.rmtree(folder, ignore_errors=True)


def _folders_of_run(run_id: str, settings: Settings) -> list[Path]:
    """Return the folders of a run's models, in the order of `of_run`."""
    order = list(Weights)
    found = (ModelId.parse(folder.name) for folder in settings.runs_dir.glob(f"{run_id}*"))
    own = [identity for identity in found if identity and identity.name == run_id]
    own.sort(key=lambda identity: (order.index(identity.weights), identity.step or 0))
    return [settings.runs_dir / str(identity) for identity in own]


def _load(folder: Path) -> Model:
    return _cached_model(folder, (folder / CARD).stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _cached_model(folder: Path, modified: int) -> Model:
    return Model(folder.name, folder, cards.read(folder / CARD))


@functools.lru_cache(maxsize=32)
def _test_probabilities(folder: Path, modified: int, dataset: Dataset) -> np.ndarray:
    uncalibrated = _uncalibrated_test_probabilities(folder, modified, dataset)
    return apply_temperature(uncalibrated, _cached_model(folder, modified).temperature)


@functools.lru_cache(maxsize=32)
def _uncalibrated_test_probabilities(folder: Path, modified: int, dataset: Dataset) -> np.ndarray:
    """Return the probabilities for the test images before calibration. The model's folder stores these."""
    path = folder / PROBABILITIES_FILE
    is_same_set = _cached_model(folder, modified).card.test.total == len(dataset.test)
    if dataset.is_complete and is_same_set and path.is_file():
        return np.load(path, allow_pickle=False)
    return _load(folder).recogniser.probabilities(dataset.test.images)


@functools.lru_cache(maxsize=16)  # a convolutional model takes about 5 MB
def _recogniser(path: Path, modified: int) -> Recogniser:
    return Recogniser(path)
