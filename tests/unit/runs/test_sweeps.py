"""sweeps in the registry: one driver at a time, each trial once, and all of it deleted and restored together."""

import time

import pytest

from digits.errors import SweepEnded, SweepNotFound
from digits.runs import schema, sweeps
from digits.runs.schema import RunState
from digits.runs.sweep_record import CONFIRMATION, SweepState


@pytest.fixture
def sweep_id(registry):
    return registry.create_sweep("ada", {"trials": 2}, admit=lambda usage: None)


def test_a_sweep_is_found_by_its_id_and_listed_for_its_owner(registry, sweep_id):
    sweep = registry.get_sweep(sweep_id)
    assert (sweep.name, sweep.state, sweep.plan, sweep.begun) == ("Sweep 1", SweepState.RUNNING, {"trials": 2}, 0)
    assert (registry.list_sweeps("ada"), registry.list_sweeps("bob")) == ([sweep], [])
    for unknown in ("nobody", "\0", "x" * 500):
        with pytest.raises(SweepNotFound, match="which is not"):
            registry.get_sweep(unknown)


def test_one_trainer_drives_at_a_time_and_the_time_counts(registry, sweep_id, monkeypatch):
    """The lease is renewed by its holder, and free for others when that one is silent; only running sweeps have one."""
    assert [sweep.id for sweep in registry.lease_sweeps("a")] == [sweep_id]
    assert registry.lease_sweeps("b") == []
    [sweep] = registry.lease_sweeps("a")
    assert 0 < sweep.seconds < sweeps.LEASE_SECONDS
    monkeypatch.setattr(sweeps, "LEASE_SECONDS", 0.0)
    [taken] = registry.lease_sweeps("b")
    assert (taken.driver, taken.seconds) == ("b", sweep.seconds), "nobody knows what happened in between"
    registry.set_sweep_state(sweep_id, SweepState.PAUSED, before=(SweepState.RUNNING,), rule="No")
    assert registry.lease_sweeps("b") == []


def test_a_sweep_is_driven_on_when_the_clock_was_set_back(registry, sweep_id):
    [before] = registry.lease_sweeps("a")
    with registry._writing() as connection:
        connection.execute(schema.sweeps.update().values(driven=time.time() + 3600))
    [taken] = registry.lease_sweeps("b")
    assert (taken.driver, taken.seconds) == ("b", before.seconds)


def test_each_trial_is_begun_once(registry, sweep_id, quick):
    """The number and the run are written together; what was chosen from an older view is refused."""
    before = registry.get_sweep(sweep_id)
    first = registry.begin_trial(before, quick)
    assert registry.begin_trial(before, quick) == ""
    second = registry.begin_trial(registry.get_sweep(sweep_id), quick)
    last = registry.begin_confirmation(before, quick)
    assert registry.begin_confirmation(before, quick) == ""
    assert [(run.id, run.trial, run.name) for run in registry.list_trials(sweep_id)] == [
        (first, 1, "Sweep 1, trial 1"),
        (second, 2, "Sweep 1, trial 2"),
    ]
    assert (registry.get(last).trial, registry.get_sweep(sweep_id).confirmation) == (CONFIRMATION, last)
    assert [run.id for run in registry.list_runs("ada", with_trials=False)] == [last]


def test_a_sweep_that_does_not_run_begins_nothing(registry, sweep_id, quick):
    registry.set_sweep_state(sweep_id, SweepState.STOPPED, before=(SweepState.RUNNING,), rule="No")
    assert registry.begin_trial(registry.get_sweep(sweep_id), quick) == ""
    assert registry.get_sweep(sweep_id).ended is not None
    with pytest.raises(SweepEnded, match="No; this one is stopped"):
        registry.set_sweep_state(sweep_id, SweepState.RUNNING, before=(SweepState.PAUSED,), rule="No")


def test_what_keeps_a_trial_out_leaves_the_sweep_as_it_was(registry, sweep_id, quick):
    def refuse(usage):
        raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        registry.begin_trial(registry.get_sweep(sweep_id), quick, admit=refuse)
    assert (registry.get_sweep(sweep_id).begun, registry.list_trials(sweep_id)) == (0, [])


def test_the_validations_of_all_trials_come_at_once(registry, sweep_id, quick):
    run_id = registry.begin_trial(registry.get_sweep(sweep_id), quick)
    registry.claim()
    row = {"seconds": 1.0, "loss": 1.0, "accuracy": 0.5, "val_loss": None, "val_accuracy": None}
    registry.record(run_id, [{"step": 50, **row}, {"step": 100, **row, "val_loss": 1.0, "val_accuracy": 0.75}])
    assert registry.validation_curves(sweep_id) == {run_id: [(100, 0.75)]}
    assert registry.validation_curves("other") == {}


def test_a_sweep_is_deleted_restored_and_purged_with_its_runs(registry, sweep_id, quick):
    for _ in range(2):
        run_id = registry.begin_trial(registry.get_sweep(sweep_id), quick)
        registry.claim()
        registry.finish(run_id, RunState.FINISHED)
    registry.set_deleted([run_id], 5.0)
    registry.set_sweep_deleted(sweep_id, 7.0)
    assert (registry.list_sweeps("ada"), registry.list_runs("ada")) == ([], [])
    registry.set_sweep_deleted(sweep_id, None)
    assert [run.trial for run in registry.list_runs("ada")] == [1]
    registry.set_sweep_deleted(sweep_id, 7.0)
    registry.purge_sweeps(before=6.0)
    assert registry.get_sweep(sweep_id).deleted == 7.0
    registry.purge_sweeps(before=8.0)
    with pytest.raises(SweepNotFound):
        registry.get_sweep(sweep_id)
