"""The sweeps in the registry: searches for better settings, whose trials are ordinary runs.

What is searched and how is the plan of `digits.sweeps.plan`; here it is data.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from digits.errors import SweepEnded, SweepNotFound
from digits.runs import entries, names, schema
from digits.runs.database import ADMISSION_LOCK, Database, lock, now
from digits.runs.entries import Admit
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import Run, RunState, to_run
from digits.runs.sweep_record import CONFIRMATION, Sweep, SweepState
from digits.runs.unanswered import new_id

LEASE_SECONDS = 5.0  # a sweep whose driver has been silent for longer is driven by another trainer

_sweeps, _runs, _metrics = schema.sweeps, schema.runs, schema.metrics
_IS_OPEN = _sweeps.c.state.in_((SweepState.RUNNING, SweepState.PAUSED))


@dataclass(frozen=True)
class SweepUsage:
    """How many sweeps a visitor keeps, and how many of them run or are paused."""

    kept: int
    open: int


class SweepRegistry(Database):
    """The part of the registry that knows the sweeps.

    Promises: a trial's run and its number in the sweep are written in one transaction, so no trial is begun twice,
    whoever drives the sweep and whenever that process is killed. A sweep that is not running begins none.
    """

    def create_sweep(
        self, owner: str, plan: dict[str, Any], *, admit: Callable[[SweepUsage], None], sweep_id: str = ""
    ) -> str:
        """Write a running sweep and return its id; an error that `admit` raises keeps it out.

        If the owner has a sweep `sweep_id` already, nothing is changed, because this was asked for before.
        """
        with self._writing() as connection:
            lock(connection, ADMISSION_LOCK)
            mine = _sweeps.c.owner == owner
            if connection.execute(sql.select(_sweeps.c.id).where(mine, _sweeps.c.id == sweep_id)).first():
                return sweep_id
            admit(_usage(connection, owner))
            taken = connection.execute(sql.select(_sweeps.c.name).where(mine)).scalars()
            values = {
                "id": sweep_id or new_id(),
                "owner": owner,
                "name": names.of_sweep(taken),
                "state": SweepState.RUNNING,
                "plan": plan,
                "created": time.time(),
                "summary": {},
            }
            connection.execute(_sweeps.insert().values(**values))
            return str(values["id"])

    def get_sweep(self, sweep_id: str) -> Sweep:
        """Return a sweep, deleted or not; raises `SweepNotFound`."""
        with self._reading() as connection:
            found = connection.execute(_sweeps.select().where(_sweeps.c.id == sweep_id.replace("\0", "")))
            row = found.mappings().one_or_none()
        if row is None:
            raise SweepNotFound(
                f"A sweep's id should be in this registry; received {sweep_id[:60]!r}, which is not. "
                "Check the link, or start a sweep."
            )
        return Sweep(**row)

    def list_sweeps(self, owner: str, *, limit: int = 100) -> list[Sweep]:
        """Return an owner's sweeps that are not deleted, newest first."""
        mine = (_sweeps.c.owner == owner, _sweeps.c.deleted.is_(None))
        query = _sweeps.select().where(*mine).order_by(_sweeps.c.created.desc()).limit(limit)
        with self._reading() as connection:
            return [Sweep(**row) for row in connection.execute(query).mappings()]

    def list_trials(self, sweep_id: str) -> list[Run]:
        """Return a sweep's trials by number, deleted or not; those that were removed for good are missing."""
        is_trial = (_runs.c.sweep == sweep_id, _runs.c.trial != CONFIRMATION)
        with self._reading() as connection:
            found = connection.execute(_runs.select().where(*is_trial).order_by(_runs.c.trial))
            return [to_run(row) for row in found.mappings()]

    def validation_curves(self, sweep_id: str) -> dict[str, list[tuple[int, float]]]:
        """Return the iteration and the accuracy of each validation of each trial, by the run's id."""
        is_validation = (_runs.c.sweep == sweep_id, _metrics.c.val_accuracy.is_not(None))
        query = sql.select(_metrics.c.run_id, _metrics.c.step, _metrics.c.val_accuracy)
        query = query.join(_runs, _runs.c.id == _metrics.c.run_id).where(*is_validation).order_by(_metrics.c.step)
        curves = defaultdict[str, list[tuple[int, float]]](list)
        with self._reading() as connection:
            for run_id, step, accuracy in connection.execute(query):
                curves[run_id].append((step, accuracy))
        return dict(curves)

    # Commands. `digits.sweeps.commands` checks that the visitor owns the sweep.

    def set_sweep_state(
        self, sweep_id: str, state: SweepState, *, before: tuple[SweepState, ...], rule: str, note: str = ""
    ) -> None:
        """Set a sweep's state and note if it is in a state of `before`; else raise `SweepEnded` with the rule."""
        ended = {"ended": time.time()} if state.is_ended else {}
        is_right = (_sweeps.c.id == sweep_id, _sweeps.c.state.in_(before))
        with self._writing() as connection:
            set_ = _sweeps.update().where(*is_right).values(state=state, note=note, driven=None, **ended)
            changed = connection.execute(set_).rowcount
        if not changed:
            raise SweepEnded(f"{rule}; this one is {self.get_sweep(sweep_id).state}.")

    def rename_sweep(self, sweep_id: str, name: str) -> None:
        """Name a sweep, or number it if `name` is empty; of its runs, those that are named after it follow."""
        with self._writing() as connection:
            found = connection.execute(sql.select(_sweeps.c.owner, _sweeps.c.name).where(_sweeps.c.id == sweep_id))
            owner, before = found.one()
            others = sql.select(_sweeps.c.name).where(_sweeps.c.owner == owner, _sweeps.c.id != sweep_id)
            name = name or names.of_sweep(connection.execute(others).scalars())
            connection.execute(_sweeps.update().where(_sweeps.c.id == sweep_id).values(name=name))
            follows = (_runs.c.sweep == sweep_id, _runs.c.name.startswith(f"{before}, ", autoescape=True))
            followed = sql.literal(name) + sql.func.substr(_runs.c.name, len(before) + 1)
            connection.execute(_runs.update().where(*follows).values(name=followed))

    def set_sweep_deleted(
        self, sweep_id: str, deleted: float | None, *, admit: Callable[[SweepUsage], None] = lambda usage: None
    ) -> None:
        """Delete a sweep with its runs at a time, in seconds since 1970, or restore what was deleted with it.

        Args:
            admit: called with what its owner has, if it is restored; an error that it raises keeps it deleted.
        """
        with self._writing() as connection:
            lock(connection, ADMISSION_LOCK)
            found = connection.execute(sql.select(_sweeps.c.owner, _sweeps.c.deleted).where(_sweeps.c.id == sweep_id))
            owner, was = found.one()
            if deleted is None and was is not None:
                admit(_usage(connection, owner))
            together = (_runs.c.sweep == sweep_id, _runs.c.deleted.is_(None) if was is None else _runs.c.deleted == was)
            connection.execute(_runs.update().where(*together).values(deleted=deleted))
            connection.execute(_sweeps.update().where(_sweeps.c.id == sweep_id).values(deleted=deleted))

    def purge_sweeps(self, before: float) -> None:
        """Remove for good the sweeps that were deleted before a time; their runs are removed as any others."""
        with self._writing() as connection:
            connection.execute(_sweeps.delete().where(_sweeps.c.deleted < before))

    # The trainers' side.

    def lease_sweeps(self, driver: str) -> list[Sweep]:
        """Lease the running sweeps that nobody else drives, add the time since to theirs, and return them."""
        # One that was driven in the future is silent, too: the clock has been set back.
        is_driven = _sweeps.c.driven.between(now() - LEASE_SECONDS, now() + LEASE_SECONDS)
        is_silent = sql.or_(_sweeps.c.driven.is_(None), sql.not_(is_driven))
        is_mine = sql.and_(_sweeps.c.state == SweepState.RUNNING, sql.or_(_sweeps.c.driver == driver, is_silent))
        with self._reading() as connection:  # a read takes no lock, so an idle trainer blocks no writer
            if connection.execute(sql.select(_sweeps.c.id).where(is_mine).limit(1)).first() is None:
                return []
        passed = sql.case((is_silent, 0.0), else_=now() - _sweeps.c.driven)
        leased = {"driver": driver, "seconds": _sweeps.c.seconds + passed, "driven": now()}
        with self._writing() as connection:
            found = connection.execute(_sweeps.update().where(is_mine).values(**leased).returning(*_sweeps.c))
            return [Sweep(**row) for row in found.mappings()]

    def begin_trial(self, sweep: Sweep, hyperparameters: Hyperparameters, *, admit: Admit | None = None) -> str:
        """Queue the sweep's next trial and return its id; "" if it is not running or another trial was begun.

        Args:
            sweep: as it was when these settings were chosen.
            hyperparameters: the trial's.
            admit: as in `Registry.create`.
        """
        is_next = (_sweeps.c.begun == sweep.begun,)
        return self._begin(sweep, sweep.begun + 1, hyperparameters, admit, is_next, {"begun": sweep.begun + 1})

    def begin_confirmation(self, sweep: Sweep, hyperparameters: Hyperparameters, *, admit: Admit | None = None) -> str:
        """Queue the run that trains the best settings once more, and return its id; "" if there is one already."""
        return self._begin(sweep, CONFIRMATION, hyperparameters, admit, (_sweeps.c.confirmation == "",), {})

    def _begin(
        self,
        sweep: Sweep,
        number: int,
        hyperparameters: Hyperparameters,
        admit: Admit | None,
        conditions: tuple[Any, ...],
        values: dict[str, Any],
    ) -> str:
        run_id = new_id()
        if number == CONFIRMATION:
            values = {"confirmation": run_id}
        is_right = (_sweeps.c.id == sweep.id, _sweeps.c.state == SweepState.RUNNING, *conditions)
        with self._writing() as connection:
            entries.admit_entry(connection, admit, sweep.owner)
            if not connection.execute(_sweeps.update().where(*is_right).values(note="", **values)).rowcount:
                return ""
            name = names.of_trial(sweep.name, number)
            facts = {"id": run_id, "state": RunState.QUEUED, "name": name, "sweep": sweep.id, "trial": number}
            return entries.insert(connection, hyperparameters, sweep.owner, {}, facts)

    def describe_sweep(self, sweep_id: str, **words: Any) -> None:
        """Set a sweep's `note` or `summary`."""
        with self._writing() as connection:
            connection.execute(_sweeps.update().where(_sweeps.c.id == sweep_id).values(**words))


def _usage(connection: sql.Connection, owner: str) -> SweepUsage:
    kept = sql.select(_IS_OPEN).where(_sweeps.c.owner == owner, _sweeps.c.deleted.is_(None))
    are_open = list(connection.execute(kept).scalars())
    return SweepUsage(len(are_open), sum(map(bool, are_open)))


def places_taken(connection: sql.Connection, sweep_ids: Sequence[str]) -> dict[str, int]:
    """Return how many trials of each of these sweeps wait or train, or 1 between two; only running ones are named."""
    is_waiting = _runs.c.state.in_((RunState.QUEUED, RunState.RUNNING))
    trials = _sweeps.outerjoin(_runs, sql.and_(_runs.c.sweep == _sweeps.c.id, is_waiting))
    query = sql.select(_sweeps.c.id, sql.func.count(_runs.c.id)).select_from(trials).group_by(_sweeps.c.id)
    found = connection.execute(query.where(_sweeps.c.id.in_(sweep_ids), _sweeps.c.state == SweepState.RUNNING))
    return {sweep_id: max(1, count) for sweep_id, count in found}
