"""The time line of a run: a snapshot of its network at every validation, which the page shows and replays."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.files import write_whole
from digits.settings import work_dir

SAMPLES = 100  # test images shown during training; they do not influence it
UNITS = 16  # hidden units whose weights are shown, always the same ones


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A network at one step of its training.

    Attributes:
        step: iterations done.
        predicted: uint8 (100,), the predicted class of each of the first hundred test images.
        confidence: float32 (100,), the probability of that class.
        confusion: int32 (classes, classes), counts of validation images by true class, then predicted class.
        kind: what `pictures` shows of the first layer: the weights of "classes" or hidden "units", or its "filters".
        pictures: float32 (n, height, width).
    """

    step: int
    predicted: np.ndarray
    confidence: np.ndarray
    confusion: np.ndarray
    kind: str
    pictures: np.ndarray


def write(runs_dir: Path, run_id: str, snapshot: Snapshot) -> None:
    """Add a snapshot to a run's time line; a reader sees a complete file or none."""
    path = _folder(runs_dir, run_id) / f"{snapshot.step:08d}.npz"
    with write_whole(path) as stream:
        np.savez_compressed(
            stream,
            predicted=snapshot.predicted,
            confidence=snapshot.confidence,
            confusion=snapshot.confusion,
            kind=np.array(snapshot.kind),
            pictures=snapshot.pictures.astype(np.float16),
        )


def steps(runs_dir: Path, run_id: str) -> list[int]:
    """Return the steps of a run's snapshots, in ascending order."""
    return sorted(int(path.stem) for path in _folder(runs_dir, run_id).glob("[0-9]*.npz"))


def read(runs_dir: Path, run_id: str, step: int) -> Snapshot | None:
    """Return a snapshot, or None if it is missing or unreadable."""
    try:
        path = _folder(runs_dir, run_id) / f"{step:08d}.npz"
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Snapshot(
                step,
                arrays["predicted"],
                arrays["confidence"],
                arrays["confusion"],
                str(arrays["kind"]),
                arrays["pictures"].astype(np.float32),
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def rewind(runs_dir: Path, run_id: str, step: int) -> None:
    """Remove the snapshots after `step`, where training continues."""
    for later in steps(runs_dir, run_id):
        if later > step:
            (_folder(runs_dir, run_id) / f"{later:08d}.npz").unlink(missing_ok=True)


def _folder(runs_dir: Path, run_id: str) -> Path:
    return work_dir(runs_dir, run_id) / "snapshots"
