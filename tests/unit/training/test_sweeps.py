"""A sweep in a real trainer: it begins the trials by itself, trains them, and confirms the best one."""

from digits.models import catalogue
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import RunState
from digits.runs.sweep_record import SweepState
from digits.settings import Settings
from digits.sweeps import commands
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import Plan
from digits.sweeps.space import Space


def test_three_trials_are_trained_and_the_best_one_again(registry, serve):
    """Every trial is a run with a model; the confirmation has another seed, and the sweep has ended."""
    base = Hyperparameters(network="softmax", learning_rate=0.5, iterations=100, batch_size=50)
    space = Space.from_dict({"learning_rate": [0.01, 1.0]})
    sweep_id = commands.submit(registry, Plan(base, space, "tpe", "halving", trials=3), "ada")
    serve()
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    assert (sweep.state, sweep.begun, sweep.note) == (SweepState.FINISHED, 3, "")
    assert [run.state.is_ended and run.has_model for run in trials] == [True] * 3
    assert trials[0].hyperparameters == base
    again = registry.get(sweep.confirmation)
    assert (again.state, again.hyperparameters.seed, again.has_model) == (RunState.FINISHED, 1, True)
    assert again.hyperparameters.learning_rate == best_of(trials).hyperparameters.learning_rate
    assert catalogue.find(trials[0].id, Settings.from_environment()).card.network == "softmax"


def test_a_pruned_trial_says_so(registry, serve, quick, monkeypatch):
    """The trainer obeys it as any stop, and the run's page says why."""
    run_id = registry.create(Hyperparameters(**quick.to_dict() | {"iterations": 20_000}), "ada")
    record = registry.record

    def prune(run_id, progress=(), **facts):
        if progress and not registry.get(run_id).stop_requested:
            registry.request_stop(run_id, pruned=50)
        return record(run_id, progress, **facts)

    monkeypatch.setattr(registry, "record", prune)
    serve()
    run = registry.get(run_id)
    assert (run.state, run.has_model) == (RunState.STOPPED, True)
    assert run.step < 20_000
    assert run.reason.startswith("Pruned by its sweep after iteration 50: earlier trials")
