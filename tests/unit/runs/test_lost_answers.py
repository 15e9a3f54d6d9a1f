"""work: a write that the database carried out, but whose answer was lost, is made again and takes effect once."""

import dataclasses
import time

import pytest
import sqlalchemy as sql

from digits.errors import LeaseLost, RegistryBusy
from digits.runs import commands, schema
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import METRIC_NAMES, RunState
from digits.settings import Settings
from digits.store import open_store
from digits.sweeps import commands as sweep_commands
from digits.sweeps.plan import Plan, default_space
from digits.training import own_sets
from tests.conftest import close

CHOSEN = Hyperparameters(iterations=300, seed=7)
TURNED = Change(200, "learning_rate", 0.25, 0.125)


def row(step, loss=0.1):
    return dict(zip(METRIC_NAMES, (step, step / 100, loss, 0.5, None, None), strict=True))


WRITES = {
    "claim": lambda registry, run_id: registry.claim(),
    "rewind": lambda registry, run_id: registry.rewind(run_id, 100),
    "record": lambda registry, run_id: registry.record(run_id, [row(200), row(300)], seconds=3.0),
    "take_changes": lambda registry, run_id: registry.take_changes(run_id, 200, [TURNED]),
    "set_saved": lambda registry, run_id: registry.set_saved(run_id, 1),
    "set_activity": lambda registry, run_id: registry.set_activity(run_id, "Saving", data="Some."),
    "finish": lambda registry, run_id: registry.finish(run_id, RunState.FINISHED, test_correct=9, test_total=10),
    "set_paused": lambda registry, run_id: registry.set_paused(run_id),
    "requeue": lambda registry, run_id: registry.requeue(run_id),
}


def prepare(registry, write):
    """Make a run with a pending change; it is in training unless it is to be claimed."""
    run_id = registry.create(CHOSEN, "ada", name="mine")
    if write != "claim":
        assert registry.claim().id == run_id
        registry.record(run_id, [row(50), row(100), *([row(150)] if write == "rewind" else [])])
        registry.request_save(run_id)
    registry.request_change(run_id, TURNED.name, TURNED.value)
    return run_id


def seen(registry, run_id):
    """What the registry holds of a run, except for names and times."""
    run, nothing = registry.get(run_id), dict.fromkeys(("id", "name", "created", "started", "ended", "lease_until"))
    return dataclasses.replace(run, **nothing), registry.history(run_id), registry.changes(run_id)


@pytest.mark.parametrize("write", WRITES)
def test_a_write_made_again_takes_effect_once(write, registry, lose):
    """The run is then as if the answer had come; what the write returns is what it would have been."""
    lost = prepare(registry, write)
    if write == "claim":
        expected = WRITES[write](registry, lost)
        registry.requeue(lost)
    else:
        calm = prepare(registry, write)
        expected = WRITES[write](registry, calm)
    lose()
    with pytest.raises(RegistryBusy, match="the connection failed"):
        WRITES[write](registry, lost)
    carried_out = seen(registry, lost)
    assert write == "claim" or carried_out == seen(registry, calm)
    found = WRITES[write](registry, lost)
    if write == "claim":
        assert (found.id, found.attempts) == (lost, 0)
        assert registry.claim() is None
    else:
        assert (found, seen(registry, lost)) == (expected, carried_out)


def test_an_announced_trainer_is_announced_once(registry, lose):
    """One whose announcement got no answer is not taken for another that already serves the registry."""
    lose()
    with pytest.raises(RegistryBusy):
        registry.enlist("first", unless_served=True, grace_seconds=10)
    assert registry.enlist("first", unless_served=True, grace_seconds=10)
    assert not registry.enlist("second", unless_served=True, grace_seconds=10)
    assert registry.count_trainers() == 1


@pytest.mark.parametrize("write", ["finish", "set_paused", "requeue"])
def test_what_happened_meanwhile_is_left_alone(write, registry, lose):
    """If somebody else has the run by the time of the second try, the trainer is told, and changes nothing."""
    run_id = prepare(registry, write)
    lose()
    with pytest.raises(RegistryBusy):
        WRITES[write](registry, run_id)
    with registry._writing() as connection:
        another = {"state": RunState.RUNNING, "worker": "another", "lease_until": time.time() + 20}
        connection.execute(schema.runs.update().where(schema.runs.c.id == run_id).values(**another))
    before = seen(registry, run_id)
    with pytest.raises(LeaseLost):
        WRITES[write](registry, run_id)
    assert seen(registry, run_id) == before


