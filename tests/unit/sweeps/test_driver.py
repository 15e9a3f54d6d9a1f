"""driver: a sweep begins each trial once, whoever drives it and whenever that one is killed, and ends with one test."""

import dataclasses

import pytest

from digits.errors import InvalidSweep, NotYourSweep, QuotaReached, SweepBusy, SweepEnded, TooManyRuns
from digits.runs import admission
from digits.runs import commands as run_commands
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.runs.sweep_record import CONFIRMATION, SweepState
from digits.settings import Settings
from digits.sweeps import commands, driver
from digits.sweeps.outcome import best_of, pareto_front
from tests.conftest import close
from tests.unit.sweeps.conftest import FakeTrainer, make_plan


def settings_of(trials):
    return [(run.hyperparameters.learning_rate, run.hyperparameters.batch_size) for run in trials]


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_a_sweep_tries_different_settings_and_confirms_the_best(registry, trainer, sampler):
    """All trials lie in the space; then the best settings are trained once more, with a seed that no trial had."""
    sweep_id = commands.submit(registry, make_plan(sampler=sampler, trials=8), "ada")
    trainer.work()
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    assert (sweep.state, sweep.begun, sweep.note) == (SweepState.FINISHED, 8, "")
    assert [run.trial for run in trials] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(set(settings_of(trials))) == 8
    assert all(0.001 <= rate <= 1 and 50 <= batch <= 200 for rate, batch in settings_of(trials))
    best, again = best_of(trials), registry.get(sweep.confirmation)
    assert again.hyperparameters == dataclasses.replace(best.hyperparameters, seed=1)
    assert (again.trial, again.state, again.name) == (CONFIRMATION, RunState.FINISHED, "Sweep 1, best again")
    assert {run.hyperparameters.seed for run in trials} == {0}
    assert all(run.owner == "ada" for run in trials)


def test_the_search_begins_with_the_given_settings(registry, trainer):
    """The first trial has the preset's settings, so that the best one can be compared with it; a grid has its own."""
    sweep_id = commands.submit(registry, make_plan(sampler="tpe"), "ada")
    trainer.drive()
    assert settings_of(registry.list_trials(sweep_id)) == [(0.5, 100)]


def test_the_same_plan_gives_the_same_trials(registry, trainer):
    """What is drawn depends on the plan and its trials alone, not on when and by whom it is asked."""
    ids = []
    for _ in range(2):
        ids.append(commands.submit(registry, make_plan(sampler="tpe", trials=12), "ada"))
        trainer.work()
    first, second = (settings_of(registry.list_trials(sweep_id)) for sweep_id in ids)
    assert first == second


@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_trials_that_fall_behind_are_pruned(registry, trainer, pruner):
    """Several stop before their end, none of them the best one; each says at which iteration it was pruned."""
    sweep_id = commands.submit(registry, make_plan(sampler="random", pruner=pruner, trials=20), "ada")
    trainer.work(while_training=True)
    trials = registry.list_trials(sweep_id)
    pruned = [run for run in trials if run.pruned is not None]
    assert 2 <= len(pruned) < 20
    assert best_of(trials) not in pruned
    for run in pruned:
        assert run.state is RunState.STOPPED
        assert run.pruned <= run.step < run.hyperparameters.iterations
    assert registry.get_sweep(sweep_id).state is SweepState.FINISHED


def test_without_pruning_every_trial_is_trained_to_its_end(registry, trainer):
    sweep_id = commands.submit(registry, make_plan(trials=6), "ada")
    trainer.work()
    assert {run.step for run in registry.list_trials(sweep_id)} == {900}


def test_two_trainers_share_a_sweep_and_begin_no_trial_twice(registry, trainer):
    """One of them drives, the other one takes over when it is silent; with two, two trials wait or train at a time."""
    other = Registry(Settings.from_environment().registry_url)
    second = FakeTrainer(other)
    sweep_id = commands.submit(registry, make_plan(trials=6), "ada")
    assert trainer.drive()
    assert not second.drive(), "the lease is the first one's"
    assert trainer.drive(), "there are two trainers"
    assert not trainer.drive()
    assert [run.trial for run in registry.list_trials(sweep_id)] == [1, 2]
    second.train()
    trainer.train()
    trainer.work()
    assert [run.trial for run in registry.list_trials(sweep_id)] == [1, 2, 3, 4, 5, 6]
    close(other)


