"""Sweeps in words and as a table: what is searched, about how long it takes, what was found, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.schema import Run, RunState
from digits.runs.sweep_record import Sweep
from digits.sweeps.outcome import best_of, validated
from digits.sweeps.plan import Plan
from digits.views import networks

SAMPLERS = {"tpe": "TPE", "random": "Random", "grid": "Grid"}
SAMPLERS_EXPLAINED = {
    "tpe": "Each trial is drawn near the better ones before it, after some random ones.",
    "random": "Each trial is drawn at random. With many settings, that covers each of them better than a grid.",
    "grid": "An even grid, in random order: a few values of every setting, each with each.",
}
PRUNERS = {"halving": "Halving", "hyperband": "Hyperband", "none": "None"}
PRUNERS_EXPLAINED = {
    "halving": "Only the best third goes on at a ninth of the iterations, and again at a third.",
    "hyperband": "Like halving, but some trials are judged later, in case they learn slowly, or never.",
    "none": "Every trial trains to its end.",
}
# Shares of the iterations that trials train, in the mean: a ninth for all, a third for some; Hyperband spares some.
_LEAST = {"halving": 0.3, "hyperband": 0.5, "none": 1.0}
_SAVING_SECONDS = 3.0  # to test and save the model of a trial


def seconds(plan: Plan, paces: Mapping[str, float]) -> tuple[float, float]:
    """Return about how long a sweep takes at least and at most, with the run at its end.

    Args:
        paces: seconds for an image by network, as `Registry.paces` measured them here.
    """
    middle = {axis.name: axis.values[len(axis.values) // 2] for axis in plan.space.axes}
    middle |= {  # the cost grows with these, so their means count
        axis.name: type(axis.values[0])(sum(axis.values) / len(axis.values))
        for axis in plan.space.axes
        if axis.name in ("batch_size", "iterations")
    }
    once = networks.seconds(plan.at(middle), paces)
    saving = _SAVING_SECONDS * (plan.most + 1)
    least, most = (share * once * plan.most + once + saving for share in (_LEAST[plan.pruner], 1.0))
    if plan.minutes:
        most = min(most, 60.0 * plan.minutes + 2 * once + _SAVING_SECONDS)
    return min(least, most), most


def estimate(plan: Plan, paces: Mapping[str, float]) -> str:
    """Say before the start how many trials there are, and about how long they take."""
    least, most = (networks.duration(length) for length in seconds(plan, paces))
    trials = "1 trial" if plan.most == 1 else f"{plan.most:,} trials"
    count = (
        f"No trial begins after {plan.minutes} min" if plan.minutes else f"{trials}, and the best settings once more"
    )
    fewer = f" The grid has {plan.most:,} settings." if plan.sampler == "grid" and plan.most < plan.trials else ""
    span = most if least == most else f"{least} to {most}"
    if least.split()[1:] == most.split()[1:] and least != most:
        span = f"{least.split()[0]} to {most}"
    return f"{count}: about {span} if nobody else trains.{fewer}"


def space_in_words(plan: Plan) -> str:
    """Describe what is searched: "learning rate 0.0001 to 0.01; optimizer sgd, adam"."""
    parts = []
    for axis in plan.space.axes:
        shown = (value_in_words(value) for value in axis.values)
        span = f"{value_in_words(axis.values[0])} to {value_in_words(axis.values[-1])}"
        parts.append(f"{KNOBS[axis.name].label.lower()} {span if axis.is_ordered else ', '.join(shown)}")
    return "; ".join(parts)


def fixed_in_words(plan: Plan) -> str:
    """Describe the settings that all trials share: "iterations 2,000, optimizer adam"."""
    unsaid = {axis.name for axis in plan.space.axes} | {"network", "dataset", "patience"}
    if plan.hyperparameters.own_share == Hyperparameters().own_share:  # which most data sets do not use
        unsaid.add("own_share")
    names = [name for name in KNOBS if name not in unsaid]
    values = (f"{KNOBS[name].label.lower()} {value_in_words(getattr(plan.hyperparameters, name))}" for name in names)
    return ", ".join(values)


def settings_in_words(plan: Plan, run: Run) -> str:
    """Describe a trial's searched settings: "learning rate 0.002, dropout 0.3"."""
    values = plan.searched(run.hyperparameters).items()
    return ", ".join(f"{KNOBS[name].label.lower()} {value_in_words(value)}" for name, value in values)


