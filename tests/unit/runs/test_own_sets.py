"""own_sets: a set's changes follow one another, only its owner makes them, and there is room for them."""

import threading

import pytest

from digits.errors import DatasetUnavailable, NotYourSet, QuotaReached, RegistryUnavailable
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.own_sets import NewVersion, new_set_id
from digits.runs.sweep_record import SweepState


def save(registry, set_id, owner="ada", *, drawings=10, content=b"x", written=None, name="Vowels"):
    """Save a version of a set."""
    written = {} if written is None else written
    return registry.save_set(
        set_id, owner, lambda version: NewVersion(name, drawings, 5, content), lambda *what: written.update([what])
    )


def test_a_set_grows_by_versions(registry):
    set_id, written = new_set_id(), {}
    first = save(registry, set_id, written=written)
    second = save(registry, set_id, drawings=20, content=b"yy", written=written, name="My vowels")
    assert written == {1: b"x", 2: b"yy"}
    assert (first.version, second.version, second.name, second.drawings, second.disk_bytes) == (
        1,
        2,
        "My vowels",
        20,
        3,
    )
    assert second.created == first.created
    assert registry.list_sets("ada") == [registry.get_set(set_id)] == [second]
    assert registry.list_sets("bob") == []
    assert second.dataset == Hyperparameters(dataset=second.dataset).dataset


def test_only_its_owner_changes_a_set(registry):
    set_id, written = new_set_id(), {}
    save(registry, set_id)
    with pytest.raises(NotYourSet, match="Make a copy"):
        save(registry, set_id, "bob", written=written)
    with pytest.raises(NotYourSet):
        registry.set_set_deleted(set_id, "bob", 1.0)
    assert written == {}
    with pytest.raises(DatasetUnavailable, match="not on this server"):
        registry.get_set(new_set_id())


def test_what_cannot_be_written_is_not_recorded(registry):
    set_id = new_set_id()

    def refuse(version, content):
        raise OSError("full")

    with pytest.raises(RegistryUnavailable, match="full"):
        registry.save_set(set_id, "ada", lambda version: NewVersion("x", 1, 1, b""), refuse)
    assert registry.list_sets("ada") == []


def test_changes_at_the_same_time_follow_one_another(registry):
    """Of ten changes, each sees the version before and makes the next."""
    set_id, seen = new_set_id(), []
    save(registry, set_id)

    def change():
        registry.save_set(
            set_id, "ada", lambda version: seen.append(version) or NewVersion("x", 1, 1, b""), lambda *what: None
        )

    threads = [threading.Thread(target=change) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 11))


def test_a_deleted_set_is_restored_or_removed(registry):
    """It is kept for a day, and as long as a run that learned from it."""
    used, unused = new_set_id(), new_set_id()
    registry.create(Hyperparameters(dataset=save(registry, used).dataset), "ada")
    save(registry, unused)
    for set_id in (used, unused):
        registry.set_set_deleted(set_id, "ada", 1000.0)
    assert registry.list_sets("ada") == []
    assert {record.id for record in registry.list_sets("ada", deleted=True)} == {used, unused}
    with pytest.raises(DatasetUnavailable, match="Restore it"):
        save(registry, used)
    assert registry.list_abandoned_sets(before=999.0) == []
    assert registry.list_abandoned_sets(before=1001.0) == [unused]
    registry.purge_set(unused)
    registry.set_set_deleted(used, "ada", None)
    assert [record.id for record in registry.list_sets("ada")] == [used]


def test_what_is_known_of_each_sets_use(registry):
    """A run that has not ended learns from its set, alone or with MNIST; one of somebody else's is a use by others."""
    plain, joined, learned = (save(registry, new_set_id()) for _ in range(3))
    registry.create(Hyperparameters(dataset=f"{joined.dataset}-mnist"), "ada")
    run_id = registry.add_imported(Hyperparameters(dataset=learned.dataset), "bob", ended=5.0)
    registry.add_imported(Hyperparameters(dataset=f"own-{new_set_id()}-1"), "bob")  # of a set that is gone
    registry.set_set_deleted(learned.id, "ada", 9.0)
    found = {one.id: one for one in registry.list_set_holdings()}
    assert {(one.id, one.is_idle, one.is_deleted, one.shared) for one in found.values()} == {
        (plain.id, True, False, None),
        (joined.id, False, False, None),
        (learned.id, True, True, registry.get(run_id).ended),
    }
    assert (found[plain.id].owner, found[plain.id].disk_bytes, found[plain.id].used) == ("ada", 1, plain.changed)


