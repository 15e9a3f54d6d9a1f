"""Sweep record: a search for better settings, as the registry keeps it."""

import enum
from dataclasses import dataclass
from typing import Any

CONFIRMATION = 0  # in place of a trial's number, for the run that trains a sweep's best settings once more


class SweepState(enum.StrEnum):
    """The state of a sweep; the state of an ended sweep never changes."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"

    @property
    def is_ended(self) -> bool:
        return self in (SweepState.STOPPED, SweepState.FINISHED)


@dataclass(frozen=True)
class Sweep:
    """A search for better settings, as it was when it was read. Its trials are runs.

    Attributes:
        owner: the visitor who started it, as `visitors.owner_of` names them; only this visitor may control it.
        plan: what is searched and how, as `digits.sweeps.plan.Plan` writes it.
        created, ended: seconds since 1970; `ended` is None before its end.
        begun: how many trials have been queued so far; the next one has the next number.
        seconds: for how long it has been running, without pauses.
        confirmation: the id of the run that trains its best settings once more; empty before.
        summary: `importances`, the share of each searched hyperparameter, and `of`, the trials that they are from.
        note: why it waits or how it ended, in a sentence; else empty.
        driver, driven: the trainer that drives it, and when it did so last, by the database's clock.
        deleted: when its owner deleted it, in seconds since 1970, or None.
    """

    id: str
    owner: str
    name: str
    state: SweepState
    plan: dict[str, Any]
    created: float
    ended: float | None
    begun: int
    seconds: float
    confirmation: str
    summary: dict[str, Any]
    note: str
    driver: str
    driven: float | None
    deleted: float | None

    @property
    def is_ended(self) -> bool:
        return self.state.is_ended
