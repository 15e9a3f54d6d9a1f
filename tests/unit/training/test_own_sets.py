"""own_sets: what a visitor can do with a set of drawings."""

import numpy as np
import pytest

from digits.data import collected, own
from digits.errors import DatasetUnavailable, InvalidSet, NotYourSet, QuotaReached, RegistryBusy
from digits.runs import admission
from digits.runs import own_sets as records
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.own_sets import NewVersion
from digits.settings import Settings
from digits.store import open_store
from digits.training import own_sets
from digits.training.beginnings import Leftovers
from digits.training.data import TrainerData
from tests.unit.data.test_own import VOWELS, drawing, drawings


@pytest.fixture
def store():
    return open_store(Settings.from_environment())


@pytest.fixture
def vowels(registry, store):
    return own_sets.create(registry, store, "ada", " My  vowels ", VOWELS, drawings())


def test_a_set_is_made_and_learned_from(registry, store, vowels):
    """A trainer loads what a page has made."""
    assert (vowels.name, vowels.drawings, vowels.classes) == ("My vowels", 15, 3)
    hyperparameters = Hyperparameters(dataset=vowels.dataset)
    dataset = TrainerData(Settings.from_environment()).dataset_for(hyperparameters, lambda words: None)
    assert dataset.class_names == VOWELS
    assert len(dataset.train) > 300


def test_the_file_of_a_set_that_got_no_answer_is_removed_unless_it_is_asked_for_again(
    registry, store, monkeypatch, runs_dir
):
    leftovers, titles = Leftovers(registry, store), ("Kept", "Forgotten")

    def make(title):
        return own_sets.create(registry, store, "ada", title, VOWELS, drawings())

    def raise_busy(*_):
        raise RegistryBusy("The registry does not answer. Try again.")

    with monkeypatch.context() as patch:
        patch.setattr(records, "_get", raise_busy)  # at the end of the transaction: the file is written, the row is not
        for title in titles:
            with pytest.raises(RegistryBusy):
                make(title)
    leftovers.remove()
    assert len(list((runs_dir / ".sets").iterdir())) == 2
    kept = make(titles[0])
    leftovers.remove()
    assert [path.name for path in (runs_dir / ".sets").iterdir()] == [kept.id]
    assert own_sets.read(registry, store, kept.id).title == "Kept"


def test_drawings_come_and_go(registry, store, vowels):
    added = drawing("a", 77)
    after = own_sets.add(registry, store, vowels.id, "ada", [added, added], [drawings()[0].id])
    again = own_sets.add(registry, store, vowels.id, "ada", [added])  # as after a lost connection
    assert (after.drawings, again.drawings) == (15, 15)
    own_sets.add(registry, store, vowels.id, "ada", [], ["\ud800", "", "x" * 40])  # nobody has such an id
    assert own_sets.read(registry, store, vowels.id).counts == {"a": 5, "e": 5, "ü": 5}


def test_only_its_owner_changes_it_and_anybody_may_copy_it(registry, store, vowels):
    for command in (
        lambda: own_sets.add(registry, store, vowels.id, "bob", [drawing("a", 1)]),
        lambda: own_sets.rename(registry, store, vowels.id, "bob", "Mine"),
        lambda: own_sets.name_classes(registry, store, vowels.id, "bob", VOWELS),
        lambda: own_sets.delete(registry, vowels.id, "bob"),
        lambda: own_sets.restore(registry, vowels.id, "bob"),
    ):
        with pytest.raises(NotYourSet):
            command()
    mine = own_sets.copy(registry, store, vowels.id, "bob")
    assert (mine.owner, mine.name, mine.drawings) == ("bob", "Copy of My vowels", 15)
    assert own_sets.rename(registry, store, mine.id, "bob", "Mine").name == "Mine"
    assert own_sets.read(registry, store, vowels.id).title == "My vowels"


def test_classes_are_added_but_none_is_taken_from_its_drawings(registry, store, vowels):
    after = own_sets.name_classes(registry, store, vowels.id, "ada", ("ü", "o", "a", "e"))
    found = own_sets.read(registry, store, vowels.id)
    assert (after.classes, found.counts) == (4, {"ü": 5, "o": 0, "a": 5, "e": 5})
    assert own_sets.name_classes(registry, store, vowels.id, "ada", VOWELS).classes == 3
    for names, words in ((("a", "e"), r"class ü has drawings \(5\)"), (("a", "e", "ü", "a"), "twice")):
        with pytest.raises(InvalidSet, match=words):
            own_sets.name_classes(registry, store, vowels.id, "ada", names)


