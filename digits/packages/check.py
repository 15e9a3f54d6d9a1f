"""Proofs that a package predicts what the app predicts: unpacked and run in a process that knows nothing of the app."""

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import InvalidPackage
from digits.models.catalogue import KERAS_FILE, Model
from digits.packages import archives, limits, manifests, pack
from digits.settings import Settings

TIMEOUT_SECONDS = 120

# What a visitor would write to ask the Keras file.
_ASK_KERAS = """
import keras, numpy
model, images = keras.models.load_model("model.keras", compile=False, safe_mode=True), numpy.load("images.npy")
parts = [model(images[start : start + 1000].astype("float32")).numpy() for start in range(0, len(images), 1000)]
numpy.save("classes.npy", numpy.concatenate(parts).argmax(axis=1))
"""


@dataclass(frozen=True)
class CheckResult:
    """How many images there were, and how many of them a package reads otherwise than the app."""

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
    on_step: Callable[[str], None] = lambda step: None,
) -> CheckResult:
    """Run a package's `predict.py` on images and compare with what `model` reads in the app.

    Args:
        images: uint8 (n, 28, 28), n >= 1, 0 is paper and 255 is ink.
        with_keras: ask the Keras file too, which takes some seconds more.
        on_step: told in a few words what happens next.

    Raises:
        InvalidPackage: it is no package of this version of Digits, or does not run.
        TooManyPackages: others are being checked.
    """
    on_step("Waiting for its turn")
    with limits.turn(settings), tempfile.TemporaryDirectory(prefix="digits-proof-") as temporary:
        files = archives.read(package)
        _require_own_code(files)
        if with_keras:
            manifests.check_keras(files.get(KERAS_FILE, b""))
        folder = Path(temporary).resolve()
        on_step("Unpacking it into an empty folder")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        np.save(folder / "images.npy", images)
        on_step(f"Running {pack.PREDICT_FILE} on {len(images):,} test images, in a process of its own")
        found = [_classes([pack.PREDICT_FILE, "--images", "images.npy", "--output", "classes.npy"], folder)]
        if with_keras:
            on_step(f"Asking {KERAS_FILE} the same, with TensorFlow")
            found.append(_classes(["-c", _ASK_KERAS], folder))
        on_step("Asking the app's own model")
        expected = model.probabilities(images).argmax(axis=1)
        is_different = np.any([classes != expected for classes in found], axis=0)
        return CheckResult(len(images), int(is_different.sum()))


def _classes(command: Sequence[str], folder: Path) -> np.ndarray:
    """Run a program that reads `images.npy` in a folder; return what it wrote to `classes.npy`: integer (n,)."""
    path = folder / "classes.npy"
    path.unlink(missing_ok=True)
    limits.run(command, folder, timeout_seconds=TIMEOUT_SECONDS, environment={"TF_CPP_MIN_LOG_LEVEL": "3"})
    try:
        classes = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidPackage(f"A package's model should write its classes; there are none ({error}).") from error
    if classes.shape != (len(np.load(folder / "images.npy", mmap_mode="r")),):
        raise InvalidPackage(f"A package's model should give a class an image; it gave {classes.shape} of them.")
    return classes


def _require_own_code(files: dict[str, bytes]) -> None:
    """Refuse to run code that is not this version's own, whoever made the package."""
    own = pack.code()
    for name in sorted(set(own) | set(files) - set(pack.DATA_FILES)):  # Python would import what lies beside, too
        if files.get(name) != own.get(name):
            raise InvalidPackage(
                f"To be run, a package's {name[:60]!a} must be as this version of Digits writes it; it is not, "
                "so nothing was run. Write the package anew."
            )
