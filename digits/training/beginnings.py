"""Beginnings: a run or a set whose files are written before it is in the registry."""

import contextlib
from collections.abc import Hashable, Iterator
from pathlib import PurePosixPath

from digits.errors import DatasetUnavailable, RegistryUnavailable, RunNotFound
from digits.runs import commands
from digits.runs.registry import Registry
from digits.store import Store

_MARKS = ".unanswered"  # the folder with an empty file for each key of files whose registration got no answer
RUNS, SETS = ".work", ".sets"  # their folders in the store


@contextlib.contextmanager
def with_files(registry: Registry, store: Store, *asked: Hashable) -> Iterator[str]:
    """Give the id of a new run, to write its files and to submit it; after an error its files are removed.

    If the registry did not answer, it may have the run. Then the files stay, and who asks for the same again gets the
    same id, so that there is one run. `Leftovers` removes the files of one that nobody asks for again.

    Args:
        asked: what tells this run from others that could be asked for.
    """
    with registry.unanswered.once(*asked, within=commands.REPEATED_WITHIN) as attempt:
        key = f"{RUNS}/{attempt.id}"
        try:
            with marked_if_unanswered(store, key):
                yield attempt.id
        except RegistryUnavailable:
            raise
        except BaseException:
            store.delete(key)
            raise


@contextlib.contextmanager
def marked_if_unanswered(store: Store, key: str) -> Iterator[None]:
    """Let `Leftovers` know of the files at a key if the registry does not answer when it gets their run or set."""
    try:
        yield
    except RegistryUnavailable:
        with contextlib.suppress(OSError), store.write(f"{_MARKS}/{key}"):
            pass
        raise


class Leftovers:
    """The files of runs and sets whose registration got no answer, and for which nobody has asked again."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry, self._store, self._seen = registry, store, set[str]()

    def remove(self) -> None:
        """Remove what was there at the last call and still is nobody's; the calls lie `REPEATED_WITHIN` apart or more.

        Raises:
            OSError: the store does not answer.
            RegistryUnavailable: the registry does not answer.
        """
        marks = {
            mark.removeprefix(f"{_MARKS}/")
            for folder in (RUNS, SETS)
            for mark in self._store.list(f"{_MARKS}/{folder}/")
        }
        known = {key for key in marks if self._has(PurePosixPath(key))}
        unwanted = (marks & self._seen) - known
        for key in unwanted:
            self._store.delete(key)
        for key in unwanted | known:
            self._store.delete(f"{_MARKS}/{key}")
        self._seen = marks - known - unwanted

    def _has(self, key: PurePosixPath) -> bool:
        find = self._registry.get_set if key.parent.name == SETS else self._registry.get
        try:
            find(key.name)
        except (RunNotFound, DatasetUnavailable):
            return False
        return True