def test_a_silent_drivers_sweep_goes_to_another_trainer(registry, trainer, monkeypatch):
    monkeypatch.setattr("digits.runs.sweeps.LEASE_SECONDS", 0.0)
    sweep_id = commands.submit(registry, make_plan(), "ada")
    trainer.drive()
    other = Registry(Settings.from_environment().registry_url)
    FakeTrainer(other).drive()
    assert registry.get_sweep(sweep_id).driver == other.worker != registry.worker
    close(other)


def test_a_stale_view_begins_nothing(registry, trainer):
    """Whoever chose a trial from what is no longer so cannot begin it, and a confirmation is begun once."""
    sweep_id = commands.submit(registry, make_plan(), "ada")
    old = registry.get_sweep(sweep_id)
    trainer.drive()
    chosen = registry.list_trials(sweep_id)[0].hyperparameters
    assert registry.begin_trial(old, chosen) == ""
    assert registry.begin_confirmation(old, chosen)
    assert registry.begin_confirmation(old, chosen) == ""
    assert len(registry.list_trials(sweep_id)) == 1


@pytest.mark.parametrize("broken", ["begin_trial", "request_stop", "begin_confirmation", "set_sweep_state"])
def test_a_driver_may_be_killed_at_any_step(registry, trainer, monkeypatch, broken):
    """A driver that ends just before or after one of its writes leaves a sweep that another one finishes."""

    class Killed(BaseException):
        pass

    write, moments = getattr(registry, broken), iter(["before", "after"] * 2)

    def dies(*given, **how):
        moment = next(moments, None)
        if moment == "before":
            raise Killed
        result = write(*given, **how)
        if moment == "after":
            raise Killed
        return result

    sweep_id = commands.submit(registry, make_plan(sampler="random", pruner="halving", trials=12), "ada")
    monkeypatch.setattr(registry, broken, dies)
    for _ in range(6):
        try:
            FakeTrainer(registry).work(while_training=True)
            break
        except Killed:
            for run in registry.list_trials(sweep_id):
                if run.state is RunState.RUNNING:
                    registry.rewind(run.id, 0)  # as a trainer does that takes it up again
                    registry.requeue(run.id)
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    assert (sweep.state, sweep.begun) == (SweepState.FINISHED, 12)
    assert [run.trial for run in trials] == list(range(1, 13))
    assert registry.get(sweep.confirmation).is_ended
    assert sum(run.sweep == sweep_id for run in registry.list_runs("ada", limit=500)) == 13


def test_a_budget_in_minutes_begins_no_trial_after_them(registry, trainer):
    """The time counts while the sweep runs; trials in training go on to their end."""
    sweep_id = commands.submit(registry, make_plan(trials=100, minutes=1), "ada")
    trainer.drive()
    with registry._writing() as connection:
        connection.exec_driver_sql("UPDATE sweeps SET seconds = 61")
    trainer.work()
    sweep = registry.get_sweep(sweep_id)
    assert (sweep.state, sweep.begun) == (SweepState.FINISHED, 1)


def test_a_full_queue_is_waited_for(registry, trainer, quick):
    """While the visitor's own runs take all places, the sweep says so and waits; then it goes on."""
    sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
    for _ in range(3):
        run_commands.submit(registry, quick, "ada")
    assert not trainer.drive()
    assert "At most 3 runs may wait or train" in registry.get_sweep(sweep_id).note
    trainer.work()
    sweep = registry.get_sweep(sweep_id)
    assert (sweep.state, sweep.begun, sweep.note) == (SweepState.FINISHED, 2, "")


def test_a_sweep_whose_trials_all_fail_says_so(registry, trainer):
    sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
    while trainer.drive():
        registry.finish(registry.claim().id, RunState.FAILED, reason="diverged")
    sweep = registry.get_sweep(sweep_id)
    assert (sweep.state, sweep.confirmation) == (SweepState.FINISHED, "")
    assert "No trial came as far as a validation" in sweep.note


