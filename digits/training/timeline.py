"""The time line of a run: a snapshot of its network at every validation, which the page shows and replays."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.files import read_arrays
from digits.settings import IMAGE_SIZE
from digits.store import Store

SAMPLES = 100  # test images shown during training; they do not influence it
KINDS = ("classes", "units", "filters")
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
        drawn: float32 (classes,), the probabilities of the owner's own drawing; None if there was none.
    """

    step: int
    predicted: np.ndarray
    confidence: np.ndarray
    confusion: np.ndarray
    kind: str
    pictures: np.ndarray
    drawn: np.ndarray | None = None


def write(store: Store, run_id: str, snapshot: Snapshot) -> None:
    """Add a snapshot to a run's time line; a reader sees a complete file or none. Raises `OSError`."""
    drawn: dict[str, Any] = {} if snapshot.drawn is None else {"drawn": snapshot.drawn}
    with store.write(_key(run_id, snapshot.step)) as stream:
        np.savez_compressed(
            stream,
            predicted=snapshot.predicted,
            confidence=snapshot.confidence,
            confusion=snapshot.confusion,
            kind=np.array(snapshot.kind),
            pictures=snapshot.pictures.astype(np.float16),
            **drawn,
        )


def steps(store: Store, run_id: str) -> list[int]:
    """Return the steps of a run's snapshots, in ascending order."""
    names = (key.rpartition("/")[2].removesuffix(".npz") for key in store.list(f"{_folder(run_id)}/"))
    return sorted(int(name) for name in names if name.isdecimal())


def read(store: Store, run_id: str, step: int) -> Snapshot | None:
    """Return a snapshot, or None if it is missing, damaged or of another version."""
    try:
        arrays = read_arrays(store.read(_key(run_id, step)))
        snapshot = Snapshot(
            step,
            arrays["predicted"],
            arrays["confidence"],
            arrays["confusion"],
            str(arrays["kind"]),
            arrays["pictures"].astype(np.float32),
            arrays.get("drawn"),
        )
    except (OSError, ValueError, KeyError):
        return None
    return snapshot if _is_sound(snapshot) else None


def _is_sound(snapshot: Snapshot) -> bool:
    confusion, predicted = snapshot.confusion, snapshot.predicted
    is_drawn_sound = snapshot.drawn is None or snapshot.drawn.shape == confusion.shape[:1]
    return (
        confusion.ndim == 2
        and is_drawn_sound
        and confusion.shape[0] == confusion.shape[1]
        and predicted.ndim == 1
        and predicted.shape == snapshot.confidence.shape
        and predicted.dtype == np.uint8
        and bool((predicted < len(confusion)).all())
        and snapshot.kind in KINDS
        and snapshot.pictures.ndim == 3
    )


def rewind(store: Store, run_id: str, step: int) -> None:
    """Remove the snapshots after `step`, where training continues."""
    for later in steps(store, run_id):
        if later > step:
            store.delete(_key(run_id, later))


def write_drawing(store: Store, run_id: str, image: np.ndarray) -> None:
    """Keep a drawing that its run's network reads at every validation: uint8 (28, 28). Raises `OSError`."""
    with store.write(f"{_folder(run_id)}/drawing.npy") as stream:
        np.save(stream, image)


def read_drawing(store: Store, run_id: str) -> np.ndarray | None:
    """Return a run's drawing, uint8 (28, 28); None if it has none, or a damaged one."""
    try:
        image = np.load(io.BytesIO(store.read(f"{_folder(run_id)}/drawing.npy")), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return image if image.dtype == np.uint8 and image.shape == (IMAGE_SIZE, IMAGE_SIZE) else None


def copy(store: Store, run_id: str, other: str, *, until: int) -> None:
    """Give another run this one's snapshots up to the iteration `until`; raises `OSError`."""
    for step in steps(store, run_id):
        if step <= until:
            with store.write(_key(other, step)) as stream:
                stream.write(store.read(_key(run_id, step)))


def _key(run_id: str, step: int) -> str:
    return f"{_folder(run_id)}/{step:08d}.npz"


def _folder(run_id: str) -> str:
    return f".work/{run_id}/snapshots"
