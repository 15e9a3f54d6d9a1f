"""commands: a sweep is renamed by its owner, within the limits of a run's name."""

import pytest

from digits.errors import InvalidText, NotYourSweep, QuotaReached
from digits.runs import names
from digits.sweeps import commands
from tests.unit.sweeps.conftest import make_plan


@pytest.fixture
def sweep_id(registry, trainer):
    sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
    trainer.drive()
    return sweep_id


def test_a_name_is_put_on_one_line_and_the_trials_follow(registry, trainer, sweep_id):
    """Those that have begun, and those that begin later."""
    commands.rename(registry, sweep_id, "ada", "  100% \n wide_ ")
    trainer.work()
    assert registry.get_sweep(sweep_id).name == "100% wide_"
    assert [run.name for run in registry.list_trials(sweep_id)] == ["100% wide_, trial 1", "100% wide_, trial 2"]
    assert all(names.is_given(run.name) for run in registry.list_runs("ada"))


def test_a_trial_that_its_owner_has_named_keeps_its_name(registry, sweep_id):
    [trial] = registry.list_trials(sweep_id)
    registry.describe(trial.id, name="mine")
    commands.rename(registry, sweep_id, "ada", "wide")
    assert registry.get(trial.id).name == "mine"


def test_without_a_name_it_is_numbered(registry, sweep_id):
    commands.submit(registry, make_plan(), "ada")
    commands.rename(registry, sweep_id, "ada", "wide")
    commands.rename(registry, sweep_id, "ada", " ")
    assert registry.get_sweep(sweep_id).name == "Sweep 3"
    assert registry.list_trials(sweep_id)[0].name == "Sweep 3, trial 1"


def test_a_long_name_and_another_visitor_are_refused(registry, sweep_id):
    """A trial's name is longer than its sweep's and may have 80 characters, too."""
    with pytest.raises(InvalidText, match="A sweep's name may have 60 characters; this one has 61"):
        commands.rename(registry, sweep_id, "ada", "x" * 61)
    with pytest.raises(NotYourSweep):
        commands.rename(registry, sweep_id, "bob", "mine")
    assert registry.get_sweep(sweep_id).name == "Sweep 1"


def test_a_sweep_that_is_one_too_many_stays_deleted(registry, sweep_id, monkeypatch):
    """To delete, start another and restore passes no limit."""
    monkeypatch.setenv("DIGITS_SWEEPS_PER_VISITOR", "1")
    commands.stop(registry, sweep_id, "ada")
    commands.delete(registry, sweep_id, "ada")
    other = commands.submit(registry, make_plan(), "ada")
    with pytest.raises(QuotaReached, match="may keep 1 sweeps; you have 1"):
        commands.restore(registry, sweep_id, "ada")
    commands.stop(registry, other, "ada")
    commands.delete(registry, other, "ada")
    commands.restore(registry, sweep_id, "ada")
    assert [sweep.id for sweep in registry.list_sweeps("ada")] == [sweep_id]
