"""Entries: how a run enters the registry: whether it is admitted, its id, and its rows."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sql

from digits.runs import schema, usage
from digits.runs.database import ADMISSION_LOCK, lock
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.unanswered import new_id
from digits.runs.usage import Usage

Admit = Callable[[Usage], None]  # raises an error to keep something out; nothing else is admitted meanwhile

_runs = schema.runs


def admit_entry(connection: sql.Connection, admit: Admit | None, owner: str, *, but: str = "") -> None:
    """Call `admit` with what the owner and all visitors use, but for the run `but`; nothing is admitted meanwhile."""
    if admit is not None:
        lock(connection, ADMISSION_LOCK)
        admit(usage.measure(connection, owner, but=but))


def admit_change(connection: sql.Connection, admit: Admit | None, run_id: str) -> None:
    """Admit a change of a run's state, which counts only in its new one."""
    if admit is not None:
        owner = connection.execute(sql.select(_runs.c.owner).where(_runs.c.id == run_id)).scalar_one()
        admit_entry(connection, admit, owner, but=run_id)


def known(connection: sql.Connection, owner: str, facts: dict[str, Any]) -> str:
    """Return the `id` of `facts` if the owner has a run with it: its insertion got no answer. Else return ""."""
    mine = (_runs.c.id == facts.get("id"), _runs.c.owner == owner)
    return connection.execute(sql.select(_runs.c.id).where(*mine)).scalar() or ""


def insert(
    connection: sql.Connection,
    hyperparameters: Hyperparameters,
    owner: str,
    rows: dict[sql.Table, Any],
    facts: dict[str, Any],
) -> str:
    """Insert a run with its rows in other tables, and return its id; `facts` are further columns."""
    run_id = facts.get("id") or new_id()
    values = {"owner": owner, "hyperparameters": hyperparameters.to_dict(), "created": time.time()}
    connection.execute(_runs.insert().values(**values, **facts | {"id": run_id}))
    for table in filter(rows.get, rows):
        connection.execute(table.insert(), [{"run_id": run_id, **row} for row in rows[table]])
    return run_id


def names_of(connection: sql.Connection, owner: str, start: str) -> list[str]:
    """Return the names of an owner's runs, deleted or not, that begin with `start`."""
    query = sql.select(_runs.c.name).where(_runs.c.owner == owner, _runs.c.name.startswith(start, autoescape=True))
    return list(connection.execute(query).scalars())
