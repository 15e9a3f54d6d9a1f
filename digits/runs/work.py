"""Work: the trainer's side of the registry, which claims runs and records their progress and results."""

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from digits.runs import schema
from digits.runs.database import Database
from digits.runs.hyperparameters import Change
from digits.runs.schema import Orders, Run, RunState, to_change, to_run

_runs, _metrics, _changes, _trainers = schema.runs, schema.metrics, schema.changes, schema.trainers
_NO_COMMANDS = {"stop_requested": False, "pause_at": None, "save_requested": False}


class WorkRegistry(Database):
    """What a trainer asks of the registry.

    Promises: only one trainer can claim a run. An ended run's progress and result never change.
    """

    def claim(self) -> Run | None:
        """Claim the oldest queued run and return it, or None; no two callers get the same run."""
        oldest = sql.select(_runs.c.id).where(_runs.c.state == RunState.QUEUED).order_by(_runs.c.created).limit(1)
        with self._reading() as connection:
            if connection.execute(oldest).first() is None:  # a read takes no lock, so an idle trainer blocks no writer
                return None
        free = oldest.with_for_update(skip_locked=True).scalar_subquery()
        take = (
            _runs.update()
            .where(_runs.c.id == free, _runs.c.state == RunState.QUEUED)
            .values(state=RunState.RUNNING, started=sql.func.coalesce(_runs.c.started, time.time()))
            .returning(*_runs.c)
        )
        with self._writing() as connection:
            row = connection.execute(take).mappings().one_or_none()
        return to_run(row) if row else None

    def rewind(self, run_id: str, step: int) -> None:
        """Remove a running run's progress after `step`, where training continues."""
        with self._writing() as connection:
            connection.execute(_metrics.delete().where(_metrics.c.run_id == run_id, _metrics.c.step > step))
            self._change(connection, run_id, (RunState.RUNNING,), step=step, test_correct=None, test_total=None)

    def record(self, run_id: str, progress: Sequence[dict[str, Any]] = (), **facts: Any) -> Orders:
        """Add rows of `METRIC_NAMES`, set columns such as `best_step`, and return the owner's orders."""
        with self._writing() as connection:
            if progress:
                facts = {"step": progress[-1]["step"]} | facts
            if progress or facts:
                is_running = self._change(connection, run_id, (RunState.RUNNING,), activity="", **facts)
                if is_running and progress:
                    connection.execute(_metrics.insert(), [{"run_id": run_id, **row} for row in progress])
            row = connection.execute(
                sql.select(_runs.c.stop_requested, _runs.c.pause_at, _runs.c.save_requested).where(_runs.c.id == run_id)
            ).one()
            return Orders(*row, tuple(self._read_changes(connection, run_id)))

    def take_changes(self, run_id: str, step: int, taken: Sequence[Change]) -> None:
        """Record the step at which pending changes took effect, and the values before."""
        with self._writing() as connection:
            for change in taken:
                waiting = (_changes.c.run_id == run_id, _changes.c.name == change.name, _changes.c.step.is_(None))
                connection.execute(_changes.update().where(*waiting).values(step=step, old=change.old))

    def set_activity(self, run_id: str, activity: str, **facts: Any) -> None:
        """Set what a running run is doing, in a few words; `facts` are further columns, such as `data`."""
        with self._writing() as connection:
            self._change(connection, run_id, (RunState.RUNNING,), activity=activity, **facts)

    def finish(self, run_id: str, state: RunState, **facts: Any) -> None:
        """End a running run in state `state`; `facts` are further columns, such as `reason` or `test_total`."""
        with self._writing() as connection:
            facts = _NO_COMMANDS | {"ended": time.time(), "activity": ""} | facts
            self._change(connection, run_id, (RunState.RUNNING,), state=state, **facts)
            connection.execute(_changes.delete().where(_changes.c.run_id == run_id, _changes.c.step.is_(None)))

    def set_paused(self, run_id: str) -> None:
        """Mark a running run as paused."""
        with self._writing() as connection:
            self._change(
                connection,
                run_id,
                (RunState.RUNNING,),
                state=RunState.PAUSED,
                pause_at=None,
                save_requested=False,
                activity="",
            )

    def requeue(self, run_id: str) -> None:
        """Re-queue a running run at its old place; it continues from its checkpoint, or restarts if it has none."""
        with self._writing() as connection:
            self._change(connection, run_id, (RunState.RUNNING,), state=RunState.QUEUED, activity="")

    def requeue_abandoned(self, *, attempts: int) -> int:
        """Re-queue every running run because its trainer died, and return how many.

        A run fails if `attempts` trainers have died while training it since its last checkpoint. Only a trainer that
        has just taken the registry's lock may call this: no other trainer can then be training these runs.
        """
        reason = (
            f"The trainer process died {attempts} times while it trained this run, perhaps for want of memory. "
            "Start it again with a smaller batch."
        )
        with self._writing() as connection:
            died = _runs.update().where(_runs.c.state == RunState.RUNNING)
            connection.execute(
                died.where(_runs.c.attempts + 1 >= attempts).values(
                    state=RunState.FAILED, ended=time.time(), activity="", reason=reason, **_NO_COMMANDS
                )
            )
            return connection.execute(
                died.values(state=RunState.QUEUED, activity="", attempts=_runs.c.attempts + 1)
            ).rowcount

    def list_deleted(self, before: float) -> list[str]:
        """Return the ids of the runs that were deleted before a time, in seconds since 1970."""
        with self._reading() as connection:
            return list(connection.execute(sql.select(_runs.c.id).where(_runs.c.deleted < before)).scalars())

    def purge(self, run_id: str) -> None:
        """Remove a deleted run permanently, with its history."""
        with self._writing() as connection:
            connection.execute(_runs.delete().where(_runs.c.id == run_id))  # its other rows go with it

    def beat(self, pid: int, activity: str) -> None:
        """Record the trainer's heartbeat and what it is doing."""
        values = {"pid": pid, "activity": activity, "heartbeat": time.time()}
        with self._writing() as connection:
            if not connection.execute(_trainers.update().where(_trainers.c.id == 1).values(**values)).rowcount:
                connection.execute(_trainers.insert().values(id=1, **values))

    def _change(
        self, connection: sql.Connection, run_id: str, states: Sequence[RunState], *conditions: Any, **values
    ) -> int:
        """Set columns of a run if it is in one of these states; return how many rows changed: 1, or 0 if it is not."""
        found = _runs.update().where(_runs.c.id == run_id, _runs.c.state.in_(states), *conditions)
        return connection.execute(found.values(**values)).rowcount

    def changes(self, run_id: str) -> list[Change]:
        """Return a run's changes of hyperparameters in the order in which they took effect; pending ones come last."""
        with self._reading() as connection:
            return self._read_changes(connection, run_id)

    def _read_changes(self, connection: sql.Connection, run_id: str) -> list[Change]:
        query = _changes.select().where(_changes.c.run_id == run_id)
        query = query.order_by(_changes.c.step.is_(None), _changes.c.step, _changes.c.id)
        return [to_change(row) for row in connection.execute(query).mappings()]
