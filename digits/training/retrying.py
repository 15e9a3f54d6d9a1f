"""Retrying: a call to a registry that is busy is made again, ever more rarely."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from digits.errors import RegistryBusy

_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.1, 5.0  # between tries to reach a busy registry; each waits twice as long
_PATIENCE_SECONDS = 120.0  # until a registry that is still busy counts as failed

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


def retry_while_busy(call: Callable[[], _T], is_closing: threading.Event) -> _T:
    """Return the result of `call`; try again while the registry is busy, ever more rarely, for two minutes.

        retry_while_busy(lambda: registry.finish(run_id, RunState.FINISHED), is_closing)

    Args:
        call: a function that uses the registry.
        is_closing: set when this process must end; then `call` is not tried again.

    Raises:
        RegistryBusy: the process must end, or two minutes have passed, and the registry still does not answer.
    """
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, _RETRY_SECONDS
    while True:
        try:
            return call()
        except RegistryBusy as error:
            _logger.warning("%s", error)
            if is_closing.wait(pause) or time.monotonic() > deadline:
                raise
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)
