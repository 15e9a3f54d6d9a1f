"""The outcome of a sweep: its best trial, and the trials that no other one beats in both time and accuracy."""

from collections.abc import Sequence

from digits.runs.schema import Run, RunState


def validated(trials: Sequence[Run]) -> list[Run]:
    """Return the trials that have ended, pruned or not, and have been validated."""
    return [
        run for run in trials if run.is_ended and run.state is not RunState.FAILED and run.best_val_accuracy is not None
    ]


def best_of(trials: Sequence[Run]) -> Run | None:
    """Return the ended trial with the highest validation accuracy, of several the first; None if there is none."""
    return max(validated(trials), key=lambda run: run.best_val_accuracy or 0.0, default=None)


def pareto_front(trials: Sequence[Run]) -> list[Run]:
    """Return the ended trials that no other one beats: no quicker one read as much. The quickest comes first."""
    front: list[Run] = []
    for run in sorted(validated(trials), key=lambda run: (run.seconds, -(run.best_val_accuracy or 0.0))):
        if not front or (run.best_val_accuracy or 0.0) > (front[-1].best_val_accuracy or 0.0):
            front.append(run)
    return front
