"""Schema: the tables of the run registry, and the records read from them; those of sweeps are in `sweep_record`.

A change here needs a new file in `migrations/versions` and its number in `database.REVISION`.
"""

import enum
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from digits.accuracy import Accuracy
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.sweep_record import SweepState


class RunState(enum.StrEnum):
    """The state of a run; the state of an ended run never changes."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_ended(self) -> bool:
        return self in (RunState.FINISHED, RunState.STOPPED, RunState.FAILED)


def _text(states: type[enum.StrEnum]) -> sql.Enum:
    """Return the type of a column that holds a state, as plain text in the database."""
    return sql.Enum(states, native_enum=False, length=16, values_callable=lambda all_: [one.value for one in all_])


metadata = sql.MetaData()
runs = sql.Table(
    "runs",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False),
    sql.Column("state", _text(RunState), nullable=False, index=True),
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
    sql.Column("name", sql.Text, nullable=False, default="", server_default=""),
    sql.Column("note", sql.Text, nullable=False, default="", server_default=""),
    sql.Column("deleted", sql.Float, index=True),
    sql.Column("pause_at", sql.Integer),
    sql.Column("save_requested", sql.Boolean, nullable=False, default=False, server_default=sql.false()),
    sql.Column("seconds", sql.Float, nullable=False, default=0.0, server_default="0"),
    sql.Column("best_step", sql.Integer),
    sql.Column("best_val_accuracy", sql.Float),
    sql.Column("val_accuracy", sql.Float),
    sql.Column("attempts", sql.Integer, nullable=False, default=0, server_default="0"),
    sql.Column("worker", sql.String(64), nullable=False, default="", server_default=""),
    sql.Column("lease_until", sql.Float),
    sql.Column("claims", sql.Integer, nullable=False, default=0, server_default="0"),
    sql.Column("precision", sql.String(32), nullable=False, default="", server_default=""),
    sql.Column("copies", sql.Integer, nullable=False, default=0, server_default="0"),
    sql.Column("disk_bytes", sql.BigInteger),
    sql.Column("shared", sql.Float),
    sql.Column("parent", sql.String(64), nullable=False, default="", server_default=""),
    sql.Column("sweep", sql.String(32), index=True),
    sql.Column("trial", sql.Integer),
    sql.Column("pruned", sql.Integer),
    sql.Index("ix_runs_owner_created", "owner", "created"),
    sql.Index("ix_runs_owner_lease", "owner", "lease_until"),
)


def _of_a_run(table: str, **how: Any) -> sql.Column[str]:
    """Return the column that holds the run's id in a table whose rows are removed with their run."""
    key = sql.ForeignKey(runs.c.id, name=f"fk_{table}_run_id", ondelete="CASCADE")
    return sql.Column("run_id", sql.String(32), key, nullable=False, **how)


