"""sets: every data set is declared once, names its classes, and can be loaded with nothing but Digits itself."""

import string
from pathlib import Path

import numpy as np
import pytest

from digits.data import letters, mixture, samples, sets
from digits.data.datasets import Source
from digits.errors import DatasetUnavailable
from digits.runs.hyperparameters import KNOBS
from digits.settings import Settings


@pytest.fixture
def alone(tmp_path):
    """Settings of a machine that has no data."""
    return Settings.from_environment({"KERAS_HOME": str(tmp_path), "DIGITS_RUNS_DIR": str(tmp_path / "runs")})


def quiet(words):
    """Take the sentences about the progress."""


def test_are_the_choices_of_the_hyperparameter():
    assert tuple(sets.DATA_SETS) == KNOBS["dataset"].choices
    assert all(set(declared.shares) == set(KNOBS["augmentation"].choices) for declared in sets.DATA_SETS.values())


def test_another_name_is_refused():
    with pytest.raises(DatasetUnavailable, match=r"must be mnist, capitals.*received 'cyrillic'"):
        sets.find("cyrillic")


@pytest.mark.parametrize(("name", "classes"), [("capitals", 26), ("characters", 47)])
def test_letters_need_no_folder(name, classes, alone):
    """Training, validation and test images show every class, and the test images are those of the whole data."""
    declared = sets.find(name)
    dataset = declared.load(alone)
    assert dataset.source is declared.find_source(alone) is Source.BUNDLED
    assert len(dataset.class_names) == classes == len(set(dataset.class_names))
    assert dataset.class_names == declared.class_names
    tested = declared.load_test(alone).test
    assert np.array_equal(tested.images, dataset.test.images)
    shares = (mixture.Share("examples", "strokes", 1, ("train",)),)
    learned = mixture.for_drawings(dataset, alone.runs_dir, shares=shares)
    for split in (learned.train, dataset.validation, dataset.test):
        assert set(split.labels.tolist()) == set(range(classes))
        assert set(split.labels[:100].tolist()) != {split.labels[0]}
    assert [part.source for part in learned.mixture] == ["examples"]


def test_cases_belong_together_where_a_set_says_so():
    both, balanced = letters.ALPHABETS["letters"], letters.ALPHABETS["characters"]
    assert all(both.labels[letter] == both.labels[letter.upper()] for letter in string.ascii_lowercase)
    assert "".join(balanced.class_names) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    assert balanced.class_names[balanced.labels["c"]] == "C"
    assert balanced.labels["a"] != balanced.labels["A"]
    assert "a" not in letters.ALPHABETS["capitals"].labels


def test_nothing_is_learned_from_what_is_measured_on():
    """Examples and strangers have no writer in common, and examples for validation are not learned from."""
    known = letters.examples(letters.ALPHABETS["characters"].labels)
    kept = {id(drawing) for drawing in letters.kept_out(known)}
    assert kept.isdisjoint(id(drawing) for drawing in letters.learned_from(known))
    writers = {drawing.writer for drawing in samples.load(samples.LETTER_EXAMPLES)}
    assert writers.isdisjoint(drawing.writer for drawing in samples.load(samples.LETTER_STRANGERS))


def test_digits_alone_are_mnist(alone):
    dataset = sets.find(sets.MNIST).load(alone)
    assert sets.add_shares(dataset, "none", Path("unused"), quiet, alone) is dataset
