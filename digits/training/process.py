"""The trainer as a process of a server: its priority, its signs of life, and its end."""

import contextlib
import os
import sys
import threading
import time

_NICENESS = 10  # reading a drawing has priority over training
_SIGN_EVERY_SECONDS = 1.0


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
