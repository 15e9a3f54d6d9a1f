"""Records: the tables of the run registry, and what is read from them."""

import contextlib
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from digits.accuracy import Accuracy
from digits.errors import RegistryUnavailable
from digits.runs.hyperparameters import Change, Hyperparameters


class RunState(enum.StrEnum):
    """Where a run stands in its life; an ended run's state never changes."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_ended(self) -> bool:
        return self in (RunState.FINISHED, RunState.STOPPED, RunState.FAILED)


_STATE = sql.Enum(  # in the database plain text
    RunState, native_enum=False, length=16, values_callable=lambda states: [state.value for state in states]
)
metadata = sql.MetaData()
runs = sql.Table(
    "runs",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("state", _STATE, nullable=False, index=True),
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
    # Later versions added what follows; `add_missing_columns` gives them to older registries.
    sql.Column("name", sql.Text, nullable=False, default="", server_default=""),
    sql.Column("note", sql.Text, nullable=False, default="", server_default=""),
    sql.Column("deleted", sql.Float),
    sql.Column("pause_at", sql.Integer),
    sql.Column("save_requested", sql.Boolean, nullable=False, default=False, server_default=sql.false()),
    sql.Column("seconds", sql.Float, nullable=False, default=0.0, server_default="0"),
    sql.Column("best_step", sql.Integer),
    sql.Column("best_val_accuracy", sql.Float),
    sql.Column("val_accuracy", sql.Float),
    sql.Column("attempts", sql.Integer, nullable=False, default=0, server_default="0"),
)
metrics = sql.Table(
    "metrics",
    metadata,
    sql.Column("run_id", sql.String(32), primary_key=True),
    sql.Column("step", sql.Integer, primary_key=True),
    sql.Column("seconds", sql.Float, nullable=False),
    sql.Column("loss", sql.Float, nullable=False),
    sql.Column("accuracy", sql.Float, nullable=False),
    sql.Column("val_loss", sql.Float),
    sql.Column("val_accuracy", sql.Float),
)
changes = sql.Table(
    "changes",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("run_id", sql.String(32), nullable=False, index=True),
    sql.Column("step", sql.Integer),
    sql.Column("name", sql.String(32), nullable=False),
    sql.Column("old", sql.Float),
    sql.Column("value", sql.Float, nullable=False),
)
trainers = sql.Table(
    "trainers",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("pid", sql.Integer, nullable=False),
    sql.Column("activity", sql.Text, nullable=False),
    sql.Column("heartbeat", sql.Float, nullable=False),
)
METRIC_NAMES = [column.name for column in metrics.columns][1:]


@dataclass(frozen=True)
class Run:
    """A training run as it stood when it was read.

    Attributes:
        owner: the visitor who started it and alone may command it.
        created, started, ended: seconds since 1970, or None.
        step: iterations done.
        activity: what is being done beside iterating, in a few words; empty otherwise.
        stop_requested: whether it has been asked to end and keep what it has learned.
        reason: why it failed, or what went wrong beside it, for the visitor.
        data: the sentence that describes the data it learned from.
        test_correct, test_total: hits among the test images, once its last weights are tested.
        name, note: the owner's words; empty for none.
        deleted: when its owner deleted it, in seconds since 1970, or None.
        pause_at: it pauses once it has done so many iterations; None for never.
        save_requested: whether a copy of the present weights has been asked for.
        seconds: time spent training so far, validation included.
        best_step, best_val_accuracy: where validation was best so far, and how good in [0, 1]; None before the first.
        val_accuracy: the last validation's, in [0, 1]; None before the first.
        attempts: how often its trainer died since its last checkpoint.
    """

    id: str
    owner: str
    state: RunState
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
    name: str
    note: str
    deleted: float | None
    pause_at: int | None
    save_requested: bool
    seconds: float
    best_step: int | None
    best_val_accuracy: float | None
    val_accuracy: float | None
    attempts: int

    @property
    def is_ended(self) -> bool:
        return self.state.is_ended

    @property
    def is_waiting(self) -> bool:
        """Whether it holds a place with the trainer or in its queue."""
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def has_model(self) -> bool:
        """Whether it has ended well and all its files are there."""
        return self.state in (RunState.FINISHED, RunState.STOPPED) and self.test_total is not None

    @property
    def test_accuracy(self) -> Accuracy | None:
        """The accuracy of the last weights on the test images; None until they are tested."""
        if self.test_correct is None or not self.test_total:
            return None
        return Accuracy(self.test_correct, self.test_total)


@dataclass(frozen=True)
class Orders:
    """What a running run's owner wants of it; the trainer looks between chunks of iterations."""

    stop_requested: bool
    pause_at: int | None
    save_requested: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class TrainerStatus:
    """What the trainer process last said of itself; `age_seconds` ago."""

    pid: int
    activity: str
    age_seconds: float


def to_run(row: Any) -> Run:
    """Make a Run of a row of `runs`."""
    return Run(**{**row, "hyperparameters": Hyperparameters.from_dict(row["hyperparameters"])})


def to_change(row: Any) -> Change:
    """Make a Change of a row of `changes`."""
    return Change(row["step"], row["name"], row["old"], row["value"])


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set a new SQLite connection up: pages read while the trainer writes, and no finished write is lost to a kill."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def create_tables(engine: sql.Engine) -> None:
    """Create what is missing: all tables of a new registry, or the columns that an older version's lacks."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        found = {column["name"] for column in sql.inspect(connection).get_columns(runs.name)}
        for column in runs.columns:
            if column.name not in found:
                definition = sql.schema.CreateColumn(column).compile(dialect=engine.dialect)
                connection.execute(sql.text(f"ALTER TABLE {runs.name} ADD COLUMN {definition}"))


@contextlib.contextmanager
def explained(url: str) -> Iterator[None]:
    """Raise `RegistryUnavailable`, in words, for what goes wrong with the database at `url`."""
    try:
        yield
    except (sql.exc.SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        with contextlib.suppress(sql.exc.ArgumentError):  # an address that is none is shown as it is
            url = sql.make_url(url).render_as_string(hide_password=True)
        raise RegistryUnavailable(
            f"The run registry at {url} should be readable and writable; it answered: {cause}. "
            "Check the disk's space and permissions, or set DIGITS_REGISTRY_URL."
        ) from error