def test_a_bug_ends_one_sweep_in_words(registry, trainer, monkeypatch, caplog):
    def breaks(*_):
        raise ZeroDivisionError("unlucky")

    sweep_id = commands.submit(registry, make_plan(), "ada")
    monkeypatch.setattr(driver, "_study", breaks)
    trainer.drive()
    sweep = registry.get_sweep(sweep_id)
    assert sweep.state is SweepState.STOPPED
    assert "ZeroDivisionError: unlucky" in sweep.note
    assert "Traceback" in caplog.text


def test_trials_that_were_removed_keep_their_numbers(registry, trainer):
    """Retention may remove a trial: the sweep does not begin it again."""
    sweep_id = commands.submit(registry, make_plan(sampler="grid", trials=6), "ada")
    for _ in range(3):
        trainer.drive()
        trainer.train()
    registry.purge(registry.list_trials(sweep_id)[0].id)
    trainer.work()
    assert [run.trial for run in registry.list_trials(sweep_id)] == [2, 3, 4, 5, 6]
    assert len(set(settings_of(registry.list_trials(sweep_id)))) == 5


def test_importances_name_what_matters(registry, trainer):
    """In the made-up curves only the learning rate decides, and the sweep says so, while it runs too."""
    sweep_id = commands.submit(registry, make_plan(sampler="random", trials=40), "ada")
    trainer.work()
    summary = registry.get_sweep(sweep_id).summary
    assert summary["of"] == 40
    assert summary["importances"]["learning_rate"] > 0.7
    assert sum(summary["importances"].values()) == pytest.approx(1)


def test_the_pareto_front_rises(registry, trainer):
    sweep_id = commands.submit(registry, make_plan(pruner="halving", trials=15), "ada")
    trainer.work(while_training=True)
    front = pareto_front(registry.list_trials(sweep_id))
    points = [(run.seconds, run.best_val_accuracy) for run in front]
    assert points == sorted(points)
    assert front[-1].best_val_accuracy == best_of(registry.list_trials(sweep_id)).best_val_accuracy


class TestCommands:
    def test_are_for_the_owner(self, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(), "ada")
        for command in (commands.pause, commands.resume, commands.stop, commands.delete, commands.restore):
            with pytest.raises(NotYourSweep, match="Only the visitor"):
                command(registry, sweep_id, "bob")
        assert registry.get_sweep(sweep_id).state is SweepState.RUNNING

    def test_pause_and_resume_take_the_trials_along(self, registry, trainer):
        """A paused sweep begins nothing; resumed, it goes on with the trial that was paused."""
        sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
        trainer.drive()
        commands.pause(registry, sweep_id, "ada")
        assert registry.list_trials(sweep_id)[0].state is RunState.PAUSED
        assert not trainer.drive()
        commands.resume(registry, sweep_id, "ada")
        assert registry.list_trials(sweep_id)[0].state is RunState.QUEUED
        trainer.work()
        assert registry.get_sweep(sweep_id).state is SweepState.FINISHED

    def test_stop_keeps_everything(self, registry, trainer):
        """The trial in training stops and is kept, no other one begins, and nothing is confirmed."""
        sweep_id = commands.submit(registry, make_plan(), "ada")
        trainer.drive()
        run = trainer.train(then=lambda run: run.step or self._stop_once(registry, sweep_id))
        trainer.work()
        sweep = registry.get_sweep(sweep_id)
        assert (run.state, run.has_model) == (RunState.STOPPED, True)
        assert (sweep.state, sweep.begun, sweep.confirmation) == (SweepState.STOPPED, 1, "")

    @staticmethod
    def _stop_once(registry, sweep_id):
        if not registry.get_sweep(sweep_id).is_ended:
            commands.stop(registry, sweep_id, "ada")

    def test_need_the_right_state(self, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(trials=1), "ada")
        with pytest.raises(SweepBusy, match="Stop it first"):
            commands.delete(registry, sweep_id, "ada")
        trainer.work()
        for command in (commands.pause, commands.resume, commands.stop):
            with pytest.raises(SweepEnded, match="this one is finished"):
                command(registry, sweep_id, "ada")

    def test_delete_takes_the_runs_along_and_restore_brings_them_back(self, registry, trainer):
        """A run that was deleted on its own before stays deleted; a day later, all are gone."""
        sweep_id = commands.submit(registry, make_plan(trials=3), "ada")
        trainer.work()
        first = registry.list_trials(sweep_id)[0]
        run_commands.delete(registry, [first.id], "ada")
        commands.delete(registry, sweep_id, "ada")
        assert (registry.list_runs("ada"), registry.list_sweeps("ada")) == ([], [])
        commands.restore(registry, sweep_id, "ada")
        assert [run.trial for run in registry.list_runs("ada")] == [0, 3, 2]
        commands.delete(registry, sweep_id, "ada")
        registry.purge_sweeps(before=2e10)
        with pytest.raises(LookupError, match="which is not"):
            registry.get_sweep(sweep_id)

    def test_a_sweep_is_named_and_its_trials_after_it(self, registry, trainer):
        for _ in range(2):
            commands.submit(registry, make_plan(trials=1), "ada")
            trainer.work()
        assert [sweep.name for sweep in registry.list_sweeps("ada")] == ["Sweep 2", "Sweep 1"]
        assert [run.name for run in registry.list_runs("ada", with_trials=False)] == [
            "Sweep 2, best again",
            "Sweep 1, best again",
        ]


