"""Changes of hyperparameters while a run trains."""

from collections.abc import Sequence
from dataclasses import dataclass

from digits.runs.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Change:
    """A change of a hyperparameter during a run.

    Attributes:
        step: iterations done when it took effect; None while it is pending.
        name: one of `LIVE_KNOBS`.
        old: the value before; None while the change is pending.
        value: the new value.
    """

    step: int | None
    name: str
    old: float | None
    value: float


def value_at(hyperparameters: Hyperparameters, changes: Sequence[Change], name: str, step: int) -> float:
    """Return a hyperparameter's value in iteration `step`, which counts from 0, after a run's changes.

    Of two changes at the same step, the later one counts.
    """
    value = getattr(hyperparameters, name)
    begun = -1
    for change in changes:
        if change.name == name and change.step is not None and begun <= change.step <= step:
            begun, value = change.step, change.value
    return value
