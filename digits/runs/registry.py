"""The run registry: every training run with its progress and result, shared by the pages and the trainer."""

import contextlib
import functools
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from digits.errors import RunAlreadyFinished, RunNotFound
from digits.runs import schema
from digits.runs.hyperparameters import Change, Hyperparameters
from digits.runs.schema import METRIC_NAMES, Orders, Run, RunState, TrainerStatus, to_change, to_run

_runs, _metrics, _changes, _trainers = schema.runs, schema.metrics, schema.changes, schema.trainers
_NO_COMMANDS = {"stop_requested": False, "pause_at": None, "save_requested": False}


class Registry:
    """The database of runs.

    Promises: any number of threads and processes may use one registry at the same time. Only one trainer can claim a
    run. The writes of one call become visible together or not at all. An ended run's progress and result never change.
    """

    def __init__(self, url: str) -> None:
        """Open the registry and create missing tables; raises `RegistryUnavailable`."""
        with schema.explained(url):
            self._engine = sql.create_engine(url)
            if self._engine.dialect.name == "sqlite":
                Path(self._engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
                sql.event.listen(self._engine, "connect", schema.prepare_sqlite)
            schema.create_tables(self._engine)

    def create(
        self, hyperparameters: Hyperparameters, owner: str, *, changes: Sequence[Change] = (), name: str = ""
    ) -> str:
        """Queue a run and return its id. The id cannot be guessed; anyone who has it may watch the run.

        Args:
            changes: planned changes of hyperparameters, such as another run's; each is made at its own step.
        """
        planned = [asdict(change) for change in changes if change.step is not None]
        return self._insert(hyperparameters, owner, {_changes: planned}, state=RunState.QUEUED, name=name)

    def add_imported(
        self,
        hyperparameters: Hyperparameters,
        owner: str,
        *,
        changes: Sequence[Change] = (),
        history: Sequence[dict[str, Any]] = (),
        **facts: Any,
    ) -> str:
        """Add a run that was trained elsewhere, as finished, and return its id; `facts` are columns such as `name`."""
        rows = {_changes: [asdict(change) for change in changes], _metrics: history}
        ended = {"state": RunState.FINISHED, "step": hyperparameters.iterations, "ended": time.time()}
        return self._insert(hyperparameters, owner, rows, **ended | facts)

    def _insert(self, hyperparameters: Hyperparameters, owner: str, rows: dict[sql.Table, Any], **facts: Any) -> str:
        run_id = secrets.token_urlsafe(9)
        values = {"id": run_id, "owner": owner, "hyperparameters": hyperparameters.to_dict(), "created": time.time()}
        with self._begin() as connection:
            connection.execute(_runs.insert().values(**values, **facts))
            for table in filter(rows.get, rows):
                connection.execute(table.insert(), [{"run_id": run_id, **row} for row in rows[table]])
        return run_id

    def get(self, run_id: str) -> Run:
        """Return a run, deleted or not; raises `RunNotFound`."""
        with self._begin() as connection:
            row = connection.execute(_runs.select().where(_runs.c.id == run_id)).mappings().one_or_none()
        if row is None:
            raise RunNotFound(
                f"A run's id should be in this registry; received {run_id[:60]!r}, which is not. "
                "Check the link, or start a run."
            )
        return to_run(row)

    def list_runs(self, owner: str, *, limit: int = 100, deleted: bool = False) -> list[Run]:
        """Return an owner's runs, or only the deleted ones, newest first."""
        is_wanted = _runs.c.deleted.is_not(None) if deleted else _runs.c.deleted.is_(None)
        query = _runs.select().where(_runs.c.owner == owner, is_wanted).order_by(_runs.c.created.desc()).limit(limit)
        with self._begin() as connection:
            return [to_run(row) for row in connection.execute(query).mappings()]

    def runs_ahead(self, run: Run) -> int:
        """Return how many runs are ahead of this queued one, including the one in training."""
        ahead = sql.or_(
            _runs.c.state == RunState.RUNNING, sql.and_(_runs.c.state == RunState.QUEUED, _runs.c.created < run.created)
        )
        with self._begin() as connection:
            return connection.execute(sql.select(sql.func.count()).select_from(_runs).where(ahead)).scalar_one()

    def count_waiting(self, owner: str | None = None) -> int:
        """Return how many runs are queued or running, for one owner or for all."""
        query = (
            sql.select(sql.func.count())
            .select_from(_runs)
            .where(_runs.c.state.in_((RunState.QUEUED, RunState.RUNNING)))
        )
        if owner is not None:
            query = query.where(_runs.c.owner == owner)
        with self._begin() as connection:
            return connection.execute(query).scalar_one()

    def count_by_state(self) -> dict[str, int]:
        """Return how many runs are in each state that any run is in."""
        query = sql.select(_runs.c.state, sql.func.count()).where(_runs.c.deleted.is_(None)).group_by(_runs.c.state)
        with self._begin() as connection:
            return {str(state): count for state, count in connection.execute(query)}

    def metrics(self, run_id: str, *, max_points: int = 200) -> list[dict[str, Any]]:
        """Return a run's progress by step, as dicts of `METRIC_NAMES`, thinned to about `max_points` rows.

        A run with more rows is thinned evenly. Rows with a validation and the last row are always kept.
        """
        mine = _metrics.c.run_id == run_id
        with self._begin() as connection:
            count, last = connection.execute(
                sql.select(sql.func.count(), sql.func.max(_metrics.c.step)).where(mine)
            ).one()
            stride = -(-count // max_points) if count else 1
            rank = sql.func.row_number().over(order_by=_metrics.c.step).label("rank")
            ranked = sql.select(_metrics, rank).where(mine).subquery()
            kept = sql.or_(ranked.c.rank % stride == 0, ranked.c.val_loss.is_not(None), ranked.c.step == last)
            query = sql.select(*(ranked.c[name] for name in METRIC_NAMES)).where(kept).order_by(ranked.c.step)
            return [dict(row) for row in connection.execute(query).mappings()]

    def progress_rows(self, run_id: str, *, every: int = 100) -> list[dict[str, Any]]:
        """Return the rows of every hundredth iteration (of every `every`-th), as the tutorials print them."""
        return self._rows(_metrics.c.run_id == run_id, _metrics.c.step % every == 0)

    def history(self, run_id: str, *, last: int | None = None) -> list[dict[str, Any]]:
        """Return all rows of a run's progress, or the `last` ones."""
        return self._rows(_metrics.c.run_id == run_id, last=last)

    def _rows(self, *conditions: Any, last: int | None = None) -> list[dict[str, Any]]:
        columns = [_metrics.c[name] for name in METRIC_NAMES]
        query = sql.select(*columns).where(*conditions).order_by(_metrics.c.step.desc()).limit(last)
        with self._begin() as connection:
            return [dict(row) for row in connection.execute(query).mappings()][::-1]

    def changes(self, run_id: str) -> list[Change]:
        """Return a run's changes of hyperparameters in the order in which they took effect; pending ones come last."""
        with self._begin() as connection:
            return self._read_changes(connection, run_id)

    def _read_changes(self, connection: sql.Connection, run_id: str) -> list[Change]:
        query = _changes.select().where(_changes.c.run_id == run_id)
        query = query.order_by(_changes.c.step.is_(None), _changes.c.step, _changes.c.id)
        return [to_change(row) for row in connection.execute(query).mappings()]

    # Commands. `runs.commands` checks that the visitor owns the run.

    def describe(self, run_id: str, **words: str) -> None:
        """Set a run's `name` or `note`."""
        with self._begin() as connection:
            connection.execute(_runs.update().where(_runs.c.id == run_id).values(**words))

    def set_deleted(self, run_ids: Sequence[str], deleted: float | None) -> None:
        """Set the time at which runs were deleted, in seconds since 1970, or None to restore them."""
        with self._begin() as connection:
            connection.execute(_runs.update().where(_runs.c.id.in_(run_ids)).values(deleted=deleted))

    def request_stop(self, run_id: str) -> None:
        """Ask a run to stop and save its model; a run that has not begun ends at once."""
        with self._begin() as connection:
            reason = "Removed from the queue before it began."
            changed = self._change(
                connection,
                run_id,
                (RunState.QUEUED, RunState.PAUSED),
                _runs.c.step == 0,
                state=RunState.STOPPED,
                ended=time.time(),
                reason=reason,
            )
            changed += self._change(connection, run_id, (RunState.QUEUED, RunState.RUNNING), stop_requested=True)
            changed += self._change(
                connection, run_id, (RunState.PAUSED,), state=RunState.QUEUED, stop_requested=True, pause_at=None
            )
        self._require(changed, run_id, "Only a queued, running or paused run can be stopped")

    def request_pause(self, run_id: str, *, at: int = 0) -> None:
        """Ask a run to pause after `at` iterations; a queued run pauses at once."""
        with self._begin() as connection:
            changed = self._change(connection, run_id, (RunState.RUNNING,), pause_at=at)
            changed += self._change(connection, run_id, (RunState.QUEUED,), state=RunState.PAUSED, pause_at=None)
        self._require(changed, run_id, "Only a queued or running run can be paused")

    def request_resume(self, run_id: str, *, pause_at: int | None = None) -> None:
        """Re-queue a paused run at its old place; it pauses again after `pause_at` iterations, if given."""
        with self._begin() as connection:
            changed = self._change(connection, run_id, (RunState.PAUSED,), state=RunState.QUEUED, pause_at=pause_at)
            changed += self._change(connection, run_id, (RunState.RUNNING,), pause_at=pause_at)
        self._require(changed, run_id, "Only a paused run can be resumed")

    def request_save(self, run_id: str) -> None:
        """Ask a running run to save a copy of its current weights."""
        with self._begin() as connection:
            changed = self._change(connection, run_id, (RunState.RUNNING,), save_requested=True)
        self._require(changed, run_id, "Only a running run can be saved")

    def request_change(self, run_id: str, name: str, value: float) -> None:
        """Ask for a change of a hyperparameter; it replaces a pending change of the same one."""
        with self._begin() as connection:
            changed = connection.execute(
                sql.select(sql.func.count()).where(
                    _runs.c.id == run_id, _runs.c.state.in_(state for state in RunState if not state.is_ended)
                )
            ).scalar_one()
            if changed:
                waiting = (_changes.c.run_id == run_id, _changes.c.name == name, _changes.c.step.is_(None))
                connection.execute(_changes.delete().where(*waiting))
                connection.execute(_changes.insert().values(run_id=run_id, name=name, value=value))
        self._require(changed, run_id, "Only a queued, running or paused run's hyperparameters can be changed")

    # The methods below are for the trainer.

    def claim(self) -> Run | None:
        """Claim the oldest queued run and return it, or None; no two callers get the same run."""
        oldest = sql.select(_runs.c.id).where(_runs.c.state == RunState.QUEUED).order_by(_runs.c.created).limit(1)
        started = sql.func.coalesce(_runs.c.started, time.time())
        take = (
            _runs.update()
            .where(_runs.c.id == oldest.scalar_subquery(), _runs.c.state == RunState.QUEUED)
            .values(state=RunState.RUNNING, started=started)
            .returning(*_runs.c)
        )
        with self._begin() as connection:
            if connection.execute(oldest).first() is None:  # a read takes no lock, so an idle trainer blocks no writer
                return None
            row = connection.execute(take).mappings().one_or_none()
        return to_run(row) if row else None

    def rewind(self, run_id: str, step: int) -> None:
        """Remove a running run's progress after `step`, where training continues."""
        with self._begin() as connection:
            connection.execute(_metrics.delete().where(_metrics.c.run_id == run_id, _metrics.c.step > step))
            self._change(connection, run_id, (RunState.RUNNING,), step=step, test_correct=None, test_total=None)

    def record(self, run_id: str, progress: Sequence[dict[str, Any]] = (), **facts: Any) -> Orders:
        """Add rows of `METRIC_NAMES`, set columns such as `best_step`, and return the owner's orders."""
        with self._begin() as connection:
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
        with self._begin() as connection:
            for change in taken:
                waiting = (_changes.c.run_id == run_id, _changes.c.name == change.name, _changes.c.step.is_(None))
                connection.execute(_changes.update().where(*waiting).values(step=step, old=change.old))

    def set_activity(self, run_id: str, activity: str, **facts: Any) -> None:
        """Set what a running run is doing, in a few words; `facts` are further columns, such as `data`."""
        with self._begin() as connection:
            self._change(connection, run_id, (RunState.RUNNING,), activity=activity, **facts)

    def finish(self, run_id: str, state: RunState, **facts: Any) -> None:
        """End a running run in state `state`; `facts` are further columns, such as `reason` or `test_total`."""
        with self._begin() as connection:
            facts = _NO_COMMANDS | {"ended": time.time(), "activity": ""} | facts
            self._change(connection, run_id, (RunState.RUNNING,), state=state, **facts)
            connection.execute(_changes.delete().where(_changes.c.run_id == run_id, _changes.c.step.is_(None)))

    def set_paused(self, run_id: str) -> None:
        """Mark a running run as paused."""
        with self._begin() as connection:
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
        with self._begin() as connection:
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
        with self._begin() as connection:
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
        with self._begin() as connection:
            return list(connection.execute(sql.select(_runs.c.id).where(_runs.c.deleted < before)).scalars())

    def purge(self, run_id: str) -> None:
        """Remove a deleted run permanently, with its history."""
        with self._begin() as connection:
            for table, column in ((_metrics, _metrics.c.run_id), (_changes, _changes.c.run_id), (_runs, _runs.c.id)):
                connection.execute(table.delete().where(column == run_id))

    def beat(self, pid: int, activity: str) -> None:
        """Record the trainer's heartbeat and what it is doing."""
        values = {"pid": pid, "activity": activity, "heartbeat": time.time()}
        with self._begin() as connection:
            if not connection.execute(_trainers.update().where(_trainers.c.id == 1).values(**values)).rowcount:
                connection.execute(_trainers.insert().values(id=1, **values))

    def trainer_status(self) -> TrainerStatus | None:
        """Return the trainer's last heartbeat, or None if there has been none."""
        with self._begin() as connection:
            row = connection.execute(_trainers.select()).mappings().one_or_none()
        return TrainerStatus(row["pid"], row["activity"], time.time() - row["heartbeat"]) if row else None

    def _change(
        self, connection: sql.Connection, run_id: str, states: Sequence[RunState], *conditions: Any, **values
    ) -> int:
        """Set columns of a run if it is in one of these states; return how many rows changed: 1, or 0 if it is not."""
        found = _runs.update().where(_runs.c.id == run_id, _runs.c.state.in_(states), *conditions)
        return connection.execute(found.values(**values)).rowcount

    def _require(self, changed: int, run_id: str, rule: str) -> None:
        if not changed:
            raise RunAlreadyFinished(f"{rule}; this one is {self.get(run_id).state}.")

    @contextlib.contextmanager
    def _begin(self) -> Iterator[sql.Connection]:
        with schema.explained(str(self._engine.url)), self._engine.begin() as connection:
            yield connection


@functools.lru_cache(maxsize=8)
def open_registry(url: str) -> Registry:
    """Return this process's registry at `url`."""
    return Registry(url)
