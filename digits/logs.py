"""Logs: one line for each event in the server or the trainer, with its time, level and run."""

import contextlib
import contextvars
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_FORMAT = "%(asctime)s %(levelname)s %(name)s [run %(run)s] %(message)s"
# What TensorFlow and LiteRT write when they start, whatever level they are given.
_START_UP = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK|WARNING: All log messages before absl|[IW]0000 |[\d:. -]+[IW] tensorflow/"
)
_redirecting = threading.RLock()
_run: contextvars.ContextVar[str] = contextvars.ContextVar("run", default="-")


def configure() -> None:
    """Log this process's messages to standard error; a later call replaces this one.

    Messages of level INFO and above are logged, and of level DEBUG too if `DIGITS_LOG_LEVEL` is "debug".
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.addFilter(_add_run)
    logger = logging.getLogger("digits")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if is_verbose() else logging.INFO)
    logger.propagate = False  # other libraries configure the root logger, which would print each line again


def is_verbose() -> bool:
    """Return whether `DIGITS_LOG_LEVEL` asks for everything, the lines of TensorFlow included."""
    return os.environ.get("DIGITS_LOG_LEVEL", "").lower() == "debug"


@contextlib.contextmanager
def without_start_up_lines() -> Iterator[None]:
    """Leave out the lines that TensorFlow and LiteRT write to standard error when the block first loads them.

    They are written in C++ before any setting is read. All other lines appear when the block has ended.
    """
    if is_verbose():
        yield
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings about retracing are of no use here
    with _redirecting, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        shown = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            held.seek(0)
            for line in held:
                if not _START_UP.match(line):
                    os.write(shown, line)
            os.close(shown)


@contextlib.contextmanager
def about_run(run_id: str) -> Iterator[None]:
    """Name this run in every line logged inside the `with` block."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


def _add_run(record: logging.LogRecord) -> bool:
    record.run = _run.get()
    return True
