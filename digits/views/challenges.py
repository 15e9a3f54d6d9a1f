"""Challenges: five things to find out by training, each a link, each checked from the visitor's own runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from digits.runs.schema import Run, RunState
from digits.views import diagnosis

_GOAL, _SECONDS = 0.985, 10.0
_SAMPLES = 100  # test images that a run shows
_CLASSES = 10  # all challenges are about MNIST
_LIMIT = 0.93  # no linear network reads more of MNIST


@dataclass(frozen=True)
class Result:
    """What a check found: whether the challenge is met, and a sentence on how far the visitor is."""

    is_met: bool
    sentence: str


@dataclass(frozen=True)
class Challenge:
    """A challenge.

    Attributes:
        title: its name.
        task: what to do.
        settings: parameters of the link that opens it.
        check: looks at the visitor's runs, the newest first, and the number of samples read rightly by run.
        lesson: what there is to learn, shown when it is met.
    """

    title: str
    task: str
    check: Callable[[Sequence[Run], Mapping[str, int]], Result]
    lesson: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def _tested(runs: Sequence[Run], network: str = "") -> list[Run]:
    """Return the runs whose test accuracy is known, of one network if it is named."""
    return [run for run in runs if run.test_accuracy and network in ("", run.hyperparameters.network)]


def _share(run: Run) -> float:
    return run.test_accuracy.share if run.test_accuracy else 0.0


def _dropout(runs: Sequence[Run], _right: Mapping[str, int]) -> Result:
    pairs = [
        (plain, dropped)
        for plain in _tested(runs)
        for dropped in _tested(runs, plain.hyperparameters.network)
        if plain.hyperparameters.dropout == 0 < dropped.hyperparameters.dropout and _differs_in_dropout(plain, dropped)
    ]
    for plain, dropped in pairs:
        if _share(dropped) > _share(plain) and plain.hyperparameters.network != "published":
            return Result(True, f"{_share(dropped):.2%} with dropout, {_share(plain):.2%} without.")
    if pairs:
        plain, dropped = pairs[0]
        return Result(False, f"{_share(dropped):.2%} with dropout, {_share(plain):.2%} without. Try more iterations.")
    return Result(False, "Two runs are needed that differ in nothing but dropout.")


def _differs_in_dropout(one: Run, other: Run) -> bool:
    chosen, different = one.hyperparameters.to_dict(), other.hyperparameters.to_dict()
    return {name for name in chosen if chosen[name] != different[name]} <= {"dropout", "seed"}


def _broken(runs: Sequence[Run], _right: Mapping[str, int]) -> Result:
    for run in runs:
        is_diverged = run.state is RunState.FAILED and "loss" in run.reason
        chance = diagnosis.GUESSING / _CLASSES
        if is_diverged or (run.is_ended and run.val_accuracy is not None and run.val_accuracy < chance):
            return Result(True, f"Broken, with a learning rate of {run.hyperparameters.learning_rate:g}.")
    return Result(False, "No run of yours has broken yet.")


def _fast(runs: Sequence[Run], _right: Mapping[str, int]) -> Result:
    quick = [run for run in _tested(runs) if run.seconds <= _SECONDS and not run.data.startswith("imported")]
    best = max(quick, key=_share, default=None)
    if best is None:
        return Result(False, f"No run of yours has ended within {_SECONDS:.0f} seconds yet.")
    return Result(_share(best) >= _GOAL, f"Your best: {_share(best):.2%} in {best.seconds:.1f} s.")


def _linear(runs: Sequence[Run], _right: Mapping[str, int]) -> Result:
    published, corrected = (_tested(runs, name) for name in ("published", "corrected"))
    found = [f"{name}: {max(map(_share, group)):.2%}" for name, group in _named(published, corrected) if group]
    is_met = bool(published and corrected) and max(map(_share, corrected)) > _LIMIT >= max(map(_share, published))
    return Result(is_met, "; ".join(found) + "." if found else "Train both networks of three layers.")


def _named(published: list[Run], corrected: list[Run]) -> list[tuple[str, list[Run]]]:
    return [("as published", published), ("with ReLU", corrected)]


def _hundred(_runs: Sequence[Run], right: Mapping[str, int]) -> Result:
    best = max(right.values(), default=0)
    return Result(best >= _SAMPLES, f"Your best: {best} of {_SAMPLES}." if right else "Train a network and watch them.")


CHALLENGES = {
    "dropout": Challenge(
        "Make dropout help",
        "Train the same network with and without dropout, until the one with dropout reads more test images.",
        _dropout,
        "Dropout pays when a network could learn its training images by heart: large networks and long runs.",
        {"network": "corrected", "iterations": 3000, "dropout": 0.0},
    ),
    "break": Challenge(
        "Break it with the learning rate",
        "Find a learning rate with which the network guesses, or its loss stops being a number.",
        _broken,
        "Too large a step overshoots the valley, and each correction is larger than the last.",
        {"network": "corrected", "iterations": 500, "learning_rate": 0.01},
    ),
    "fast": Challenge(
        "Beat 98.5% in 10 seconds",
        "Reach a test accuracy of 98.5% with at most ten seconds of training.",
        _fast,
        "Filters share their weights over the image, so they learn more from each image than dense layers.",
        {"network": "corrected", "iterations": 1000},
    ),
    "published": Challenge(
        "Find what “as published” cannot do",
        "Train three layers as published, and again with ReLU. What can the first not do, however long it trains?",
        _linear,
        "Without activations three layers are one linear map. It can draw no boundary that softmax regression cannot.",
        {"network": "published", "iterations": 1000},
    ),
    "hundred": Challenge(
        "100 samples right",
        "Train a network that reads all of the 100 test samples below the curves.",
        _hundred,
        "These are test images: nothing is chosen by them, so a hundred of a hundred is luck and skill.",
        {"network": "convolutional"},
    ),
}
