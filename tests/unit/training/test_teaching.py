"""teaching: a model learns from a visitor's corrections in a run like any other."""

import dataclasses

import numpy as np
import pytest

from digits.data import corrections
from digits.errors import CannotTeach, RegistryBusy, TooManyRuns
from digits.models import catalogue
from digits.models.figures import BeforeAfter
from digits.runs import commands
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import open_store
from digits.training import teaching
from digits.training.beginnings import Leftovers

BAR = [np.float32([[60, 100], [240, 100]])]  # lines that nobody would call a digit
CROSS = [np.float32([[60, 60], [240, 240]]), np.float32([[60, 240], [240, 60]])]


@pytest.fixture
def store(runs_dir):
    return open_store(Settings.from_environment())


@pytest.fixture
def softmax():
    return catalogue.find("softmax", Settings.from_environment())


@pytest.fixture
def taught(store):
    """A bar that is called a 3, and a cross that is called a 5."""
    corrections.add(store, "ada", BAR, "3")
    corrections.add(store, "ada", CROSS, "5")
    return corrections.load(store, "ada")


def model_of(run_id):
    return catalogue.find(run_id, Settings.from_environment())


def probabilities(run_id):
    images = np.stack([one.image for one in corrections.load_of_run(open_store(Settings.from_environment()), run_id)])
    return model_of(run_id).recogniser.probabilities(images)


def test_it_begins_with_the_model_and_says_what_changed(registry, serve, store, softmax, taught):
    """The run names its parent; its card has what is read correctly before and after, on four kinds of images."""
    run_id = teaching.start(registry, store, softmax, "ada", taught)
    run = registry.get(run_id)
    assert (run.parent, run.state, run.name) == ("softmax", RunState.QUEUED, "Softmax, taught")
    serve()
    run = registry.get(run_id)
    assert (run.state, run.reason) == (RunState.FINISHED, "")
    card = model_of(run_id).card
    changed = {one.what: one for one in card.taught}
    assert (card.parent, list(changed)) == ("softmax", ["corrections", "variations", "test", "strangers"])
    assert changed["corrections"] == BeforeAfter("corrections", 2, 0, 2)
    assert changed["variations"].after > changed["variations"].before
    assert changed["test"].after == run.test_correct
    assert changed["test"].before > 900  # it began with the model's weights...
    assert changed["test"].after > 850  # ...and has not forgotten them
    assert [model.id for model in catalogue.of_run(run_id, Settings.from_environment())] == [run_id]
    assert registry.paces() == {}  # its pace says nothing about other runs


def test_it_is_repeated_exactly_and_goes_on_after_a_pause(registry, serve, store, softmax, taught):
    """Another visitor repeats it with the copy of the corrections, after its owner has removed them."""
    first = teaching.start(registry, store, softmax, "ada", taught)
    serve()
    for one in taught:
        corrections.remove(store, "ada", one.id)
    again = teaching.repeat(registry, store, registry.get(first), "bob")
    registry.request_pause(again)
    commands.step(registry, again, "bob", 50)

    def resume():
        assert registry.get(again).state is RunState.PAUSED
        commands.resume(registry, again, "bob")

    serve(then=[resume])
    run = registry.get(again)
    assert (run.state, run.parent, run.owner) == (RunState.FINISHED, "softmax", "bob")
    np.testing.assert_array_equal(probabilities(first), probabilities(again))


def test_a_model_learns_only_its_own_classes(registry, store, softmax, taught):
    strange = dataclasses.replace(taught[0], label="ß")
    assert teaching.suited([strange, taught[1]], softmax) == [taught[1]]
    with pytest.raises(CannotTeach, match="none of its classes"):
        teaching.start(registry, store, softmax, "ada", [strange])
    other = dataclasses.replace(softmax.card, class_names=("a", "b"))
    with pytest.raises(CannotTeach, match="another one"):
        teaching.hyperparameters(other)


def test_asked_for_twice_because_of_a_lost_answer_it_is_one_lesson(registry, store, softmax, taught, lose, runs_dir):
    lose()
    with pytest.raises(RegistryBusy):
        teaching.start(registry, store, softmax, "ada", taught)
    run_id = teaching.start(registry, store, softmax, "ada", taught)
    assert [run.id for run in registry.list_runs("ada")] == [run_id]
    assert [path.name for path in (runs_dir / ".work").iterdir()] == [run_id]
    assert teaching.drawings(store, run_id)


def test_the_files_of_a_lesson_that_nobody_asks_for_again_are_removed(
    registry, store, softmax, taught, monkeypatch, runs_dir
):
    """They stay while the same may be asked for again; those of a run stay for good."""
    leftovers, folder = Leftovers(registry, store), runs_dir / ".work"
    with monkeypatch.context() as patch:
        patch.setattr(registry, "create", raise_busy)
        for chosen in (taught, taught[:1]):
            with pytest.raises(RegistryBusy):
                teaching.start(registry, store, softmax, "ada", chosen)
    leftovers.remove()
    assert len(list(folder.iterdir())) == 2
    run_id = teaching.start(registry, store, softmax, "ada", taught)
    leftovers.remove()
    leftovers.remove()
    assert [path.name for path in folder.iterdir()] == [run_id]
    assert store.list(".unanswered/.work/") == []
    assert teaching.drawings(store, run_id)


def raise_busy(*_, **how):
    raise RegistryBusy("The registry does not answer. Try again.")


def test_what_is_refused_leaves_nothing(registry, store, softmax, taught, monkeypatch, runs_dir):
    monkeypatch.setenv("DIGITS_RUNS_WAITING_PER_VISITOR", "1")
    teaching.start(registry, store, softmax, "ada", taught)
    before = sorted((runs_dir / ".work").iterdir())
    with pytest.raises(TooManyRuns):
        teaching.start(registry, store, softmax, "ada", taught)
    assert sorted((runs_dir / ".work").iterdir()) == before


def test_a_parent_or_corrections_that_are_gone_end_the_run_with_the_reason(registry, serve, store, softmax, taught):
    lost = teaching.start(registry, store, softmax, "ada", taught)
    store.delete(f".work/{lost}/corrections.json")
    serve()
    assert registry.get(lost).state is RunState.FAILED
    assert "corrections" in registry.get(lost).reason
    orphan = teaching.start(registry, store, dataclasses.replace(softmax, id="gone"), "ada", taught)
    serve()
    assert registry.get(orphan).state is RunState.FAILED
    assert "gone" in registry.get(orphan).reason
