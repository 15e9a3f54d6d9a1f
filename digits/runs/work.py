"""Work: the trainers' side of the registry. Trainers lease runs, and record their progress and results."""

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sql

from digits.errors import LeaseLost
from digits.runs import queue, schema
from digits.runs.changes import Change
from digits.runs.database import WORKERS_LOCK, Database, lock, now
from digits.runs.schema import Orders, Run, RunState, to_change, to_run
from digits.runs.unanswered import Unanswered
from digits.settings import HEARTBEAT_TIMEOUT_SECONDS, TRAINER_TIMEOUT_SECONDS

LEASE_SECONDS = 20.0  # a run whose trainer has been silent for longer goes to another one
_STALLED_SECONDS = 600.0  # a trainer that has written nothing for its run for longer no longer renews the lease
_MAX_ATTEMPTS = 3  # a run fails when so many trainers have died while training it

_runs, _metrics, _changes, _workers = schema.runs, schema.metrics, schema.changes, schema.workers
_ORDERS = ("stop_requested", "pause_at", "save_requested", "copies", "pruned")
_NO_COMMANDS = {"stop_requested": False, "pause_at": None, "save_requested": False}
_IS_LEASED = sql.and_(
    _runs.c.lease_until > now(), _runs.c.lease_until <= now() + 2 * LEASE_SECONDS
)  # or a clock was set back
_IS_ABANDONED = sql.and_(
    _runs.c.state == RunState.RUNNING, sql.or_(_runs.c.lease_until.is_(None), sql.not_(_IS_LEASED))
)
_IS_ALIVE = _workers.c.heartbeat.between(now() - HEARTBEAT_TIMEOUT_SECONDS, now() + 2 * TRAINER_TIMEOUT_SECONDS)


def new_worker() -> str:
    """Return a name for a trainer that no other one has."""
    return f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"


