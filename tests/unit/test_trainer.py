"""trainer: who comes second leaves at once, and a failure of any kind ends only the run that it befell."""

import threading

import pytest

from digits import datasets, jobs, trainer, training
from digits.errors import DatasetUnavailable
from digits.hyperparameters import Hyperparameters
from digits.settings import Settings


@pytest.fixture
def serve(registry, monkeypatch):
    """Let a trainer in this process serve the queue until it is empty."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setattr(trainer.Trainer, "_beat", lambda self: None)
    monkeypatch.setattr(trainer, "PRESETS", {})  # nothing to compile ahead

    class UntilIdle(threading.Event):
        """Set by the first wait, which is what a trainer does when the queue is empty."""

        def wait(self, timeout=None):
            self.set()
            return True

    def run():
        trainer.Trainer(Settings.from_environment(), registry, UntilIdle()).work()

    return run


def test_a_second_trainer_leaves_at_once(runs_dir):
    """Where another trainer holds the lock, there is nothing to do, and that is no failure."""
    with jobs.trainer_lock(Settings.from_environment()):
        assert trainer.main() == 0


def test_a_run_without_data_fails_with_the_reason(registry, serve, monkeypatch, quick):
    """When the data cannot be loaded, the run says what is missing, and so does the next one."""

    def load(settings):
        raise DatasetUnavailable("The images must be there; they are not. Put them back.")

    monkeypatch.setattr(datasets, "load_mnist", load)
    ids = [jobs.submit(registry, quick, "ada") for _ in range(2)]
    serve()
    assert [registry.get(run_id).state for run_id in ids] == ["failed", "failed"]
    assert registry.get(ids[0]).reason == "The images must be there; they are not. Put them back."


def test_a_bug_fails_one_run_and_serves_the_next(registry, serve, monkeypatch, capsys, quick):
    """An error that nobody foresaw ends its run in words, is printed for the log, and harms no other run."""
    real = training.train

    def train(hyperparameters, dataset, program):
        if hyperparameters.seed == 13:
            raise ZeroDivisionError("unlucky")
        return real(hyperparameters, dataset, program)

    monkeypatch.setattr(training, "train", train)
    unlucky = jobs.submit(registry, Hyperparameters(**quick.to_dict() | {"seed": 13}), "ada")
    lucky = jobs.submit(registry, quick, "ada")
    serve()
    assert registry.get(unlucky).state == "failed"
    assert "ZeroDivisionError: unlucky" in registry.get(unlucky).reason
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert registry.get(lucky).state == "finished"


def test_runs_whose_trainer_died_are_trained_at_the_start(registry, serve, quick):
    """What a dead trainer left running goes on before anything else."""
    orphan = jobs.submit(registry, quick, "ada")
    registry.claim()
    serve()
    assert registry.get(orphan).state == "finished"
