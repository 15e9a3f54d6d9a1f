"""examples: the runs that come with Digits are those of the bundled models, with whole histories."""

import pytest

from digits.models import catalogue
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import METRIC_NAMES
from digits.settings import Settings
from digits.views import examples


@pytest.mark.parametrize("run", examples.runs(), ids=lambda run: run.id)
def test_an_example_is_the_run_of_a_bundled_model(run):
    """Its settings and its accuracy are those of the model's card; its history ends with the last iteration."""
    card, rows = catalogue.find(run.id, Settings.from_environment()).card, examples.history(run.id)
    assert run.hyperparameters == Hyperparameters.from_dict(card.hyperparameters)
    assert run.test_accuracy.correct == card.test.correct
    assert run.has_model
    assert all(list(row) == METRIC_NAMES for row in rows)
    assert [row["step"] for row in rows] == sorted({row["step"] for row in rows})
    assert rows[-1]["step"] == run.hyperparameters.iterations == run.step
    assert sum(row["val_accuracy"] is not None for row in rows) >= 20
    assert run.best_val_accuracy == max(row["val_accuracy"] or 0 for row in rows)


def test_the_best_example_is_the_first():
    """They are listed as a visitor's own runs are."""
    shares = [run.test_accuracy.share for run in examples.runs()]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 2


def test_only_examples_are_found():
    """Other ids are no examples."""
    assert examples.find("softmax").name == "Softmax (example)"
    assert examples.find("drawing") is None
    assert examples.find("../softmax") is None
