"""Unanswered: writes whose answer was lost, so that the database may have them; made again, they count once."""

import contextlib
import dataclasses
import math
import secrets
import time
from collections.abc import Hashable, Iterator

from digits.errors import RegistryUnavailable


def new_id() -> str:
    """Return an id for a run, a sweep or a set, which cannot be guessed."""
    return secrets.token_urlsafe(9)


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A write, and whether it is made again.

    Attributes:
        id: the same at each try; what the write adds gets this id, so that a second try can find it.
        until: when it is forgotten, in seconds of the monotonic clock; later the same words mean a new write.
        is_repeat: whether a try has failed before, so that the database may already have carried it out.
    """

    id: str
    until: float
    is_repeat: bool = False


class Unanswered:
    """The writes of one process that failed because the registry did not answer. Threads may share it."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[Hashable, ...], Attempt] = {}

    @contextlib.contextmanager
    def once(self, *write: Hashable, within: float = math.inf) -> Iterator[Attempt]:
        """Try a write.

        Args:
            write: what tells it from every other write.
            within: seconds after the first try; later the same words mean a new write.
        """
        now = time.monotonic()
        attempt = self._attempts.get(write)
        if attempt is None or now > attempt.until:
            attempt = Attempt(new_id(), now + within)
        try:
            yield attempt
        except RegistryUnavailable:
            self._forget(now)  # most visitors never ask again
            self._attempts[write] = dataclasses.replace(attempt, is_repeat=True)
            raise
        except BaseException:
            self._attempts.pop(write, None)
            raise
        self._attempts.pop(write, None)

    def _forget(self, now: float) -> None:
        for write, attempt in list(self._attempts.items()):
            if now > attempt.until:
                self._attempts.pop(write, None)
