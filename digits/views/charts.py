"""Charts: ECharts options made from data, each with a sentence as its text alternative."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from digits.accuracy import percent

# On every page blue is an answer or a measurement, orange an error, and grey what is correct or of no weight.
_ANSWER, _QUIET, _DOUBTFUL, _ERROR = "#3d7ab8", "#9fb3c8", "#b9bec4", "#d9742b"
_LABEL = "#758290"  # readable on light and dark pages

BARS = 10  # at most, in a chart of probabilities
_MANY, _CELL = 16, 26  # classes, of which a confusion matrix fits into a page; pixels of a cell if there are more


def confusion_map(counts: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    """Return a confusion matrix as a heat map: correct predictions are grey, errors orange.

    The deeper the colour, the larger the share of a class's images; an error has its full colour at a fifth.

    Args:
        counts: int (classes, classes), rows are true classes, columns are predicted classes.
        class_names: the names of the classes.
    """
    names = list(class_names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    depths = np.where(np.eye(len(names), dtype=bool), shares, -np.minimum(5 * shares, 1))
    cells = [
        [read, true, round(float(depths[true, read]), 3), int(counts[true, read])]
        for true in range(len(names))
        for read in range(len(names))
        if counts[true, read]
    ]
    axis = {"type": "category", "data": names, "nameLocation": "middle", "splitArea": {"show": True}}
    is_large = len(names) > _MANY  # its foot is out of sight
    return {
        "animation": False,
        "grid": {"left": 36, "right": 8, "top": 36 if is_large else 8, "bottom": 8 if is_large else 36},
        "tooltip": {"formatter": "{@[3]} images"},
        "xAxis": axis | {"name": "predicted", "nameGap": 24, "position": "top" if is_large else "bottom"},
        "yAxis": axis | {"name": "true", "nameGap": 22, "inverse": True},
        "visualMap": {
            "show": False,
            "dimension": 2,
            "min": -1,
            "max": 1,
            "inRange": {"color": [_ERROR, "#f4f2ee", _QUIET]},
        },
        "series": [
            {
                "type": "heatmap",
                "data": cells,
                "label": {"show": True, "formatter": "{@[3]}", "color": "#0d1318", "fontSize": 11},
            }
        ],
    }


def confusion_height(classes: int) -> int:
    """Return how many pixels high a confusion matrix must be to be read."""
    return 60 + _CELL * classes if classes > _MANY else 380


def likeliest(probabilities: np.ndarray) -> np.ndarray:
    """Return the classes that have a bar, int (n,): all in their order or, of more than `BARS`, the likeliest."""
    if len(probabilities) <= BARS:
        return np.arange(len(probabilities))
    return np.argsort(-probabilities, kind="stable")[:BARS]


def probability_bars(
    probabilities: np.ndarray, class_names: Sequence[str], *, is_doubtful: bool = False
) -> dict[str, Any]:
    """Return a bar chart of the class probabilities, with the highest one highlighted; of many, the likeliest.

    Args:
        probabilities: float (classes,).
        class_names: the names of the classes.
        is_doubtful: whether all bars are grey, because the drawing is unlikely to be a digit.
    """
    rows = likeliest(probabilities)
    chosen = probabilities[rows]
    best = int(chosen.argmax())
    table = pd.DataFrame({"class": [class_names[row] for row in rows], "probability": chosen.astype(float) * 100})
    table["label"] = [percent(share) for share in chosen]
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
                {"gte": float(table["probability"][best]), "color": _DOUBTFUL if is_doubtful else _ANSWER},
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
    """Describe the three likeliest classes in words."""
    order = probabilities.argsort()[::-1][:3]
    return "Probabilities: " + ", ".join(f"{class_names[i]} {percent(probabilities[i])}" for i in order) + "."


def reliability_diagram(table: pd.DataFrame) -> dict[str, Any]:
    """Return a reliability diagram: accuracy over confidence, with a dashed line where the two are equal.

    Args:
        table: as `calibration.reliability` returns it; each row becomes a point, and a line for its confidence
            interval.
    """
    shown = (table[["confidence", "accuracy", "low", "high"]] * 100).round(2)
    axis = {"type": "value", "min": 0, "max": 100, "nameLocation": "middle"}
    plain = {"type": "line", "showSymbol": False, "silent": True, "tooltip": {"show": False}}
    return {
        "animationDuration": 0,
        "grid": {"left": 24, "right": 24, "top": 16, "bottom": 28, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "dataset": {"source": shown[["confidence", "accuracy"]].assign(images=table["count"])},
        "xAxis": {**axis, "name": "confidence, %", "nameGap": 26},
        "yAxis": {**axis, "name": "accuracy, %", "nameGap": 34},
        "series": [
            {**plain, "data": [[0, 0], [100, 100]], "lineStyle": {"type": "dashed", "width": 1.5}, "color": _LABEL},
            *(
                {**plain, "data": [[row.confidence, row.low], [row.confidence, row.high]], "color": _ANSWER}
                for row in shown.itertuples(index=False)
            ),
            {
                "name": "accuracy",
                "type": "scatter",
                "encode": {"x": "confidence", "y": "accuracy", "tooltip": ["confidence", "accuracy", "images"]},
                "symbolSize": 10,
                "color": _ANSWER,
            },
        ],
    }


def describe_reliability(table: pd.DataFrame) -> str:
    """Describe a reliability diagram in words, bin by bin."""
    bins = [
        f"confidence {row['confidence']:.0%}, accuracy {row['accuracy']:.0%}, {row['count']:,} images"
        for row in table.to_dict("records")
    ]
    return f"Confidence and accuracy of the model: {'; '.join(bins)}."
