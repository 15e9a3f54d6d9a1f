"""Charts of a sweep: how settings and accuracy go together, each trial's curve, and what more time gains."""

from collections.abc import Mapping, Sequence
from typing import Any

from digits.runs.hyperparameters import KNOBS
from digits.runs.schema import Run
from digits.sweeps.outcome import best_of, pareto_front, validated
from digits.sweeps.plan import Plan
from digits.views.sweeps import settings_in_words, value_in_words

# As on every page, blue is a measurement and grey of no weight; the best trial is deeper and wide.
_BEST, _TRIAL, _PRUNED, _LABEL = "#3d7ab8", "#7fb0dd", "#9aa4ae", "#758290"
_FAINT, _CLEAR = 0.45, 0.8
_LABELS = 9  # at most, on an axis
_SHOWN = 0.8  # the share of the trials that must fit on an accuracy axis; those that guess would flatten the others

Curves = Mapping[str, Sequence[tuple[int, float]]]  # the iteration and the accuracy of validations, by the run's id


def _kinds(trials: Sequence[Run]) -> list[tuple[str, list[Run], dict[str, Any]]]:
    """Return the trials by their kind, each with its name and the style of its lines; the best one is drawn last."""
    best = best_of(trials)
    others = [run for run in trials if best is None or run.id != best.id]
    return [
        ("pruned", [r for r in others if r.pruned is not None], _line(_PRUNED, 1, _FAINT) | {"type": "dashed"}),
        ("trial", [r for r in others if r.pruned is None], _line(_TRIAL, 1.5, _CLEAR)),
        ("best", [best] if best else [], _line(_BEST, 3.5, 1)),
    ]


def _line(colour: str, width: float, opacity: float) -> dict[str, Any]:
    return {"color": colour, "width": width, "opacity": opacity}


def _legend(kinds: Sequence[tuple[str, list[Run], dict[str, Any]]]) -> dict[str, Any]:
    names = [name for name, runs, _ in kinds if runs]
    return {"data": names, "right": 0, "top": 0, "selectedMode": False, "textStyle": {"color": _LABEL}}


def _lowest(accuracies: Sequence[float]) -> float:
    """Return where an accuracy axis begins, in percent: below most of the values."""
    ordered = sorted(accuracies, reverse=True)
    if not ordered:
        return 0.0
    low, high = ordered[min(len(ordered) - 1, int(_SHOWN * len(ordered)))], ordered[0]
    return max(0.0, float(int(100 * (low - 0.2 * (high - low)) - 0.5)))


