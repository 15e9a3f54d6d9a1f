"""trainer: any failure ends only the run in which it happens, and several trainers share one queue."""

import dataclasses
import errno
import logging
import os
import time

import numpy as np
import pytest

from digits.data import sets
from digits.errors import DatasetUnavailable, RegistryBusy, RunNotFound
from digits.models import catalogue
from digits.models.identity import Weights
from digits.runs import commands, schema
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import FolderStore
from digits.training import checkpoints, export, loop, own_sets, precision, retrying, session, timeline
from tests.conftest import close


def test_a_run_without_data_fails_with_the_reason(registry, serve, monkeypatch, quick):
    """If the data cannot be loaded, the run's reason says what is missing; so does the next run's."""

    def load(settings):
        raise DatasetUnavailable("The images must be there; they are not. Put them back.")

    monkeypatch.setitem(sets.DATA_SETS, sets.MNIST, dataclasses.replace(sets.DATA_SETS[sets.MNIST], load=load))
    ids = [commands.submit(registry, quick, "ada") for _ in range(2)]
    serve()
    assert [registry.get(run_id).state for run_id in ids] == [RunState.FAILED, RunState.FAILED]
    assert registry.get(ids[0]).reason == "The images must be there; they are not. Put them back."


def test_a_bug_fails_one_run_and_serves_the_next(registry, serve, monkeypatch, caplog, quick):
    """An unexpected error ends its run with an explanation, is logged, and affects no other run."""

    class Unlucky(loop.Training):
        def advance(self, **how):
            if self._chosen.seed == 13:
                raise ZeroDivisionError("unlucky")
            return super().advance(**how)

    monkeypatch.setattr(loop, "Training", Unlucky)
    unlucky = commands.submit(registry, Hyperparameters(**quick.to_dict() | {"seed": 13}), "ada")
    lucky = commands.submit(registry, quick, "ada")
    serve()
    assert registry.get(unlucky).state == RunState.FAILED
    assert "ZeroDivisionError: unlucky" in registry.get(unlucky).reason
    assert "ZeroDivisionError: unlucky" in caplog.text
    assert "Traceback" in caplog.text
    assert registry.get(lucky).state == RunState.FINISHED


def test_the_log_names_the_run(registry, serve, monkeypatch, configure_log, capsys, quick):
    """Every log line about a run has its id, even from another thread; later lines do not."""

    class Talking(loop.Training):
        def advance(self, **how):
            logging.getLogger("digits.training.loop").info("advancing")
            return super().advance(**how)

    monkeypatch.setattr(loop, "Training", Talking)
    configure_log()
    run_id = commands.submit(registry, quick, "ada")
    serve()
    lines = [line for line in capsys.readouterr().err.splitlines() if "[run " in line]
    about = [line.split(f"[run {run_id}] ")[1] for line in lines if run_id in line]
    assert [*dict.fromkeys(about)] == ["training from iteration 0 on", "advancing", "finished after 100 iterations"]
    assert "[run -] serving" in lines[0]


