"""The models that can be asked: the bundled ones and those that runs have left, each a folder with its card."""

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
        id: its name in links, as `str(ModelId(…))` has it.
        folder: where its files lie.
        card: what is known of it.
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
    def drawn_accuracy(self) -> Accuracy | None:
        """How well it reads drawings; None where there were none to measure it on."""
        return self.card.drawn

    @property
    def recogniser(self) -> Recogniser:
        path = self.folder / TFLITE_FILE
        return _recogniser(path, path.stat().st_mtime_ns if path.is_file() else 0)

    @property
    def temperature(self) -> float:
        """What brings the model's confidence near its accuracy (`calibration`); 1 where its card holds none."""
        return self.card.temperature

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return each class's probability for each image, calibrated: what a confidence on a page is taken from.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, classes), each row sums to 1 and has the order that `recogniser` gives.
        """
        return apply_temperature(self.recogniser.probabilities(images), self.temperature)

    def test_probabilities(self, dataset: Dataset) -> np.ndarray:
        """Return `probabilities` of all of `dataset`'s test images, read or computed once."""
        return _test_probabilities(self.folder, (self.folder / CARD).stat().st_mtime_ns, dataset)

    def calibration_report(self, dataset: Dataset) -> calibration.Report:
        """Report on `dataset`'s test images how far the model's confidence can be trusted."""
        stored = _own_test_probabilities(self.folder, (self.folder / CARD).stat().st_mtime_ns, dataset)
        return calibration.report(stored, dataset.test.labels, self.temperature)


def bundled() -> list[Model]:
    """Return the models that come with Digits, the simplest first."""
    folders = [path.parent for path in BUNDLED_MODELS_DIR.glob(f"*/{CARD}")]
    return sorted((_read(folder) for folder in folders), key=lambda model: model.card.order)


def find(model_id: str, settings: Settings) -> Model:
    """Return the model with this id, bundled or from a run; raises `ModelNotFound`."""
    if identity := ModelId.parse(model_id):
        for home in (BUNDLED_MODELS_DIR, settings.runs_dir):
            if (home / str(identity) / CARD).is_file():
                return _read(home / str(identity))
    raise ModelNotFound(
        f"A model's name should be {', '.join(model.id for model in bundled())} or a finished run's id; "
        f"received {model_id[:60]!r}. Choose a model from the list."
    )


def of_run(run_id: str, settings: Settings) -> list[Model]:
    """Return the models that a run has left: its best weights, where they are not its last, the last, and copies."""
    return [_read(folder) for folder in _folders_of_run(run_id, settings) if (folder / CARD).is_file()]


def remove_of_run(run_id: str, settings: Settings) -> None:
    """Remove all that a run has left: its models, its checkpoint and its snapshots."""
    for folder in (*_folders_of_run(run_id, settings), work_dir(settings.runs_dir, run_id)):
        shutil.rmtree(folder, ignore_errors=True)


def _folders_of_run(run_id: str, settings: Settings) -> list[Path]:
    """The folders of a run's models: the best weights, the last, then the copies as they were saved."""
    order = list(Weights)
    found = (ModelId.parse(folder.name) for folder in settings.runs_dir.glob(f"{run_id}*"))
    own = [identity for identity in found if identity and identity.name == run_id]
    own.sort(key=lambda identity: (order.index(identity.weights), identity.step or 0))
    return [settings.runs_dir / str(identity) for identity in own]


def _read(folder: Path) -> Model:
    return _cached_model(folder, (folder / CARD).stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _cached_model(folder: Path, modified: int) -> Model:
    return Model(folder.name, folder, cards.read(folder / CARD))


@functools.lru_cache(maxsize=32)
def _test_probabilities(folder: Path, modified: int, dataset: Dataset) -> np.ndarray:
    own = _own_test_probabilities(folder, modified, dataset)
    return apply_temperature(own, _cached_model(folder, modified).temperature)


@functools.lru_cache(maxsize=32)
def _own_test_probabilities(folder: Path, modified: int, dataset: Dataset) -> np.ndarray:
    """What the `.tflite` file itself gives, before any temperature: so it was stored."""
    path = folder / PROBABILITIES_FILE
    is_same_set = _cached_model(folder, modified).card.test.total == len(dataset.test)
    if dataset.is_complete and is_same_set and path.is_file():
        return np.load(path, allow_pickle=False)
    return _read(folder).recogniser.probabilities(dataset.test.images)


@functools.lru_cache(maxsize=16)  # a convolutional model takes about 5 MB
def _recogniser(path: Path, modified: int) -> Recogniser:
    return Recogniser(path)
