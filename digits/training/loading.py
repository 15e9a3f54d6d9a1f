"""Loading: a run's data, made in a thread of its own, which rests while other visitors' runs have their turn."""

import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from digits.data.datasets import Dataset
from digits.errors import LeaseLost
from digits.training import process

Say = Callable[[str], None]


class Cancelled(Exception):
    """Nobody wants the data any more."""


class Loading:
    """The data of one run while they are made. What is made so far is kept for as long as the thread rests."""

    def __init__(self, load: Callable[[Say], Dataset], say: Say) -> None:
        """Begin to load.

        Args:
            load: makes the data, and calls its argument with what it does several times a second.
            say: is told that; after `LeaseLost`, another trainer has the run, or nobody, and nothing is told.
        """
        self._say = say
        self._may_go, self._is_cancelled = threading.Event(), False
        self._may_go.set()
        self._loaded: Future[Dataset] = Future()
        run = contextvars.copy_context().run  # log lines name the run in that thread too
        threading.Thread(target=run, args=(self._work, load), name="loading", daemon=True).start()

    def is_done(self, *, within: float) -> bool:
        """Wait for so many seconds, and return whether the data are there or cannot be had."""
        return bool(wait([self._loaded], timeout=within).done)

    def result(self) -> Dataset:
        """Return the data; raises what `load` raised."""
        return self._loaded.result()

    def rest(self) -> None:
        """Stop at the next thing that is said, until `go_on`."""
        self._may_go.clear()

    def go_on(self) -> None:
        """Continue after a rest."""
        self._may_go.set()

    def cancel(self) -> None:
        """End the thread at the next thing that is said."""
        self._is_cancelled = True
        self._may_go.set()

    def _work(self, load: Callable[[Say], Dataset]) -> None:
        process.lower_priority()
        try:
            self._loaded.set_result(load(self._tell))
        except BaseException as error:
            self._loaded.set_exception(error)

    def _tell(self, activity: str) -> None:
        self._may_go.wait()
        if self._is_cancelled:
            raise Cancelled
        with contextlib.suppress(LeaseLost):
            self._say(activity)
