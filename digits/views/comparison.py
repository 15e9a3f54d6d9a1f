"""Runs beside each other: their curves, their settings, the images that two of their models dispute."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from digits.runs.hyperparameters import KNOBS, Change
from digits.runs.registry import METRIC_NAMES, Run

MOST = 5  # runs in one chart: more lines than that nobody tells apart
MEASURES = {  # the columns of the metrics, with what they are called on the page
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "loss": "Training loss",
}
# Told apart by colour, dashes and marks at once; the colours (M. Okabe and K. Ito, 2008) by who sees fewer of them too.
_LINES = (
    ("#0072b2", "solid", "circle"),
    ("#d55e00", "dashed", "rect"),
    ("#009e73", "dotted", "triangle"),
    ("#cc79a7", [12, 4], "diamond"),
    ("#8c7a00", [8, 3, 2, 3], "roundRect"),
)
DIFFERS = "≠"
_LABEL = "#758290"  # readable on light and on dark


def curves(histories: Mapping[str, Sequence[dict[str, Any]]], measure: str, *, is_log: bool = False) -> dict[str, Any]:
    """Return one measure of several runs over their iterations, a line each.

    Args:
        histories: each run's rows, as `registry.Registry.metrics` returns them, by the run's name.
        measure: one of `MEASURES`.
        is_log: a logarithmic axis; of the accuracy it shows the error, 1 - accuracy, where progress near 1 can be seen.
    """
    title, points = _measured(histories, measure, is_log=is_log)
    return {
        "animationDuration": 0,
        "animationDurationUpdate": 250,
        "legend": {"orient": "vertical", "left": 0, "top": 0, "itemWidth": 34, "itemGap": 6},
        "grid": {"left": 8, "right": 16, "top": legend_height(len(points)) + 28, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.4f", "confine": True},
        "dataset": [{"source": table} for table in points.values()],
        "xAxis": {"type": "value", "min": 0, "name": "iteration", "nameLocation": "middle", "nameGap": 22},
        "yAxis": {
            "type": "log" if is_log else "value",
            "scale": True,
            "name": title,
            "nameTextStyle": {"align": "left", "color": _LABEL},
        },
        "series": [
            {
                "name": name,
                "type": "line",
                "datasetIndex": index,
                "encode": {"x": "step", "y": measure},
                "color": colour,
                "lineStyle": {"width": 2, "type": dashes},
                "symbol": symbol,
                "symbolSize": 7,
                "showSymbol": measure != "loss",  # a training loss has too many points for marks
            }
            for index, (name, (colour, dashes, symbol)) in enumerate(zip(points, _LINES, strict=False))
        ],
    }


def legend_height(count: int) -> int:
    """Return the pixels that the names of `count` curves take above the chart, one a line for a phone's sake."""
    return 21 * count


def describe_curves(histories: Mapping[str, Sequence[dict[str, Any]]], measure: str, *, is_log: bool = False) -> str:
    """Return in a sentence where each run's curve ends."""
    title, points = _measured(histories, measure, is_log=is_log)
    told = [
        f"{name} at {table[measure].iloc[-1]:.4f} after {table['step'].iloc[-1]:,} iterations"
        if len(table)
        else f"{name}, still empty"
        for name, table in points.items()
    ]
    return f"{title} of {len(told)} runs: {'; '.join(told)}."


def _measured(
    histories: Mapping[str, Sequence[dict[str, Any]]], measure: str, *, is_log: bool
) -> tuple[str, dict[str, pd.DataFrame]]:
    """Return what is drawn, in words, and each run's points."""
    points = {
        name: pd.DataFrame(rows, columns=METRIC_NAMES)[["step", measure]].dropna() for name, rows in histories.items()
    }
    if not is_log:
        return MEASURES[measure], points
    if measure == "val_accuracy":
        points = {name: table.assign(val_accuracy=1 - table["val_accuracy"]) for name, table in points.items()}
    points = {name: table[table[measure] > 0] for name, table in points.items()}  # zero has no logarithm
    return "Validation error" if measure == "val_accuracy" else MEASURES[measure], points


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


def model_title(name: str, card: Mapping[str, Any]) -> str:
    """Return what one of a run's models is called: the run's name, and which of its weights these are."""
    weights = {"best": "best weights", "last": "last weights", "saved": "saved"}.get(card.get("weights"))
    return f"{name}, {weights} at {card['step']:,}" if weights else name


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
