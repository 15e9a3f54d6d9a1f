"""again: a failed run is started again from its last checkpoint, and ends as if it had not failed."""

import errno
import os

import pytest

from digits.errors import NotYourRun, RegistryBusy, TooManyRuns, TrainingDiverged
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import FolderStore, open_store
from digits.training import again, checkpoints, loop, timeline

CHOSEN = Hyperparameters(network="softmax", learning_rate=0.5, iterations=400, batch_size=50)


@pytest.fixture
def store(runs_dir):
    return open_store(Settings.from_environment())


@pytest.fixture
def fail(registry, serve, monkeypatch):
    """Train a run until it fails at iteration 200 or later, with a checkpoint after every chunk; return it."""

    def fail(error):
        class Unlucky(loop.Training):
            def advance(self, **how):
                if self.step >= 200:
                    raise error
                return super().advance(**how)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "Training", Unlucky)
            run_id = commands.submit(registry, CHOSEN, "ada", name="mine")
            serve(checkpoint_seconds=0.0)
        return registry.get(run_id)

    return fail


def test_it_goes_on_where_the_failed_run_ended(registry, serve, store, fail):
    """It has the same result as a run that never failed, and the failed one stays as it is."""
    peaceful = commands.submit(registry, CHOSEN, "ada")
    serve()
    failed = fail(ZeroDivisionError("unlucky"))
    step = again.last_step(store, failed)
    assert step >= 200
    run = registry.get(again.start(registry, store, failed, "ada"))
    assert (run.step, run.precision, run.state) == (step, failed.precision, RunState.QUEUED)
    assert run.name.startswith("mine")  # and a number, because the failed run keeps its name
    assert registry.history(run.id)[-1]["step"] <= step
    serve()
    run, expected = registry.get(run.id), registry.get(peaceful)
    assert (run.state, run.step) == (RunState.FINISHED, 400)
    assert (run.test_correct, run.best_step) == (expected.test_correct, expected.best_step)
    curves = [[row["loss"] for row in registry.history(run_id)] for run_id in (run.id, peaceful)]
    assert curves[0] == curves[1]
    assert timeline.steps(store, run.id) == timeline.steps(store, peaceful)
    assert registry.get(failed.id).state is RunState.FAILED
    assert again.last_step(store, failed) == step


def test_a_run_that_diverged_is_not_offered_its_checkpoint(store, fail):
    """It would diverge again."""
    assert again.last_step(store, fail(TrainingDiverged("The loss was infinite."))) == 0


def test_a_run_without_a_checkpoint_or_that_has_not_failed_begins_at_its_first_iteration(registry, store, quick):
    run_id = commands.submit(registry, quick, "ada")
    registry.claim()
    assert again.last_step(store, registry.get(run_id)) == 0
    registry.finish(run_id, RunState.FAILED, reason="because")
    assert again.last_step(store, registry.get(run_id)) == 0


def test_only_its_owner_may(registry, store, fail):
    with pytest.raises(NotYourRun):
        again.start(registry, store, fail(ZeroDivisionError()), "bob")


def test_asked_for_twice_because_of_a_lost_answer_it_is_one_run(registry, store, fail, lose, runs_dir):
    failed = fail(ZeroDivisionError())
    before, files = len(registry.list_runs("ada")), set((runs_dir / ".work").iterdir())
    lose()
    with pytest.raises(RegistryBusy):
        again.start(registry, store, failed, "ada")
    run_id = again.start(registry, store, failed, "ada")
    assert len(registry.list_runs("ada")) == before + 1
    assert checkpoints.steps(store, run_id) == checkpoints.steps(store, failed.id)
    assert set((runs_dir / ".work").iterdir()) - files == {runs_dir / ".work" / run_id}


def test_what_is_refused_or_does_not_fit_leaves_nothing(registry, store, fail, monkeypatch, runs_dir):
    """Neither a run nor a copy of the checkpoint."""
    failed = fail(ZeroDivisionError())
    before = sorted(path.name for path in (runs_dir / ".work").iterdir())

    def full(self, key):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "write", full)
        with pytest.raises(OSError, match="No space"):
            again.start(registry, store, failed, "ada")
    monkeypatch.setenv("DIGITS_RUNS_WAITING_PER_ADDRESS", "1")
    commands.submit(registry, CHOSEN, "eve", address="192.0.2.1")
    with pytest.raises(TooManyRuns):
        again.start(registry, store, failed, "ada", address="192.0.2.1")
    assert sorted(path.name for path in (runs_dir / ".work").iterdir()) == before
    assert len(registry.list_runs("ada")) == 1
    assert checkpoints.steps(store, failed.id)
