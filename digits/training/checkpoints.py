"""Checkpoints: the complete state of a run, from which it continues after a pause, a restart or a kill."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from digits.errors import FileTooLarge
from digits.files import remove_whole, write_whole
from digits.limits import read_file
from digits.settings import work_dir

MAX_BYTES = 256 * 2**20  # the largest network needs 60 MB with its optimizer

State = dict[str, np.ndarray]  # arrays by name; a number is an array without dimensions


def save(runs_dir: Path, run_id: str, state: State) -> None:
    """Write a run's checkpoint and replace the previous one.

    A process killed while it writes leaves the previous checkpoint.

    Raises:
        OSError: the checkpoint cannot be written, for example because the disk is full.
    """
    with write_whole(_path(runs_dir, run_id)) as stream:
        np.savez(stream, **state)  # type: ignore[arg-type]  # no array is called `allow_pickle`


def load(runs_dir: Path, run_id: str) -> State | None:
    """Return a run's checkpoint, or None if it is missing or unreadable; the run then starts again from its seed.

    A file with more than `MAX_BYTES`, packed or unpacked, counts as unreadable, whoever wrote it.
    """
    try:
        content = read_file(_path(runs_dir, run_id), max_bytes=MAX_BYTES, what="A checkpoint")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, MemoryError, FileTooLarge, zipfile.BadZipFile, zlib.error):
        return None


def remove(runs_dir: Path, run_id: str) -> None:
    """Remove a run's checkpoint; a run that has ended no longer needs one."""
    remove_whole(_path(runs_dir, run_id))


def _path(runs_dir: Path, run_id: str) -> Path:
    return work_dir(runs_dir, run_id) / "checkpoint.npz"