class WorkRegistry(Database):
    """What a trainer asks of the registry.

    Promises: a run is leased to one trainer at a time, and only that one can write it. The lease ends when its trainer
    puts the run back or finishes it, or has been silent for `LEASE_SECONDS` by the database's clock. A trainer that has
    lost its lease gets `LeaseLost` at its next write. An ended run's progress and result never change. A write whose
    answer was lost, so that the database may have carried it out, can be made again: it takes effect once.

    Attributes:
        worker: the name of the trainer that uses this registry.
        unanswered: the writes of this process whose answer was lost.
    """

    def __init__(self, url: str, *, worker: str | None = None) -> None:
        """Open the registry at `url` for a trainer, or for a process that trains nothing; see `Database`."""
        super().__init__(url)
        self.worker = worker or new_worker()
        self._last_write = time.monotonic()
        self._claiming = threading.Lock()
        self.unanswered = Unanswered()

    def claim(self, *, attempts: int = _MAX_ATTEMPTS) -> Run | None:
        """Lease the next run in the queue and return it, or None; abandoned runs are put back into the queue first.

        Args:
            attempts: an abandoned run fails if this many trainers have died while training it since its last
                checkpoint.
        """
        with self._claiming, self.unanswered.once("claim") as attempt:
            return self._claim(attempts, is_repeat=attempt.is_repeat)

    def _claim(self, attempts: int, *, is_repeat: bool) -> Run | None:
        mine = sql.and_(_runs.c.state == RunState.RUNNING, _runs.c.worker == self.worker, sql.literal(is_repeat))
        is_wanted = sql.or_(_runs.c.state == RunState.QUEUED, _IS_ABANDONED, mine)
        with self._reading() as connection:  # a read takes no lock, so an idle trainer blocks no writer
            if connection.execute(sql.select(_runs.c.id).where(is_wanted).limit(1)).first() is None:
                return None
        waiting = queue.queue()
        free = (
            sql.select(_runs.c.id)
            .join(waiting, waiting.c.id == _runs.c.id)
            .where(_runs.c.state == RunState.QUEUED)
            .order_by(*queue.order(waiting))
            .limit(1)
            .with_for_update(of=_runs, skip_locked=True)
        )
        lease = {"worker": self.worker, "lease_until": now() + LEASE_SECONDS, "claims": _runs.c.claims + 1}
        started = sql.func.coalesce(_runs.c.started, time.time())
        with self._writing() as connection:
            if is_repeat:
                connection.execute(_runs.update().where(mine).values(state=RunState.QUEUED))
            _put_back_abandoned(connection, attempts)
            take = _runs.update().where(_runs.c.id == free.scalar_subquery(), _runs.c.state == RunState.QUEUED)
            taken = take.values(state=RunState.RUNNING, started=started, **lease).returning(*_runs.c)
            row = connection.execute(taken).mappings().one_or_none()
        self._last_write = time.monotonic()
        return to_run(row) if row else None

    # The methods below write a run that this trainer has leased, and renew the lease; else they raise `LeaseLost`.

    def rewind(self, run_id: str, step: int) -> None:
        """Remove a run's progress after `step`, where training continues."""
        with self._writing() as connection:
            self._hold(connection, run_id, step=step, test_correct=None, test_total=None)
            connection.execute(_metrics.delete().where(_metrics.c.run_id == run_id, _metrics.c.step > step))

    def record(self, run_id: str, progress: Sequence[dict[str, Any]] = (), **facts: Any) -> Orders:
        """Add rows of `METRIC_NAMES`, set columns such as `best_step`, and return the owner's orders."""
        rows = [{"run_id": run_id, **row} for row in progress]
        if rows:
            facts = {"step": rows[-1]["step"]} | facts
        steps = [row["step"] for row in rows]
        with self.unanswered.once("record", run_id, *steps) as attempt, self._writing() as connection:
            self._hold(connection, run_id, **({"activity": ""} | facts if facts else {}))
            if rows and attempt.is_repeat:
                written = _metrics.select().where(_metrics.c.run_id == run_id, _metrics.c.step.in_(steps))
                known = [dict(row) for row in connection.execute(written).mappings()]
                rows = [row for row in rows if row not in known]
            if rows:
                connection.execute(_metrics.insert(), rows)
            asked = sql.select(*(_runs.c[name] for name in _ORDERS)).where(_runs.c.id == run_id)
            orders = connection.execute(asked).mappings().one()
            return Orders(**orders, changes=tuple(self._read_changes(connection, run_id)))

    def take_changes(self, run_id: str, step: int, taken: Sequence[Change]) -> None:
        """Record the step at which pending changes took effect, and the values before."""
        with self._writing() as connection:
            self._hold(connection, run_id)
            for change in taken:
                same = (_changes.c.run_id == run_id, _changes.c.name == change.name, _changes.c.value == change.value)
                if connection.execute(sql.select(_changes.c.id).where(*same, _changes.c.step == step)).first():
                    continue  # recorded by a write whose answer was lost
                facts = {"step": step, "old": change.old}
                pending = _changes.update().where(*same, _changes.c.step.is_(None)).values(**facts)
                if not connection.execute(pending).rowcount:  # the owner has asked for another value meanwhile
                    same_run = {"run_id": run_id, "name": change.name, "value": change.value}
                    connection.execute(_changes.insert().values(**same_run, **facts))

    def set_activity(self, run_id: str, activity: str, **facts: Any) -> None:
        """Set what is done for a run, in a few words; `facts` are further columns, such as `data`."""
        with self._writing() as connection:
            self._hold(connection, run_id, activity=activity, **facts)

    def set_saved(self, run_id: str, copies: int) -> None:
        """Note that the copy which was asked for is saved, unless the owner has asked for another one meanwhile.

        Args:
            copies: how many copies had been asked for, as in the orders that were obeyed.
        """
        is_asked = sql.and_(_runs.c.save_requested, _runs.c.copies != copies)
        with self._writing() as connection:
            self._hold(connection, run_id, activity="", save_requested=is_asked)

    def finish(self, run_id: str, state: RunState, **facts: Any) -> None:
        """End a run in state `state`; `facts` are further columns, such as `reason` or `test_total`."""
        ended = _NO_COMMANDS | {"ended": time.time()}
        with self._leaving(run_id, state, **ended | facts) as connection:
            connection.execute(_changes.delete().where(_changes.c.run_id == run_id, _changes.c.step.is_(None)))

    def set_paused(self, run_id: str) -> None:
        """Pause a run, so that this trainer is free for others."""
        with self._leaving(run_id, RunState.PAUSED, pause_at=None, save_requested=False):
            pass

    def requeue(self, run_id: str) -> None:
        """Put a run back into the queue; it continues from its checkpoint, or restarts if it has none."""
        with self._leaving(run_id, RunState.QUEUED):
            pass

    @contextlib.contextmanager
    def _leaving(self, run_id: str, state: RunState, **values: Any) -> Iterator[sql.Connection]:
        """Give a run back in another state."""
        left = (
            _runs.c.id == run_id,
            _runs.c.state == state,
            _runs.c.worker == self.worker,
            _runs.c.lease_until <= now(),
        )
        with self.unanswered.once("leave", run_id, state) as attempt, self._writing() as connection:
            if not (attempt.is_repeat and connection.execute(sql.select(_runs.c.id).where(*left)).first()):
                self._hold(connection, run_id, state=state, **{"activity": "", "lease_until": now()} | values)
            yield connection

    def _hold(self, connection: sql.Connection, run_id: str, **values: Any) -> None:
        """Set columns of a run and renew its lease; raise `LeaseLost` if this trainer has no lease of it."""
        mine = (_runs.c.id == run_id, _runs.c.state == RunState.RUNNING, _runs.c.worker == self.worker)
        values = {"lease_until": now() + LEASE_SECONDS} | values
        if not connection.execute(_runs.update().where(*mine).values(**values)).rowcount:
            raise LeaseLost("This trainer should hold the run's lease; the run has ended, or another trainer has it.")
        self._last_write = time.monotonic()

    def is_awaited(self, run: Run) -> bool:
        """Return whether another visitor's run would be next if this running one were put back into the queue."""
        with self._reading() as connection:
            return queue.is_awaited(connection, run)

    # Trainers.

    def enlist(self, worker: str, *, unless_served: bool, grace_seconds: float) -> bool:
        """Announce a trainer that is about to start.

        Args:
            unless_served: do so only if no trainer lives, wherever it runs.
            grace_seconds: how long it may take until its first heartbeat.

        Returns:
            Whether it may start.
        """
        others = _workers.c.id != worker  # whose announcement may have been carried out although its answer was lost
        living = sql.select(_workers.c.id).where(_IS_ALIVE, others, sql.literal(unless_served)).limit(1)
        with self._reading() as connection:  # a read blocks no writer
            if connection.execute(living).first():
                return False
        with self._writing() as connection:
            lock(connection, WORKERS_LOCK)
            if connection.execute(living).first():
                return False
            connection.execute(_workers.delete().where(sql.not_(sql.and_(_IS_ALIVE, others))))
            row = {"id": worker, "pid": 0, "activity": "starting", "heartbeat": now() + grace_seconds}
            connection.execute(_workers.insert().values(**row))
        return True

    def beat(self, pid: int, activity: str) -> None:
        """Record this trainer's heartbeat and what it is doing, and renew the lease of its run unless it hangs."""
        values = {"pid": pid, "activity": activity, "heartbeat": now()}
        with self._writing() as connection:
            if not connection.execute(_workers.update().where(_workers.c.id == self.worker).values(**values)).rowcount:
                connection.execute(_workers.insert().values(id=self.worker, **values))
            if time.monotonic() - self._last_write < _STALLED_SECONDS:
                mine = (_runs.c.state == RunState.RUNNING, _runs.c.worker == self.worker)
                connection.execute(_runs.update().where(*mine).values(lease_until=now() + LEASE_SECONDS))

    def release(self, worker: str) -> None:
        """Forget a trainer whose process has ended; its run, if it left one, goes to another trainer at once."""
        with self._writing() as connection:
            left = (_runs.c.state == RunState.RUNNING, _runs.c.worker == worker)
            connection.execute(_runs.update().where(*left).values(lease_until=now()))
            connection.execute(_workers.delete().where(_workers.c.id == worker))

    def count_trainers(self) -> int:
        """Return how many trainers live."""
        with self._reading() as connection:
            return connection.execute(sql.select(sql.func.count()).where(_IS_ALIVE)).scalar_one()

    def changes(self, run_id: str) -> list[Change]:
        """Return a run's changes of hyperparameters in the order in which they took effect; pending ones come last."""
        with self._reading() as connection:
            return self._read_changes(connection, run_id)

    def _read_changes(self, connection: sql.Connection, run_id: str) -> list[Change]:
        query = _changes.select().where(_changes.c.run_id == run_id)
        query = query.order_by(_changes.c.step.is_(None), _changes.c.step, _changes.c.id)
        return [to_change(row) for row in connection.execute(query).mappings()]


def _put_back_abandoned(connection: sql.Connection, attempts: int) -> None:
    reason = (
        f"The trainer process died {attempts} times while it trained this run, perhaps for want of memory. "
        "Start it again with a smaller batch."
    )
    failed = {"state": RunState.FAILED, "ended": time.time(), "activity": "", "reason": reason, **_NO_COMMANDS}
    is_hopeless = _runs.c.attempts + 1 >= attempts
    connection.execute(_runs.update().where(_IS_ABANDONED, is_hopeless).values(**failed))
    again = {"state": RunState.QUEUED, "activity": "", "attempts": _runs.c.attempts + 1}
    connection.execute(_runs.update().where(_IS_ABANDONED).values(**again))
