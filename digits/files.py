"""Files: atomic writes, of which a reader sees all or nothing, and arrays from a file that may be damaged."""

import contextlib
import glob
import io
import struct
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

DRAFTS = ".*.part"  # how the drafts of `write_whole` are named


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file atomically: yield a draft to write to, and move it to `path` if the block succeeds.

    A reader sees the old file or the new one. Each writer has its own draft, so the last of several writers wins. An
    error keeps the old file and removes the draft. Only a killed process leaves its draft behind.

        with write_whole(folder / "card.json") as stream:
            stream.write(content)

    Args:
        path: the file to write; missing parent folders are created.

    Raises:
        OSError: the file cannot be written, for example because the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with draft.open("wb") as stream:
            yield stream
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def remove_whole(path: Path) -> None:
    """Remove a file that `write_whole` wrote, if it exists, and the drafts of killed writers."""
    for found in (path, *path.parent.glob(f".{glob.escape(path.name)}.*.part")):
        found.unlink(missing_ok=True)


def read_arrays(content: bytes, *, max_bytes: int = 2**30) -> dict[str, np.ndarray]:
    """Read the content of an `.npz` file that may be damaged.

    Args:
        max_bytes: how much it may unpack to.

    Returns:
        Its arrays by name.

    Raises:
        ValueError: the content is damaged, is too large, or is no `.npz` file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > max_bytes:
                raise ValueError(f"they may take {max_bytes:,} bytes; these take more")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except _DAMAGE as error:
        raise ValueError(f"the arrays cannot be read: {error}") from error


# What NumPy and zipfile raise for damaged bytes. A damaged header can ask for any amount of memory.
_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,  # a single array, which has no names
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