class TestQuotas:
    def test_of_trials(self, registry, monkeypatch):
        monkeypatch.setenv("DIGITS_TRIALS_PER_SWEEP", "4")
        with pytest.raises(InvalidSweep, match="may have 4 trials"):
            commands.submit(registry, make_plan(trials=5), "ada")

    def test_of_running_and_kept_sweeps(self, registry, monkeypatch):
        monkeypatch.setenv("DIGITS_SWEEPS_RUNNING_PER_VISITOR", "1")
        monkeypatch.setenv("DIGITS_SWEEPS_PER_VISITOR", "2")
        for _ in range(2):
            sweep_id = commands.submit(registry, make_plan(), "ada")
            with pytest.raises(QuotaReached, match=r"may run or be paused; you have 1"):
                commands.submit(registry, make_plan(), "ada")
            commands.stop(registry, sweep_id, "ada")
        with pytest.raises(QuotaReached, match="may keep 2 sweeps"):
            commands.submit(registry, make_plan(), "ada")
        commands.submit(registry, make_plan(), "bob")

    def test_of_an_address_counts_trials(self, registry, trainer, monkeypatch):
        """A running sweep takes a place between its trials too; its end, or a pause, makes room."""
        monkeypatch.setenv("DIGITS_RUNS_WAITING_PER_ADDRESS", "2")
        monkeypatch.setattr(admission, "addresses", admission.Addresses())
        other = Registry(Settings.from_environment().registry_url)
        other.beat(2, "testing")
        home, quick = {"address": "192.0.2.1"}, make_plan().hyperparameters
        sweep_id = commands.submit(registry, make_plan(), "ada", **home)
        run_id = run_commands.submit(registry, quick, "bob", **home)
        full = r"At most 2 runs from one address .*, trials of sweeps included; yours has 2\. Wait until one has ended"
        with pytest.raises(TooManyRuns, match=full):
            commands.submit(registry, make_plan(), "eve", **home)
        commands.submit(registry, make_plan(), "eve", address="192.0.2.2")
        registry.request_stop(run_id)
        for _ in range(2):
            trainer.drive()
        assert sum(run.is_waiting for run in registry.list_trials(sweep_id)) == 2
        with pytest.raises(TooManyRuns, match="yours has 2"):
            run_commands.submit(registry, quick, "bob", **home)
        commands.pause(registry, sweep_id, "ada")
        for _ in range(2):
            run_commands.submit(registry, quick, "bob", **home)
        with pytest.raises(TooManyRuns, match="yours has 2"):
            commands.resume(registry, sweep_id, "ada", **home)
        close(other)

    def test_of_images_count_for_the_largest_trial(self, registry, monkeypatch):
        monkeypatch.setenv("DIGITS_IMAGES_PER_RUN", "100000")
        plan = make_plan()
        plan = dataclasses.replace(
            plan, hyperparameters=dataclasses.replace(plan.hyperparameters, network="convolutional")
        )
        with pytest.raises(QuotaReached, match="180,000 are asked"):
            commands.submit(registry, plan, "ada")
