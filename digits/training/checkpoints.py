"""Checkpoints: the complete state of a run, from which it continues after a pause, a restart or a kill."""

import logging
from collections.abc import Iterator

import numpy as np

from digits.errors import StoreUnavailable
from digits.files import read_arrays
from digits.store import Store

MAX_BYTES = 256 * 2**20  # the largest network needs 60 MB with its optimizer

State = dict[str, np.ndarray]  # arrays by name; a number is an array without dimensions

VERSION = 1  # of what a checkpoint holds; raise it when an older one can no longer be continued from

_KEPT = 2  # the previous checkpoint stays, in case the disk damages the last one

_logger = logging.getLogger(__name__)


def save(store: Store, run_id: str, state: State) -> None:
    """Write a run's checkpoint. The previous one is kept, older ones are removed.

    Args:
        state: as from `Training.state`, with the number "step".

    Raises:
        OSError: the checkpoint cannot be written, for example because the disk is full. The previous ones stay.
    """
    key = f"{_prefix(run_id)}-{int(state['step']):08d}.npz"
    with store.write(key) as stream:
        np.savez(stream, version=np.array(VERSION), **state)  # type: ignore[arg-type]  # no array is `allow_pickle`
    for old in _keys(store, run_id)[_KEPT:]:
        store.delete(old)


def load(store: Store, run_id: str) -> Iterator[State]:
    """Yield a run's checkpoints that can be read, the newest first; none if the run must start from its seed.

    Raises:
        StoreUnavailable: the store does not answer, which says nothing about the checkpoints.
    """
    for key in _keys(store, run_id):
        try:
            state = read_arrays(store.read(key), max_bytes=MAX_BYTES)
            if (version := int(state.pop("version", VERSION))) != VERSION:
                raise ValueError(f"its version should be {VERSION}; it is {version}")
        except StoreUnavailable:
            raise
        except (OSError, TypeError, ValueError) as error:
            _logger.warning("the checkpoint %s is skipped: %s", key, error)
        else:
            yield state


def steps(store: Store, run_id: str) -> list[int]:
    """Return the iterations of a run's checkpoints, usable or not, the newest first."""
    return [_step(key) for key in _keys(store, run_id)]


def rewind(store: Store, run_id: str, step: int) -> None:
    """Remove the checkpoints after `step`, where training continues: they could not be used."""
    for key in _keys(store, run_id):
        if _step(key) > step:
            store.delete(key)


def copy(store: Store, run_id: str, other: str) -> None:
    """Give another run this one's checkpoints; raises `OSError` as `save` does."""
    for key in _keys(store, run_id):
        with store.write(f"{_prefix(other)}{key.removeprefix(_prefix(run_id))}") as stream:
            stream.write(store.read(key))


def remove(store: Store, run_id: str) -> None:
    """Remove a run's checkpoints; a run that has ended no longer needs them."""
    for key in (*_keys(store, run_id), *store.list(f".work/{run_id}/.checkpoint")):  # with drafts of killed writers
        store.delete(key)


def _keys(store: Store, run_id: str) -> list[str]:
    """Return the keys of a run's checkpoints, the newest first."""
    return sorted(store.list(_prefix(run_id)), key=_step, reverse=True)


def _step(key: str) -> int:
    digits = key.rpartition("-")[2].removesuffix(".npz")
    return int(digits) if digits.isdecimal() else -1  # an older version wrote `checkpoint.npz`


def _prefix(run_id: str) -> str:
    return f".work/{run_id}/checkpoint"
