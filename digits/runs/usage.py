"""Usage: how much of the server a visitor's runs, and all runs, take at the moment."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from digits.runs import schema
from digits.runs.schema import RunState

_runs = schema.runs
_IS_WAITING = _runs.c.state.in_((RunState.QUEUED, RunState.RUNNING))
_WILL_PAUSE = sql.and_(_IS_WAITING, _runs.c.pause_at.is_not(None))
_IS_IMPORTED = sql.and_(_runs.c.state == RunState.FINISHED, _runs.c.started.is_(None))


@dataclass(frozen=True)
class Usage:
    """What one visitor's runs take, and what everybody's do. Deleted runs count until they are removed.

    Attributes:
        waiting: the visitor's runs that are queued or in training.
        paused: those that are paused, or will pause.
        copies: copies that were saved while they trained.
        imported: those that came as packages.
        disk_bytes: the space of their files, as it was measured last.
        everyones_waiting, everyones_disk_bytes: the same of all visitors.
    """

    waiting: int = 0
    paused: int = 0
    copies: int = 0
    imported: int = 0
    disk_bytes: int = 0
    everyones_waiting: int = 0
    everyones_disk_bytes: int = 0


def measure(connection: sql.Connection, owner: str, *, but: str = "") -> Usage:
    """Return the usage of a visitor, and of everybody.

    Args:
        but: the id of a run that counts neither as waiting nor as paused, because its state is about to change.
    """
    is_other = _runs.c.id != but
    own = sql.select(
        _count(sql.and_(_IS_WAITING, is_other)),
        _count(sql.and_(sql.or_(_runs.c.state == RunState.PAUSED, _WILL_PAUSE), is_other)),
        _sum(_runs.c.copies),
        _count(_IS_IMPORTED),
        _sum(_runs.c.disk_bytes),
    ).where(_runs.c.owner == owner)
    everyones = sql.select(_count(sql.and_(_IS_WAITING, is_other)), _sum(_runs.c.disk_bytes))
    values = [*connection.execute(own).one(), *connection.execute(everyones).one()]
    return Usage(*map(int, values))


def _count(condition: Any) -> Any:
    return _sum(sql.case((condition, 1), else_=0))


def _sum(numbers: Any) -> Any:
    return sql.func.coalesce(sql.func.sum(numbers), 0)
