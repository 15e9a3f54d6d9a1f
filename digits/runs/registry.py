"""The run registry: every training run with its progress and result, shared by the pages and the trainer."""

import functools
import re
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sql

from digits.errors import RunAlreadyFinished, RunNotFound
from digits.runs import entries, names, queue, schema, sweeps, usage
from digits.runs.changes import Change
from digits.runs.database import now
from digits.runs.entries import Admit
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.own_sets import SetRegistry
from digits.runs.schema import METRIC_NAMES, Run, RunState, TrainerStatus, to_run
from digits.runs.space import SpaceRegistry
from digits.runs.sweep_record import CONFIRMATION
from digits.runs.sweeps import SweepRegistry
from digits.runs.usage import Usage
from digits.runs.work import WorkRegistry

_runs, _metrics, _changes, _workers = schema.runs, schema.metrics, schema.changes, schema.workers
_ID = re.compile(r"[\w-]{1,32}", re.ASCII)  # links may hold anything, and not every database takes every character


class Registry(WorkRegistry, SpaceRegistry, SetRegistry, SweepRegistry):
    """The registry of runs: what visitors and pages ask of it, beside the parts of trainers, files, sets and sweeps."""

    def create(
        self,
        hyperparameters: Hyperparameters,
        owner: str,
        *,
        changes: Sequence[Change] = (),
        name: str = "",
        history: Sequence[dict[str, Any]] = (),
        admit: Admit | None = None,
        **facts: Any,
    ) -> str:
        """Queue a run and return its id. The id cannot be guessed; anyone who has it may watch the run.

        If the owner has a run with the `id` of `facts` already, nothing is changed, because this was asked for before.

        Args:
            changes: planned changes of hyperparameters, such as another run's; each is made at its own step.
            name: the owner's name for it; one that another of the owner's runs has gets a number. If empty, the run is
                named after its network and numbered.
            history: the progress of the run whose checkpoint this one goes on from, as rows of `METRIC_NAMES`.
            admit: called with what the owner and all visitors use; an error that it raises keeps the run out.
            facts: further columns, such as `id` from `unanswered.new_id`, or `step`.
        """
        rows = {_changes: [asdict(change) for change in changes if change.step is not None], _metrics: history}
        with self._writing() as connection:
            if known := entries.known(connection, owner, facts):
                return known
            entries.admit_entry(connection, admit, owner)
            network = hyperparameters.network
            taken = entries.names_of(connection, owner, name or names.NETWORKS[network])
            own = {
                "state": RunState.QUEUED,
                "name": names.free(name, taken) if name else names.numbered(network, taken),
            }
            return entries.insert(connection, hyperparameters, owner, rows, own | facts)

    def add_imported(
        self,
        hyperparameters: Hyperparameters,
        owner: str,
        *,
        changes: Sequence[Change] = (),
        history: Sequence[dict[str, Any]] = (),
        admit: Admit | None = None,
        **facts: Any,
    ) -> str:
        """Add a run that was trained elsewhere, as finished, and return its id; as `create`, if it is there already.

        Args:
            admit: as in `create`.
            facts: columns such as `name`, which gets a number if another of the owner's runs has it, or `id` from
                `unanswered.new_id`.
        """
        rows = {_changes: [asdict(change) for change in changes], _metrics: history}
        ended = {"state": RunState.FINISHED, "step": hyperparameters.iterations, "ended": time.time()}
        with self._writing() as connection:
            if known := entries.known(connection, owner, facts):
                return known
            entries.admit_entry(connection, admit, owner)
            if name := facts.get("name"):
                facts["name"] = names.free(name, entries.names_of(connection, owner, name))
            return entries.insert(connection, hyperparameters, owner, rows, ended | facts)

    def get(self, run_id: str) -> Run:
        """Return a run, deleted or not; raises `RunNotFound`."""
        row = None
        if _ID.fullmatch(run_id):
            with self._reading() as connection:
                row = connection.execute(_runs.select().where(_runs.c.id == run_id)).mappings().one_or_none()
        if row is None:
            raise RunNotFound(
                f"A run's id should be in this registry; received {run_id[:60]!r}, which is not. "
                "Check the link, or start a run."
            )
        return to_run(row)

    def list_runs(self, owner: str, *, limit: int = 100, deleted: bool = False, with_trials: bool = True) -> list[Run]:
        """Return an owner's runs, or only the deleted ones, newest first; `with_trials`, those of sweeps too."""
        is_wanted: Any = _runs.c.deleted.is_not(None) if deleted else _runs.c.deleted.is_(None)
        if not with_trials:
            is_wanted = sql.and_(is_wanted, sql.or_(_runs.c.trial.is_(None), _runs.c.trial == CONFIRMATION))
        query = _runs.select().where(_runs.c.owner == owner, is_wanted).order_by(_runs.c.created.desc()).limit(limit)
        with self._reading() as connection:
            return [to_run(row) for row in connection.execute(query).mappings()]

    def count_waiting(self, owner: str | None = None) -> int:
        """Return how many runs are queued or running, for one owner or for all."""
        with self._reading() as connection:
            return _count_waiting(connection, owner)

    def places_taken(self, ids: Iterable[str]) -> dict[str, int]:
        """Return how many places in the queue each of these runs and sweeps takes; those that take none are left out.

        A running sweep takes one for each of its trials that waits or trains, and between two trials one.
        """
        wanted, is_waiting = list(ids), _runs.c.state.in_((RunState.QUEUED, RunState.RUNNING))
        with self._reading() as connection:
            of_runs = connection.execute(sql.select(_runs.c.id).where(_runs.c.id.in_(wanted), is_waiting)).scalars()
            return dict.fromkeys(of_runs, 1) | sweeps.places_taken(connection, wanted)

    def count_by_state(self) -> dict[str, int]:
        """Return how many runs are in each state that any run is in."""
        query = sql.select(_runs.c.state, sql.func.count()).where(_runs.c.deleted.is_(None)).group_by(_runs.c.state)
        with self._reading() as connection:
            return {str(state): count for state, count in connection.execute(query)}

    def metrics(self, run_id: str, *, max_points: int = 200) -> list[dict[str, Any]]:
        """Return a run's progress by step, as dicts of `METRIC_NAMES`, thinned to about `max_points` rows.

        A run with more rows is thinned evenly. Rows with a validation and the last row are always kept.
        """
        mine = _metrics.c.run_id == run_id
        with self._reading() as connection:
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
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()][::-1]

    def paces(self, *, latest: int = 40) -> dict[str, float]:
        """Return the seconds that a network's newest runs here took for each image they learned from, by network.

        Runs with a parent do not count: they train a smaller network, and validate it more often.

        Args:
            latest: how many runs are considered, the newest of all visitors. One without iterations does not count.
        """
        has_trained = (_runs.c.step > 0, _runs.c.seconds > 0, _runs.c.started.is_not(None), _runs.c.parent == "")
        query = _runs.select().where(*has_trained).order_by(_runs.c.created.desc()).limit(latest)
        found: dict[str, list[float]] = {}
        with self._reading() as connection:
            for run in (to_run(row) for row in connection.execute(query).mappings()):
                images = run.step * run.hyperparameters.batch_size
                found.setdefault(run.hyperparameters.network, []).append(run.seconds / images)
        return {network: statistics.median(paces[:5]) for network, paces in found.items()}

    def runs_before(self, run: Run) -> list[Run]:
        """Return the runs that are in training, or will be before this queued one."""
        with self._reading() as connection:
            return [to_run(row) for row in queue.ahead(connection, run)]

    def runs_ahead(self, run: Run) -> int:
        """Return how many runs are in training, or will be before this queued one."""
        return len(self.runs_before(run))

    def usage(self, owner: str) -> Usage:
        """Return what a visitor, and what everybody uses."""
        with self._reading() as connection:
            return usage.measure(connection, owner)

    # Commands. `runs.commands` checks that the visitor owns the run, and what `admit` checks.

    def describe(self, run_id: str, **facts: Any) -> None:
        """Set a run's `name` or `note`, when somebody else opened it (`shared`), or an imported model's accuracy."""
        with self._writing() as connection:
            connection.execute(_runs.update().where(_runs.c.id == run_id).values(**facts))

    def set_deleted(self, run_ids: Sequence[str], deleted: float | None) -> None:
        """Set the time at which runs were deleted, in seconds since 1970, or None to restore them."""
        with self._writing() as connection:
            connection.execute(_runs.update().where(_runs.c.id.in_(run_ids)).values(deleted=deleted))

    def request_stop(self, run_id: str, *, pruned: int | None = None) -> None:
        """Ask a run to stop and save its model; a run that has not begun ends at once.

        Args:
            pruned: the iteration after which its sweep prunes it; None if somebody wants it to stop.
        """
        with self._writing() as connection:
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
            asked = {"stop_requested": True} | ({} if pruned is None else {"pruned": pruned})
            changed += self._change(connection, run_id, (RunState.QUEUED, RunState.RUNNING), **asked)
            changed += self._change(
                connection, run_id, (RunState.PAUSED,), state=RunState.QUEUED, stop_requested=True, pause_at=None
            )
        self._require(changed, run_id, "Only a queued, running or paused run can be stopped")

    def request_pause(self, run_id: str, *, at: int = 0, admit: Admit | None = None) -> None:
        """Ask a run to pause after `at` iterations; a queued run pauses at once."""
        with self._writing() as connection:
            entries.admit_change(connection, admit, run_id)
            changed = self._change(connection, run_id, (RunState.RUNNING,), pause_at=at)
            changed += self._change(connection, run_id, (RunState.QUEUED,), state=RunState.PAUSED, pause_at=None)
        self._require(changed, run_id, "Only a queued or running run can be paused")

    def request_resume(self, run_id: str, *, pause_at: int | None = None, admit: Admit | None = None) -> None:
        """Re-queue a paused run at its old place; it pauses again after `pause_at` iterations, if given."""
        with self._writing() as connection:
            entries.admit_change(connection, admit, run_id)
            changed = self._change(connection, run_id, (RunState.PAUSED,), state=RunState.QUEUED, pause_at=pause_at)
            changed += self._change(connection, run_id, (RunState.RUNNING,), pause_at=pause_at)
        self._require(changed, run_id, "Only a paused run can be resumed")

    def request_save(self, run_id: str, *, admit: Admit | None = None) -> None:
        """Ask a running run to save a copy of its current weights; asking again before it is saved changes nothing."""
        with self._writing() as connection:
            is_running = _runs.c.state == RunState.RUNNING
            asked = sql.select(_runs.c.id).where(_runs.c.id == run_id, is_running, _runs.c.save_requested)
            if connection.execute(asked).first():
                return
            entries.admit_change(connection, admit, run_id)
            copies = _runs.c.copies + 1
            changed = self._change(connection, run_id, (RunState.RUNNING,), save_requested=True, copies=copies)
        self._require(changed, run_id, "Only a running run can be saved")

    def request_change(self, run_id: str, name: str, value: float) -> None:
        """Ask for a change of a hyperparameter; it replaces a pending change of the same one."""
        with self._writing() as connection:
            is_open = _runs.c.state.in_([state for state in RunState if not state.is_ended])
            found = sql.select(_runs.c.id).where(_runs.c.id == run_id, is_open).with_for_update()  # it cannot end now
            changed = len(connection.execute(found).all())
            if changed:
                waiting = (_changes.c.run_id == run_id, _changes.c.name == name, _changes.c.step.is_(None))
                connection.execute(_changes.delete().where(*waiting))
                connection.execute(_changes.insert().values(run_id=run_id, name=name, value=value))
        self._require(changed, run_id, "Only a queued, running or paused run's hyperparameters can be changed")

    def trainer_status(self) -> TrainerStatus | None:
        """Return the last heartbeat of any trainer, or None if there is no trainer."""
        age = sql.func.abs(now() - _workers.c.heartbeat)  # a trainer that is starting will have its first one
        query = sql.select(_workers.c.pid, _workers.c.activity, age).order_by(age).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return TrainerStatus(*row) if row else None

    def _change(
        self, connection: sql.Connection, run_id: str, states: Sequence[RunState], *conditions: Any, **values: Any
    ) -> int:
        """Set columns of a run if it is in one of these states; return how many rows changed: 1, or 0 if it is not."""
        found = _runs.update().where(_runs.c.id == run_id, _runs.c.state.in_(states), *conditions)
        return connection.execute(found.values(**values)).rowcount

    def _require(self, changed: int, run_id: str, rule: str) -> None:
        if not changed:
            raise RunAlreadyFinished(f"{rule}; this one is {self.get(run_id).state}.")


def _count_waiting(connection: sql.Connection, owner: str | None = None) -> int:
    query = sql.select(sql.func.count()).where(_runs.c.state.in_((RunState.QUEUED, RunState.RUNNING)))
    return connection.execute(query if owner is None else query.where(_runs.c.owner == owner)).scalar_one()


@functools.lru_cache(maxsize=8)
def open_registry(url: str) -> Registry:
    """Return this process's registry at `url`."""
    return Registry(url)
