"""The store: the files of runs, by key. Models, checkpoints and snapshots go through it.

A key is a relative path with `/`, such as `.work/<run>/snapshots/00000100.npz`. The store is a folder, or a bucket
(`digits.buckets`), as `open_store` decides.
"""

import contextlib
import errno
import functools
import glob
import logging
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote

from filelock import FileLock, Timeout

from digits.files import DRAFTS, write_whole
from digits.settings import Settings

_SAVING = ".saving-"  # the prefix of a folder that is being written
_MAX_BYTES = 256 * 2**20  # of a file; the largest checkpoint takes 60 MB
_ABANDONED_SECONDS = 3600  # nobody takes this long to write one file

_logger = logging.getLogger(__name__)


class Store(Protocol):
    """Files by key.

    Promises: a reader sees a file, or the files of one `write_folder`, complete or not at all. Any number of processes
    may use one store at the same time. Every method raises `OSError` if the store does not answer or is full.
    """

    def read(self, key: str) -> bytes:
        """Return a file's content; raises `FileNotFoundError` if there is no such file."""

    def write(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Write a file: the stream's content appears under `key` when the `with` block succeeds, else nothing does."""

    def write_folder(self, key: str) -> AbstractContextManager[Path]:
        """Write a folder: the files in the yielded folder appear below `key` when the `with` block succeeds.

        They replace the files that were below `key`, and are read by `fetch`. After an error nothing appears, and what
        was there stays.
        """

    def list(self, prefix: str) -> list[str]:
        """Return the keys of files and folders that begin with `prefix`, sorted, without those in deeper folders."""

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that it holds; a missing one is no error."""

    def size(self, key: str) -> int:
        """Return the bytes in a file, or in all files of a folder; 0 if it is missing."""

    def fetch(self, key: str) -> Path:
        """Return the local folder of what `write_folder` wrote, to read only; nothing is there if there is none."""

    def sweep(self) -> None:
        """Delete what killed writers left behind, and nothing that a living one still writes."""


class FolderStore:
    """A `Store` in a folder of this machine, or of a disk that several machines share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, key: str) -> bytes:
        with (self._root / key).open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise OSError(errno.EFBIG, f"{key} should have at most {_MAX_BYTES:,} bytes; it has more")
        return content

    def write(self, key: str) -> AbstractContextManager[BinaryIO]:
        return write_whole(self._root / key)

    @contextlib.contextmanager
    def write_folder(self, key: str) -> Iterator[Path]:
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = _new_draft(target)
        with _lock(draft):  # taken before the folder exists, so that `sweep` never finds it unlocked
            try:
                draft.mkdir()
                yield draft
                _move(draft, target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                _lock_file(draft).unlink(missing_ok=True)

    def list(self, prefix: str) -> list[str]:
        folder, _, start = prefix.rpartition("/")
        found = (self._root / folder).glob(f"{glob.escape(start)}*")
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    def delete(self, key: str) -> None:
        path = self._root / key
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def size(self, key: str) -> int:
        total = 0
        for path in (self._root / key, *(self._root / key).rglob("*")):
            with contextlib.suppress(FileNotFoundError):  # a writer has just replaced it
                if stat.S_ISREG((found := path.stat()).st_mode):
                    total += found.st_size
        return total

    def fetch(self, key: str) -> Path:
        return self._root / key

    def sweep(self) -> None:
        for draft in {found.with_suffix("") for found in self._root.glob(f"{_SAVING}*")}:
            if _is_abandoned(draft):
                _logger.info("removing %s, which a killed process left behind", draft.name)
                shutil.rmtree(draft, ignore_errors=True)
                _lock_file(draft).unlink(missing_ok=True)
        for draft in self._root.rglob(DRAFTS):
            with contextlib.suppress(OSError):  # its writer may be finishing just now
                if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                    draft.unlink()


def open_store(settings: Settings) -> Store:
    """Return the store of the runs' files; raises `InvalidSetting` if `DIGITS_STORE_URL` cannot be used."""
    url = settings.store_url
    if not url:
        return FolderStore(settings.runs_dir)
    if url.startswith("file://"):
        return FolderStore(Path(unquote(url.removeprefix("file://"))))
    return _open_bucket(url, settings.runs_dir / ".copies")


@functools.cache
def _open_bucket(url: str, copies: Path) -> Store:
    from digits.buckets import open_bucket  # here, because most servers need none

    return open_bucket(url, copies)


def _new_draft(target: Path) -> Path:
    return target.parent / f"{_SAVING}{uuid.uuid4().hex}"


def _move(draft: Path, target: Path) -> None:
    """Move a folder into place; one that is there already is missing only for an instant."""
    if not target.exists():
        draft.replace(target)
        return
    aside = _new_draft(target)  # without a lock, so `sweep` removes it if this process is killed
    target.replace(aside)
    try:
        draft.replace(target)
    except OSError:
        aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _lock_file(draft: Path) -> Path:
    return draft.with_suffix(".lock")


def _lock(draft: Path) -> FileLock:
    """Return the lock that a draft's writer holds; the system releases it when that process dies."""
    return FileLock(_lock_file(draft), thread_local=False)


def _is_abandoned(draft: Path) -> bool:
    lock = _lock(draft)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    lock.release()
    return True
