"""Kills: a run whose trainer is killed many times at random points ends like an undisturbed run."""

import contextlib
import multiprocessing
import os
import random
import sys
import threading
import time
import types

import pytest

from digits.runs import commands
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.runs.work import new_worker
from digits.settings import Settings
from digits.store import FolderStore
from digits.training import checkpoints, trainer

KILLS = 8  # `python -m benchmarks.kills` kills as often as one likes
PATIENCE_SECONDS = 300  # timeout of one condition, on a busy machine
CHOSEN = Hyperparameters(
    network="corrected",
    learning_rate=1e-3,
    iterations=20_000,  # enough that no machine finishes the run between the kills
    dropout=0.5,
    batch_size=32,
    optimizer="adam",
    schedule="cosine",
)
# Every trainer is a separate process with its own TensorFlow, initialised by its first operation. All are forked from a
# process that has only imported TensorFlow, because the import takes longer than everything else.
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["digits.training.trainer", "digits.training.loop", "digits.training.export", "pandas"])


def work(environment, worker):
    """Serve the queue until a SIGKILL."""
    os.environ.update(environment)
    settings = Settings.from_environment()
    trainer.PRESETS = {}  # no warming up
    trainer._ATTEMPTS = KILLS + 2  # on a slow disk no checkpoint may be written between several of the kills
    registry, never = Registry(settings.registry_url, worker=worker), threading.Event()
    trainer.Trainer(settings, registry, never, checkpoint_seconds=0.1).work()


@contextlib.contextmanager
def trainer_process(registry):
    """Start a separate trainer process, end it in any case, and say so as a keeper does."""
    environment = {name: os.environ[name] for name in ("DIGITS_RUNS_DIR", "KERAS_HOME", "DIGITS_DOWNLOAD")}
    worker = new_worker()
    process = FORKED.Process(target=work, args=(environment, worker))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
        registry.release(worker)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_beyond(run, step):
    """Whether a run has passed an iteration; fails at once if it has ended, with the reason."""
    assert not run.is_ended, run.reason
    return run.step > step


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)


@pytest.fixture(autouse=True)
def no_main_module(monkeypatch):
    """A child process would run its parent's main module, and page tests leave a page there."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def train_until(registry, run_id, last):
    """Train until the run pauses after `step` iterations."""
    registry.request_resume(run_id, pause_at=last)
    wait_for(lambda: registry.get(run_id).state == RunState.PAUSED)


def test_a_trainer_killed_at_random_points_loses_nothing(registry, runs_dir):
    """The weights, history and best step after eight kills, and one while saving, equal those of an undisturbed run.

    The learning rate changes before the first kill, so its record must survive too. Both runs stop at the same
    iteration.
    """
    chance = random.Random(7)
    killed = commands.submit(registry, CHOSEN, "ada", changes=[Change(40, "learning_rate", 1e-3, 5e-4)])
    reached = []
    for _ in range(KILLS):
        with trainer_process(registry) as process:
            begun = registry.get(killed).step
            wait_for(lambda begun=begun: is_beyond(registry.get(killed), begun))
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
        reached.append(registry.get(killed).step)
    assert len(set(reached)) > KILLS / 2
    last = reached[-1] + 105
    with trainer_process(registry) as process:
        train_until(registry, killed, last)
        commands.stop(registry, killed, "ada")
        wait_for(lambda: registry.get(killed).activity.startswith("Converting"))
        process.kill()
    peaceful = commands.submit(registry, CHOSEN, "ada", changes=registry.changes(killed))
    commands.pause(registry, peaceful, "ada")
    with trainer_process(registry):
        train_until(registry, peaceful, last)
        commands.stop(registry, peaceful, "ada")
        wait_for(lambda: registry.get(killed).is_ended and registry.get(peaceful).is_ended)
    runs = [registry.get(run_id) for run_id in (killed, peaceful)]
    assert [(run.state, run.step) for run in runs] == [(RunState.STOPPED, last)] * 2
    for name in ("best_step", "best_val_accuracy", "val_accuracy", "test_correct"):
        assert getattr(runs[0], name) == getattr(runs[1], name)
    histories = [[row | {"seconds": 0} for row in registry.history(run.id)] for run in runs]
    assert histories[0] == histories[1]
    weights = [(runs_dir / run.id / "model.tflite").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert checkpoints.steps(FolderStore(runs_dir), killed) == []
