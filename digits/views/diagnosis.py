"""Diagnosis: whether a run has learned nothing, why probably, and which settings are worth a try."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digits.runs.changes import Change, value_at
from digits.runs.hyperparameters import LEARNING_RATES, Hyperparameters
from digits.runs.schema import Run, RunState

GUESSING = 2.0  # a network with less than so many times the accuracy of chance is guessing
_PATIENCE = 4  # validations after which a running network should have learned something
_GOOD_RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 1e-3}  # each optimizer's usual rate


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a run.

    Attributes:
        headline: what happened, in a few words.
        reason: why, probably, and what may help.
        better: the settings that are worth a try.
    """

    headline: str
    reason: str
    better: Hyperparameters


def diagnose(
    run: Run, rows: Sequence[Mapping[str, Any]], changes: Sequence[Change] = (), *, classes: int
) -> Diagnosis | None:
    """Return what is wrong with a run if its loss is not finite or its network guesses; else None.

    Args:
        rows: the run's history, as `Registry.metrics` returns it.
        changes: the hyperparameters changed during the run.
        classes: how many its data set has.
    """
    rate = value_at(run.hyperparameters, changes, "learning_rate", run.step)
    better = dataclasses.replace(run.hyperparameters, learning_rate=_better_rate(run.hyperparameters, rate))
    if run.state is RunState.FAILED and "loss should stay a finite" in run.reason:
        return Diagnosis(
            "Training diverged: the loss is no longer a number.",
            f"Each update overshot by more than the one before. A learning rate of {rate:g} is too large for "
            f"{run.hyperparameters.optimizer} here.",
            better,
        )
    validated = [row["val_accuracy"] for row in rows if row["val_accuracy"] is not None]
    is_over = run.is_ended and run.state is not RunState.FAILED
    if not validated or not (is_over or len(validated) >= _PATIENCE) or validated[-1] >= GUESSING / classes:
        return None
    headline = f"This network is guessing: {validated[-1]:.1%} correct, where chance gives {1 / classes:.0%}."
    if rate > better.learning_rate:
        reason = f"A learning rate of {rate:g} is probably too large: the first updates wrecked the weights."
    else:
        reason = f"A learning rate of {rate:g} is probably too small for {run.hyperparameters.iterations:,} iterations."
    return Diagnosis(headline, reason, better)


def _better_rate(chosen: Hyperparameters, rate: float) -> float:
    """Return the optimizer's usual rate, or a fifth of `rate` if that is no large step from it."""
    usual = _GOOD_RATES[chosen.optimizer]
    if rate > usual:
        wanted = min(usual, rate / 5)
    elif rate < usual / 2:
        wanted = usual
    else:
        wanted = rate / 5
    return min(LEARNING_RATES, key=lambda stop: abs(math.log(stop / wanted)))
