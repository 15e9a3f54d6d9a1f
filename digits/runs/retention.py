"""Retention: which runs are removed when their files take more of the disk than the quotas allow.

Deleted runs go first, then those of the visitor who has been away for longest. A run is kept for an hour after it was
used, and one that others have opened for 30 days, unless such runs take more than half of the disk.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from digits.quotas import Quotas

KEPT_SECONDS = 3600.0  # nothing disappears under its owner's hands
SHARED_SECONDS = 30 * 24 * 3600.0
_SHARED_PART = 0.5  # else a visitor with two browsers could keep the disk full
_MB = 1_000_000


@dataclass(frozen=True)
class Holding:
    """A run and the space of its files.

    Attributes:
        used: when it ended, was set aside or was created, in seconds since 1970.
        is_idle: whether it has ended or is paused, so that it may be removed.
        shared: when somebody else than its owner opened it last; None if nobody has.
    """

    run_id: str
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
    seen, taken = dict[str, float](), defaultdict[str, int](int)
    for held in holdings:
        seen[held.owner] = max(held.used, seen.get(held.owner, 0.0))
        taken[held.owner] += held.disk_bytes
    total = sum(taken.values())
    own_limit, limit = quotas.megabytes_per_visitor * _MB, quotas.megabytes * _MB
    kept = _protected(holdings, limit, now)
    removed = []
    for held in sorted(holdings, key=lambda held: (not held.is_deleted, seen[held.owner], held.used)):
        is_over = (limit and total >= limit) or (own_limit and taken[held.owner] >= own_limit)
        if is_over and held.is_idle and now - held.used > KEPT_SECONDS and held.run_id not in kept:
            removed.append(held.run_id)
            total -= held.disk_bytes
            taken[held.owner] -= held.disk_bytes
    return removed


def _protected(holdings: Sequence[Holding], limit: int, now: float) -> set[str]:
    """Return the shared runs that are kept, the oldest first; deleted ones are not."""
    kept, total = set(), 0
    for held in sorted(holdings, key=lambda held: held.used):
        is_shared = held.shared is not None and now - held.shared < SHARED_SECONDS and not held.is_deleted
        if is_shared and (not limit or total + held.disk_bytes <= _SHARED_PART * limit):
            kept.add(held.run_id)
            total += held.disk_bytes
    return kept
