"""Inspection: a package's model opened in a process of its own, and made anew from its numbers alone.

`python -m digits.packages.rebuild FOLDER`, which `intake` starts under `limits`, loads TensorFlow. Nothing of the
package is kept but its weights: they are put into a network that is built here, and that is written, tested and
explained as one that was trained here.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from digits.data import datasets
from digits.data.datasets import Dataset
from digits.data.drawings import Examples, load_examples
from digits.errors import DigitsError, InvalidPackage
from digits.models.cards import Card
from digits.models.catalogue import KERAS_FILE, PROBABILITIES_FILE, TFLITE_FILE
from digits.models.recogniser import Recogniser
from digits.packages.intake import CLAIMS_FILE, MODEL_DIR, RESULT_FILE
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.settings import Settings
from digits.training import export, networks

MAX_NUMBERS = 20_000_000  # the largest network has 1.5 million


def inspect(
    folder: Path,
    *,
    hyperparameters: Hyperparameters,
    dataset: Dataset,
    drawings: Examples | None,
    facts: Mapping[str, Any],
    on_step: Callable[[str], None] = lambda step: None,
) -> Card:
    """Make a model in `MODEL_DIR` below a folder of the package's two files, and return its card.

    Args:
        folder: holds `model.keras`, whose layers are known to be harmless, and `model.tflite`.
        facts: what else the card should say, by its fields.

    Raises:
        InvalidPackage: a file cannot be used, or the two do not predict the same.
        ExportMismatch, TrainingDiverged: as `export.save_model`.
    """
    images = dataset.test.images
    on_step("Opening the Keras file")
    loaded = _load(folder / KERAS_FILE)
    model = _rebuild(loaded, hyperparameters, len(dataset.class_names))
    try:
        expected = export.predict(loaded, images)
        on_step("Asking the LiteRT file the same questions")
        probabilities = Recogniser(folder / TFLITE_FILE).probabilities(images)
    # LiteRT and TensorFlow answer a file of another shape with whatever goes wrong first.
    except Exception as error:
        raise InvalidPackage(
            f"A package's model must read images of 28×28; it cannot be asked ({_first_line(error)})."
        ) from error
    if not export.is_same(expected, probabilities):
        raise InvalidPackage(
            f"A package's {KERAS_FILE} and {TFLITE_FILE} must be the same model; they read the test images differently."
        )
    on_step("Writing its files anew and measuring how well it reads")
    draft = folder / MODEL_DIR
    card = export.save_model(
        model, draft, hyperparameters=hyperparameters, dataset=dataset, drawings=drawings, facts=facts
    )
    if not export.is_same(expected, np.load(draft / PROBABILITIES_FILE, allow_pickle=False)):
        raise _other_network(hyperparameters)
    return card


def _load(path: Path) -> keras.Model:
    try:
        _require_plain_numbers(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except InvalidPackage:
        raise
    except Exception as error:  # Keras and HDF5 answer a damaged file with whatever goes wrong first
        raise InvalidPackage(f"{KERAS_FILE} must open with Keras; it does not ({_first_line(error)}).") from error


def _require_plain_numbers(path: Path) -> None:
    """Refuse weights that HDF5 would fetch from other files, and more of them than any network here has."""
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
        numbers, waiting = 0, [file]
        while waiting:
            group = waiting.pop()
            for name in group:
                is_plain = isinstance(group.get(name, getlink=True), h5py.HardLink)
                item = group[name] if is_plain else None
                if isinstance(item, h5py.Group):
                    waiting.append(item)
                    numbers += 1  # a ring of groups must end somewhere
                elif isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not item.external:
                    is_plain = not item.is_virtual
                    numbers += item.size
                else:
                    is_plain = False
                if not is_plain or numbers > MAX_NUMBERS:
                    raise InvalidPackage(
                        f"{KERAS_FILE} must hold up to {MAX_NUMBERS:,} numbers of its own and nothing else."
                    )


def _rebuild(loaded: keras.Model, hyperparameters: Hyperparameters, class_count: int) -> keras.Model:
    model = networks.build(hyperparameters.network, class_count, is_folded=True)
    try:
        model.set_weights(loaded.get_weights())
    except ValueError as error:
        raise _other_network(hyperparameters) from error
    return model


def _other_network(hyperparameters: Hyperparameters) -> InvalidPackage:
    title = PRESETS[hyperparameters.network].title
    return InvalidPackage(f"By its settings the model must be “{title}”; its layers are those of another network.")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()[:150]}".splitlines()[0]


def main(folder: Path) -> int:
    """Rebuild what `intake` has put into a folder: a line a step, then the card, or why not, in `RESULT_FILE`."""
    settings = Settings.from_environment()
    claims = json.loads((folder / CLAIMS_FILE).read_text(encoding="utf-8"))
    try:
        dataset = datasets.load_mnist(settings)
        drawings = load_examples(settings.drawn_dir, dataset.class_names) if settings.drawn_dir else None
        card = inspect(
            folder,
            hyperparameters=Hyperparameters.from_dict(claims["hyperparameters"]),
            dataset=dataset,
            drawings=drawings,
            facts=claims["facts"],
            on_step=lambda step: print(step, flush=True),
        )
        result: dict[str, Any] = {"card": card.to_dict()}
    except DigitsError as error:
        result = {"refused": str(error)}
    (folder / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
