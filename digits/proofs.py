"""Proofs that a package predicts what the app predicts: unpacked and run in a process that knows nothing of the app."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits import archives, packages, sandbox
from digits.catalogue import Model
from digits.errors import InvalidPackage

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Proof:
    """How many images there were, and how many of them a package reads otherwise than the app."""

    total: int
    different: int

    @property
    def is_same(self) -> bool:
        return self.different == 0

    def __str__(self) -> str:
        answer = "yes" if self.is_same else f"no: {self.different:,} of {self.total:,} differ"
        return f"same {self.total:,} predictions: {answer}"


def prove(
    package: bytes, model: Model, images: np.ndarray, *, on_step: Callable[[str], None] = lambda step: None
) -> Proof:
    """Run a package's `predict.py` on images and compare with what `model` reads in the app.

    Args:
        images: uint8 (n, 28, 28), n >= 1, 0 is paper and 255 is ink.
        on_step: told in a few words what happens next.

    Raises:
        InvalidPackage: it is no package of this version of Digits, or does not run.
    """
    files = archives.read(package)
    _require_own_code(files)
    with tempfile.TemporaryDirectory(prefix="digits-proof-") as temporary:
        folder = Path(temporary).resolve()
        on_step("Unpacking it into an empty folder")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        np.save(folder / "images.npy", images)
        on_step(f"Running predict.py on {len(images):,} test images, in a process of its own")
        command = [packages.PREDICT_FILE, "--images", "images.npy", "--output", "classes.npy"]
        sandbox.run(command, folder, timeout_seconds=TIMEOUT_SECONDS)
        on_step("Asking the app's own model")
        expected = model.probabilities(images).argmax(axis=1)
        return Proof(len(images), _count_different(folder / "classes.npy", expected))


def _require_own_code(files: dict[str, bytes]) -> None:
    """Refuse to run code that is not this version's own, whoever made the package."""
    own = packages.code()
    runnable = {name for name in files if name.startswith("digits/") or name.endswith((".py", ".pth"))}
    for name in sorted(runnable | set(own)):
        if files.get(name) != own.get(name):
            raise InvalidPackage(
                f"To be run, a package's {name[:60]!a} must be as this version of Digits writes it; it is not, "
                "so nothing was run. Write the package anew."
            )


def _count_different(path: Path, expected: np.ndarray) -> int:
    try:
        found = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidPackage(f"A package's predict.py should write classes; there are none ({error}).") from error
    return int((found != expected).sum()) if found.shape == expected.shape else len(expected)
