"""commands: who may queue, stop and change which run; test_trainer_process.py tests how the trainer is kept alive."""

import pytest

from digits.errors import (
    InvalidHyperparameter,
    InvalidText,
    NotYourRun,
    RunAlreadyFinished,
    RunBusy,
    RunNotFound,
    TooManyRuns,
)
from digits.quotas import Quotas
from digits.runs import commands
from digits.runs.schema import RunState

MAX_QUEUED_RUNS, MAX_QUEUED_RUNS_PER_VISITOR = Quotas().runs_waiting, Quotas().runs_waiting_per_visitor


class TestSubmit:
    def test_queues_a_run_of_the_visitors(self, registry, quick):
        """A submitted run waits for the trainer and belongs to its owner."""
        run = registry.get(commands.submit(registry, quick, "ada"))
        assert (run.state, run.owner, run.hyperparameters) == (RunState.QUEUED, "ada", quick)

    def test_has_a_limit_for_each_visitor(self, registry, quick):
        """A visitor with the allowed number of runs must wait; a run in training counts, an ended run does not."""
        ids = [commands.submit(registry, quick, "ada") for _ in range(MAX_QUEUED_RUNS_PER_VISITOR)]
        registry.claim()
        with pytest.raises(TooManyRuns, match=f"At most {MAX_QUEUED_RUNS_PER_VISITOR} runs .* you have 3"):
            commands.submit(registry, quick, "ada")
        commands.submit(registry, quick, "bob")
        registry.finish(ids[0], RunState.FINISHED)
        commands.submit(registry, quick, "ada")
        assert registry.count_waiting("ada") == MAX_QUEUED_RUNS_PER_VISITOR

    def test_has_a_limit_for_the_server(self, registry, quick):
        """A full queue accepts no more runs from any visitor."""
        for index in range(MAX_QUEUED_RUNS):
            commands.submit(registry, quick, f"visitor {index}")
        with pytest.raises(TooManyRuns, match=f"At most {MAX_QUEUED_RUNS} runs .* this server has {MAX_QUEUED_RUNS}"):
            commands.submit(registry, quick, "ada")
        assert registry.count_waiting() == MAX_QUEUED_RUNS


class TestStop:
    def test_is_for_the_owner(self, registry, quick):
        """The visitor who started a run may stop it."""
        run_id = commands.submit(registry, quick, "ada")
        commands.stop(registry, run_id, "ada")
        assert registry.get(run_id).state == RunState.STOPPED

    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.FINISHED])
    def test_is_refused_to_anyone_else(self, registry, quick, state):
        """A visitor who only has the link may watch; a refused stop changes nothing, whatever the run's state."""
        run_id = commands.submit(registry, quick, "ada")
        if state != RunState.QUEUED:
            registry.claim()
        if state == RunState.FINISHED:
            registry.finish(run_id, state)
        before = registry.get(run_id)
        with pytest.raises(NotYourRun, match="Only the visitor who started a run"):
            commands.stop(registry, run_id, "bob")
        assert registry.get(run_id) == before

    def test_needs_a_run_that_can_be_stopped(self, registry, quick):
        """An ended run and an unknown run give different errors."""
        run_id = commands.submit(registry, quick, "ada")
        commands.stop(registry, run_id, "ada")
        with pytest.raises(RunAlreadyFinished):
            commands.stop(registry, run_id, "ada")
        with pytest.raises(RunNotFound):
            commands.stop(registry, "nobody", "ada")


class TestCommands:
    @pytest.mark.parametrize(
        "command",
        [
            commands.pause,
            commands.resume,
            commands.step,
            commands.save_now,
            lambda *who: commands.turn(*who, "dropout", 0.2),
            lambda *who: commands.rename(*who, "mine"),
            lambda *who: commands.annotate(*who, "mine"),
            lambda registry, run_id, owner: commands.delete(registry, [run_id], owner),
            lambda registry, run_id, owner: commands.restore(registry, [run_id], owner),
        ],
    )
    def test_are_for_the_owner_alone(self, registry, quick, command):
        """Only the owner may command a run, and a refused command changes nothing."""
        run_id = commands.submit(registry, quick, "ada")
        before = registry.get(run_id)
        with pytest.raises(NotYourRun):
            command(registry, run_id, "bob")
        assert registry.get(run_id) == before

    def test_step_goes_to_the_next_validation(self, registry, quick):
        """Without a number, a step ends at the next validation."""
        run_id = commands.submit(registry, quick, "ada")
        commands.pause(registry, run_id, "ada")
        commands.step(registry, run_id, "ada")
        assert registry.get(run_id).pause_at == quick.next_validation(0) == 50
        commands.pause(registry, run_id, "ada")
        commands.step(registry, run_id, "ada", 10)
        assert registry.get(run_id).pause_at == 10

    def test_only_live_hyperparameters_change(self, registry, quick):
        """Hyperparameters that need another network, and values out of range, are refused with a message."""
        run_id = commands.submit(registry, quick, "ada")
        with pytest.raises(InvalidHyperparameter, match="During a run learning_rate and dropout"):
            commands.turn(registry, run_id, "ada", "batch_size", 10)
        with pytest.raises(InvalidHyperparameter, match="`dropout` must lie in"):
            commands.turn(registry, run_id, "ada", "dropout", 2)
        commands.turn(registry, run_id, "ada", "dropout", 0.3)
        assert [change.value for change in registry.changes(run_id)] == [0.3]

    def test_names_are_trimmed_and_limited(self, registry, quick):
        """A name is put on one line; the error for a name or note that is too long states the limit."""
        run_id = commands.submit(registry, quick, "ada")
        commands.rename(registry, run_id, "ada", "  my \n run ")
        commands.annotate(registry, run_id, "ada", " a\nb ")
        assert (registry.get(run_id).name, registry.get(run_id).note) == ("my run", "a\nb")
        with pytest.raises(InvalidText, match="may have 80 characters"):
            commands.rename(registry, run_id, "ada", "x" * 81)
        assert registry.get(run_id).name == "my run"

    def test_delete_takes_all_or_none(self, registry, quick):
        """A run that has not ended cannot be deleted, and then no run of the same request is deleted."""
        ended, waiting = (commands.submit(registry, quick, "ada") for _ in range(2))
        commands.stop(registry, ended, "ada")
        with pytest.raises(RunBusy, match="this one is queued"):
            commands.delete(registry, [ended, waiting], "ada")
        assert registry.get(ended).deleted is None
        commands.delete(registry, [ended], "ada")
        assert registry.get(ended).deleted
        commands.restore(registry, [ended], "ada")
        assert registry.get(ended).deleted is None


@pytest.mark.parametrize(
    ("what", "text", "kept"),
    [
        ("name", "wide\u202e %9.99", "wide %9.99"),  # else it would turn around what follows it on the page
        ("name", " \u2067a\x1b[31m\0b\x7f\r\nc\ud800 ", "a[31mb c?"),
        ("name", "\u200f", ""),
        ("name", "نماذج 3 👩\u200d🔬 é", "نماذج 3 👩\u200d🔬 é"),
        ("note", "one\r\n\ttwo\u202d\x08 ", "one\n\ttwo"),
    ],
)
def test_texts_keep_what_can_be_seen(what, text, kept):
    assert commands.checked(what, text) == kept
