"""Checkpoints: the whole state of a run in training, so that it goes on after a pause, a restart or a kill."""

import zipfile
from pathlib import Path

import numpy as np

from digits.files import remove_whole, write_whole
from digits.settings import work_dir

State = dict[str, np.ndarray]  # names to arrays; numbers are arrays of no dimension


def save(runs_dir: Path, run_id: str, state: State) -> None:
    """Write a run's checkpoint in place of its last one; whoever is killed meanwhile leaves that.

    Raises:
        OSError: it cannot be written, as on a full disk.
    """
    with write_whole(_path(runs_dir, run_id)) as stream:
        np.savez(stream, **state)  # type: ignore[arg-type]  # no array is called `allow_pickle`


def load(runs_dir: Path, run_id: str) -> State | None:
    """Return a run's checkpoint, or None when there is none that can be read: the run then begins anew."""
    try:
        with _path(runs_dir, run_id).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def remove(runs_dir: Path, run_id: str) -> None:
    """Remove a run's checkpoint, which an ended run needs no more."""
    remove_whole(_path(runs_dir, run_id))


def _path(runs_dir: Path, run_id: str) -> Path:
    return work_dir(runs_dir, run_id) / "checkpoint.npz"
