"""Own sets: what a visitor can do with a set of drawings. Each change is checked and makes a new version."""

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Sequence

from digits.data import collected, own
from digits.data.collected import Sample
from digits.data.own import Batch, OwnSet
from digits.errors import DatasetUnavailable, InvalidSet
from digits.runs import admission, commands
from digits.runs.own_sets import NewVersion, new_set_id
from digits.runs.registry import Registry
from digits.runs.schema import SetRecord
from digits.store import Store
from digits.training.beginnings import SETS, marked_if_unanswered

# Each command counts towards the commands a minute and raises QuotaReached, NotYourSet, or DatasetUnavailable if there
# is no such set; those that write raise RegistryUnavailable if the disk refuses. `address` is where the visitor comes
# from, which may bring only so much in an hour; empty if that is unknown.


def create(
    registry: Registry,
    store: Store,
    owner: str,
    title: str,
    class_names: Sequence[str],
    samples: Sequence[Sample] = (),
    *,
    address: str = "",
) -> SetRecord:
    """Make a set; raises `InvalidSet` if its name or its classes cannot be used.

    Asked for again after `RegistryUnavailable`, it is the same set, which the registry may have already.
    """
    admission.require_pace(owner)
    batch = Batch(collected.check_title(title), collected.check_classes(class_names), tuple(samples))
    asked = ("set", owner, hashlib.sha256(batch.to_bytes()).digest())
    with registry.unanswered.once(*asked, within=commands.REPEATED_WITHIN) as attempt:
        set_id = new_set_id(attempt.id)
        with contextlib.suppress(DatasetUnavailable):
            if attempt.is_repeat:
                return registry.get_set(set_id)
        with marked_if_unanswered(store, f"{SETS}/{set_id}"):
            return _save(registry, store, set_id, owner, lambda present: batch, address, is_new=True)


def add(
    registry: Registry,
    store: Store,
    set_id: str,
    owner: str,
    samples: Sequence[Sample],
    removed: Sequence[str] = (),
    *,
    address: str = "",
) -> SetRecord:
    """Add drawings to a set, and remove others by their ids. What has already arrived is not added again."""
    admission.require_pace(owner)
    added, gone = tuple(samples), tuple(filter(collected.is_id, removed))
    return _save(
        registry, store, set_id, owner, lambda present: Batch(present.title, present.class_names, added, gone), address
    )


def rename(registry: Registry, store: Store, set_id: str, owner: str, title: str) -> SetRecord:
    """Give a set another name; raises `InvalidSet` if it is empty or too long."""
    admission.require_pace(owner)
    checked = collected.check_title(title)
    return _save(registry, store, set_id, owner, lambda present: Batch(checked, present.class_names))


def name_classes(registry: Registry, store: Store, set_id: str, owner: str, names: Sequence[str]) -> SetRecord:
    """Give a set other classes, or another order of them; its drawings stay.

    Raises:
        InvalidSet: they cannot be used, or a class that has drawings is not among them.
    """
    admission.require_pace(owner)
    checked = collected.check_classes(names)

    def change(present: OwnSet) -> Batch:
        for name, count in present.counts.items():
            if count and name not in checked:
                raise InvalidSet(f"The class {name} has drawings ({count:,}). Remove them first, or keep the class.")
        return Batch(present.title, checked)

    return _save(registry, store, set_id, owner, change)


def delete(registry: Registry, set_id: str, owner: str) -> None:
    """Delete a set; `restore` can undo this for a day, and what runs have learned from is kept with them."""
    admission.require_pace(owner)
    registry.set_set_deleted(set_id, owner, time.time())


def restore(registry: Registry, set_id: str, owner: str) -> None:
    """Restore a deleted set; raises `QuotaReached` if it is one too many."""
    admission.require_pace(owner)
    registry.set_set_deleted(set_id, owner, None)


def copy(registry: Registry, store: Store, set_id: str, owner: str, *, address: str = "") -> SetRecord:
    """Make a copy of a set, which anybody with its link may have, as one of the visitor's own."""
    found = read(registry, store, set_id)
    title = f"Copy of {found.title}"[: collected.MAX_TITLE]
    return create(registry, store, owner, title, found.class_names, found.samples, address=address)


def read(registry: Registry, store: Store, set_id: str) -> OwnSet:
    """Return the last version of a set."""
    return own.read(store, set_id, registry.get_set(set_id).version)


def remove_abandoned(registry: Registry, store: Store, before: float) -> None:
    """Remove for good the sets that were deleted before a time and from which no run that is kept has learned."""
    for set_id in registry.list_abandoned_sets(before):
        own.remove(store, set_id)
        registry.purge_set(set_id)


def _save(
    registry: Registry,
    store: Store,
    set_id: str,
    owner: str,
    change: Callable[[OwnSet], Batch],
    address: str = "",
    *,
    is_new: bool = False,
) -> SetRecord:
    """Make the next version of a set from its last one, which is read before anything is locked: that takes a while."""
    version = 0 if is_new else registry.get_set(set_id).version
    while True:
        present = own.read(store, set_id, version)
        batch = change(present)
        content = batch.to_bytes()
        after = present.apply(batch, own.size_of(content))
        if after.size > own.MAX_SIZE:
            raise InvalidSet(
                f"A set may take {own.MAX_SIZE / 2**20:.0f} MB unpacked, with all that was ever in it; this one would "
                f"take {after.size / 2**20:.0f}. Go on with a copy of it, or with fewer drawings."
            )
        admission.require_bytes(address, len(content))
        new = NewVersion(batch.title, len(after.samples), len(after.class_names), content)
        try:
            return registry.save_set(
                set_id,
                owner,
                functools.partial(_require_same, version, new),
                lambda number, content: own.write(store, set_id, number, content),
            )
        except _Outdated as error:
            version = error.version


class _Outdated(Exception):
    """Another change of the set was quicker; `version` is what it has become."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def _require_same(version: int, new: NewVersion, present: int) -> NewVersion:
    if present != version:
        raise _Outdated(present)
    return new
