"""Remarks: what the page of a run says besides its progress, as while a full disk refuses its files."""

import contextlib
import logging
from collections.abc import Iterator

from digits import trouble

_logger = logging.getLogger(__name__)


class Remarks:
    """A notice, and what went wrong and is not mended yet, each with a sentence for visitors.

    Attributes:
        notice: a sentence, such as that a checkpoint was damaged; "" if there is none.
    """

    def __init__(self, notice: str = "") -> None:
        self.notice = notice
        self._troubles: dict[str, str] = {}

    def __str__(self) -> str:
        return " ".join(filter(None, (self.notice, *self._troubles.values())))

    @contextlib.contextmanager
    def tolerating(self, what: str) -> Iterator[None]:
        """Continue if the disk refuses the block's files, and say so until a block of this kind succeeds.

        Args:
            what: what has then failed, as the beginning of a sentence: "No checkpoint could be written".
        """
        try:
            yield
        except Exception as error:
            if not trouble.is_disk(error):
                raise
            _logger.warning("%s: %s", what, error)
            self._troubles[what] = f"{what}: {trouble.cause(error)}. {trouble.remedy(error)}"
        else:
            self.forget(what)

    def has(self, what: str) -> bool:
        """Return whether this has failed and is not mended yet."""
        return what in self._troubles

    def add(self, what: str, sentence: str) -> None:
        """Say something more about what has failed."""
        self._troubles[what] += f" {sentence}"

    def forget(self, what: str) -> None:
        """Say no more about what has failed."""
        self._troubles.pop(what, None)