def test_an_open_sweep_uses_the_set_of_its_trials(registry):
    """Between two trials, too; when the sweep has ended, they are runs as others are."""
    record = save(registry, new_set_id())
    sweep_id = registry.create_sweep("ada", {}, admit=lambda usage: None)
    run_id = registry.add_imported(Hyperparameters(dataset=record.dataset), "ada")
    registry.describe(run_id, sweep=sweep_id)
    assert [one.is_idle for one in registry.list_set_holdings()] == [False]
    registry.set_sweep_state(sweep_id, SweepState.STOPPED, before=(SweepState.RUNNING,), rule="")
    assert [one.is_idle for one in registry.list_set_holdings()] == [True]


def test_a_set_that_is_put_away_can_be_restored(registry):
    """One from which a run learns by now stays; putting away twice changes nothing."""
    unused, used = (save(registry, new_set_id()) for _ in range(2))
    registry.create(Hyperparameters(dataset=used.dataset), "bob")
    registry.put_away_sets([unused.id, used.id])
    (away,) = registry.list_sets("ada", deleted=True)
    assert away.id == unused.id
    registry.put_away_sets([unused.id])
    assert registry.get_set(unused.id) == away
    registry.set_set_deleted(unused.id, "ada", None)
    assert len(registry.list_sets("ada")) == 2
    assert registry.get_set(unused.id).changed > unused.changed


def test_while_sets_are_scarce_an_ended_run_keeps_none(registry, monkeypatch):
    """Else one quick run for each would keep them for good."""
    waiting, ended = (save(registry, new_set_id(), content=bytes(500_000)) for _ in range(2))
    registry.create(Hyperparameters(dataset=waiting.dataset), "ada")
    registry.add_imported(Hyperparameters(dataset=ended.dataset), "ada")
    for record in (waiting, ended):
        registry.set_set_deleted(record.id, "ada", 1000.0)
    assert registry.list_abandoned_sets(before=1001.0) == []
    monkeypatch.setenv("DIGITS_SET_MEGABYTES", "1")
    assert registry.list_abandoned_sets(before=1001.0) == [ended.id]


def test_a_set_that_is_one_too_many_stays_deleted(registry, monkeypatch):
    """To delete, make another and restore passes no limit."""
    monkeypatch.setenv("DIGITS_SETS_PER_VISITOR", "1")
    first, second = new_set_id(), new_set_id()
    save(registry, first)
    registry.set_set_deleted(first, "ada", 1000.0)
    save(registry, second)
    with pytest.raises(QuotaReached, match="may have 1 sets, and you do"):
        registry.set_set_deleted(first, "ada", None)
    registry.set_set_deleted(second, "ada", None)  # it is not deleted
    registry.set_set_deleted(second, "ada", 1000.0)
    registry.set_set_deleted(first, "ada", None)
    assert [record.id for record in registry.list_sets("ada")] == [first]


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        ("SETS_PER_VISITOR", "may have 1 sets"),
        ("DRAWINGS_PER_SET", "may have 1 drawings; it would have 10"),
        ("SET_MEGABYTES_PER_VISITOR", "Your sets may take 1 MB"),
        ("SET_MEGABYTES", "All visitors' sets may take 1 MB"),
    ],
)
def test_there_is_room_for_so_much(registry, monkeypatch, quota, words):
    """What a quota keeps out is neither written nor recorded."""
    save(registry, new_set_id())
    monkeypatch.setenv(f"DIGITS_{quota}", "1")
    written = {}
    with pytest.raises(QuotaReached, match=words):
        save(registry, new_set_id(), content=bytes(1_000_000), written=written)
    assert written == {}
    assert len(registry.list_sets("ada")) == 1
