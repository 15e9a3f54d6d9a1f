"""study: what Optuna makes of a sweep's trials, without a trainer or a registry's writes."""

import dataclasses
import statistics
from types import SimpleNamespace

import pytest

from digits.runs.schema import RunState
from digits.runs.sweep_record import Sweep, SweepState
from digits.sweeps.study import Study
from tests.unit.sweeps.conftest import accuracy_of, make_plan


@pytest.fixture
def study_of(registry, quick):
    """Return a function that makes a study of trials with these settings, each trained to its end."""
    registry.create(quick, "ada")
    blank = registry.claim()

    def make(plan, settings, *, states=(), steps=(), removed=()):
        trials, curves = [], {}
        for number, values in enumerate(settings, 1):
            run = dataclasses.replace(blank, id=f"run-{number}", trial=number, hyperparameters=plan.at(values))
            last = steps[number - 1] if steps else 900
            curves[run.id] = [(step, accuracy_of(run, step)) for step in range(100, last + 1, 100)]
            state = states[number - 1] if states else RunState.FINISHED
            best = curves[run.id][-1][1] if curves[run.id] else None
            trials.append(dataclasses.replace(run, state=state, best_val_accuracy=best))
        facts = {"id": "s", "owner": "ada", "name": "Sweep 1", "state": SweepState.RUNNING, "plan": plan.to_dict()}
        rest = {"created": 0.0, "ended": None, "seconds": 0.0, "confirmation": "", "summary": {}, "note": ""}
        sweep = Sweep(**facts, **rest, begun=len(settings), driver="", driven=None, deleted=None)
        return Study(sweep, [run for run in trials if run.trial not in removed], curves)

    return make


def test_tpe_asks_where_the_better_trials_have_been(study_of):
    """After the same forty trials, what the model asks for would read more than what chance asks for."""
    plan, expected = make_plan(), {"random": [], "tpe": []}
    settings = list(plan.space.settings())[::4]
    for sampler, accuracies in expected.items():
        for seed in range(5):
            base = dataclasses.replace(plan.hyperparameters, seed=seed)
            study = study_of(dataclasses.replace(plan, sampler=sampler, hyperparameters=base, trials=500), settings)
            accuracies.append(accuracy_of(SimpleNamespace(hyperparameters=plan.at(study.ask())), 900))
    assert statistics.mean(expected["tpe"]) > statistics.mean(expected["random"]) + 0.01


def test_the_last_settings_of_a_small_space_are_found(study_of):
    """What has been tried is not asked for again, even if only one is left."""
    plan = make_plan(space={"batch_size": [50, 200]}, sampler="random", trials=5)
    everything = list(plan.space.settings())
    assert study_of(plan, everything[1:]).ask() == everything[0]


def test_a_trial_is_pruned_if_it_falls_behind_at_a_rung(study_of):
    """At a ninth of the iterations it must be the best of three; past the last rung it trains to its end."""
    plan = make_plan(pruner="halving")
    best, bad = {"learning_rate": 0.05, "batch_size": 100}, {"learning_rate": 1.0, "batch_size": 100}
    running = [RunState.FINISHED, RunState.FINISHED, RunState.RUNNING]
    assert study_of(plan, [best, best, bad], states=running, steps=[900, 900, 0]).behind() == {}
    assert study_of(plan, [best, best, bad], states=running, steps=[900, 900, 100]).behind() == {"run-3": 100}
    assert study_of(plan, [bad, bad, best], states=running, steps=[900, 900, 800]).behind() == {}
    ended = [RunState.FINISHED] * 3
    assert study_of(plan, [best, best, bad], states=ended).behind() == {}


def test_a_single_trial_is_never_pruned(study_of):
    plan = make_plan(pruner="hyperband")
    study = study_of(plan, [{"learning_rate": 1.0, "batch_size": 100}], states=[RunState.RUNNING], steps=[800])
    assert study.behind() == {}


def test_few_trials_say_nothing_about_importance(study_of):
    plan = make_plan()
    assert study_of(plan, list(plan.space.settings())[:5]).importances() == {}


def test_importances_are_shares(study_of):
    """Choices count too, and a setting without influence has next to none."""
    plan = make_plan(space={"learning_rate": [0.001, 1.0], "optimizer": ["sgd", "adam", "momentum"]})
    shares = study_of(plan, list(plan.space.settings())[::2]).importances()
    assert set(shares) == {"learning_rate", "optimizer"}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["learning_rate"] > 0.8


def test_a_failed_trial_and_a_removed_one_do_not_disturb(study_of):
    plan = make_plan(sampler="tpe", pruner="halving")
    settings = list(plan.space.settings())[:4]
    states = [RunState.FAILED, RunState.FINISHED, RunState.STOPPED, RunState.FAILED]
    study = study_of(plan, settings, states=states, steps=[0, 900, 300, 200], removed=[2])
    assert study.behind() == {}
    assert plan.space.holds(study.ask())
