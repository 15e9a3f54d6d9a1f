"""Checks that a package predicts what the app predicts, by unpacking and running it in a separate process."""

import contextlib
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import InvalidPackage, ModelNotFound
from digits.models import catalogue
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, TFLITE_FILE, Model
from digits.packages import archives, claims, limits, pack
from digits.runs import admission
from digits.settings import Settings

TIMEOUT_SECONDS = 120

_turns = limits.Turns("checked")

# The program that a user would write to predict with the Keras file.
_PREDICT_WITH_KERAS = """
import keras, numpy
model, images = keras.models.load_model("model.keras", compile=False, safe_mode=True), numpy.load("images.npy")
parts = [model(images[start : start + 1000].astype("float32")).numpy() for start in range(0, len(images), 1000)]
numpy.save("classes.npy", numpy.concatenate(parts).argmax(axis=1))
"""


@dataclass(frozen=True)
class CheckResult:
    """How many of a package's predictions differ from the app's.

    Attributes:
        total: the number of images.
        different: the number of images, in [0, total], whose predicted class differs.
    """

    total: int
    different: int

    @property
    def is_same(self) -> bool:
        return self.different == 0

    def __str__(self) -> str:
        answer = "yes" if self.is_same else f"no: {self.different:,} of {self.total:,} differ"
        return f"same {self.total:,} predictions: {answer}"


def check_package(
    package: bytes,
    model: Model,
    images: np.ndarray,
    settings: Settings,
    *,
    with_keras: bool = False,
    owner: str = "",
    address: str = "",
    on_step: Callable[[str], None] = lambda step: None,
) -> CheckResult:
    """Run a package's `predict.py` on images and compare its predictions with those of `model` in the app.

    The package's code runs only if it equals this version's own, byte for byte, and its model files are opened only if
    they equal those of `model` or of the model here that its card names.

    Args:
        package: the zip.
        model: the model to compare with.
        images: uint8 (n, 28, 28), n >= 1, 0 is paper and 255 is ink.
        settings: where the models of runs are.
        with_keras: also predict with the Keras file, which takes several seconds more.
        owner: the visitor who asks; empty for the command line, which has no quota.
        address: where the visitor comes from; empty if that is unknown.
        on_step: called with a short description of each step before it starts.

    Raises:
        InvalidPackage: it is not a package of this version of Digits, or it does not run.
        TooManyPackages: other packages are being checked.
        QuotaReached: the visitor, or the address, has checked as many packages within an hour as are allowed.
    """
    if owner:
        admission.require_check(owner, address)
    on_step("Waiting for other checks to finish")
    with _turns.take(), tempfile.TemporaryDirectory(prefix="digits-check-") as temporary:
        files = archives.read(package)
        _verify_code(files)
        _verify_model_files(files, model, settings)
        folder = Path(temporary).resolve()
        on_step("Unpacking the zip into an empty folder")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        np.save(folder / "images.npy", images)
        on_step(f"Running {pack.PREDICT_FILE} on {len(images):,} test images, in a separate process")
        found = [_predict([pack.PREDICT_FILE, "--images", "images.npy", "--output", "classes.npy"], folder)]
        if with_keras:
            on_step(f"Predicting with {KERAS_FILE}, in TensorFlow")
            found.append(_predict(["-c", _PREDICT_WITH_KERAS], folder))
        on_step("Predicting with the app's own model")
        expected = model.probabilities(images).argmax(axis=1)
        is_different = np.any([classes != expected for classes in found], axis=0)
        return CheckResult(len(images), int(is_different.sum()))


def _predict(command: Sequence[str], folder: Path) -> np.ndarray:
    """Run a program that reads `images.npy` in a folder, and return the classes that it writes to `classes.npy`.

    Returns:
        integer (n,), a class for each image.
    """
    path = folder / "classes.npy"
    path.unlink(missing_ok=True)
    limits.run(command, folder, timeout_seconds=TIMEOUT_SECONDS, environment={"TF_CPP_MIN_LOG_LEVEL": "3"})
    try:
        classes = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidPackage(
            f"A package's program must write its predicted classes; it wrote none ({error})."
        ) from error
    if classes.shape != (len(np.load(folder / "images.npy", mmap_mode="r")),):
        raise InvalidPackage(
            f"A package's program must predict one class for each image; its result has the shape {classes.shape}."
        )
    return classes


def _verify_code(files: dict[str, bytes]) -> None:
    """Verify that a package's code equals this version's own; raise `InvalidPackage` if not."""
    own = pack.code_files()
    for name in sorted(set(own) | set(files) - set(pack.DATA_FILES)):  # Python could import any further file
        if files.get(name) != own.get(name):
            raise InvalidPackage(
                f"A package's {name[:60]!a} must be exactly what this version of Digits writes; it differs, "
                "so nothing was run. Export the package again."
            )


def _verify_model_files(files: dict[str, bytes], model: Model, settings: Settings) -> None:
    """Verify that a package's model files were made here; raise `InvalidPackage` if not."""
    folders = [model.folder]
    with contextlib.suppress(ModelNotFound):
        folders.append(catalogue.find(model_id(files), settings).folder)
    for name in (TFLITE_FILE, KERAS_FILE):
        if not any((folder / name).is_file() and files.get(name) == (folder / name).read_bytes() for folder in folders):
            raise InvalidPackage(
                f"A package's {name} must be exactly that of a model here; it differs, so nothing was run. "
                "Import the package to use its model."
            )


def model_id(files: dict[str, bytes]) -> str:
    """Return the model's id that a package's card states, any text; "" if it has no valid card."""
    try:
        return Card.from_dict(claims.parse_json(files.get(CARD, b""), CARD)).id
    except ValueError:  # `InvalidPackage` is one
        return ""
