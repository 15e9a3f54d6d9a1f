"""Trouble in the trainer: a full disk, too little memory, damaged checkpoints, a stop while data is prepared."""

import contextlib
import errno
import os
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf

from digits import trouble
from digits.data import ways
from digits.errors import ModelNotFound, RegistryBusy
from digits.models import catalogue
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import FolderStore
from digits.training import checkpoints, export, loop, saving, session, timeline

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
LONG = Hyperparameters(network="softmax", learning_rate=0.5, iterations=400, batch_size=50)


@pytest.fixture
def store(runs_dir):
    return FolderStore(runs_dir)


@pytest.fixture
def disk(runs_dir):
    """A disk of 4 MB, mounted at the folder of runs; gives a function that fills it and one that makes room."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", runs_dir], capture_output=True).returncode:
        pytest.skip("a small disk needs the right to mount one")
    filler = runs_dir / "filler"

    def fill(*, leave=0):
        with filler.open("wb", buffering=0) as stream:
            stream.write(bytes(max(0, os.statvfs(runs_dir).f_bavail * os.statvfs(runs_dir).f_frsize - leave)))

    yield fill, lambda: filler.unlink(missing_ok=True)
    filler.unlink(missing_ok=True)
    subprocess.run(["umount", "-l", runs_dir], check=True)


def weights_of(runs_dir, run_id):
    return (runs_dir / run_id / "model.tflite").read_bytes()


def leftovers(runs_dir):
    return [*runs_dir.glob(".saving-*"), *runs_dir.rglob("*.part")]


def refuse(monkeypatch, place, name, *, times, error=NO_SPACE):
    """Let a function raise an error so many times, and then do what it does."""
    call, left = getattr(place, name), iter(range(times))

    def refusing(*arguments, **how):
        if next(left, None) is not None:
            raise error
        return call(*arguments, **how)

    monkeypatch.setattr(place, name, refusing)


def watch(registry, monkeypatch):
    """Collect every reason that is written to the registry."""
    said = []
    for name in ("record", "set_activity", "finish"):
        call = getattr(registry, name)
        monkeypatch.setattr(
            registry, name, lambda *a, call=call, **facts: (said.append(facts.get("reason")), call(*a, **facts))[1]
        )
    return said


class TestFullDisk:
    def test_at_save_now_the_run_goes_on(self, registry, serve, monkeypatch, runs_dir, store):
        """The page says that the copy is missing; the run finishes as if it had not been asked for."""
        run_id = commands.submit(registry, LONG, "ada")
        registry.claim()
        registry.request_save(run_id)
        registry.release(registry.worker)
        refuse(monkeypatch, export, "_write_keras", times=1)
        serve()
        run = registry.get(run_id)
        assert (run.state, run.save_requested) == (RunState.FINISHED, False)
        assert run.reason == "The copy could not be saved: No space left on device. Free some space on the disk."
        models = catalogue.of_run(run_id, Settings.from_environment())
        assert [str(model.card.weights) for model in models if model.card.weights == "saved"] == []
        assert not leftovers(runs_dir)

    def test_at_the_end_the_run_waits_for_room(self, registry, serve, monkeypatch, runs_dir):
        """While it waits it says so and shows its accuracy; with room, it finishes and says nothing more."""
        said, seen = watch(registry, monkeypatch), []
        refuse(monkeypatch, export, "_write_keras", times=2)
        run_id = commands.submit(registry, LONG, "ada")
        serve(then=[lambda: seen.append(registry.get(run_id)), lambda: None])
        assert (seen[0].state, seen[0].activity) == (RunState.RUNNING, "Waiting to save its model")
        assert seen[0].test_accuracy.share > 0.8
        assert seen[0].reason == (
            "Its model cannot be saved yet: No space left on device. Free some space on the disk. "
            "Training is complete; saving is tried again until it succeeds."
        )
        assert seen[0].reason in said
        run = registry.get(run_id)
        assert (run.state, run.reason) == (RunState.FINISHED, "")
        assert not leftovers(runs_dir)

    def test_that_stays_full_pauses_the_run_and_resume_offers_the_checkpoint(
        self, registry, serve, monkeypatch, runs_dir, store
    ):
        """The run ends paused, with its checkpoint; resumed later by another trainer, it gives the same model."""
        peaceful, unlucky = (commands.submit(registry, LONG, "ada") for _ in range(2))
        monkeypatch.setattr(saving, "_SAVE_AGAIN_SECONDS", (0.0,))
        write_model, tries = export.write_model, []

        def write(model, draft, name, **how):
            if name == unlucky and len(tries) < 2:
                tries.append(name)
                raise NO_SPACE
            return write_model(model, draft, name, **how)

        monkeypatch.setattr(export, "write_model", write)
        serve(then=[lambda: None])
        run = registry.get(unlucky)
        assert (run.state, run.step) == (RunState.PAUSED, 400)
        assert run.reason == (
            "Its model cannot be saved yet: No space left on device. Free some space on the disk. Then press Resume."
        )
        assert checkpoints.steps(store, unlucky)[0] == 400
        commands.resume(registry, unlucky, "ada")
        serve()
        assert (registry.get(unlucky).state, registry.get(unlucky).reason) == (RunState.FINISHED, "")
        assert weights_of(runs_dir, unlucky) == weights_of(runs_dir, peaceful)

    def test_at_a_pause_the_run_is_paused_all_the_same(self, registry, serve, monkeypatch, runs_dir):
        """Without the new checkpoint it repeats some iterations when it is resumed, and gives the same model."""
        peaceful, paused = (commands.submit(registry, LONG, "ada") for _ in range(2))
        commands.pause(registry, paused, "ada")
        commands.step(registry, paused, "ada", 130)
        refuse(monkeypatch, checkpoints, "save", times=1)
        serve()
        run = registry.get(paused)
        assert (run.state, run.step) == (RunState.PAUSED, 130)
        assert run.reason == "No checkpoint could be written: No space left on device. Free some space on the disk."
        commands.resume(registry, paused, "ada")
        serve()
        assert registry.get(paused).state == RunState.FINISHED
        assert weights_of(runs_dir, paused) == weights_of(runs_dir, peaceful)

    def test_at_a_snapshot_the_run_goes_on(self, registry, serve, monkeypatch, store):
        """One moment of the time line is missing, and nothing else."""
        refuse(monkeypatch, timeline, "write", times=1)
        run_id = commands.submit(registry, LONG, "ada")
        serve()
        validated = [row["step"] for row in registry.history(run_id) if row["val_loss"] is not None]
        assert registry.get(run_id).state == RunState.FINISHED
        assert timeline.steps(store, run_id) == validated[1:]

    def test_while_data_is_prepared_pauses_the_run(self, registry, serve, monkeypatch, quick):
        """Whatever cannot be written before the first iteration can be written later."""
        refuse(monkeypatch, timeline, "rewind", times=1)
        run_id = commands.submit(registry, quick, "ada")
        serve()
        assert registry.get(run_id).state == RunState.PAUSED
        assert registry.get(run_id).reason == (
            "The disk cannot be written: No space left on device. Free some space on the disk. "
            "Then press Resume: the run goes on from its last checkpoint."
        )
        commands.resume(registry, run_id, "ada")
        serve()
        assert (registry.get(run_id).state, registry.get(run_id).reason) == (RunState.FINISHED, "")


class TestSmallDisk:
    """The same on a disk that is really full."""

    def test_a_checkpoint_leaves_no_draft(self, disk, store, runs_dir):
        """The room that its draft took is free again, and the previous checkpoint is whole."""
        checkpoints.save(store, "run", {"step": np.array(1), "weights": np.ones(1000)})
        free = os.statvfs(runs_dir).f_bavail
        with pytest.raises(OSError, match="No space left"):
            checkpoints.save(store, "run", {"step": np.array(2), "weights": np.ones(3_000_000)})
        assert os.statvfs(runs_dir).f_bavail == free
        assert [int(state["step"]) for state in checkpoints.load(store, "run")] == [1]

    @pytest.mark.parametrize("registry_too", [False, True])
    def test_a_run_finishes_once_there_is_room(
        self, disk, runs_dir, tmp_path, monkeypatch, request, quick, registry_too
    ):
        """With the registry on the same disk or on another: nothing is lost, no draft is left."""
        fill, free = disk
        if not registry_too:
            monkeypatch.setenv("DIGITS_REGISTRY_URL", f"sqlite:///{tmp_path}/other.sqlite")
        registry, serve = request.getfixturevalue("registry"), request.getfixturevalue("serve")
        save_all = saving.Saver._save_all

        def fill_first(self):
            if not seen:
                fill(leave=0 if registry_too else 30_000)
            return save_all(self)

        def make_room():
            seen.append(leftovers(runs_dir))
            free()

        seen = []
        monkeypatch.setattr(saving.Saver, "_save_all", fill_first)
        run_id = commands.submit(registry, quick, "ada")
        serve(then=[make_room, lambda: None])
        assert seen == [[]] or registry_too  # else it waits for the registry, with its draft
        assert (registry.get(run_id).state, registry.get(run_id).reason) == (RunState.FINISHED, "")
        assert catalogue.find(run_id, Settings.from_environment()).test_accuracy.total == 1000
        assert not leftovers(runs_dir)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate"),
        tf.errors.ResourceExhaustedError(None, None, "OOM"),
        OSError(errno.ENOMEM, "x"),
    ],
)
def test_want_of_memory_is_told_as_such(error, registry, serve, monkeypatch, quick):
    """The run fails with what to do; the next run is trained."""
    refuse(monkeypatch, loop.Training, "advance", times=1, error=error)
    poor, next_run = (commands.submit(registry, quick, "ada") for _ in range(2))
    serve()
    assert (registry.get(poor).state, registry.get(poor).reason) == (RunState.FAILED, trouble.OUT_OF_MEMORY)
    assert registry.get(next_run).state == RunState.FINISHED


class TestCheckpoint:
    @pytest.fixture
    def paused(self, registry, serve, store, runs_dir, once):
        """A run paused after 130 and again after 260 iterations, and the model that it should give."""

        def train_and_pause():
            peaceful, run_id = (commands.submit(registry, LONG, "ada") for _ in range(2))
            commands.pause(registry, run_id, "ada")
            for iterations in (130, 130):
                commands.step(registry, run_id, "ada", iterations)
                serve()
            return run_id, weights_of(runs_dir, peaceful)

        run_id, expected = once(train_and_pause)
        assert checkpoints.steps(store, run_id) == [260, 130]
        return run_id, expected

    @staticmethod
    def damage(runs_dir, run_id, step, how):
        path = runs_dir / ".work" / run_id / f"checkpoint-{step:08d}.npz"
        content = path.read_bytes()
        with np.load(path) as arrays:
            state = dict(arrays)
        if how == "empty":
            path.write_bytes(b"")
        elif how == "truncated":
            path.write_bytes(content[: len(content) // 2])
        elif how == "one byte":
            middle = len(content) // 2
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        elif how == "newer version":
            np.savez(path, **state | {"version": np.array(99)})
        elif how == "a variable less":
            np.savez(path, **{name: array for name, array in state.items() if name != "variable_0"})
        elif how == "another shape":
            np.savez(path, **state | {"variable_0": np.zeros((3, 3), np.float32)})
        else:
            path.unlink()

    @pytest.mark.parametrize(
        "how", ["empty", "truncated", "one byte", "newer version", "a variable less", "another shape"]
    )
    def test_that_is_damaged_is_told_and_the_one_before_is_used(
        self, how, paused, registry, serve, monkeypatch, runs_dir
    ):
        """The run goes on from iteration 130 instead of 260, and gives the same model."""
        run_id, expected = paused
        self.damage(runs_dir, run_id, 260, how)
        said = watch(registry, monkeypatch)
        commands.resume(registry, run_id, "ada")
        serve()
        told = "Its last checkpoint was damaged or of another version, so it went on from iteration 130."
        assert (registry.get(run_id).state, registry.get(run_id).reason) == (RunState.FINISHED, told)
        assert told in said
        assert weights_of(runs_dir, run_id) == expected

    @pytest.mark.parametrize("how", ["truncated", "a variable less"])
    def test_if_none_can_be_used_the_run_begins_again(self, how, paused, registry, serve, runs_dir):
        """It says so, and gives the same model."""
        run_id, expected = paused
        for step in (130, 260):
            self.damage(runs_dir, run_id, step, how)
        commands.resume(registry, run_id, "ada")
        serve()
        told = "Its last checkpoint was damaged or of another version, so it began again."
        assert (registry.get(run_id).state, registry.get(run_id).reason) == (RunState.FINISHED, told)
        assert weights_of(runs_dir, run_id) == expected

    def test_of_an_older_name_is_used(self, paused, registry, serve, runs_dir):
        """A run that an older version paused continues where it stopped."""
        run_id, expected = paused
        folder = runs_dir / ".work" / run_id
        with np.load(folder / "checkpoint-00000260.npz") as arrays:
            state = {name: arrays[name] for name in arrays if name != "version"}
        for path in folder.glob("checkpoint*"):
            path.unlink()
        np.savez(folder / "checkpoint.npz", **state)
        commands.resume(registry, run_id, "ada")
        serve()
        assert (registry.get(run_id).state, registry.get(run_id).reason) == (RunState.FINISHED, "")
        assert weights_of(runs_dir, run_id) == expected


def test_a_run_whose_every_answer_is_lost_once_ends_the_same(registry, serve, monkeypatch, runs_dir, store):
    """The database carries out each write of the trainer, and the connection fails before it says so."""
    peaceful = commands.submit(registry, LONG, "ada")
    serve()
    writing, lost = registry._writing, []

    @contextlib.contextmanager
    def failing_every_second_time():
        with writing() as connection:
            yield connection
        lost.append(len(lost) % 2 == 0)
        if lost[-1]:
            raise RegistryBusy("the connection failed")

    run_id = commands.submit(registry, LONG, "ada")
    monkeypatch.setattr(registry, "_writing", failing_every_second_time)
    serve(then=[lambda: None] * 100, checkpoint_seconds=0.2)  # each pause before another try, and then the end
    monkeypatch.setattr(registry, "_writing", writing)
    assert sum(lost) > 5
    runs = [registry.get(one) for one in (run_id, peaceful)]
    assert [(run.state, run.reason, run.step) for run in runs] == [(RunState.FINISHED, "", 400)] * 2
    curves = [[row | {"seconds": 0} for row in registry.history(run.id)] for run in runs]
    assert curves[0] == curves[1]
    assert weights_of(runs_dir, run_id) == weights_of(runs_dir, peaceful)
    assert checkpoints.steps(store, run_id) == []


@pytest.mark.parametrize(("command", "state"), [(commands.stop, RunState.STOPPED), (commands.pause, RunState.PAUSED)])
def test_a_command_during_preparation_acts_within_a_second(command, state, registry, serve, monkeypatch):
    """The mixture of images is made for minutes; the owner's command ends that, and nothing else is lost."""
    drawing = Hyperparameters(network="softmax", augmentation="drawing", iterations=100, batch_size=10)
    run_id, begun, redraw = commands.submit(registry, drawing, "ada"), [], ways.redraw

    def slowly(image):
        if not begun:
            command(registry, run_id, "ada")
            begun.append(time.monotonic())
        time.sleep(0.005)
        return redraw(image)

    monkeypatch.setattr(ways, "redraw", slowly)
    serve()
    run = registry.get(run_id)
    assert (run.state, run.step) == (state, 0)
    assert run.reason == ("Stopped while it was prepared, before its first iteration." if run.is_ended else "")
    assert (run.ended or time.time()) - time.time() + time.monotonic() - begun[0] < 1.5
    with pytest.raises(ModelNotFound):
        catalogue.find(run_id, Settings.from_environment())


def test_others_have_their_turn_while_data_is_prepared(registry, serve, monkeypatch, quick):
    """A visitor's run does not wait for minutes; what was made so far is not made again."""
    monkeypatch.setattr(session, "TURN_SECONDS", 0.1)
    drawing = Hyperparameters(network="softmax", augmentation="drawing", iterations=100, batch_size=10)
    slow, short, made, redraw = commands.submit(registry, drawing, "ada"), [], [], ways.redraw

    def slowly(image):
        made.append(image.tobytes())
        if not short:
            short.append(commands.submit(registry, quick, "bob"))
        if len(made) < 400:
            time.sleep(0.005)
        return redraw(image)

    monkeypatch.setattr(ways, "redraw", slowly)
    serve()
    runs = registry.get(slow), registry.get(short[0])
    assert [run.state for run in runs] == [RunState.FINISHED] * 2
    assert runs[1].ended < runs[0].ended
    assert runs[0].claims > 1
    assert len(made) == len(set(made))