def value_in_words(value: Any) -> str:
    """Return a setting's value, such as "0.002", "2,000" or "adam"."""
    return f"{value:.10g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def progress(sweep: Sweep, trials: Sequence[Run]) -> tuple[float, str]:
    """Return how much of a sweep is done, in [0, 1], and that in words."""
    plan = Plan.from_dict(sweep.plan)
    ended = sum(run.is_ended for run in trials) + sweep.begun - len(trials)  # some may have been removed
    pruned = sum(run.pruned is not None for run in trials)
    also = f", {pruned} pruned" if pruned else ""
    if sweep.confirmation:
        return 1.0, f"All {ended:,} trials have ended{also}. The best settings are trained once more."
    if plan.minutes:
        share = sweep.seconds / (60 * plan.minutes)
        return min(1.0, share), f"{sweep.seconds / 60:.0f} of {plan.minutes} min, {ended:,} trials{also}"
    return ended / plan.most, f"{ended:,} of {plan.most:,} trials{also}"


def verdict(sweep: Sweep, trials: Sequence[Run], again: Run | None) -> str:
    """Say what a sweep has found so far, and how sure that is.

    Args:
        again: the run that trained the best settings once more; None before it.
    """
    best, count = best_of(trials), len(validated(trials))
    if best is None or best.best_val_accuracy is None:
        return sweep.note or ("No trial has been validated." if sweep.is_ended else "No trial has ended yet.")
    first = f"The best of {count:,} trials" if count > 1 else "The only trial so far"
    reached = f"{first} had {best.best_val_accuracy:.1%} on validation"
    measured = again.test_accuracy if again and again.has_model else None
    if measured is None:
        flatters = f" That is the best of {count:,} tries, so it flatters." if count > 1 else ""
        after = (
            "" if sweep.is_ended else " At the end, its settings are trained again with a fresh seed and tested once."
        )
        return f"{reached}.{flatters}{after}"
    low, high = measured.interval
    flatters = (
        f"The first figure is the best of {count:,} tries, so it flatters; the second" if count > 1 else "The second"
    )
    return (
        f"{reached}; trained again with a fresh seed it has {measured.share:.1%} on test "
        f"(95% CI {low * 100:.1f} to {high * 100:.1f}). {flatters} was measured once."
    )


def beginning(plan: Plan, trials: Sequence[Run]) -> str:
    """Say what the settings reached where the search began; empty if no trial has them."""
    for run in trials:
        if run.trial == 1 and run.is_ended and run.hyperparameters == plan.hyperparameters and run.best_val_accuracy:
            early = f", pruned after {run.pruned:,} iterations" if run.pruned is not None else ""
            return f"Trial 1 had the settings where the search began: {run.best_val_accuracy:.1%} on validation{early}."
    return ""


def ending(run: Run) -> str:
    """Say in a few words how far a trial is, or how it ended."""
    if run.pruned is not None and run.is_ended:
        return f"Pruned at {run.pruned:,}"
    if run.state is RunState.RUNNING:
        return f"Training, {run.step / run.hyperparameters.iterations:.0%}"
    return {RunState.QUEUED: "Waiting"}.get(run.state, run.state.capitalize())


def table(plan: Plan, trials: Sequence[Run]) -> pd.DataFrame:
    """Return the trials, the best first: "Trial", "Validation" in [0, 1], "State", the searched settings, "Seconds".

    Trials that have not been validated come last; their accuracy is missing.
    """
    ranked = sorted(trials, key=lambda run: (-(run.best_val_accuracy or 0.0), run.trial))
    columns = ["Trial", "Validation", "State", *(KNOBS[axis.name].label for axis in plan.space.axes), "Seconds", "Id"]
    rows = [
        [
            run.trial,
            run.best_val_accuracy,
            ending(run),
            *plan.searched(run.hyperparameters).values(),
            run.seconds,
            run.id,
        ]
        for run in ranked
    ]
    return pd.DataFrame(rows, columns=columns).astype({"Validation": float, "Seconds": float})


def trial_line(plan: Plan, run: Run) -> str:
    """Return a line about an ended trial for the command line."""
    reached = f"{run.best_val_accuracy:.2%}" if run.best_val_accuracy is not None else "–"
    return f"Trial {run.trial}\t| {reached} | {settings_in_words(plan, run)} | {ending(run)}, {run.seconds:.1f} s"


def as_text(plan: Plan, trials: Sequence[Run], *, most: int = 5) -> str:
    """Return the best trials as lines of text."""
    ranked = sorted(validated(trials), key=lambda run: -(run.best_val_accuracy or 0.0))[:most]
    return "\n".join(trial_line(plan, run) for run in ranked)
