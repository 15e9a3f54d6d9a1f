"""Trouble: an exception in a visitor's words. They name no path and no address of the server; the log has the rest."""

import errno
import os
import re
import tempfile
from pathlib import Path

from digits.errors import DigitsError, StoreUnavailable
from digits.settings import PROJECT_DIR, Settings

OUT_OF_MEMORY = (
    "This machine has too little memory for it. Start again with a smaller batch or a smaller network, or when fewer "
    "runs wait."
)
_MEMORY = {errno.ENOMEM}
_NO_SPACE = os.strerror(errno.ENOSPC)  # TensorFlow reports a full disk as want of a resource, in these words

_ADDRESS = re.compile(r"(?: at)? ?\b(?!https?:)[a-z][a-z0-9+.]*://[^\s;,]*", re.IGNORECASE)  # of a database
_QUOTED = re.compile(r"""(['"])(?:[A-Za-z]:)?[/\\][^'"]*[/\\]([^'"/\\]+)\1""")  # as in the system's own messages
_PATH = re.compile(r"(?<![\w.~/\\:-])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\:;,'\"()]+){2,}[/\\]?")


def sentence(error: BaseException, doing: str = "This") -> str:
    """Explain an error to a visitor: what happened, and what to do.

    Args:
        error: any exception; the messages of `DigitsError` are kept.
        doing: what broke, such as "Training", in case the error is a fault in Digits.
    """
    if isinstance(error, DigitsError):
        return without_addresses(str(error))
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    if is_disk(error):
        return f"The disk cannot be written: {cause(error)}. {remedy(error)}"
    kind, words = type(error).__name__, (str(error).splitlines() or [""])[0]  # a database adds its statement
    return f"{doing} broke with {kind}: {without_addresses(words)}. This is a fault in Digits; please report it."


def cause(error: BaseException) -> str:
    """Return the system's words for an error of the disk, such as "No space left on device"."""
    if isinstance(error, StoreUnavailable):
        return "the store does not answer"
    if _NO_SPACE in str(error):
        return _NO_SPACE
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else without_addresses(str(error))


def remedy(error: BaseException) -> str:
    """Return what to do about an error of the disk."""
    if isinstance(error, StoreUnavailable):
        return "Wait a minute."
    is_refused = isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
    return "Make its folder writable." if is_refused else "Free some space on the disk."


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the machine had too little memory; TensorFlow has an exception of its own for that."""
    is_resource = type(error).__name__ == "ResourceExhaustedError" and _NO_SPACE not in str(error)
    return isinstance(error, MemoryError) or is_resource or (isinstance(error, OSError) and error.errno in _MEMORY)


def is_disk(error: BaseException) -> bool:
    """Return whether a file could not be written or read; trying again later may succeed."""
    if isinstance(error, DigitsError):
        return isinstance(error, StoreUnavailable)
    is_system = isinstance(error, OSError) and error.errno not in _MEMORY
    return is_system or _NO_SPACE in str(error)


def without_addresses(text: str) -> str:
    """Replace each path of this machine by its last part, and remove addresses of databases."""
    for folder in _own_folders():
        text = re.sub(re.escape(folder) + r"[/\\]?", "/x/y/", text)  # a folder's name may contain spaces
    text = _QUOTED.sub(r"\1\2\1", _ADDRESS.sub("", text))
    return _PATH.sub(lambda found: re.split(r"[/\\]", found[0].rstrip("/\\"))[-1], text)


def _own_folders() -> list[str]:
    """Return the folders of this installation, the longest first."""
    settings = Settings.from_environment()
    folders = [settings.runs_dir, settings.keras_home, PROJECT_DIR, Path.home(), Path(tempfile.gettempdir())]
    folders += [folder for folder in (settings.data_dir, settings.tensorboard_dir) if folder]
    return sorted({str(folder) for folder in folders if len(str(folder)) > 1}, key=len, reverse=True)
