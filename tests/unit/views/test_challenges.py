"""challenges: each is met by the runs that meet it and by no others."""

import dataclasses

import pytest

from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.views import sharing
from digits.views.challenges import CHALLENGES


@pytest.fixture
def run_of(tmp_path):
    """Return a function that makes a finished run with this number of correct test images of 10,000."""
    registry = Registry(f"sqlite:///{tmp_path / 'runs.sqlite'}")

    def make(correct=None, *, state=RunState.FINISHED, reason="", seconds=5.0, val_accuracy=0.9, **settings):
        run = registry.get(registry.create(Hyperparameters(**settings), "ada"))
        total = None if correct is None else 10_000
        facts = {"test_correct": correct, "test_total": total, "seconds": seconds, "val_accuracy": val_accuracy}
        return dataclasses.replace(run, state=state, reason=reason, **facts)

    yield make
    registry.close()


def is_met(name, *runs, right=None):
    return CHALLENGES[name].check(runs, right or {}).is_met


def test_there_are_five_and_each_is_a_link():
    """A challenge's settings are valid parameters of the Train page."""
    assert len(CHALLENGES) == 5
    for name, challenge in CHALLENGES.items():
        values, notices = sharing.read(
            "train", {"challenge": name} | {k: str(v) for k, v in challenge.settings.items()}
        )
        assert not notices
        assert values["challenge"] == name
        assert not challenge.check([], {}).is_met


def test_dropout_helps_where_nothing_else_differs(run_of):
    plain = run_of(9800, network="corrected")
    assert is_met("dropout", plain, run_of(9850, network="corrected", dropout=0.5))
    assert not is_met("dropout", plain, run_of(9790, network="corrected", dropout=0.5))
    assert not is_met("dropout", plain, run_of(9850, network="corrected", dropout=0.5, iterations=900))


def test_a_run_is_broken_by_guessing_or_by_diverging(run_of):
    assert is_met("break", run_of(1009, val_accuracy=0.1, learning_rate=1.0))
    assert is_met("break", run_of(state=RunState.FAILED, reason="The loss should stay a finite number"))
    assert not is_met("break", run_of(9100), run_of(state=RunState.FAILED, reason="The disk is full."))


def test_speed_counts_with_accuracy(run_of):
    assert is_met("fast", run_of(9850, seconds=9.9))
    assert not is_met("fast", run_of(9849, seconds=9.9), run_of(9900, seconds=10.1))


def test_the_published_network_stays_where_the_corrected_one_goes_on(run_of):
    published, corrected = run_of(9170, network="published"), run_of(9820, network="corrected")
    assert is_met("published", published, corrected)
    assert not is_met("published", published)
    assert not is_met("published", corrected)


def test_a_hundred_means_all(run_of):
    assert is_met("hundred", right={"a": 99, "b": 100})
    assert not is_met("hundred", right={"a": 99})
