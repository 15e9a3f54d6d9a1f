"""Models of visitors' own sets, and of letters: trained, measured, packed and imported again like those of digits."""

import dataclasses

import numpy as np
import pytest

from digits.data import collected, joined, own, sets
from digits.errors import InvalidPackage
from digits.models import catalogue
from digits.packages import check, completion, intake, pack
from digits.runs import commands
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import open_store
from digits.views import cards
from tests.unit.data.test_own import SET_ID, drawing, stored

SYMBOLS = ("✓", "✗", "not a letter")


@pytest.fixture(autouse=True)
def _without_the_full_set(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)


@pytest.fixture
def train(registry, serve, quick):
    """Train a model of a data set in a short run, and return it."""

    def train(name, **how):
        run_id = commands.submit(registry, dataclasses.replace(quick, dataset=name, **how), "ada")
        serve()
        run = registry.get(run_id)
        assert (run.state, run.reason) == (RunState.FINISHED, "")
        return catalogue.find(run_id, Settings.from_environment())

    return train


@pytest.fixture
def import_again(registry):
    """Pack a model, import the package, and return the new model when it is measured."""

    def import_again(model):
        settings = Settings.from_environment()
        package = pack.pack(model, registry)
        run_id = intake.import_package(package, registry=registry, settings=settings, owner="bob")
        completion.complete(run_id, registry, settings)
        return catalogue.find(run_id, settings)

    return import_again


def symbols(title="✓ or ✗? 😀"):
    """The name of a set of drawings and pictures whose title and classes are anything but letters."""
    drawn = [
        collected.of_strokes(name, [one.strokes[0] + 5 * place], "")
        for place, name in enumerate(SYMBOLS)
        for one in [drawing("aeü"[place], turn) for turn in range(6)]
    ]
    return stored(own.Batch(title, SYMBOLS, tuple(drawn)))


def digits_with_mnist():
    samples = tuple(drawing(name, turn + 50 * (name == "7")) for turn in range(10) for name in ("7", "3"))
    return joined.name_of(stored(own.Batch("My digits", ("7", "3"), samples)))


def is_same(one, other):
    """Whether two models read alike and state the same about themselves."""
    dataset = sets.find(one.card.dataset).load_test(Settings.from_environment())
    facts = ("title", "class_names", "data", "hyperparameters", "test", "tests", "temperature", "strangers", "mixture")
    for name in facts:
        assert getattr(one.card, name) == getattr(other.card, name), name
    assert one.probabilities(dataset.test.images) == pytest.approx(other.probabilities(dataset.test.images))
    return True


def test_a_set_added_to_mnist_is_learned_and_tested_apart(train, import_again):
    model = train(digits_with_mnist(), own_share=0.4)
    mine, mnist = model.card.tests
    assert (mine.data, mine.total, mnist.data, mnist.total) == ("My digits", 4, "MNIST", 1_000)
    assert mine.correct == 4  # of an ink that a network of MNIST alone has never seen
    assert mnist.share > 0.75
    assert model.test_accuracy.total == 1_004
    assert model.card.hyperparameters["own_share"] == 0.4
    facts = dict(cards.facts(model))
    assert "40% of each batch from the visitor's set" in facts["Settings"]
    assert facts["By test set"].startswith("My digits: 100.00%, 4 of 4;")
    assert "MNIST: " in facts["By test set"]
    assert is_same(model, import_again(model))


def test_a_model_of_symbols_is_packed_checked_and_imported(train, import_again):
    model = train(symbols())
    assert model.class_names == SYMBOLS
    assert model.card.strangers is None
    settings = Settings.from_environment()
    images = sets.find(model.card.dataset).load_test(settings).test.images
    assert check.check_package(pack.pack(model), model, images, settings).is_same
    assert is_same(model, import_again(model))


def test_a_package_whose_set_is_gone_says_so(train, registry):
    model = train(symbols())
    package = pack.pack(model, registry)
    own.remove(open_store(Settings.from_environment()), SET_ID)
    with pytest.raises(InvalidPackage, match=r"learned from a visitor's set, .* the set is not on this server"):
        intake.import_package(package, registry=registry, settings=Settings.from_environment(), owner="bob")


def test_a_model_of_letters_is_packed_and_imported(import_again):
    model = next(one for one in catalogue.bundled() if one.card.dataset == "capitals")
    imported = import_again(model)
    images = sets.find("capitals").load_test(Settings.from_environment()).test.images[:200]
    assert np.allclose(imported.recogniser.probabilities(images), model.recogniser.probabilities(images))
    assert imported.class_names == model.class_names
    assert imported.test_accuracy.share == pytest.approx(model.test_accuracy.share, abs=0.01)
    assert imported.card.title == model.title
