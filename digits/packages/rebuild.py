"""Rebuilding: a package's model, built again here with the package's weights.

`intake` starts `python -m digits.packages.rebuild FOLDER` under `limits`; it loads TensorFlow. Only the weights of the
package's model are kept. They are copied into a network that is built here. Its files are then written, tested and
explained like those of a model that was trained here.
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
import msgspec
import numpy as np

from digits.data import datasets
from digits.data.datasets import Dataset, Part
from digits.errors import DigitsError, InvalidPackage
from digits.models.cards import Card
from digits.models.catalogue import KERAS_FILE, PROBABILITIES_FILE, TFLITE_FILE
from digits.models.recogniser import Recogniser
from digits.packages.intake import CLAIMS_FILE, MODEL_DIR, RESULT_FILE
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.settings import Settings
from digits.training import export, networks

MAX_PARAMETERS = 20_000_000  # the largest network has 1.5 million


def rebuild_model(
    folder: Path,
    *,
    hyperparameters: Hyperparameters,
    dataset: Dataset,
    facts: Mapping[str, Any],
    on_step: Callable[[str], None] = lambda step: None,
) -> Card:
    """Rebuild a package's model and save it in the subfolder `MODEL_DIR`.

    Args:
        folder: contains the package's `model.tflite` and `model.keras`. `manifests.check_keras` must have verified the
            Keras file.
        hyperparameters: those of the package; they name its network.
        dataset: its test images measure the accuracy, and its validation images fit the temperature.
        facts: further fields of the card.
        on_step: called with a short description of each step before it starts.

    Returns:
        The new model's card.

    Raises:
        InvalidPackage: a file cannot be used, the two files predict differently, or they are not the network that the
            hyperparameters name.
        ExportMismatch, TrainingDiverged: as in `export.save_model`.
    """
    images = dataset.test.images
    on_step("Opening the Keras file")
    loaded = _load(folder / KERAS_FILE)
    model = _build_with_weights(loaded, hyperparameters, len(dataset.class_names))
    try:
        expected = export.predict(loaded, images)
        on_step("Predicting with the LiteRT file")
        probabilities = Recogniser(folder / TFLITE_FILE).probabilities(images)
    # LiteRT and TensorFlow raise many kinds of errors for a model with another input shape.
    except Exception as error:
        raise InvalidPackage(
            f"A package's model must accept images of 28×28 pixels; this one failed ({_first_line(error)})."
        ) from error
    if not export.is_same(expected, probabilities):
        raise InvalidPackage(
            f"A package's {KERAS_FILE} and {TFLITE_FILE} must be the same model; "
            "their predictions on the test images differ."
        )
    on_step("Writing the model's files and measuring its accuracy")
    draft = folder / MODEL_DIR
    card = export.save_model(model, draft, hyperparameters=hyperparameters, dataset=dataset, facts=facts)
    if not export.is_same(expected, np.load(draft / PROBABILITIES_FILE, allow_pickle=False)):
        raise _wrong_network(hyperparameters)
    return card


def _load(path: Path) -> keras.Model:
    try:
        _check_weights(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except InvalidPackage:
        raise
    except Exception as error:  # Keras and HDF5 raise many kinds of errors for a damaged file
        raise InvalidPackage(
            f"{KERAS_FILE} must open with Keras; it cannot be opened ({_first_line(error)})."
        ) from error


def _check_weights(path: Path) -> None:
    """Verify that the weights are floats in this file, at most `MAX_PARAMETERS`; HDF5 can also refer to other files."""
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
        count, waiting = 0, [file]
        while waiting:
            group = waiting.pop()
            for name in group:
                is_plain = isinstance(group.get(name, getlink=True), h5py.HardLink)
                item = group[name] if is_plain else None
                if isinstance(item, h5py.Group):
                    waiting.append(item)
                    count += 1  # so that groups that contain one another end the loop
                elif isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not item.external:
                    is_plain = not item.is_virtual
                    count += item.size
                else:
                    is_plain = False
                if not is_plain or count > MAX_PARAMETERS:
                    raise InvalidPackage(
                        f"{KERAS_FILE} must contain at most {MAX_PARAMETERS:,} parameters, stored in the file itself."
                    )


def _build_with_weights(loaded: keras.Model, hyperparameters: Hyperparameters, class_count: int) -> keras.Model:
    """Build the network that the hyperparameters name, with the weights of a loaded model."""
    model = networks.build(hyperparameters.network, class_count, is_folded=True)
    try:
        model.set_weights(loaded.get_weights())
    except ValueError as error:
        raise _wrong_network(hyperparameters) from error
    return model


def _wrong_network(hyperparameters: Hyperparameters) -> InvalidPackage:
    title = PRESETS[hyperparameters.network].title
    return InvalidPackage(f"By its hyperparameters the model must be “{title}”; its layers belong to another network.")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()[:150]}".splitlines()[0]


def main(folder: Path) -> int:
    """Rebuild the model that `intake` has put into a folder.

    Prints a line for each step. Writes the card, or the reason for refusing the package, to `RESULT_FILE`.

    Returns:
        The exit status, 0.
    """
    settings = Settings.from_environment()
    claims = json.loads((folder / CLAIMS_FILE).read_text(encoding="utf-8"))
    try:
        dataset = datasets.load_mnist(settings)
        card = rebuild_model(
            folder,
            hyperparameters=Hyperparameters.from_dict(claims["hyperparameters"]),
            dataset=dataset,
            facts=claims["facts"] | {"mixture": msgspec.convert(claims["facts"]["mixture"], tuple[Part, ...])},
            on_step=lambda step: print(step, flush=True),
        )
        result: dict[str, Any] = {"card": card.to_dict()}
    except DigitsError as error:
        result = {"refused": str(error)}
    (folder / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
