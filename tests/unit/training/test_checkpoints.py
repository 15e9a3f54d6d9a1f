"""checkpoints: what was saved is loaded; a damaged, foreign or endless file counts as none."""

import io
import zipfile

import numpy as np
import pytest

from digits.settings import work_dir
from digits.store import FolderStore
from digits.training import checkpoints


@pytest.fixture
def path(tmp_path):
    """Where the checkpoint of run "a" lies."""
    folder = work_dir(tmp_path, "a")
    folder.mkdir(parents=True)
    return folder / "checkpoint-00000007.npz"


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path)


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def claiming(count):
    """A checkpoint whose array claims this many numbers and holds none."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (count,)})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("weights.npy", header.getvalue())
    return stream.getvalue()


def test_what_was_saved_is_loaded(store):
    """Arrays and numbers, with their types."""
    checkpoints.save(store, "a", {"weights": np.float32([1, 2]), "step": np.array(7)})
    (state,) = checkpoints.load(store, "a")
    assert {name: (array.dtype, array.tolist()) for name, array in state.items()} == {
        "weights": (np.float32, [1.0, 2.0]),
        "step": (np.int64, 7),
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        npz(weights=np.zeros(9))[:-30],
        npz(weights=np.array([{}, "an object"], dtype=object)),
        claiming(10**13),
        claiming(100),
    ],
    ids=["empty", "text", "truncated", "objects", "huge", "short"],
)
def test_what_cannot_be_read_counts_as_none(path, store, content):
    """The run then starts again from its seed."""
    path.write_bytes(content)
    assert list(checkpoints.load(store, "a")) == []


def test_too_large_a_checkpoint_counts_as_none(path, store, monkeypatch):
    """Packed or unpacked."""
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 10_000)
    path.write_bytes(npz(weights=np.zeros(5_000)))
    assert list(checkpoints.load(store, "a")) == []
    stream = io.BytesIO()
    np.savez_compressed(stream, weights=np.zeros(5_000))
    path.write_bytes(stream.getvalue())
    assert len(stream.getvalue()) < 10_000
    assert list(checkpoints.load(store, "a")) == []


def test_a_device_without_an_end_counts_as_none(path, store, monkeypatch):
    """It is read up to the limit."""
    monkeypatch.setattr("digits.store._MAX_BYTES", 10**6)
    path.symlink_to("/dev/zero")
    assert list(checkpoints.load(store, "a")) == []
