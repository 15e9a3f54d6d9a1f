"""Space: what the runs' files hold of the disk, and how the rows of removed runs go."""

from collections.abc import Sequence

import sqlalchemy as sql

from digits.runs import schema
from digits.runs.database import Database
from digits.runs.retention import Holding
from digits.runs.schema import RunState

_runs = schema.runs
_IS_IDLE = _runs.c.state.not_in((RunState.QUEUED, RunState.RUNNING))


class SpaceRegistry(Database):
    """What the upkeep asks of the registry. Each of its writes may be made twice."""

    def list_deleted(self, before: float) -> list[str]:
        """Return the ids of the runs that were deleted before a time, in seconds since 1970."""
        with self._reading() as connection:
            return list(connection.execute(sql.select(_runs.c.id).where(_runs.c.deleted < before)).scalars())

    def list_unmeasured(self) -> list[str]:
        """Return the ids of the runs that do not train and whose files have not been measured."""
        with self._reading() as connection:
            found = sql.select(_runs.c.id).where(_runs.c.disk_bytes.is_(None), _IS_IDLE)
            return list(connection.execute(found).scalars())

    def set_disk_bytes(self, run_id: str, disk_bytes: int) -> None:
        """Record the space of a run's files."""
        with self._writing() as connection:
            connection.execute(_runs.update().where(_runs.c.id == run_id).values(disk_bytes=disk_bytes))

    def list_holdings(self) -> list[Holding]:
        """Return what each run with files holds of the disk."""
        columns = (
            _runs.c.id,
            _runs.c.owner,
            _runs.c.disk_bytes,
            sql.func.coalesce(_runs.c.ended, _runs.c.lease_until, _runs.c.created),
            _IS_IDLE,
            _runs.c.deleted.is_not(None),
            _runs.c.shared,
        )
        with self._reading() as connection:
            return [Holding(*row) for row in connection.execute(sql.select(*columns).where(_runs.c.disk_bytes > 0))]

    def abandon(self, run_ids: Sequence[str]) -> None:
        """Delete runs so that nothing can bring them back; one that waits or trains by now is left alone."""
        stopped = sql.literal(RunState.STOPPED, _runs.c.state.type)
        ended = sql.case((_runs.c.state == RunState.PAUSED, stopped), else_=_runs.c.state)
        gone = {"deleted": 0.0, "state": ended}
        with self._writing() as connection:
            connection.execute(_runs.update().where(_runs.c.id.in_(run_ids), _IS_IDLE).values(**gone))

    def purge(self, run_id: str) -> None:
        """Remove a deleted run permanently, with its history."""
        with self._writing() as connection:
            connection.execute(_runs.delete().where(_runs.c.id == run_id))  # its other rows go with it
