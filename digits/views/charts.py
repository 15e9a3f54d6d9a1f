"""Charts: ECharts options made from data, each with the sentence that says the same to who cannot see it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from digits.runs.hyperparameters import Change
from digits.runs.registry import METRIC_NAMES

_TRAINING, _VALIDATION = "#7c9cbf", "#d9742b"  # told apart by lightness too, on light and on dark
_QUIET, _LOUD, _DOUBTFUL = "#9fb3c8", "#d9742b", "#b9bec4"
_LABEL = "#758290"  # readable on light and on dark


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
) -> dict[str, Any]:
    """Return the curve of one measure, training and validation, over the iterations of a run.

    Args:
        rows: as `registry.Registry.metrics` returns them.
        name: "loss" or "accuracy".
        iterations: where the run will end; the axis reaches there from the start, so that nothing jumps.
        changes: the knobs turned, each an upright line with its words.
        best_step: the validation to mark as the best; None for none.
        smoothing: how much of its past a point of the training curve keeps, in [0, 1); validation is never smoothed.
        is_logarithmic: whether the upright axis counts in powers of ten.
    """
    table = pd.DataFrame(rows, columns=METRIC_NAMES)
    training = table[["step", name]].astype("float32")
    if smoothing and len(training):
        training[name] = training[name].ewm(alpha=1 - smoothing).mean()
    validation = table[["step", f"val_{name}"]].dropna().astype("float32")
    label = "training, smoothed" if smoothing else "training"
    is_share = name == "accuracy"
    axis = {"type": "log"} if is_logarithmic else {"min": None if is_share else 0, "max": 1 if is_share else None}
    return {
        "animation": False,  # a curve that glides is never at rest, and kept half a core of the visitor's machine busy
        "title": {"text": title, "left": 0, "textStyle": {"fontSize": 14}},
        "legend": {"right": 0, "top": 0, "data": [label, "validation"]},
        "grid": {"left": 8, "right": 16, "top": 44, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.4f"},
        "dataset": [{"source": training}, {"source": validation}],
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": iterations,
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
                "markLine": _turned(changes),
                "markPoint": _best(validation, f"val_{name}", best_step),
            },
        ],
    }


def _turned(changes: Sequence[Change]) -> dict[str, Any]:
    """Upright lines where knobs were turned, each with its words beside it."""
    style = {"color": _LABEL, "type": "dashed", "width": 1}
    label = {"rotate": 90, "position": "insideEndTop", "color": _LABEL, "fontSize": 11}
    lines = [
        {"xAxis": change.step, "label": {"formatter": describe_change(change)}} for change in changes if change.step
    ]
    return {"symbol": "none", "silent": True, "animation": False, "lineStyle": style, "label": label, "data": lines}


def _best(validation: pd.DataFrame, column: str, step: int | None) -> dict[str, Any]:
    """A pin on the validation that was the best."""
    found = validation[validation["step"] == step] if step else validation[:0]
    points = [{"coord": [step, float(value)], "name": "best"} for value in found[column]]
    label = {"show": True, "formatter": "best", "position": "top", "color": _LABEL, "fontSize": 11}
    return {"symbol": "circle", "symbolSize": 11, "silent": True, "animation": False, "label": label, "data": points}


def describe_change(change: Change) -> str:
    """Return a turned knob in words, as in "learning rate 0.1 → 0.01 at 840"."""
    name = change.name.replace("_", " ")
    if change.step is None:
        return f"{name} to {change.value:g}, with the next iterations"
    return f"{name} {change.old:g} → {change.value:g} at {change.step:,}"


def describe_curve(
    rows: Sequence[dict[str, Any]], name: str, *, changes: Sequence[Change] = (), best_step: int | None = None
) -> str:
    """Return what a learning curve shows, in a sentence or two."""
    if not rows:
        return f"The {name} curve, still empty."
    validated = [row for row in rows if row[f"val_{name}"] is not None]
    tail = ""
    if validated:
        tail = f"; in validation from {validated[0][f'val_{name}']:.3f} to {validated[-1][f'val_{name}']:.3f}"
    best = [row[f"val_{name}"] for row in validated if row["step"] == best_step]
    if best:
        tail += f", at its best validation {best[0]:.3f} after {best_step:,}"
    turned = ", ".join(describe_change(change) for change in changes if change.step)
    also = f" Turned on the way: {turned}." if turned else ""
    return (
        f"The {name} over {rows[-1]['step']:,} iterations: in training from {rows[0][name]:.3f} "
        f"to {rows[-1][name]:.3f}{tail}.{also}"
    )


def confusion_map(counts: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    """Return a heat map of counts int (classes, classes), a row for what images are, a column for what was read.

    Each row is coloured by its own images, so that the diagonal darkens as a class is learned.
    """
    names = list(class_names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        [read, true, round(float(shares[true, read]), 3), int(counts[true, read])]
        for true in range(len(names))
        for read in range(len(names))
        if counts[true, read]
    ]
    axis = {"type": "category", "data": names, "nameLocation": "middle", "splitArea": {"show": True}}
    return {
        "animation": False,
        "grid": {"left": 36, "right": 8, "top": 8, "bottom": 36},
        "tooltip": {"formatter": "{@[3]} images"},
        "xAxis": axis | {"name": "read as", "nameGap": 24},
        "yAxis": axis | {"name": "is", "nameGap": 22, "inverse": True},
        "visualMap": {
            "show": False,
            "dimension": 2,
            "min": 0,
            "max": 1,
            "inRange": {"color": ["#f3e3d3", _VALIDATION]},
        },
        "series": [
            {
                "type": "heatmap",
                "data": cells,
                "label": {"show": True, "formatter": "{@[3]}", "color": "#1f2933", "fontSize": 11},
            }
        ],
    }


def probability_bars(
    probabilities: np.ndarray, class_names: Sequence[str], *, is_doubtful: bool = False
) -> dict[str, Any]:
    """Return a bar for each class's probability, float (classes,), the highest one marked; all grey where doubtful."""
    best = int(probabilities.argmax())
    table = pd.DataFrame({"class": list(class_names), "probability": probabilities.astype(float) * 100})
    table["label"] = [percent(share) for share in probabilities]
    return {
        "animationDuration": 0,
        "animationDurationUpdate": 200,
        "grid": {"left": 4, "right": 84, "top": 4, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "item", "formatter": "{b}: {@label}"},
        "dataset": {"source": table},
        "xAxis": {"type": "value", "min": 0, "max": 100, "show": False},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {"fontSize": 14, "fontWeight": "bold"},
        },
        "visualMap": {
            "show": False,
            "dimension": "probability",
            "pieces": [
                {"gte": float(table["probability"][best]), "color": _DOUBTFUL if is_doubtful else _LOUD},
                {"lt": float(table["probability"][best]), "color": _DOUBTFUL if is_doubtful else _QUIET},
            ],
        },
        "series": [
            {
                "type": "bar",
                "encode": {"y": "class", "x": "probability"},
                "barWidth": "62%",
                "label": {"show": True, "position": "right", "formatter": "{@label}", "color": _LABEL},
            }
        ],
    }


