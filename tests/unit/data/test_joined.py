"""joined: a visitor's digits are added to MNIST, each with its share, and both are tested apart."""

import numpy as np
import pytest

from digits.data import joined, own, sets
from digits.errors import DatasetUnavailable
from digits.models import figures
from digits.settings import Settings
from tests.unit.data.test_own import SET_ID, drawing, stored


@pytest.fixture(autouse=True)
def _without_the_full_set(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)


@pytest.fixture
def some_digits():
    """The name of a set of threes and sevens with MNIST."""
    samples = tuple(drawing(name, turn + 50 * (name == "7")) for turn in range(5) for name in ("7", "3"))
    return joined.name_of(stored(own.Batch("My digits", ("7", "3"), samples)))


def test_is_a_data_set_of_mnists_classes(some_digits, tmp_path):
    declared, settings = sets.find(some_digits), Settings.from_environment()
    dataset = declared.load(settings)
    assert declared.title == "My digits + MNIST"
    assert declared.class_names == dataset.class_names == tuple("0123456789")
    assert dataset.name == declared.name == some_digits
    assert dataset.tests == (("My digits", 2), ("MNIST", 1_000))
    assert dataset.test.labels[:2].tolist() == [7, 3]
    assert np.array_equal(declared.load_test(settings).test.images, dataset.test.images)
    learned = sets.add_shares(dataset, "none", tmp_path, lambda words: None, settings, own_share=0.3)
    (mnist, one), (mine, other) = learned.batches
    assert (mnist, mine) == (3_500, 240)
    assert (one, other) == (0.7, 0.3)
    assert len(learned.train) == mnist + mine
    assert sorted(set(learned.train.labels[mnist:])) == [3, 7]
    assert [part.source for part in learned.mixture] == ["mnist", "own"]


def test_validation_counts_both_sets_alike(some_digits):
    """A visitor has few drawings; beside MNIST's thousands they would not count."""
    dataset = sets.find(some_digits).load(Settings.from_environment())
    mine = dataset.validation.labels[1::2]
    assert len(dataset.validation) == 500
    assert set(mine) == {3, 7}
    assert len(set(dataset.validation.labels[::2])) == 10


def test_each_set_is_tested_apart(some_digits):
    dataset = sets.find(some_digits).load_test(Settings.from_environment())
    probabilities = np.eye(10)[dataset.test.labels]
    probabilities[0] = np.eye(10)[0]  # one of the visitor's two is misread
    mine, mnist = figures.by_set(probabilities, dataset)
    assert (mine.data, mine.correct, mine.total) == ("My digits", 1, 2)
    assert (mnist.data, mnist.correct, mnist.total) == ("MNIST", 1_000, 1_000)


def test_only_digits_are_added_to_mnist():
    name = joined.name_of(stored(own.Batch("Vowels", ("a", "e"), (drawing("a", 1),))))
    with pytest.raises(DatasetUnavailable, match="Only a set of digits can be added to MNIST; Vowels has other"):
        sets.find(name)


@pytest.mark.parametrize("name", ["mnist", f"own-{SET_ID}-1", "own-1-mnist", "-mnist", f"own-{SET_ID}-1-mnist-mnist"])
def test_other_names_are_no_names(name):
    assert not joined.is_name(name)
