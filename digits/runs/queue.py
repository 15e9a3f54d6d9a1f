"""The queue: in which order waiting runs are trained, so that no visitor's runs hold up everybody's.

Visitors take turns. A visitor with fewer runs in training comes first, then the one who was served least recently;
among the runs of one visitor, the oldest comes first.
"""

from typing import Any

import sqlalchemy as sql

from digits.runs import schema
from digits.runs.schema import Run, RunState

_runs = schema.runs


def queue() -> sql.Subquery:
    """Return the queued runs with what decides their order, as columns `id`, `owner` and those of `order`."""
    rank = sql.func.row_number().over(partition_by=_runs.c.owner, order_by=(_runs.c.created, _runs.c.id))
    others = _runs.alias()
    served = sql.select(sql.func.max(others.c.lease_until)).where(others.c.owner == _runs.c.owner).scalar_subquery()
    return (
        sql.select(
            _runs.c.id,
            _runs.c.owner,
            (rank + _in_training(_runs.c.owner)).label("turn"),
            sql.func.coalesce(served, 0.0).label("served"),
            _runs.c.created,
        )
        .where(_runs.c.state == RunState.QUEUED)
        .subquery("queue")
    )


def order(waiting: sql.Subquery) -> tuple[Any, ...]:
    """Return the columns of `queue` by which it is sorted."""
    return waiting.c.turn, waiting.c.served, waiting.c.created, waiting.c.id


def ahead(connection: sql.Connection, run: Run) -> list[Any]:
    """Return the rows of the runs that are in training, or will be before this queued one."""
    waiting = queue()
    place = connection.execute(sql.select(*order(waiting)).where(waiting.c.id == run.id)).one_or_none()
    is_ahead = _runs.c.state == RunState.RUNNING
    if place is not None:
        is_ahead |= _runs.c.id.in_(sql.select(waiting.c.id).where(sql.tuple_(*order(waiting)) < sql.tuple_(*place)))
    return list(connection.execute(_runs.select().where(is_ahead)).mappings())


def is_awaited(connection: sql.Connection, run: Run) -> bool:
    """Return whether another visitor's run would be next if this running one were put back into the queue."""
    waiting = queue()
    mine = connection.execute(sql.select(_in_training(sql.literal(run.owner)))).scalar_one()
    others = sql.select(waiting.c.id).where(waiting.c.owner != run.owner, waiting.c.turn <= mine).limit(1)
    return connection.execute(others).first() is not None


def _in_training(owner: Any) -> sql.ScalarSelect[int]:
    """Return how many of an owner's runs are in training."""
    running = _runs.alias()
    found = sql.select(sql.func.count()).where(running.c.owner == owner, running.c.state == RunState.RUNNING)
    return found.scalar_subquery()