def test_a_row_that_differs_is_a_fault(registry, lose):
    """Only the rows of the lost write are recognised; others with the same step are refused, as always."""
    run_id = prepare(registry, "record")
    lose()
    with pytest.raises(RegistryBusy):
        registry.record(run_id, [row(200)])
    with pytest.raises(sql.exc.IntegrityError):
        registry.record(run_id, [row(200, loss=0.2)])
    with pytest.raises(sql.exc.IntegrityError):  # the answer to the write before was not lost
        registry.record(run_id, [row(200)])


def test_a_value_asked_for_meanwhile_stays_pending(registry):
    """What the trainer has applied is recorded, and the owner's newer value is applied next."""
    run_id = prepare(registry, "take_changes")
    registry.request_change(run_id, TURNED.name, 0.5)
    registry.take_changes(run_id, 200, [TURNED])
    found = [(change.step, change.old, change.value) for change in registry.changes(run_id)]
    assert found == [(200, 0.25, 0.125), (None, None, 0.5)]


def test_a_copy_asked_for_meanwhile_is_saved_next(registry, lose):
    """Save pressed between a lost answer and its repetition is not taken for the copy that is already saved."""
    run_id = prepare(registry, "set_saved")
    lose()
    with pytest.raises(RegistryBusy):
        registry.set_saved(run_id, 1)
    assert not registry.get(run_id).save_requested
    registry.request_save(run_id)
    registry.set_saved(run_id, 1)
    orders = registry.record(run_id)
    assert (orders.save_requested, orders.copies) == (True, 2)
    registry.set_saved(run_id, 2)
    assert not registry.get(run_id).save_requested


def store():
    return open_store(Settings.from_environment())


ASKED = {
    "a run": lambda registry: commands.submit(registry, CHOSEN, "ada", changes=[TURNED], name="mine", address="::1"),
    "a sweep": lambda registry: sweep_commands.submit(registry, Plan(CHOSEN, default_space(CHOSEN), trials=4), "ada"),
    "a set": lambda registry: own_sets.create(
        registry, open_store(Settings.from_environment()), "ada", "Vowels", "aei"
    ),
}


def count(registry):
    return len([*registry.list_runs("ada"), *registry.list_sweeps("ada"), *registry.list_sets("ada")])


@pytest.mark.parametrize("what", ASKED)
def test_what_a_visitor_asks_for_again_is_there_once(what, registry, lose, monkeypatch):
    """The first press queued it without an answer: the second one finds it. A third one asks for another."""
    ask = ASKED[what]
    lose()
    with pytest.raises(RegistryBusy):
        ask(registry)
    assert count(registry) == 1
    found = ask(registry)
    assert count(registry) == 1
    assert ask(registry) != found
    assert count(registry) == 2


@pytest.mark.parametrize("what", ASKED)
def test_later_the_same_words_ask_for_another(what, registry, lose, monkeypatch):
    ask, now = ASKED[what], time.monotonic()
    lose()
    with pytest.raises(RegistryBusy):
        ask(registry)
    monkeypatch.setattr(time, "monotonic", lambda: now + commands.REPEATED_WITHIN + 60)
    ask(registry)
    assert count(registry) == 2


def test_what_nobody_asks_for_again_is_forgotten(registry, lose, monkeypatch):
    """A visitor's question is forgotten when it no longer counts; what a trainer has to repeat is not."""
    now = time.monotonic()
    prepare(registry, "claim")
    for later, ask in enumerate([Registry.claim, *ASKED.values()]):
        monkeypatch.setattr(time, "monotonic", lambda later=later: now + later * (commands.REPEATED_WITHIN + 60))
        lose()
        with pytest.raises(RegistryBusy):
            ask(registry)
    assert [write[0] for write in registry.unanswered._attempts] == ["claim", "set"]


def test_another_visitors_run_is_never_given_out(registry):
    """An id that somebody else's run has is no repetition."""
    run_id = registry.create(CHOSEN, "ada")
    with pytest.raises(sql.exc.IntegrityError):
        registry.create(CHOSEN, "bob", id=run_id)
    assert registry.create(CHOSEN, "ada", id=run_id) == run_id


def test_threads_of_one_trainer_share_no_doubt(registry, lose):
    """A claim whose answer was lost is made again by one thread; another registry's claims do not care."""
    ids = [registry.create(CHOSEN, "ada") for _ in range(2)]
    other = Registry(Settings.from_environment().registry_url)
    lose()
    with pytest.raises(RegistryBusy):
        registry.claim()
    assert other.claim().id == ids[1]
    assert registry.claim().id == ids[0]
    assert registry.claim() is None
    close(other)
