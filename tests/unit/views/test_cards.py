"""cards: everything that a card knows is told in words, with what each figure was measured on."""

import dataclasses

import pytest

from digits.models import catalogue
from digits.views import cards


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
class TestBundledModel:
    def test_is_told_in_full(self, model):
        """Network, settings, data, date, both accuracies, size and parameters stand there."""
        told = dict(cards.facts(model))
        assert told["Network"].startswith(model.title)
        assert f"{model.card.hyperparameters['iterations']:,} iterations" in told["Settings"]
        assert f"seed {model.card.hyperparameters['seed']}" in told["Settings"]
        assert model.card.data in told["Learned from"]
        assert str(model.card.date) in told["Trained"]
        assert f"{model.test_accuracy.correct:,} of {model.test_accuracy.total:,}" in told["Test accuracy"]
        assert model.card.drawn.data in told["Drawn digits"]
        assert told["Parameters"] == f"{cards.parameters(model):,} weights and biases"
        assert told["Size"].endswith("MB as .tflite")

    def test_says_how_far_each_figure_can_be_trusted(self, model):
        """Both accuracies come with the interval of as many images as are independent."""
        told = dict(cards.facts(model))
        low, high = model.drawn_accuracy.interval
        assert f"{low:.2%} to {high:.2%}, from 550 independent images" in told["Drawn digits"]


def test_a_card_without_drawings_says_so():
    """Where nothing was measured, nothing is claimed."""
    model = catalogue.bundled()[0]
    told = dict(cards.facts(catalogue.Model(model.id, model.folder, dataclasses.replace(model.card, drawn=None))))
    assert told["Drawn digits"] == "Not measured."


def test_settings_of_another_version_are_told_as_they_are():
    """A hyperparameter that is not known here is listed rather than lost."""
    card = dataclasses.replace(catalogue.bundled()[0].card, hyperparameters={"network": "softmax", "warmth": 3})
    assert cards.settings(card) == "network softmax, warmth 3"