def describe_probabilities(probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """Return the three likeliest classes in words."""
    order = probabilities.argsort()[::-1][:3]
    return "Probabilities: " + ", ".join(f"{class_names[i]} {percent(probabilities[i])}" for i in order) + "."


def reliability_diagram(table: pd.DataFrame) -> dict[str, Any]:
    """Return how often a model is right, over how sure it is; on the dashed line both are the same.

    Args:
        table: as `calibration.reliability` returns it; each row is a point on the line of its interval.
    """
    shown = (table[["confidence", "accuracy", "low", "high"]] * 100).round(2)
    axis = {"type": "value", "min": 0, "max": 100, "nameLocation": "middle"}
    plain = {"type": "line", "showSymbol": False, "silent": True, "tooltip": {"show": False}}
    return {
        "animationDuration": 0,
        "grid": {"left": 24, "right": 24, "top": 16, "bottom": 28, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "dataset": {"source": shown[["confidence", "accuracy"]].assign(images=table["count"])},
        "xAxis": {**axis, "name": "how sure it is, %", "nameGap": 26},
        "yAxis": {**axis, "name": "how often it is right, %", "nameGap": 34},
        "series": [
            {**plain, "data": [[0, 0], [100, 100]], "lineStyle": {"type": "dashed", "width": 1.5}, "color": _LABEL},
            *(
                {**plain, "data": [[row.confidence, row.low], [row.confidence, row.high]], "color": _VALIDATION}
                for row in shown.itertuples(index=False)
            ),
            {
                "name": "how often it is right",
                "type": "scatter",
                "encode": {"x": "confidence", "y": "accuracy", "tooltip": ["confidence", "accuracy", "images"]},
                "symbolSize": 10,
                "color": _VALIDATION,
            },
        ],
    }


def describe_reliability(table: pd.DataFrame) -> str:
    """Return what a reliability diagram shows, bin by bin."""
    bins = [
        f"{row['confidence']:.0%} sure and {row['accuracy']:.0%} right in {row['count']:,} images"
        for row in table.to_dict("records")
    ]
    return f"How often the model is right, by how sure it is: {'; '.join(bins)}."


def percent(share: float) -> str:
    """Return a share in [0, 1] as a percentage that never rounds to certainty: 0.99996 is ">99.9 %"."""
    if share >= 0.9995:
        return ">99.9 %"
    return f"{share:.1%}".replace("%", " %") if share >= 0.0005 else "<0.1 %"


def progress_lines(rows: Sequence[dict[str, Any]], *, every: int = 100) -> str:
    """Return the tutorials' progress line for every hundredth iteration."""
    return "\n".join(progress_line(row) for row in rows if row["step"] % every == 0)


def progress_line(row: dict[str, Any]) -> str:
    """Return one row of progress as the tutorials print it."""
    return f"Iteration {row['step']}\t| Loss = {row['loss']:.4f}\t| Accuracy = {row['accuracy']:.4f}"
