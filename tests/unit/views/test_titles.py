"""titles: models are told apart and show their accuracy, within the width of a phone."""

import pytest

from digits.models import catalogue
from digits.models.identity import Weights
from digits.views import titles


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
def test_a_bundled_model_shows_both_accuracies_on_a_phone(model):
    """The accuracy on test images and on strangers' drawings follow a short name: at most 42 characters."""
    title = titles.of_bundled(model)
    assert title.endswith(f": {model.test_accuracy.share:.1%} test, {model.strangers.strokes.share:.1%} strangers")
    assert len(title) <= 42


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ((0.994,), "wide, 99.4%"),
        ((0.994, Weights.BEST), "wide, best checkpoint, 99.4%"),
        ((0.994, Weights.LAST), "wide, final, 99.4%"),
        ((0.9, Weights.SAVED, 1300), "wide, saved at 1,300, 90.0%"),
        ((None, Weights.BEST, 50), "wide, best checkpoint at 50"),
        ((None,), "wide"),
    ],
)
def test_a_runs_model_says_which_weights_it_has(facts, title):
    """It is called after its run; what is unknown is left out."""
    assert titles.of_run("wide", *facts) == title