metrics = sql.Table(
    "metrics",
    metadata,
    _of_a_run("metrics", primary_key=True),
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
    _of_a_run("changes", index=True),
    sql.Column("step", sql.Integer),
    sql.Column("name", sql.String(32), nullable=False),
    sql.Column("old", sql.Float),
    sql.Column("value", sql.Float, nullable=False),
)
workers = sql.Table(
    "workers",
    metadata,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("pid", sql.Integer, nullable=False),
    sql.Column("activity", sql.Text, nullable=False),
    sql.Column("heartbeat", sql.Float, nullable=False),
)
sets = sql.Table(
    "sets",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("changed", sql.Float, nullable=False),
    sql.Column("version", sql.Integer, nullable=False),
    sql.Column("drawings", sql.Integer, nullable=False),
    sql.Column("classes", sql.Integer, nullable=False),
    sql.Column("disk_bytes", sql.BigInteger, nullable=False),
    sql.Column("deleted", sql.Float, index=True),
)
sweeps = sql.Table(
    "sweeps",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("state", _text(SweepState), nullable=False, index=True),
    sql.Column("plan", sql.JSON, nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("ended", sql.Float),
    sql.Column("begun", sql.Integer, nullable=False, default=0),
    sql.Column("seconds", sql.Float, nullable=False, default=0.0),
    sql.Column("confirmation", sql.String(32), nullable=False, default=""),
    sql.Column("summary", sql.JSON, nullable=False),
    sql.Column("note", sql.Text, nullable=False, default=""),
    sql.Column("driver", sql.String(64), nullable=False, default=""),
    sql.Column("driven", sql.Float),
    sql.Column("deleted", sql.Float, index=True),
)
METRIC_NAMES = [column.name for column in metrics.columns][1:]


@dataclass(frozen=True)
class Run:
    """A training run, as it was when it was read.

    Attributes:
        owner: the visitor who started it, as `visitors.owner_of` names them; only this visitor may control it.
        created, started, ended: seconds since 1970, or None.
        step: iterations done.
        activity: what the trainer does for it other than iterations, in a few words; else empty.
        stop_requested: whether it has been asked to stop and save its model.
        reason: why it failed, or another problem that its page should show; else empty.
        data: a sentence that describes its training data.
        test_correct, test_total: correct predictions and test images; None until the last weights are tested.
        name, note: text from its owner; empty for none.
        deleted: when its owner deleted it, in seconds since 1970, or None.
        pause_at: the step at which it pauses; None for never.
        save_requested: whether a copy of the current weights has been requested.
        seconds: training time so far, including validation.
        best_step, best_val_accuracy: the step of the best validation and its accuracy in [0, 1]; None before the first.
        val_accuracy: the accuracy of the last validation, in [0, 1]; None before the first.
        attempts: how many trainers died while training it, since its last checkpoint.
        worker: the trainer that has it, or had it last; empty before the first.
        lease_until: until when that trainer has it, or when it gave it back, by the database's clock; None before.
        claims: how often a trainer has taken it.
        precision: the precision of its computations, chosen by its first trainer; empty before.
        copies: how many copies its owner has asked to save while it trained.
        disk_bytes: the space of its files when it was last measured; None before.
        shared: when somebody else than its owner opened it last; None if nobody has. It is noted once a day.
        parent: the id of the model whose weights it began with, to learn from its owner's corrections; empty for none.
        sweep: the id of the sweep that it is a trial of; None for none.
        trial: its number in its sweep, from 1, or `sweep_record.CONFIRMATION`; None if it is of none.
        pruned: the iteration after which its sweep pruned it; None if it did not.
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
    worker: str = ""
    lease_until: float | None = None
    claims: int = 0
    precision: str = ""
    copies: int = 0
    disk_bytes: int | None = None
    shared: float | None = None
    parent: str = ""
    sweep: str | None = None
    trial: int | None = None
    pruned: int | None = None

    @property
    def is_ended(self) -> bool:
        return self.state.is_ended

    @property
    def is_waiting(self) -> bool:
        """Whether it is queued or running."""
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def has_model(self) -> bool:
        """Whether it has finished or stopped, and its model has been tested and saved."""
        return self.state in (RunState.FINISHED, RunState.STOPPED) and self.test_total is not None

    @property
    def test_accuracy(self) -> Accuracy | None:
        """The accuracy of the last weights on the test images; None until they are tested."""
        if self.test_correct is None or not self.test_total:
            return None
        return Accuracy(self.test_correct, self.test_total)


@dataclass(frozen=True)
class SetRecord:
    """A set of drawings that a visitor made, as it was when it was read.

    Attributes:
        owner: the visitor who made it, as `visitors.owner_of` names them; only this visitor may change it.
        created, changed: seconds since 1970.
        version: of its drawings; each change makes a new one.
        drawings, classes: how many it has.
        disk_bytes: the space of its files, with all versions.
        deleted: when its owner deleted it, in seconds since 1970, or None.
    """

    id: str
    owner: str
    name: str
    created: float
    changed: float
    version: int
    drawings: int
    classes: int
    disk_bytes: int
    deleted: float | None

    @property
    def dataset(self) -> str:
        """The name of its last version, as in hyperparameters."""
        return f"own-{self.id}-{self.version}"


@dataclass(frozen=True)
class Orders:
    """What a running run's owner has requested; the trainer reads it between chunks of iterations."""

    stop_requested: bool
    pause_at: int | None
    save_requested: bool
    copies: int  # that were asked for so far
    pruned: int | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class TrainerStatus:
    """A trainer process's last heartbeat, `age_seconds` ago."""

    pid: int
    activity: str
    age_seconds: float


def to_run(row: Any) -> Run:
    """Return the `Run` in a row of `runs`."""
    return Run(**{**row, "hyperparameters": Hyperparameters.from_dict(row["hyperparameters"])})


def to_change(row: Any) -> Change:
    """Return the `Change` in a row of `changes`."""
    return Change(row["step"], row["name"], row["old"], row["value"])
