"""Buckets: a store in S3 or another object store that fsspec reaches, and its local copies of models.

The bucket itself makes each write whole: an object is replaced in one step. So a folder is one object, too, a zip
without compression, whose checksums show whether a copy of it is sound.
"""

import contextlib
import io
import logging
import math
import os
import shutil
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock

from digits.errors import InvalidSetting, StoreUnavailable

_FOLDER = ".folder"  # at the end of an object that holds a folder
_UNUSED_SECONDS = 24 * 3600  # local copies that were not asked for so long are removed
_KNOWN_SECONDS = 5.0  # how long a version is taken as known: a model is read often, and hardly ever written again
_MOST_KNOWN = 1000
_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError)  # what zipfile raises for it
_NO_ANSWER = "The store that keeps models and checkpoints does not answer. Wait a minute."

_logger = logging.getLogger(__name__)


class BucketStore:
    """A `store.Store` in a bucket that many machines share, with local copies of the folders that were read.

    Copies are kept by the version of their object, so a folder that another machine writes again is fetched again,
    after a few seconds at most.
    """

    def __init__(self, files: Any, root: str, copies: Path) -> None:
        """Keep files below `root` of an fsspec file system, and the copies in a folder of this machine."""
        self._files, self._root, self._copies = files, root.rstrip("/"), copies
        self._versions: dict[str, tuple[float, str]] = {}  # when each was asked for, and the answer

    def read(self, key: str) -> bytes:
        content: bytes = _ask(self._files.cat_file, self._path(key))
        return content

    @contextlib.contextmanager
    def write(self, key: str) -> Iterator[io.BytesIO]:
        stream = io.BytesIO()
        yield stream
        self._put(key, stream)

    @contextlib.contextmanager
    def write_folder(self, key: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="digits-") as name:
            draft, stream = Path(name), io.BytesIO()
            yield draft
            with zipfile.ZipFile(stream, "w") as packed:
                for path in sorted(draft.rglob("*")):
                    packed.write(path, path.relative_to(draft))
        self._put(key + _FOLDER, stream)
        self._remove(found for found in self._find(key) if found.startswith(f"{key}/"))

    def list(self, prefix: str) -> list[str]:
        parts = prefix.count("/") + 1
        found = {"/".join(key.split("/")[:parts]) for key in self._find(prefix)}
        return sorted({key.removesuffix(_FOLDER) for key in found})

    def delete(self, key: str) -> None:
        self._remove(self._find_all(key))

    def size(self, key: str) -> int:
        return sum(self._find_all(key).values())

    def fetch(self, key: str) -> Path:
        path = self._path(key + _FOLDER)
        try:
            copy = self._copies / self._version(path) / key  # its name is the key's: the model's id
            if not copy.is_dir():
                self._download(path, copy)
        except FileNotFoundError:
            return self._copies / "missing" / key
        except _DAMAGE as error:
            _logger.warning("the folder %s is damaged: %s", key, error)
            self._versions.pop(path, None)
            return self._copies / "missing" / key
        os.utime(copy.parent)
        return copy

    def sweep(self) -> None:
        """Remove copies that nobody asks for any more. The bucket itself holds nothing half-written."""
        for folder in self._copies.glob("*/"):
            with contextlib.suppress(OSError):  # another process has just removed it
                if time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
                    shutil.rmtree(folder)

    def _version(self, path: str) -> str:
        asked, version = self._versions.get(path, (-math.inf, ""))
        if time.monotonic() - asked > _KNOWN_SECONDS:
            version = str(_ask(self._files.ukey, path))[:32]
            if len(self._versions) >= _MOST_KNOWN:
                self._versions.clear()
            self._versions[path] = (time.monotonic(), version)
        return version

    def _download(self, path: str, copy: Path) -> None:
        """Put a folder's files at `copy`, where they appear when they are whole; one thread of a machine does so."""
        self._copies.mkdir(parents=True, exist_ok=True)
        with FileLock(self._copies / ".lock", thread_local=False):
            if copy.is_dir():
                return
            self.sweep()
            content = io.BytesIO(_ask(self._files.cat_file, path))
            draft = copy.parent / f".{uuid.uuid4().hex}"
            draft.mkdir(parents=True)
            try:
                with zipfile.ZipFile(content) as packed:
                    packed.extractall(draft)  # verifies each file's checksum
                draft.replace(copy)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def _put(self, key: str, stream: io.BytesIO) -> None:
        self._versions.pop(self._path(key), None)
        try:
            _ask(self._files.pipe_file, self._path(key), stream.getvalue())
        except FileNotFoundError as error:  # the bucket itself is missing
            raise StoreUnavailable(_NO_ANSWER) from error

    def _find_all(self, key: str) -> dict[str, int]:
        """Return the bytes of the objects that hold a file or a folder, by key."""
        found = self._find(key)
        return {one: found[one] for one in found if one in (key, key + _FOLDER) or one.startswith(f"{key}/")}

    def _find(self, prefix: str) -> dict[str, int]:
        """Return the bytes of each object whose key begins with `prefix`, by key."""
        folder, _, start = prefix.rpartition("/")
        try:
            found = _ask(self._files.find, self._path(folder), prefix=start, detail=True)
        except FileNotFoundError:
            return {}
        keys = {path[len(self._root) + 1 :]: facts["size"] for path, facts in found.items()}
        return {key: size for key, size in keys.items() if key.startswith(prefix)}

    def _remove(self, keys: Iterable[str]) -> None:
        if paths := [self._path(key) for key in keys]:
            for path in paths:
                self._versions.pop(path, None)
            with contextlib.suppress(FileNotFoundError):  # another process was quicker
                _ask(self._files.rm, paths)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}".rstrip("/")


def open_bucket(url: str, copies: Path) -> BucketStore:
    """Return the store at a URL such as `s3://bucket/folder`.

    Args:
        copies: the local folder for copies of models.

    Raises:
        InvalidSetting: the packages for such a store are missing, or nobody knows this kind.
    """
    try:
        import fsspec

        files, root = fsspec.url_to_fs(url, use_listings_cache=False)  # other processes write too
    except ImportError as error:
        raise InvalidSetting(
            "`DIGITS_STORE_URL` is set, but a package for this kind of store is missing. Install "
            "requirements-cluster.txt, or unset the variable."
        ) from error
    except ValueError as error:
        kind = url.partition("://")[0][:20]
        raise InvalidSetting(
            f"`DIGITS_STORE_URL` should begin with s3:// or with another kind of store that fsspec knows; "
            f"it begins with {kind!r}. Correct it, or unset it."
        ) from error
    return BucketStore(files, root, copies)


def _ask(call: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    """Call a function of the bucket; each of its errors becomes `StoreUnavailable`, except that a file is missing."""
    try:
        return call(*arguments, **how)
    except FileNotFoundError:
        raise
    except Exception as error:  # each kind of store has its own, and they have no base class in common
        _logger.warning("the store does not answer: %s: %s", type(error).__name__, error)
        raise StoreUnavailable(_NO_ANSWER) from error
