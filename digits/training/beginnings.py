"""Beginnings: a run whose files are written before it is in the registry."""

import contextlib
from collections.abc import Hashable, Iterator

from digits.errors import RegistryUnavailable
from digits.runs import commands
from digits.runs.registry import Registry
from digits.store import Store


@contextlib.contextmanager
def with_files(registry: Registry, store: Store, *asked: Hashable) -> Iterator[str]:
    """Give the id of a new run, to write its files and to submit it; after an error its files are removed.

    If the registry did not answer, it may have the run. Then the files stay, and who asks for the same again gets the
    same id, so that there is one run.

    Args:
        asked: what tells this run from others that could be asked for.
    """
    with registry.unanswered.once(*asked, within=commands.REPEATED_WITHIN) as attempt:
        try:
            yield attempt.id
        except RegistryUnavailable:
            raise
        except BaseException:
            store.delete(f".work/{attempt.id}")
            raise
