"""Nothing is lost: a trainer killed again and again, at random points, ends where an undisturbed one does."""

import contextlib
import random
import signal
import subprocess
import sys
import time

import pytest

from digits import checkpoints, jobs
from digits.hyperparameters import Change, Hyperparameters
from digits.settings import PROJECT_DIR

KILLS = 20
PATIENCE_SECONDS = 300  # for one condition, on a machine that is busy with other things
CHOSEN = Hyperparameters(
    network="corrected",
    learning_rate=1e-3,
    iterations=6000,
    dropout=0.5,
    batch_size=32,
    optimizer="adam",
    schedule="cosine",
)
TRAINER = """
import threading
from digits import trainer
from digits.runs import open_registry
from digits.settings import Settings
settings = Settings.from_environment()
trainer.PRESETS = {}  # nothing to compile ahead
with trainer.trainer_lock(settings):
    trainer.Trainer(settings, open_registry(settings.registry_url), threading.Event(), checkpoint_seconds=0.1).work()
"""


@contextlib.contextmanager
def trainer_process():
    """A trainer of its own, which is gone at the end, whatever happens."""
    process = subprocess.Popen([sys.executable, "-c", TRAINER], cwd=PROJECT_DIR)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)


def test_a_trainer_killed_at_twenty_random_points_loses_nothing(registry, runs_dir):
    """Weights, history and best step after twenty kills, and one while saving, are those of a run left in peace.

    A knob is turned before the first kill, so that its record has to survive too.
    """
    chance = random.Random(7)
    killed = jobs.submit(registry, CHOSEN, "ada", changes=[Change(40, "learning_rate", 1e-3, 5e-4)])
    reached = []
    for _ in range(KILLS):
        with trainer_process() as process:
            begun = registry.get(killed).step
            wait_for(lambda begun=begun: (run := registry.get(killed)).step > begun or run.step == CHOSEN.iterations)
            time.sleep(chance.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
        reached.append(registry.get(killed).step)
        assert reached[-1] < CHOSEN.iterations, f"the run must outlast the kills; it was at {reached}"
    assert len(set(reached)) > KILLS / 2
    with trainer_process() as process:
        wait_for(lambda: registry.get(killed).activity.startswith("Converting"))
        process.send_signal(signal.SIGKILL)
    with trainer_process():
        wait_for(lambda: registry.get(killed).is_ended)
        peaceful = jobs.submit(registry, CHOSEN, "ada", changes=registry.changes(killed))
        wait_for(lambda: registry.get(peaceful).is_ended)
    runs = [registry.get(run_id) for run_id in (killed, peaceful)]
    assert [run.state for run in runs] == ["finished", "finished"]
    for name in ("step", "best_step", "best_val_accuracy", "val_accuracy", "test_correct"):
        assert getattr(runs[0], name) == getattr(runs[1], name)
    histories = [[row | {"seconds": 0} for row in registry.history(run.id)] for run in runs]
    assert histories[0] == histories[1]
    weights = [(runs_dir / run.id / "model.tflite").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert checkpoints.load(runs_dir, killed) is None
