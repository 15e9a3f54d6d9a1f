"""The run registry: every training run, its progress and result, shared by pages and trainer."""

import contextlib
import functools
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from digits.errors import RegistryUnavailable, RunAlreadyFinished, RunNotFound
from digits.hyperparameters import Hyperparameters

WAITING, RUNNING = "queued", "running"
ENDED = ("finished", "stopped", "failed")

_metadata = sql.MetaData()
_runs = sql.Table(
    "runs",
    _metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("state", sql.String(16), nullable=False, index=True),
    sql.Column("hyperparameters", sql.JSON, nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("started", sql.Float),
    sql.Column("ended", sql.Float),
    sql.Column("step", sql.Integer, nullable=False, default=0),
    sql.Column("activity", sql.Text, nullable=False, default=""),
    sql.Column("stop_requested", sql.Boolean, nullable=False, default=False),
    sql.Column("reason", sql.Text, nullable=False, default=""),
    sql.Column("data", sql.Text, nullable=False, default=""),
    sql.Column("test_correct", sql.Integer),
    sql.Column("test_total", sql.Integer),
)
_metrics = sql.Table(
    "metrics",
    _metadata,
    sql.Column("run_id", sql.String(32), primary_key=True),
    sql.Column("step", sql.Integer, primary_key=True),
    sql.Column("seconds", sql.Float, nullable=False),
    sql.Column("loss", sql.Float, nullable=False),
    sql.Column("accuracy", sql.Float, nullable=False),
    sql.Column("val_loss", sql.Float),
    sql.Column("val_accuracy", sql.Float),
)
_trainers = sql.Table(
    "trainers",
    _metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("pid", sql.Integer, nullable=False),
    sql.Column("activity", sql.Text, nullable=False),
    sql.Column("heartbeat", sql.Float, nullable=False),
)
METRIC_NAMES = [column.name for column in _metrics.columns][1:]


@dataclass(frozen=True)
class Run:
    """A training run as it stood when it was read.

    Attributes:
        owner: the visitor who started it and alone may command it.
        state: "queued", "running", "finished", "stopped" or "failed".
        created, started, ended: seconds since 1970, or None.
        step: iterations done.
        activity: what is being done beside iterating, in a few words; empty otherwise.
        reason: why it failed, for the visitor.
        data: the sentence that describes the data it learned from.
        test_correct, test_total: hits among the test images, once it has ended well.
    """

    id: str
    owner: str
    state: str
    hyperparameters: Hyperparameters
    created: float
    started: float | None
    ended: float | None
    step: int
    activity: str
    stop_requested: bool
    reason: str
    data: str
    test_correct: int | None
    test_total: int | None

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    @property
    def has_model(self) -> bool:
        return self.test_total is not None


@dataclass(frozen=True)
class TrainerStatus:
    """What the trainer process last said of itself; `age_seconds` ago."""

    pid: int
    activity: str
    age_seconds: float


class Registry:
    """The database of runs.

    Promises: any number of threads and processes may use one registry at once. A claimed run is claimed by one trainer
    only. What `record` and `finish` write becomes visible together or not at all. An ended run never changes.
    """

    def __init__(self, url: str) -> None:
        """Open the registry, and create its tables where they are missing; raises `RegistryUnavailable`."""
        with _explained(url):
            self._engine = sql.create_engine(url)
            if self._engine.dialect.name == "sqlite":
                Path(self._engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
                sql.event.listen(self._engine, "connect", _prepare_sqlite)
            _metadata.create_all(self._engine)

    def create(self, hyperparameters: Hyperparameters, owner: str) -> str:
        """Queue a run and return its id, which nobody can guess: whoever has it may watch the run."""
        run_id = secrets.token_urlsafe(9)
        with self._begin() as connection:
            connection.execute(
                _runs.insert().values(
                    id=run_id,
                    owner=owner,
                    state=WAITING,
                    hyperparameters=hyperparameters.to_dict(),
                    created=time.time(),
                )
            )
        return run_id

    def get(self, run_id: str) -> Run:
        """Return a run; raises `RunNotFound`."""
        with self._begin() as connection:
            row = connection.execute(_runs.select().where(_runs.c.id == run_id)).mappings().one_or_none()
        if row is None:
            raise RunNotFound(
                f"A run's id should be one that Train gave out; received {run_id[:60]!r}, which is not known here. "
                "Check the link, or start a run."
            )
        return _to_run(row)

    def list_runs(self, owner: str, *, limit: int = 100) -> list[Run]:
        """Return an owner's runs, the newest first."""
        query = _runs.select().where(_runs.c.owner == owner).order_by(_runs.c.created.desc()).limit(limit)
        with self._begin() as connection:
            return [_to_run(row) for row in connection.execute(query).mappings()]

    def runs_ahead(self, run: Run) -> int:
        """Return how many runs stand before this queued one, the one in training included."""
        ahead = sql.or_(_runs.c.state == RUNNING, sql.and_(_runs.c.state == WAITING, _runs.c.created < run.created))
        with self._begin() as connection:
            return connection.execute(sql.select(sql.func.count()).select_from(_runs).where(ahead)).scalar_one()

    def count_waiting(self, owner: str | None = None) -> int:
        """Return how many runs are queued or running, of one owner or of all."""
        query = sql.select(sql.func.count()).select_from(_runs).where(_runs.c.state.in_((WAITING, RUNNING)))
        if owner is not None:
            query = query.where(_runs.c.owner == owner)
        with self._begin() as connection:
            return connection.execute(query).scalar_one()

    def metrics(self, run_id: str, *, max_points: int = 400) -> list[dict[str, Any]]:
        """Return a run's progress by step, as dicts of `METRIC_NAMES`.

        Of more than `max_points`, evenly spaced rows are left out, but none with a validation, none of a hundredth
        step, which the progress lines show, and not the last.
        """
        mine = _metrics.c.run_id == run_id
        with self._begin() as connection:
            count, last = connection.execute(
                sql.select(sql.func.count(), sql.func.max(_metrics.c.step)).where(mine)
            ).one()
            stride = -(-count // max_points) if count else 1
            rank = sql.func.row_number().over(order_by=_metrics.c.step).label("rank")
            ranked = sql.select(_metrics, rank).where(mine).subquery()
            kept = sql.or_(
                ranked.c.rank % stride == 0,
                ranked.c.val_loss.is_not(None),
                ranked.c.step % 100 == 0,
                ranked.c.step == last,
            )
            query = sql.select(*(ranked.c[name] for name in METRIC_NAMES)).where(kept).order_by(ranked.c.step)
            return [dict(row) for row in connection.execute(query).mappings()]

    def request_stop(self, run_id: str) -> None:
        """Ask a running run to end and keep what it learned; a queued one is taken out at once."""
        with self._begin() as connection:
            changed = connection.execute(
                _runs.update().where(_runs.c.id == run_id, _runs.c.state == RUNNING).values(stop_requested=True)
            ).rowcount
            changed += connection.execute(
                _runs.update()
                .where(_runs.c.id == run_id, _runs.c.state == WAITING)
                .values(state="stopped", ended=time.time(), reason="Taken out of the queue before it began.")
            ).rowcount
        if not changed:
            run = self.get(run_id)
            raise RunAlreadyFinished(f"Only a queued or running run can be stopped; this one has {run.state}.")

    # What follows is for the trainer.

    def claim(self) -> Run | None:
        """Take the run that has waited longest, or None; no two callers get the same one."""
        oldest = sql.select(_runs.c.id).where(_runs.c.state == WAITING).order_by(_runs.c.created).limit(1)
        take = (
            _runs.update()
            .where(_runs.c.id == oldest.scalar_subquery(), _runs.c.state == WAITING)
            .values(state=RUNNING, started=time.time(), stop_requested=False)
            .returning(*_runs.c)
        )
        with self._begin() as connection:
            if connection.execute(oldest).first() is None:  # a read costs no lock, so an idle trainer disturbs nobody
                return None
            row = connection.execute(take).mappings().one_or_none()
        return _to_run(row) if row else None

    def record(self, run_id: str, progress: Sequence[dict[str, Any]]) -> bool:
        """Add rows of `METRIC_NAMES` and return whether a stop has been asked for."""
        with self._begin() as connection:
            if progress:
                is_running = connection.execute(
                    _runs.update()
                    .where(_runs.c.id == run_id, _runs.c.state == RUNNING)
                    .values(step=progress[-1]["step"], activity="")
                ).rowcount
                if is_running:
                    connection.execute(_metrics.insert(), [{"run_id": run_id, **row} for row in progress])
            return connection.execute(sql.select(_runs.c.stop_requested).where(_runs.c.id == run_id)).scalar_one()

    def set_activity(self, run_id: str, activity: str, **facts: Any) -> None:
        """Say what a running run is busy with; `facts` are further columns, such as `data`."""
        with self._begin() as connection:
            connection.execute(
                _runs.update().where(_runs.c.id == run_id, _runs.c.state == RUNNING).values(activity=activity, **facts)
            )

    def finish(self, run_id: str, state: str, **facts: Any) -> None:
        """End a running run as "finished", "stopped" or "failed", with `reason` or `test_correct` and `test_total`."""
        with self._begin() as connection:
            connection.execute(
                _runs.update()
                .where(_runs.c.id == run_id, _runs.c.state == RUNNING)
                .values(state=state, ended=time.time(), activity="", **facts)
            )

    def requeue(self, run_id: str) -> None:
        """Put a running run back to the start of its queue, as if never begun; its seed makes it the same run again."""
        with self._begin() as connection:
            is_running = connection.execute(
                _runs.update()
                .where(_runs.c.id == run_id, _runs.c.state == RUNNING)
                .values(state=WAITING, started=None, step=0, activity="")
            ).rowcount
            if is_running:
                connection.execute(_metrics.delete().where(_metrics.c.run_id == run_id))

    def fail_orphans(self) -> int:
        """Mark every running run as failed because its trainer died, and return how many.

        Only for a trainer that has just taken the registry's lock: it is the only one, so nobody trains these.
        """
        reason = "The trainer process died while it trained this run, perhaps for want of memory. Start the run again."
        with self._begin() as connection:
            return connection.execute(
                _runs.update()
                .where(_runs.c.state == RUNNING)
                .values(state="failed", ended=time.time(), activity="", reason=reason)
            ).rowcount

    def beat(self, pid: int, activity: str) -> None:
        """Note that the trainer lives and what it is doing."""
        values = {"pid": pid, "activity": activity, "heartbeat": time.time()}
        with self._begin() as connection:
            if not connection.execute(_trainers.update().where(_trainers.c.id == 1).values(**values)).rowcount:
                connection.execute(_trainers.insert().values(id=1, **values))

    def trainer_status(self) -> TrainerStatus | None:
        """Return what the trainer last said, or None before the first word."""
        with self._begin() as connection:
            row = connection.execute(_trainers.select()).mappings().one_or_none()
        return TrainerStatus(row["pid"], row["activity"], time.time() - row["heartbeat"]) if row else None

    @contextmanager
    def _begin(self) -> Iterator[sql.Connection]:
        with _explained(str(self._engine.url)), self._engine.begin() as connection:
            yield connection


@functools.lru_cache(maxsize=8)
def open_registry(url: str) -> Registry:
    """Return this process's registry at `url`."""
    return Registry(url)


def _to_run(row: Any) -> Run:
    return Run(**{**row, "hyperparameters": Hyperparameters.from_dict(row["hyperparameters"])})


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # WAL lets pages read while the trainer writes. With it, NORMAL loses no finished write to a killed process.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except (sql.exc.SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        with contextlib.suppress(sql.exc.ArgumentError):  # an address that is none is shown as it is
            url = sql.make_url(url).render_as_string(hide_password=True)
        raise RegistryUnavailable(
            f"The run registry at {url} should be readable and "
            f"writable; it answered: {cause}. Check the disk's space and permissions, or set DIGITS_REGISTRY_URL."
        ) from error
