"""Files that a reader sees whole or not at all."""

import contextlib
import glob
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a draft to write to, and move it to `path` once the block has ended without an error.

    A reader sees the old file or the new one. Every writer has a draft of its own, so the last of several wins. An
    error leaves the old file and no draft; only a killed process leaves its draft behind.

        with write_whole(folder / "card.json") as stream:
            stream.write(content)

    Args:
        path: the file to write; missing folders above it are made.

    Raises:
        OSError: it cannot be written, as on a full disk.
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
    """Remove a file that `write_whole` wrote, if it is there, with the drafts of killed writers."""
    for found in (path, *path.parent.glob(f".{glob.escape(path.name)}.*.part")):
        found.unlink(missing_ok=True)
