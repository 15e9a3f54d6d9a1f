"""Comparison of runs: their hyperparameters, and the images on which two models disagree."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from digits.runs.changes import Change
from digits.runs.hyperparameters import KNOBS
from digits.runs.schema import Run

MAX_RUNS = 5  # runs in one chart; more lines are hard to distinguish


def settings_table(runs: Mapping[str, Run], changes: Mapping[str, Sequence[Change]]) -> tuple[pd.DataFrame, list[bool]]:
    """Return a table of the runs' hyperparameters, with a column for each run, and in which rows the runs differ.

    Args:
        runs: the runs by name.
        changes: the changes made during each run's training, by the same names.

    Returns:
        A row for each setting, with its name in the column "Setting"; those in which the runs differ come first.
    """
    rows = {
        knob.label: [_shown(getattr(run.hyperparameters, name)) for run in runs.values()]
        for name, knob in KNOBS.items()
    }
    rows["Changed while training"] = [changes_in_words(changes[name]) or "nothing" for name in runs]
    rows["Data"] = [run.data or "not known yet" for run in runs.values()]
    rows = dict(sorted(rows.items(), key=lambda row: len(set(row[1])) == 1))
    table = pd.DataFrame(list(rows.values()), columns=list(runs))
    table.insert(0, "Setting", list(rows))
    return table, [len(set(values)) > 1 for values in rows.values()]


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def changes_in_words(changes: Sequence[Change]) -> str:
    """Describe the changes during training, such as "learning rate 0.1 → 0.01 at 840"; empty for none."""
    return ", ".join(
        f"{KNOBS[change.name].label.lower()} {_shown(change.old)} → {_shown(change.value)} at {change.step:,}"
        for change in changes
        if change.step is not None and change.old is not None
    )


def disagreements(labels: np.ndarray, a: np.ndarray, b: np.ndarray, side: str) -> np.ndarray:
    """Return the rows of images for which two models predict different classes.

    Args:
        labels, a, b: integer (n,), each image's class and the two models' predicted classes.
        side: "a" or "b" for images that only this model classifies correctly, "neither" for images that neither does.

    Returns:
        int (k,), rising.

    Example:
        >>> disagreements(np.array([0, 1, 2]), np.array([0, 1, 9]), np.array([0, 9, 8]), "a")
        array([1])
    """
    is_wanted = {"a": a == labels, "b": b == labels, "neither": (a != labels) & (b != labels)}[side]
    return np.flatnonzero(is_wanted & (a != b))
