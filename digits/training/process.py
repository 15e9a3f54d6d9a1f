"""The trainer as a process of a server: its priority, its signs of life, and its end."""

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Sequence

from digits import logs

_NICENESS = 10  # reading a drawing has priority over training
_SIGN_EVERY_SECONDS = 1.0


def begin(description: str, arguments: Sequence[str] | None) -> tuple[str | None, threading.Event]:
    """Do what `TrainerKeeper` expects of a process that it starts.

    Args:
        description: of the process, for `--help`.
        arguments: those of the command line; None for this process's own.

    Returns:
        the name under which the keeper has announced this process, if it has, and an event that is set when standard
        input closes.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--heartbeat", action="store_true", help="show on standard output that this process lives")
    parser.add_argument("--worker", help="the name of this process in the registry (default: a new one)")
    options = parser.parse_args(arguments)
    if options.heartbeat:
        show_life()
    logs.configure()
    is_closing = threading.Event()
    threading.Thread(target=close_at_end_of_input, args=(is_closing,), daemon=True).start()
    return options.worker, is_closing


def lower_priority() -> None:
    """Lower this thread's priority; on Linux only this thread and the threads that it starts are affected."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def close_at_end_of_input(is_closing: threading.Event) -> None:
    """Set `is_closing` when standard input closes: the server has ended, or wants this process to end."""
    sys.stdin.buffer.read()
    is_closing.set()


def show_life() -> None:
    """Write to standard output once a second, for `TrainerKeeper`; all that is printed goes to standard error."""
    signs = os.dup(1)
    os.dup2(2, 1)

    def show() -> None:
        with contextlib.suppress(OSError):  # the server has ended; so will this process
            while os.write(signs, b"."):
                time.sleep(_SIGN_EVERY_SECONDS)

    threading.Thread(target=show, name="signs-of-life", daemon=True).start()