def parallel_coordinates(plan: Plan, trials: Sequence[Run]) -> dict[str, Any]:
    """Return a line for each ended trial, through its searched settings to its validation accuracy."""
    done = validated(trials)
    label = {"color": _LABEL, "fontSize": 11}
    axes = [
        {
            "dim": index,
            "name": KNOBS[axis.name].label,
            "type": "category",
            "data": [value_in_words(value) for value in axis.values],
            "axisLabel": label | {"interval": -(-len(axis.values) // _LABELS) - 1},
            "nameTextStyle": label,
        }
        for index, axis in enumerate(plan.space.axes)
    ]
    low = _lowest([run.best_val_accuracy or 0.0 for run in done])
    last = {"dim": len(axes), "name": "Validation, %", "min": low, "axisLabel": label, "nameTextStyle": label}
    kinds = _kinds(done)
    return {
        "animation": False,
        "legend": _legend(kinds),
        "parallel": {"left": 40, "right": 56, "top": 58, "bottom": 12, "parallelAxisDefault": {"nameGap": 10}},
        "parallelAxis": [*axes, last],
        "series": [
            {
                "name": name,
                "type": "parallel",
                "lineStyle": style,
                "color": style["color"],
                "smooth": 0.2,
                "silent": True,
                "data": [_through(plan, run, low) for run in runs],
            }
            for name, runs, style in kinds
        ],
    }


def _through(plan: Plan, run: Run, low: float) -> list[Any]:
    accuracy = round(100 * (run.best_val_accuracy or 0.0), 2)
    return [*(value_in_words(v) for v in plan.searched(run.hyperparameters).values()), max(low, accuracy)]


def describe_parallel(plan: Plan, trials: Sequence[Run]) -> str:
    """Describe the best trials' settings in words."""
    ranked = sorted(validated(trials), key=lambda run: -(run.best_val_accuracy or 0.0))[:3]
    if not ranked:
        return "No trial has ended yet."
    said = (f"{settings_in_words(plan, run)}: {run.best_val_accuracy:.1%}" for run in ranked)
    return f"Settings and validation accuracy of {len(validated(trials))} trials. The best: {'; '.join(said)}."


def importance_bars(importances: Mapping[str, float]) -> dict[str, Any]:
    """Return a bar for each searched setting: how much it decides whether a trial is among the best."""
    ordered = sorted(importances.items(), key=lambda item: item[1])
    return {
        "animation": False,
        "grid": {"left": 4, "right": 48, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "min": 0, "max": 100, "show": False},
        "yAxis": {
            "type": "category",
            "data": [KNOBS[name].label for name, _ in ordered],
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "series": [
            {
                "type": "bar",
                "color": _TRIAL,
                "barMaxWidth": 22,
                "data": [round(100 * share, 1) for _, share in ordered],
                "label": {"show": True, "position": "right", "formatter": "{c}%", "color": _LABEL},
            }
        ],
    }


def describe_importances(importances: Mapping[str, float]) -> str:
    """Describe in a sentence which settings matter."""
    ordered = sorted(importances.items(), key=lambda item: -item[1])
    said = ", ".join(f"{KNOBS[name].label.lower()} {share:.0%}" for name, share in ordered)
    return f"How much each setting decides whether a trial is among the best: {said}."


def curves(trials: Sequence[Run], points: Curves) -> dict[str, Any]:
    """Return the validation curve of every trial; pruned ones are faint."""
    drawn = [run for run in trials if points.get(run.id)]
    kinds = _kinds(drawn)
    low = _lowest([points[run.id][-1][1] for run in drawn])
    return {
        "animation": False,
        "legend": _legend(kinds),
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 24, "containLabel": True},
        "xAxis": {"type": "value", "min": 0, "name": "iteration", "nameLocation": "middle", "nameGap": 22},
        "yAxis": {"type": "value", "min": low, "name": "validation, %", "nameTextStyle": {"align": "left"}},
        "series": [
            {
                "name": name,
                "type": "line",
                "showSymbol": False,
                "silent": True,
                "lineStyle": style,
                "color": style["color"],
                "data": [[step, round(100 * accuracy, 2)] for step, accuracy in points[run.id]],
            }
            for name, runs, style in kinds
            for run in runs
        ],
    }


def describe_curves(trials: Sequence[Run], points: Curves) -> str:
    """Describe the curves in a sentence."""
    best = best_of(trials)
    pruned = sum(run.pruned is not None for run in trials)
    said = f"Validation accuracy over the iterations of {len(points)} trials, {pruned} of them pruned"
    if best is None or not points.get(best.id):
        return f"{said}."
    return f"{said}; the best one from {points[best.id][0][1]:.1%} to {points[best.id][-1][1]:.1%}."


def time_and_accuracy(trials: Sequence[Run]) -> dict[str, Any]:
    """Return the trials by seconds and validation accuracy, with a line along those that no other one beats in both."""
    done = validated(trials)
    low = _lowest([run.best_val_accuracy or 0.0 for run in done])
    kinds = _kinds(done)
    front = [_point(run) for run in pareto_front(done)]
    return {
        "animation": False,
        "legend": _legend(kinds),
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "min": 0, "name": "seconds of training", "nameLocation": "middle", "nameGap": 22},
        "yAxis": {"type": "value", "min": low, "name": "validation, %", "nameTextStyle": {"align": "left"}},
        "series": [
            {
                "type": "line",
                "step": "end",
                "data": front,
                "showSymbol": False,
                "silent": True,
                "color": _LABEL,
                "lineStyle": {"type": "dashed", "width": 1.5},
            },
            *(
                {
                    "name": name,
                    "type": "scatter",
                    "symbolSize": 13 if name == "best" else 9,
                    "color": style["color"],
                    "itemStyle": {"opacity": style["opacity"]},
                    "data": [{"name": f"Trial {run.trial}", "value": _point(run)} for run in runs],
                }
                for name, runs, style in kinds
            ),
        ],
    }


def _point(run: Run) -> list[float]:
    return [round(run.seconds, 1), round(100 * (run.best_val_accuracy or 0.0), 2)]


def describe_time(trials: Sequence[Run]) -> str:
    """Describe the trials that no other one beats in both time and accuracy."""
    said = (f"{run.best_val_accuracy:.1%} in {run.seconds:.1f} s" for run in pareto_front(trials))
    return f"Seconds of training and validation accuracy. No other trial beats these in both: {', '.join(said)}."