def test_deleting_can_be_undone(registry, store, vowels):
    own_sets.delete(registry, vowels.id, "ada")
    with pytest.raises(DatasetUnavailable, match="Restore"):
        own_sets.add(registry, store, vowels.id, "ada", [drawing("a", 1)])
    own_sets.remove_abandoned(registry, store, before=0.0)
    own_sets.restore(registry, vowels.id, "ada")
    assert own_sets.read(registry, store, vowels.id).samples
    own_sets.delete(registry, vowels.id, "ada")
    own_sets.remove_abandoned(registry, store, before=2e10)
    with pytest.raises(DatasetUnavailable):
        own.read(store, vowels.id, 1)


@pytest.mark.parametrize(("title", "names"), [("", VOWELS), ("x" * 61, VOWELS), ("x", ()), ("x", ("a", "a"))])
def test_what_cannot_be_a_set_is_not_made(registry, store, title, names):
    with pytest.raises(InvalidSet):
        own_sets.create(registry, store, "ada", title, names)
    assert registry.list_sets("ada") == []


def test_a_set_is_changed_only_so_often(registry, store, vowels, monkeypatch):
    monkeypatch.setattr(own, "MAX_VERSIONS", 1)
    with pytest.raises(InvalidSet, match="copy of it"):
        own_sets.rename(registry, store, vowels.id, "ada", "x")


def test_drawings_count_as_they_are(registry, store, vowels, monkeypatch):
    """Removing makes room for others."""
    monkeypatch.setenv("DIGITS_DRAWINGS_PER_SET", "15")
    with pytest.raises(QuotaReached):
        own_sets.add(registry, store, vowels.id, "ada", [drawing("a", 77)])
    assert own_sets.add(registry, store, vowels.id, "ada", [drawing("a", 77)], [drawings()[0].id]).drawings == 15


def test_an_id_cannot_be_guessed():
    assert len({records.new_set_id() for _ in range(100)}) == 100


def test_a_set_is_read_before_anything_is_locked(registry, store, vowels, monkeypatch):
    """To read a large one takes seconds, in which others can write; if they change the set, it is read again."""
    read, versions = own.read, []

    def slow_read(store, set_id, version):
        found = read(store, set_id, version)
        if not versions:
            registry.set_disk_bytes("run", 1)  # would wait for the lock, and in the same process for ever
            registry.save_set(set_id, "ada", lambda before: NewVersion("Mine", 15, 3, b""), quicker)
        versions.append(version)
        return found

    def quicker(version, _content):
        own.write(store, vowels.id, version, own.Batch("Quicker", VOWELS).to_bytes())

    monkeypatch.setattr(own, "read", slow_read)
    after = own_sets.add(registry, store, vowels.id, "ada", [drawing("a", 77)])
    assert (versions, after.version, after.name, after.drawings) == ([1, 2], 3, "Quicker", 16)


def test_a_set_that_is_gone_is_not_made_by_a_change(registry, store):
    """It was removed while its page was open."""
    with pytest.raises(DatasetUnavailable):
        own_sets.rename(registry, store, records.new_set_id(), "ada", "x")
    assert registry.list_sets("ada") == []


def test_what_was_ever_in_a_set_is_bounded(registry, store, vowels, monkeypatch):
    """Drawings that come and go make a set slow to read, not larger."""
    monkeypatch.setattr(own, "MAX_SIZE", 20_000)

    def come_and_go():
        for turn in range(100):
            one = drawing("a", turn + 100)
            own_sets.add(registry, store, vowels.id, "ada", [one])
            own_sets.add(registry, store, vowels.id, "ada", [], [one.id])

    with pytest.raises(InvalidSet, match=r"unpacked, with all that was ever in it.*Go on with a copy"):
        come_and_go()
    assert own.read(store, vowels.id, registry.get_set(vowels.id).version).size <= 20_000
    copied = own_sets.copy(registry, store, vowels.id, "bob")
    assert own_sets.add(registry, store, copied.id, "bob", [drawing("a", 1000)]).drawings == copied.drawings + 1


def test_one_address_brings_only_so_much_in_an_hour(registry, store, monkeypatch):
    """However many browsers it has: all that grows counts, copies too."""
    admission._limiter.cache_clear()
    monkeypatch.setenv("DIGITS_MEGABYTES_AN_HOUR", "1")
    pixels = np.random.default_rng(0).integers(1, 256, (900, 28, 28), np.uint8)
    many = [collected.of_image("a", image) for image in pixels]  # 0.7 MB
    made = own_sets.create(registry, store, "ada", "x", ["a"], many, address="192.0.2.1")
    for grow in (
        lambda: own_sets.copy(registry, store, made.id, "bob", address="192.0.2.1"),
        lambda: own_sets.create(registry, store, "eve", "x", ["a"], many, address="192.0.2.1"),
        lambda: own_sets.add(registry, store, made.id, "ada", many, address="192.0.2.1"),
    ):
        with pytest.raises(QuotaReached, match="At most 1 MB of sets and packages an hour"):
            grow()
    assert registry.list_sets("bob") == registry.list_sets("eve") == []
    assert own_sets.copy(registry, store, made.id, "bob", address="192.0.2.2").drawings == 900