def test_a_checkpoint_that_cannot_be_written_is_reported_and_training_continues(registry, serve, monkeypatch, quick):
    """The run finishes anyway; until then it reports the problem."""
    said = []

    def save(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    record = registry.record
    monkeypatch.setattr(checkpoints, "save", save)
    monkeypatch.setattr(
        registry, "record", lambda *a, **facts: (said.append(facts.get("reason")), record(*a, **facts))[1]
    )
    run_id = commands.submit(registry, quick, "ada")
    serve(checkpoint_seconds=0.0)
    assert registry.get(run_id).state == RunState.FINISHED
    assert any("Read-only file system" in words for words in said if words)


def test_a_locked_registry_is_waited_for(registry, serve, monkeypatch, quick):
    """If the registry does not answer for a while, the trainer waits and loses no run."""
    run_id, claim, refusals = commands.submit(registry, quick, "ada"), registry.claim, iter(range(3))

    def locked(**how):
        if next(refusals, None) is not None:
            raise RegistryBusy("The run registry should be writable; it answered: database is locked.")
        return claim(**how)

    monkeypatch.setattr(registry, "claim", locked)
    monkeypatch.setattr(retrying, "_RETRY_SECONDS", 0.0)
    serve(then=[lambda: None] * 3)
    assert registry.get(run_id).state == RunState.FINISHED


def test_a_registry_that_stays_locked_is_given_up(registry, serve, monkeypatch, quick):
    """After two minutes the trainer ends with the error; its keeper starts another one, which goes on with the run."""
    run_id, tries = commands.submit(registry, quick, "ada"), []

    def locked(*_, **how):
        tries.append(how)
        raise RegistryBusy("The run registry should be writable; it answered: database is locked.")

    monkeypatch.setattr(retrying, "_PATIENCE_SECONDS", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "record", locked)
        with pytest.raises(RegistryBusy):
            serve(then=[lambda: time.sleep(0.02)] * 100)
    assert 2 <= len(tries) < 10
    assert registry.get(run_id).state == RunState.RUNNING
    registry.release(registry.worker)  # as the keeper does when its trainer has ended
    serve()
    assert registry.get(run_id).state == RunState.FINISHED


@pytest.mark.parametrize("how", ["a mistyped column", "a row twice"])
def test_a_fault_in_a_statement_fails_the_run(registry, serve, monkeypatch, caplog, quick, how):
    """A wrong statement is not repeated: it is logged with its run and ends it, and the next run is trained."""
    record, first = registry.record, commands.submit(registry, quick, "ada")

    def wrong(run_id, progress=(), **facts):
        if run_id == first and progress:
            progress, facts = (progress, facts | {"stepp": 1}) if how == "a mistyped column" else (progress * 2, facts)
        return record(run_id, progress, **facts)

    monkeypatch.setattr(registry, "record", wrong)
    second = commands.submit(registry, quick, "bob")
    serve()
    run = registry.get(first)
    assert run.state == RunState.FAILED
    assert run.reason.endswith("This is a fault in Digits; please report it.")
    assert "SELECT" not in run.reason
    assert "INSERT" not in run.reason
    assert [line.levelname for line in caplog.records if line.exc_info] == ["ERROR"]
    assert registry.get(second).state == RunState.FINISHED


def test_leaves_the_best_weights_beside_the_last(registry, serve):
    """If an earlier validation was better than the last, its weights are saved as a separate model."""
    unsteady = Hyperparameters(learning_rate=1.0, iterations=1000, batch_size=10, seed=1)
    run_id = commands.submit(registry, unsteady, "ada")
    serve()
    run = registry.get(run_id)
    models = catalogue.of_run(run_id, Settings.from_environment())
    assert [model.card.weights for model in models] == [Weights.BEST, Weights.LAST]
    assert [model.card.step for model in models] == [run.best_step, 1000]
    assert run.best_step < 1000
    assert run.best_val_accuracy == max(row["val_accuracy"] or 0 for row in registry.history(run_id))


def test_tells_the_test_accuracy_before_all_files_are_written(registry, serve, monkeypatch, quick):
    """The accuracy is known while the run still saves; the model is offered only after the run has ended."""
    seen, write = [], export._write_keras

    def look(*how):
        seen.append(registry.get(run_id))
        write(*how)

    monkeypatch.setattr(export, "_write_keras", look)
    run_id = commands.submit(registry, quick, "ada")
    serve()
    run = registry.get(run_id)
    assert [(was.state, was.activity, was.has_model) for was in seen[:1]] == [(RunState.RUNNING, "Saving", False)]
    assert (seen[0].test_correct, seen[0].test_total) == (run.test_correct, run.test_total)
    assert run.has_model


def test_leaves_a_time_line(registry, serve, quick, runs_dir):
    """Every validation leaves a snapshot, which can be read after the run has ended."""
    run_id = commands.submit(registry, quick, "ada")
    serve()
    validated = [row["step"] for row in registry.history(run_id) if row["val_loss"] is not None]
    assert timeline.steps(FolderStore(runs_dir), run_id) == validated
    snapshot = timeline.read(FolderStore(runs_dir), run_id, validated[-1])
    assert (snapshot.kind, snapshot.pictures.shape, snapshot.predicted.shape) == ("classes", (10, 28, 28), (100,))


def test_reads_its_owners_drawing_at_every_validation(registry, serve, quick, runs_dir):
    """A drawing beside the run changes nothing of its result, and every snapshot holds how it is read."""
    store, results = FolderStore(runs_dir), []
    for is_drawn in (False, True):
        run_id = commands.submit(registry, quick, "ada")
        if is_drawn:
            timeline.write_drawing(store, run_id, np.full((28, 28), 90, np.uint8))
        serve()
        results.append([row["val_loss"] for row in registry.history(run_id)])
        for step in timeline.steps(store, run_id):
            drawn = timeline.read(store, run_id, step).drawn
            assert (drawn is not None) == is_drawn
            assert drawn is None or drawn.shape == (10,)
            assert drawn is None or drawn.sum() == pytest.approx(1, abs=1e-3)
    assert results[0] == results[1]


def test_keeps_the_curve_of_a_run_that_diverges(registry, serve, monkeypatch):
    """The points before the loss stopped being a number are recorded, and the reason says what happened."""
    monkeypatch.setattr(session, "_RECORD_EVERY_SECONDS", 60.0)
    wild = Hyperparameters(network="published", learning_rate=0.01, iterations=200, optimizer="sgd", batch_size=10)
    run_id = commands.submit(registry, wild, "ada", changes=[Change(50, "learning_rate", 0.01, 1.0)])
    serve()
    run = registry.get(run_id)
    assert run.state == RunState.FAILED
    assert "finite number" in run.reason
    assert [row["step"] for row in registry.history(run_id)][:4] == [10, 20, 30, 40]


def test_leaves_a_log_for_tensorboard_where_one_is_wanted(registry, serve, quick, tmp_path, monkeypatch):
    """There is no log by default; with the setting, each run has a folder of event files."""
    commands.submit(registry, quick, "ada")
    serve()
    assert not (tmp_path / "logs").exists()
    monkeypatch.setenv("DIGITS_TENSORBOARD_DIR", str(tmp_path / "logs"))
    run_id = commands.submit(registry, quick, "ada")
    serve()
    assert registry.get(run_id).state == RunState.FINISHED
    assert list((tmp_path / "logs" / run_id / "train").glob("events*"))


def test_repeats_a_run_with_the_same_changes_at_the_same_steps(registry, serve, runs_dir):
    """A run and its repeat, with the same changes, have exactly the same weights."""
    chosen = Hyperparameters(iterations=400)
    changes = [Change(130, "learning_rate", 0.5, 0.02)]
    ids = [commands.submit(registry, chosen, "ada", changes=changes) for _ in range(2)]
    plain = commands.submit(registry, chosen, "ada")
    serve()
    read = [(runs_dir / run_id / "model.tflite").read_bytes() for run_id in (*ids, plain)]
    assert read[0] == read[1] != read[2]
    assert registry.changes(ids[1]) == changes


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_paused_run_goes_on_as_if_it_had_never_paused(is_alone, registry, serve, quick, runs_dir, monkeypatch):
    """Resumed at once from memory, or after another run from its checkpoint, it has exactly the same weights."""
    loaded, load = [], checkpoints.load
    monkeypatch.setattr(checkpoints, "load", lambda *which: loaded.append(which[1]) or load(*which))
    chosen = Hyperparameters(iterations=400)
    peaceful, paused = (commands.submit(registry, chosen, "ada") for _ in range(2))
    commands.pause(registry, paused, "ada")
    commands.step(registry, paused, "ada", 130)
    other = [] if is_alone else [lambda: commands.submit(registry, quick, "bob")]
    serve(then=[*other, lambda: commands.resume(registry, paused, "ada")])
    assert loaded.count(paused) == (1 if is_alone else 2)
    histories = [[row | {"seconds": 0} for row in registry.history(run_id)] for run_id in (peaceful, paused)]
    assert histories[0] == histories[1]
    weights = [(runs_dir / run_id / "model.tflite").read_bytes() for run_id in (peaceful, paused)]
    assert weights[0] == weights[1]


def test_removes_what_was_deleted_a_day_ago(registry, serve, quick, runs_dir):
    """Files and history are removed; a run deleted just now stays, so that it can be restored."""
    old, new = (commands.submit(registry, quick, "ada") for _ in range(2))
    serve()
    registry.set_deleted([old], time.time() - 25 * 3600)
    registry.set_deleted([new], time.time())
    serve()
    with pytest.raises(RunNotFound):
        registry.get(old)
    assert not list(runs_dir.rglob(f"{old}*"))
    assert registry.get(new).deleted
    assert (runs_dir / new / "card.json").exists()


def test_a_run_whose_trainer_died_is_taken_over(registry, serve, quick):
    """A trainer continues the run that a dead one left, and leaves alone the one that a living one trains."""
    living, dead = (Registry(Settings.from_environment().registry_url) for _ in range(2))
    ids = [commands.submit(registry, quick, "ada") for _ in range(2)]
    assert [living.claim().id, dead.claim().id] == ids
    registry.release(dead.worker)
    serve()
    assert [registry.get(run_id).state for run_id in ids] == [RunState.RUNNING, RunState.FINISHED]
    for other in (living, dead):
        close(other)


def test_a_trainer_that_loses_its_lease_stops_writing(registry, serve, runs_dir, monkeypatch, caplog):
    """It leaves the run, its model and its row to the trainer that has it now, and serves the next run."""
    other = Registry(Settings.from_environment().registry_url)
    chosen = Hyperparameters(iterations=5000, batch_size=10)
    lost, record = commands.submit(registry, chosen, "ada"), registry.record

    def record_late(run_id, progress=(), **facts):
        if run_id == lost and facts.get("step", 0) > 100 and registry.get(lost).claims == 1:
            registry.release(registry.worker)  # as if this process had been stopped for longer than its lease
            assert other.claim().id == lost
        return record(run_id, progress, **facts)

    monkeypatch.setattr(registry, "record", record_late)
    following = commands.submit(registry, Hyperparameters(iterations=100), "ada")
    serve()
    run = registry.get(lost)
    assert (run.state, run.worker) == (RunState.RUNNING, other.worker)
    assert not (runs_dir / lost).exists()
    assert "another trainer has it" in caplog.text
    assert registry.get(following).state == RunState.FINISHED
    close(other)


@pytest.mark.parametrize("is_alone", [True, False])
def test_visitors_take_turns_and_every_run_ends_the_same(is_alone, registry, serve, runs_dir, monkeypatch):
    """A long run that others wait for is put back with a checkpoint; its result is that of a run which was never."""
    chosen = Hyperparameters(iterations=400)
    monkeypatch.setattr(session, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(session, "_LOOK_EVERY_SECONDS", 0.0)
    claim, claimed, is_awaited, turns = registry.claim, [], registry.is_awaited, iter(range(4))
    monkeypatch.setattr(registry, "is_awaited", lambda run: next(turns, None) is not None and is_awaited(run))
    monkeypatch.setattr(registry, "claim", lambda **how: (run := claim(**how)) and (claimed.append(run.owner), run)[1])
    ids = [commands.submit(registry, chosen, owner) for owner in (["ada"] if is_alone else ["ada", "ada", "bob"])]
    serve()
    assert {registry.get(run_id).state for run_id in ids} == {RunState.FINISHED}
    if is_alone:
        assert claimed == ["ada"]
    else:
        assert claimed[:4] == ["ada", "bob", "ada", "bob"]
        weights = {(runs_dir / run_id / "model.tflite").read_bytes() for run_id in ids}
        assert len(weights) == 1


def test_the_precision_is_chosen_once_for_a_run(registry, serve, quick, monkeypatch):
    """The first trainer writes its processor's precision on the run; a trainer elsewhere continues in that one."""
    chosen = Hyperparameters(network="published", learning_rate=0.001, iterations=100, batch_size=32)
    run_id = commands.submit(registry, chosen, "ada")
    monkeypatch.setattr(precision, "_measure", lambda: "mixed_bfloat16")
    monkeypatch.setattr(precision, "processor", lambda: "one kind")
    commands.pause(registry, run_id, "ada")
    commands.step(registry, run_id, "ada", 30)
    serve()
    assert (registry.get(run_id).step, registry.get(run_id).precision) == (30, "mixed_bfloat16")
    monkeypatch.setattr(precision, "_measure", lambda: "float32")
    monkeypatch.setattr(precision, "processor", lambda: "another kind")
    commands.resume(registry, run_id, "ada")
    other = commands.submit(registry, chosen, "ada")
    softmax = commands.submit(registry, quick, "ada")
    serve()
    cards = [catalogue.find(one, Settings.from_environment()).card for one in (run_id, other, softmax)]
    assert [card.precision for card in cards] == ["mixed_bfloat16", "float32", "float32"]
    assert [registry.get(one).precision for one in (run_id, other, softmax)] == [card.precision for card in cards]


def test_a_run_ends_after_its_training_time(registry, serve, monkeypatch, runs_dir):
    """It is stopped, says why, and keeps its model; the time before a pause counts."""

    class Slow(loop.Training):
        def advance(self, **how):
            self.seconds += 25.0
            return super().advance(**how)

    monkeypatch.setattr(loop, "Training", Slow)
    monkeypatch.setenv("DIGITS_MINUTES_PER_RUN", "1")
    run_id = commands.submit(registry, Hyperparameters(iterations=1000), "ada")
    commands.pause(registry, run_id, "ada")
    commands.step(registry, run_id, "ada", 1)
    serve()
    assert registry.get(run_id).state == RunState.PAUSED
    commands.resume(registry, run_id, "ada")
    serve()
    run = registry.get(run_id)
    assert run.state == RunState.STOPPED
    assert 75 < run.seconds < 100
    assert run.reason == (
        f"On this server a run may train for 1 minute. It was stopped then, after iteration {run.step:,}, and its "
        "result is kept."
    )
    assert run.has_model
    assert (runs_dir / run_id / "card.json").exists()


def test_runs_make_room_when_the_disk_is_used_up(registry, serve, quick, runs_dir, monkeypatch):
    """Each run's files are measured; of two ended ones, the one that nobody else opened is removed, with its files."""
    shared, own = (commands.submit(registry, quick, "ada") for _ in range(2))
    serve()
    for run_id in (shared, own):
        files = [path for path in runs_dir.rglob("*") if path.is_file() and run_id in str(path)]
        assert registry.get(run_id).disk_bytes == sum(path.stat().st_size for path in files) > 10_000
        registry.describe(run_id, ended=time.time() - 7200)
        registry.set_disk_bytes(run_id, 2_000_000)
    commands.watch(registry, registry.get(shared), "bob")
    monkeypatch.setenv("DIGITS_MEGABYTES", "4")
    serve()
    with pytest.raises(RunNotFound):
        registry.get(own)
    assert not list(runs_dir.rglob(f"{own}*"))
    assert (runs_dir / shared / "card.json").exists()


def test_sets_make_room_when_their_quota_is_nearly_used_up(registry, serve, runs_dir, monkeypatch):
    """Of two old ones, the one that was changed first is put away; a day later its files are removed."""
    store, long_ago = FolderStore(runs_dir), time.time() - 7200
    first, second = (own_sets.create(registry, store, "ada", name, ("a", "b")) for name in ("First", "Second"))
    with registry._writing() as connection:
        connection.execute(schema.sets.update().values(changed=long_ago, disk_bytes=600_000))
        connection.execute(schema.sets.update().where(schema.sets.c.id == first.id).values(changed=long_ago - 1))
    monkeypatch.setenv("DIGITS_SET_MEGABYTES", "1")
    serve()
    (away,) = registry.list_sets("ada", deleted=True)
    assert (away.id, own_sets.read(registry, store, first.id).title) == (first.id, "First")
    registry.set_set_deleted(first.id, "ada", time.time() - 90_000)
    serve()
    with pytest.raises(DatasetUnavailable):
        registry.get_set(first.id)
    assert [path.name for path in (runs_dir / ".sets").iterdir()] == [second.id]


def test_the_files_of_older_runs_are_measured(registry, serve, quick):
    """A run from before files were measured gets its size when a trainer starts."""
    run_id = commands.submit(registry, quick, "ada")
    serve()
    size = registry.get(run_id).disk_bytes
    registry.describe(run_id, disk_bytes=None)
    serve()
    assert registry.get(run_id).disk_bytes == size
