"""space: what is searched comes from the declarations, and goes through links and the registry unchanged."""

import pytest

from digits.errors import InvalidHyperparameter, InvalidSweep
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES
from digits.runs.presets import PRESETS
from digits.sweeps.plan import Plan, default_plan
from digits.sweeps.space import SEARCHABLE, Space, axis, stops, usual


@pytest.mark.parametrize("name", SEARCHABLE)
def test_every_stop_is_a_value_that_the_declaration_allows(name):
    knob, values = KNOBS[name], stops(name)
    assert len(set(values)) == len(values) > 1
    if knob.scale != "choice":
        assert list(values) == sorted(values)
        assert knob.low <= values[0] < values[-1] <= knob.high


def test_a_range_is_narrowed_to_stops():
    assert axis("learning_rate", (0.00105, 0.0039)).values == (1e-3, 1.2e-3, 1.5e-3, 2e-3, 2.5e-3, 3e-3, 4e-3)
    assert axis("dropout", (0.1, 0.3)).values == (0.1, 0.15, 0.2, 0.25, 0.3)
    assert axis("optimizer", ["adam", "sgd"]).values == ("sgd", "adam")


@pytest.mark.parametrize(
    ("name", "chosen", "error", "words"),
    [
        ("seed", (0, 1), InvalidSweep, "A sweep may search learning_rate"),
        ("learning_rate", (0.1, 0.01), InvalidSweep, "lowest and its highest"),
        ("learning_rate", (0.1, 0.1), InvalidSweep, "two or more values"),
        ("optimizer", ["sgd"], InvalidSweep, "two or more values"),
        ("optimizer", ["sgd", "lion"], InvalidHyperparameter, "one of sgd"),
        ("dropout", (0.0, 3.0), InvalidHyperparameter, "must lie in"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_words(name, chosen, error, words):
    with pytest.raises(error, match=words):
        axis(name, chosen)


def test_a_space_needs_something_to_search():
    with pytest.raises(InvalidSweep, match="none is chosen"):
        Space.from_dict({})


@pytest.mark.parametrize("network", PRESETS)
def test_a_networks_usual_plan_survives_json_and_links(network):
    plan = default_plan(network)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert Space.from_text(plan.space.to_text()) == plan.space
    assert plan.space.holds(plan.hyperparameters.to_dict()), "the preset is where the search begins"


@pytest.mark.parametrize("text", ["learning_rate", "learning_rate..1", ".....", "x..1..2", "dropout..a..b"])
def test_a_bad_link_is_an_error_of_ours(text):
    with pytest.raises((InvalidSweep, InvalidHyperparameter)):
        Space.from_text(text)


def test_the_usual_range_reaches_up_and_down_from_the_preset():
    rates = usual("learning_rate", PRESETS["corrected"].hyperparameters).values
    assert (rates[0], rates[-1]) == (1e-4, 1e-2)
    assert set(rates) <= set(LEARNING_RATES)


def test_a_grid_has_about_as_many_settings_as_are_wanted():
    space = Space.from_dict({"learning_rate": [1e-4, 1e-2], "dropout": [0.0, 0.7], "optimizer": ["sgd", "adam"]})
    grid = space.grid(20)
    assert {name: len(values) for name, values in grid.items()} == {"learning_rate": 3, "dropout": 3, "optimizer": 2}
    assert (grid["learning_rate"][0], grid["learning_rate"][-1]) == (1e-4, 1e-2)
    assert Plan(PRESETS["corrected"].hyperparameters, space, "grid", trials=20).most == 18


def test_no_plan_has_more_trials_than_settings():
    space = Space.from_dict({"optimizer": ["sgd", "adam"]})
    assert Plan(PRESETS["corrected"].hyperparameters, space, trials=20).most == 2


@pytest.mark.parametrize(
    "how", [{"sampler": "guess"}, {"pruner": "axe"}, {"trials": 0}, {"minutes": -1}, {"trials": 10**6}]
)
def test_a_plan_is_checked(how):
    plan = default_plan("softmax")
    with pytest.raises(InvalidSweep, match=r"must be"):
        Plan(plan.hyperparameters, plan.space, **how)
