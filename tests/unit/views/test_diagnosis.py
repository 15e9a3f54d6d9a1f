"""diagnosis: a run that learned nothing is told, and its better settings differ from those that failed."""

import dataclasses
import functools

import pytest

from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.views import diagnosis

diagnose = functools.partial(diagnosis.diagnose, classes=10)


@pytest.fixture
def run_of(tmp_path):
    """Return a function that makes a run with these settings, state and reason."""
    registry = Registry(f"sqlite:///{tmp_path / 'runs.sqlite'}")

    def make(state=RunState.FINISHED, reason="", **settings):
        run = registry.get(registry.create(Hyperparameters(**settings), "ada"))
        return dataclasses.replace(run, state=state, reason=reason, step=100)

    yield make
    registry.close()


def rows(*accuracies):
    return [{"step": step, "val_accuracy": accuracy} for step, accuracy in enumerate(accuracies)]


def test_a_run_that_learned_is_not_diagnosed(run_of):
    assert diagnose(run_of(), rows(0.3, 0.9)) is None
    assert diagnose(run_of(), []) is None


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adam", 0.1), ("adam", 1.0), ("sgd", 1.0), ("sgd", 0.05), ("adam", 1e-3), ("sgd", 1e-5)]
)
def test_a_guessing_run_is_told_with_another_rate(optimizer, rate, run_of):
    """Too large a rate is followed by a smaller one, too small a rate by a larger one."""
    run = run_of(network="corrected", optimizer=optimizer, learning_rate=rate)
    found = diagnose(run, rows(0.11, None, 0.1009))
    assert "guessing: 10.1% correct" in found.headline
    assert found.better.learning_rate != rate
    assert ("too large" in found.reason) == (found.better.learning_rate < rate)
    assert dataclasses.replace(found.better, learning_rate=rate) == run.hyperparameters


def test_a_running_network_gets_some_validations_first(run_of):
    """Every network guesses at the beginning."""
    run = run_of(RunState.RUNNING)
    assert diagnose(run, rows(0.1, 0.1)) is None
    assert diagnose(run, rows(0.1, 0.1, 0.1, 0.1)) is not None


def test_a_loss_that_is_no_number_is_told_with_the_rate_of_that_moment(run_of):
    """A rate that was changed during the run is the one to blame."""
    reason = "The loss should stay a finite number; after 10 iterations it was nan. Start again with less."
    run = run_of(RunState.FAILED, reason, learning_rate=0.01)
    found = diagnose(run, [], [Change(50, "learning_rate", 0.01, 1.0)])
    assert "diverged" in found.headline
    assert "rate of 1 " in found.reason
    assert found.better.learning_rate == 0.1


def test_other_failures_are_not_the_rates_fault(run_of):
    assert diagnose(run_of(RunState.FAILED, "The disk is full."), rows(0.1)) is None


def test_chance_depends_on_the_classes(run_of):
    """What is guessing among ten classes is learned among 47."""
    assert diagnose(run_of(), rows(0.1, 0.1)) is not None
    assert diagnosis.diagnose(run_of(), rows(0.1, 0.1), classes=47) is None
    assert "chance gives 2%" in diagnosis.diagnose(run_of(), rows(0.03), classes=47).headline
