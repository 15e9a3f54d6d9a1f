"""cards: everything on a card is put into words, and each figure says what it was measured on."""

import dataclasses

import pytest

from digits.models import catalogue
from digits.views import cards


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
class TestBundledModel:
    def test_is_complete(self, model):
        """Network, settings, data, date, both accuracies, size and parameters are included."""
        told = dict(cards.facts(model))
        assert told["Network"].startswith(model.title)
        assert f"{model.card.hyperparameters['iterations']:,} iterations" in told["Settings"]
        assert f"seed {model.card.hyperparameters['seed']}" in told["Settings"]
        assert told["Learned from"] == model.card.learned_from
        assert str(model.card.date) in told["Trained"]
        assert f"{model.test_accuracy.correct:,} of {model.test_accuracy.total:,}" in told["Test accuracy"]
        assert "Nothing was learned from these writers" in told["Strangers' drawings"]
        assert told["Parameters"] == f"{cards.parameters(model):,} weights and biases"
        assert told["Size"].endswith("MB as .tflite")

    def test_says_how_far_each_figure_can_be_trusted(self, model):
        """Both accuracies have an interval."""
        told = dict(cards.facts(model))
        for (low, high), heading, digits in (
            (model.test_accuracy.interval, "Test accuracy", 2),
            (model.strangers.strokes.interval_95, "Strangers' drawings", 1),
        ):
            assert f"{low:.{digits}%} to {high:.{digits}%}" in told[heading]


def test_a_card_without_drawings_says_so():
    """If drawn accuracy was not measured, the card says so."""
    model = catalogue.bundled()[0]
    told = dict(cards.facts(catalogue.Model(model.id, model.folder, dataclasses.replace(model.card, strangers=None))))
    assert told["Strangers' drawings"] == "Not measured."


def test_settings_of_another_version_are_listed_unchanged():
    """An unknown hyperparameter of another version is listed, not lost."""
    card = dataclasses.replace(catalogue.bundled()[0].card, hyperparameters={"network": "softmax", "warmth": 3})
    assert cards.settings(card) == "network softmax, warmth 3"
