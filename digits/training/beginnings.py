"""Beginnings: a run whose files are written before it is in the registry."""

import contextlib
from collections.abc import Hashable, Iterator
from pathlib import PurePosixPath

from digits.errors import RegistryUnavailable, RunNotFound
from digits.runs import commands
from digits.runs.registry import Registry
from digits.store import Store

_MARKS = ".unanswered"  # the folder with a file for each run whose registration got no answer


@contextlib.contextmanager
def with_files(registry: Registry, store: Store, *asked: Hashable) -> Iterator[str]:
    """Give the id of a new run, to write its files and to submit it; after an error its files are removed.

    If the registry did not answer, it may have the run. Then the files stay, and who asks for the same again gets the
    same id, so that there is one run. `Leftovers` removes the files of one that nobody asks for again.

    Args:
        asked: what tells this run from others that could be asked for.
    """
    with registry.unanswered.once(*asked, within=commands.REPEATED_WITHIN) as attempt:
        try:
            yield attempt.id
        except RegistryUnavailable:
            with contextlib.suppress(OSError), store.write(f"{_MARKS}/{attempt.id}"):
                pass  # an empty file is enough of a mark
            raise
        except BaseException:
            store.delete(f".work/{attempt.id}")
            raise


class Leftovers:
    """The files of runs whose registration got no answer, and for which nobody has asked again."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry, self._store, self._seen = registry, store, set[str]()

    def remove(self) -> None:
        """Remove what was there at the last call and is still no run's; the calls lie `REPEATED_WITHIN` apart or more.

        Raises:
            OSError: the store does not answer.
            RegistryUnavailable: the registry does not answer.
        """
        marks = {PurePosixPath(key).name for key in self._store.list(f"{_MARKS}/")}
        known = {run_id for run_id in marks if self._has(run_id)}
        unwanted = (marks & self._seen) - known
        for run_id in unwanted:
            self._store.delete(f".work/{run_id}")
        for run_id in unwanted | known:
            self._store.delete(f"{_MARKS}/{run_id}")
        self._seen = marks - known - unwanted

    def _has(self, run_id: str) -> bool:
        try:
            self._registry.get(run_id)
        except RunNotFound:
            return False
        return True
