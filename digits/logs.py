"""Logs: one line for each event in the server or the trainer, with its time, level and run."""

import contextlib
import contextvars
import logging
from collections.abc import Iterator

_FORMAT = "%(asctime)s %(levelname)s %(name)s [run %(run)s] %(message)s"
_run: contextvars.ContextVar[str] = contextvars.ContextVar("run", default="-")


def configure() -> None:
    """Log this process's messages of level INFO and above to standard error; a later call replaces this one."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.addFilter(_add_run)
    logger = logging.getLogger("digits")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False  # other libraries configure the root logger, which would print each line again


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
