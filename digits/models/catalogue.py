"""The catalogue: the bundled models and the models of runs. Each is a folder with a card."""

import contextlib
import functools
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits import logs
from digits.accuracy import Accuracy
from digits.data.datasets import Dataset
from digits.errors import ModelNotFound
from digits.ink.cases import FOLDED
from digits.models import calibration, cards
from digits.models.cards import Card
from digits.models.figures import Strangers
from digits.models.identity import ModelId, Weights
from digits.models.recogniser import CARD, TFLITE_FILE, Recogniser, apply_temperature
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.store import open_store

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
    def folded(self) -> frozenset[str]:
        """The classes that have both cases of a letter."""
        return FOLDED.get(self.card.dataset, frozenset())

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
        return _recogniser(path, _modified(path))

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
        return _test_probabilities(self.folder, _modified(self.folder / CARD), dataset)

    def calibration_report(self, dataset: Dataset) -> calibration.Report:
        """Measure the calibration of the model's confidence on the test images of `dataset`."""
        uncalibrated = _uncalibrated_test_probabilities(self.folder, _modified(self.folder / CARD), dataset)
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
        settings: they name the store of the models of runs.

    Raises:
        ModelNotFound: no model has this id, or its card cannot be read.
    """
    if identity := ModelId.parse(model_id):
        bundled_folder = BUNDLED_MODELS_DIR / str(identity)
        is_bundled = (bundled_folder / CARD).is_file()
        folder = bundled_folder if is_bundled else open_store(settings).fetch(str(identity))
        if is_bundled or (folder / CARD).is_file():
            return _load(folder)
    raise ModelNotFound(
        f"A model's name must be {', '.join(model.id for model in bundled())} or a finished run's id; "
        f"received {model_id[:60]!r}. Choose a model from the list."
    )


def of_run(run_id: str, settings: Settings) -> list[Model]:
    """Return a run's models, in the order below. A damaged one is left out; `damaged` names it.

    1. the best weights, if they differ from the last;
    2. the last weights;
    3. the copies saved during training, by iteration.
    """
    models = []
    for folder in _folders_of_run(run_id, settings):
        with contextlib.suppress(ModelNotFound):
            if (folder / CARD).is_file():
                models.append(_load(folder))
    return models


def damaged_of_run(run_id: str, settings: Settings) -> list[str]:
    """Return the ids of a run's models that have a file missing or damaged, in the order of `of_run`."""
    return [folder.name for folder in _folders_of_run(run_id, settings) if not _is_sound(folder)]


def remove_of_run(run_id: str, settings: Settings) -> None:
    """Delete all files of a run: its models, its checkpoints and its snapshots; raises `OSError`."""
    store = open_store(settings)
    for key in _keys_of_run(run_id, settings):
        store.delete(key)


def size_of_run(run_id: str, settings: Settings) -> int:
    """Return the number of bytes in all files of a run; raises `OSError`."""
    store = open_store(settings)
    return sum(store.size(key) for key in _keys_of_run(run_id, settings))


def _keys_of_run(run_id: str, settings: Settings) -> list[str]:
    return [*(folder.name for folder in _folders_of_run(run_id, settings)), f".work/{run_id}"]


def _folders_of_run(run_id: str, settings: Settings) -> list[Path]:
    """Return the folders of a run's models, in the order of `of_run`."""
    order, store = list(Weights), open_store(settings)
    found = (ModelId.parse(key) for key in store.list(run_id))
    own = [identity for identity in found if identity and identity.name == run_id]
    own.sort(key=lambda identity: (order.index(identity.weights), identity.step or 0))
    return [store.fetch(str(identity)) for identity in own]


def _is_sound(folder: Path) -> bool:
    """Return whether a model can be shown and can read: its card and its LiteRT file are whole."""
    try:
        _ = _load(folder).recogniser
    except ModelNotFound:
        return False
    return (folder / KERAS_FILE).is_file()


def _load(folder: Path) -> Model:
    return _cached_model(folder, _modified(folder / CARD))


def _modified(path: Path) -> int:
    """Return when a file was changed, in nanoseconds; 0 if it is missing, which its reader then reports."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


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
    if dataset.is_complete and is_same_set:
        stored = _stored_probabilities(path)
        if stored is not None and stored.shape == (len(dataset.test), len(dataset.class_names)):
            return stored
    return _load(folder).recogniser.probabilities(dataset.test.images)


def _stored_probabilities(path: Path) -> np.ndarray | None:
    """Return what the file of probabilities holds; None if it is missing or damaged, so that they are computed."""
    try:
        stored = np.lib.format.read_array(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError):
        return None
    is_sound = stored.dtype == np.float32 and bool(((stored >= 0) & (stored <= 1)).all())
    return stored if is_sound else None


@functools.lru_cache(maxsize=8)  # a model takes up to 12 MB, and a few milliseconds to load
def _recogniser(path: Path, modified: int) -> Recogniser:
    with logs.without_start_up_lines():
        return Recogniser(path)
