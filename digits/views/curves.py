"""Curves: a run's loss and accuracy during training, or those of several runs, as charts and in words."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from digits.runs.changes import Change
from digits.runs.schema import METRIC_NAMES

Histories = Mapping[str, Sequence[dict[str, Any]]]  # rows as `Registry.metrics` returns them, by the run's name
MEASURES = {  # the names of the metrics' columns on the page
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "loss": "Training loss",
}
_TRAINING, _VALIDATION = "#9fb3c8", "#3d7ab8"  # they differ in lightness too, on light and dark pages
# Lines differ in colour, dashes and markers. The colours suit colour-blind readers (M. Okabe and K. Ito, 2008).
_LINES = (
    ("#0072b2", "solid", "circle"),
    ("#d55e00", "dashed", "rect"),
    ("#009e73", "dotted", "triangle"),
    ("#cc79a7", [12, 4], "diamond"),
    ("#8c7a00", [8, 3, 2, 3], "roundRect"),
)
_LABEL = "#758290"  # readable on light and dark pages


def learning_curve(
    rows: Sequence[dict[str, Any]],
    name: str,
    title: str,
    iterations: int,
    *,
    changes: Sequence[Change] = (),
    best_step: int | None = None,
    smoothing: float = 0.0,
    is_logarithmic: bool = False,
    shown: Collection[str] = ("training", "validation"),
    is_recent: bool = False,
) -> dict[str, Any]:
    """Return the training and the validation curve of one measure of a run.

    Args:
        rows: as `registry.Registry.metrics` returns them.
        name: "loss" or "accuracy".
        title: the chart's title.
        iterations: the run's total number of iterations; the axis has this length from the start, so it never jumps.
        changes: the hyperparameters changed during training, each shown as a labelled vertical line.
        best_step: the iteration of the best validation, to be marked; None for none.
        smoothing: the weight of the past in the training curve's exponential moving average, in [0, 1); validation is
            never smoothed.
        is_logarithmic: whether the vertical axis is logarithmic.
        shown: which of "training" and "validation" are drawn.
        is_recent: whether only the last third of the points is shown, enlarged.
    """
    table = pd.DataFrame(rows, columns=METRIC_NAMES)
    start = float(table["step"].max()) * 2 / 3 if is_recent and rows else 0
    training = table[["step", name]].astype("float32")
    if smoothing and len(training):
        training[name] = training[name].ewm(alpha=1 - smoothing).mean()
    validation = table[["step", f"val_{name}"]].dropna().astype("float32")
    label = "training, smoothed" if smoothing else "training"
    is_share = name == "accuracy"
    if is_recent:
        training, validation = training[training["step"] >= start], validation[validation["step"] >= start]
    axis: dict[str, Any] = {"min": None if is_share else 0, "max": 1 if is_share else None}
    if is_logarithmic or is_recent:  # the axis then fits the points
        axis = {"type": "log"} if is_logarithmic else {}
    return {
        "animation": False,  # animated curves never stop moving, which kept half a core of the visitor's machine busy
        "title": {"text": title, "left": 0, "textStyle": {"fontSize": 14}},
        "legend": {
            "right": 0,
            "top": 0,
            "data": [label, "validation"],
            "selected": {label: "training" in shown, "validation": "validation" in shown},
            "selectedMode": False,
        },
        "grid": {"left": 8, "right": 16, "top": 44, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.4f"},
        "dataset": [{"source": training}, {"source": validation}],
        "xAxis": {
            "type": "value",
            "min": start,
            "max": float(table["step"].max()) if is_recent and rows else iterations,
            "name": "iteration",
            "nameLocation": "middle",
            "nameGap": 22,
        },
        "yAxis": {"type": "value", "scale": True} | axis,
        "series": [
            {
                "name": label,
                "type": "line",
                "datasetIndex": 0,
                "encode": {"x": "step", "y": name},
                "showSymbol": False,
                "lineStyle": {"width": 1.5, "opacity": 0.8},
                "color": _TRAINING,
            },
            {
                "name": "validation",
                "type": "line",
                "datasetIndex": 1,
                "encode": {"x": "step", "y": f"val_{name}"},
                "symbolSize": 5,
                "lineStyle": {"width": 2.5},
                "color": _VALIDATION,
                "markLine": _change_lines(changes),
                "markPoint": _best(validation, f"val_{name}", best_step),
            },
        ],
    }


def _change_lines(changes: Sequence[Change]) -> dict[str, Any]:
    """Return labelled vertical lines where hyperparameters were changed."""
    style = {"color": _LABEL, "type": "dashed", "width": 1}
    label = {"rotate": 90, "position": "insideEndTop", "color": _LABEL, "fontSize": 11}
    lines = [
        {"xAxis": change.step, "label": {"formatter": describe_change(change)}} for change in changes if change.step
    ]
    return {"symbol": "none", "silent": True, "animation": False, "lineStyle": style, "label": label, "data": lines}


def _best(validation: pd.DataFrame, column: str, step: int | None) -> dict[str, Any]:
    """Return a marker on the best validation."""
    found = validation[validation["step"] == step] if step else validation[:0]
    points = [{"coord": [step, float(value)], "name": "best"} for value in found[column]]
    label = {"show": True, "formatter": "best", "position": "top", "color": _LABEL, "fontSize": 11}
    return {"symbol": "circle", "symbolSize": 11, "silent": True, "animation": False, "label": label, "data": points}


def describe_change(change: Change) -> str:
    """Describe a changed hyperparameter, such as "learning rate 0.1 → 0.01 at 840"."""
    name = change.name.replace("_", " ")
    if change.step is None:
        return f"{name} to {change.value:g}, not yet applied"
    return f"{name} {change.old:g} → {change.value:g} at {change.step:,}"


def describe_curve(
    rows: Sequence[dict[str, Any]], name: str, *, changes: Sequence[Change] = (), best_step: int | None = None
) -> str:
    """Describe a learning curve in a sentence or two."""
    if not rows:
        return f"The {name} curve has no points yet."
    validated = [row for row in rows if row[f"val_{name}"] is not None]
    tail = ""
    if validated:
        tail = f"; in validation from {validated[0][f'val_{name}']:.3f} to {validated[-1][f'val_{name}']:.3f}"
    best = [row[f"val_{name}"] for row in validated if row["step"] == best_step]
    if best:
        tail += f", at its best validation {best[0]:.3f} after {best_step:,}"
    changed = ", ".join(describe_change(change) for change in changes if change.step)
    also = f" Changed during training: {changed}." if changed else ""
    return (
        f"The {name} over {rows[-1]['step']:,} iterations: in training from {rows[0][name]:.3f} "
        f"to {rows[-1][name]:.3f}{tail}.{also}"
    )


def comparison_chart(histories: Histories, measure: str, *, is_log: bool = False) -> dict[str, Any]:
    """Return one measure of several runs over their iterations, one line for each run.

    Args:
        histories: each run's rows, as `registry.Registry.metrics` returns them, by the run's name.
        measure: one of `MEASURES`.
        is_log: whether the axis is logarithmic; the accuracy is then shown as the error, 1 - accuracy, which makes
            progress near 1 visible.
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
            "max": 1 if measure == "val_accuracy" and not is_log else None,
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
                "showSymbol": measure != "loss",  # a training loss has too many points for markers
            }
            for index, (name, (colour, dashes, symbol)) in enumerate(zip(points, _LINES, strict=False))
        ],
    }


