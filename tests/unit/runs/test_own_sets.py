"""own_sets: a set's changes follow one another, only its owner makes them, and there is room for them."""

import threading

import pytest

from digits.errors import DatasetUnavailable, NotYourSet, QuotaReached, RegistryUnavailable
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.own_sets import NewVersion, new_set_id


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
