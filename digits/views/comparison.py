"""Runs beside each other: their curves, their settings, the images that two of their models dispute."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from digits.models.identity import Weights
from digits.runs.hyperparameters import KNOBS, Change
from digits.runs.schema import Run

MOST = 5  # runs in one chart: more lines than that nobody tells apart
DIFFERS = "≠"

_WEIGHTS = {Weights.BEST: "best weights", Weights.LAST: "last weights", Weights.SAVED: "saved"}


def settings_table(runs: Mapping[str, Run], changes: Mapping[str, Sequence[Change]]) -> pd.DataFrame:
    """Set the runs' settings side by side.

    Args:
        runs: the runs by name.
        changes: what was turned while each trained, by the same names.

    Returns:
        A row for each setting: its name in "Setting", after `DIFFERS` where the runs do, then a column a run.
    """
    rows = {
        knob.label: [_shown(getattr(run.hyperparameters, name)) for run in runs.values()]
        for name, knob in KNOBS.items()
    }
    rows["Turned on the way"] = [changes_in_words(changes[name]) or "nothing" for name in runs]
    rows["Data"] = [run.data or "not known yet" for run in runs.values()]
    labels = [f"{DIFFERS} {label}" if len(set(values)) > 1 else label for label, values in rows.items()]
    table = pd.DataFrame(list(rows.values()), columns=list(runs))
    table.insert(0, "Setting", labels)
    return table


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def changes_in_words(changes: Sequence[Change]) -> str:
    """Return what was turned, as "learning rate 0.1 → 0.01 at 840"; empty when nothing was."""
    return ", ".join(
        f"{KNOBS[change.name].label.lower()} {_shown(change.old)} → {_shown(change.value)} at {change.step:,}"
        for change in changes
        if change.step is not None and change.old is not None
    )


def model_title(name: str, weights: Weights | None, step: int | None) -> str:
    """Return what one of a run's models is called: the run's name, and which of its weights these are, if known."""
    return name if weights is None or step is None else f"{name}, {_WEIGHTS[weights]} at {step:,}"


def disputed(labels: np.ndarray, a: np.ndarray, b: np.ndarray, side: str) -> np.ndarray:
    """Return the rows of the images that two models read differently.

    Args:
        labels, a, b: integer (n,), each image's class and the classes that the two models read.
        side: "a" or "b" for the images which that model alone reads rightly, "neither" for those that neither does.

    Returns:
        int (k,), rising.
    """
    is_wanted = {"a": a == labels, "b": b == labels, "neither": (a != labels) & (b != labels)}[side]
    return np.flatnonzero(is_wanted & (a != b))