def legend_height(count: int) -> int:
    """Return the pixels above the chart that the names of `count` curves take, one per line to fit a phone."""
    return 21 * count


def describe_comparison(histories: Histories, measure: str, *, is_log: bool = False) -> str:
    """Describe in a sentence where each run's curve ends."""
    title, points = _measured(histories, measure, is_log=is_log)
    ends = [
        f"{name} at {table[measure].iloc[-1]:.4f} after {table['step'].iloc[-1]:,} iterations"
        if len(table)
        else f"{name} has no points yet"
        for name, table in points.items()
    ]
    return f"{title} of {len(ends)} runs: {'; '.join(ends)}."


def _measured(histories: Histories, measure: str, *, is_log: bool) -> tuple[str, dict[str, pd.DataFrame]]:
    """Return the name of what is drawn, and each run's points."""
    points = {
        name: pd.DataFrame(rows, columns=METRIC_NAMES)[["step", measure]].dropna() for name, rows in histories.items()
    }
    if not is_log:
        return MEASURES[measure], points
    if measure == "val_accuracy":
        points = {name: table.assign(val_accuracy=1 - table["val_accuracy"]) for name, table in points.items()}
    points = {name: table[table[measure] > 0] for name, table in points.items()}  # 0 has no logarithm
    return "Validation error" if measure == "val_accuracy" else MEASURES[measure], points


def progress_lines(rows: Sequence[dict[str, Any]], *, every: int = 100) -> str:
    """Return the tutorials' progress line for each iteration divisible by `every`."""
    return "\n".join(progress_line(row) for row in rows if row["step"] % every == 0)


def progress_line(row: dict[str, Any]) -> str:
    """Format one row of progress as the tutorials print it."""
    return f"Iteration {row['step']}\t| Loss = {row['loss']:.4f}\t| Accuracy = {row['accuracy']:.4f}"
