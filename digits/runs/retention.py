"""Retention: which runs and sets are removed when their files take more of the disk than the quotas allow.

Deleted ones go first, then always the oldest of the visitor who then holds the most. What was used within the hour is
kept, and for 30 days what others use; but shared runs, or sets that are kept, take half of the quota at most.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digits.quotas import Quotas

KEPT_SECONDS = 3600.0  # nothing disappears under its owner's hands
SHARED_SECONDS = 30 * 24 * 3600.0
_SHARED_PART = 0.5  # else a visitor with two browsers could keep the disk full
SETS_PART = 0.9  # what is put away leaves the disk a day later; until then there is room for other sets
_MB = 1_000_000


@dataclass(frozen=True)
class Holding:
    """A run or a set, and the space of its files.

    Attributes:
        used: when a run ended, was set aside or was created, or when a set was changed, in seconds since 1970.
        is_idle: whether it may be removed: a run that has ended or is paused, a set from which no run learns now.
        shared: when somebody else than its owner opened a run, or trained on a set, last; None if nobody has.
    """

    id: str
    owner: str
    disk_bytes: int
    used: float
    is_idle: bool
    is_deleted: bool
    shared: float | None


def abandoned(holdings: Sequence[Holding], quotas: Quotas, now: float) -> list[str]:
    """Return the ids of the runs to remove, so that each visitor and all together are within the quotas.

    Args:
        holdings: all runs with files.
        now: the time, in seconds since 1970.
    """
    own_limit, limit = quotas.megabytes_per_visitor * _MB, quotas.megabytes * _MB
    kept = _kept(holdings, limit, lambda held: not held.is_deleted and _is_shared(held, now))
    idle = [held for held in holdings if now - held.used > KEPT_SECONDS and held.id not in kept]
    return _fairly(
        holdings, idle, lambda total, own: bool((limit and total >= limit) or (own_limit and own >= own_limit))
    )


def unused_sets(holdings: Sequence[Holding], quotas: Quotas, now: float) -> list[str]:
    """Return the ids of the sets to put away, so that those that stay take 90% of the quota at most.

    Args:
        holdings: all sets.
        now: the time, in seconds since 1970.
    """
    staying = [held for held in holdings if not (held.is_deleted and held.is_idle)]
    kept = _kept(
        staying, quotas.set_megabytes * _MB, lambda held: now - held.used <= KEPT_SECONDS or _is_shared(held, now)
    )
    idle = [held for held in staying if held.id not in kept]
    return _fairly(staying, idle, lambda total, own: is_scarce(total, quotas))


def is_scarce(set_bytes: int, quotas: Quotas) -> bool:
    """Return whether sets of so many bytes take so much of their quota that unused ones have to make room."""
    return 0 < SETS_PART * quotas.set_megabytes * _MB < set_bytes


def _fairly(
    holdings: Sequence[Holding], removable: Sequence[Holding], is_over: Callable[[int, int], bool]
) -> list[str]:
    """Return what is removed, in order: deleted ones, then always the oldest of whoever then holds the most.

    Args:
        holdings: all.
        removable: those of them that may go, if they are idle.
        is_over: says of the bytes of all and of one owner whether one of that owner's has to go.
    """
    seen, taken, waiting = dict[str, float](), defaultdict[str, int](int), defaultdict[str, list[Holding]](list)
    for held in holdings:
        seen[held.owner] = max(held.used, seen.get(held.owner, 0.0))
        taken[held.owner] += held.disk_bytes
    for held in sorted(removable, key=lambda held: (held.is_deleted, -held.used)):  # the next to go is the last
        if held.is_idle:
            waiting[held.owner].append(held)
    removed, total = [], sum(taken.values())
    while owners := [owner for owner, theirs in waiting.items() if theirs and is_over(total, taken[owner])]:
        # Of equal ones, whoever has been away for longest.
        owner = max(owners, key=lambda owner: (waiting[owner][-1].is_deleted, taken[owner], -seen[owner]))
        gone = waiting[owner].pop()
        removed.append(gone.id)
        taken[owner] -= gone.disk_bytes
        total -= gone.disk_bytes
    return removed


def _is_shared(held: Holding, now: float) -> bool:
    return held.shared is not None and now - held.shared < SHARED_SECONDS


def _kept(holdings: Sequence[Holding], limit: int, is_wanted: Callable[[Holding], bool]) -> set[str]:
    """Return the ids of those that are wanted, the oldest first, while they take half of the limit at most."""
    kept, total = set(), 0
    for held in sorted(filter(is_wanted, holdings), key=lambda held: held.used):
        if not limit or total + held.disk_bytes <= _SHARED_PART * limit:
            kept.add(held.id)
            total += held.disk_bytes
    return kept
