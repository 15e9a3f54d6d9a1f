"""hyperparameters: each is declared once, always checked, and survives a round trip through JSON."""

import dataclasses
import itertools
import json
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digits.errors import DigitsError, InvalidHyperparameter
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, Hyperparameters, as_markdown, check
from digits.settings import PROJECT_DIR

DEFAULTS = {item.name: item.default for item in dataclasses.fields(Hyperparameters)}
TYPES = {item.name: item.type for item in dataclasses.fields(Hyperparameters)}
CHOICES = [name for name, kind in TYPES.items() if kind is str]
NUMBERS = [name for name, kind in TYPES.items() if kind is not str]


def values_of(name):
    """Any valid value of a hyperparameter."""
    knob = KNOBS[name]
    if name in CHOICES:
        return st.sampled_from(knob.choices)
    if TYPES[name] is int:
        return st.integers(knob.low, knob.high)
    return st.floats(knob.low, knob.high)


hyperparameters = st.builds(Hyperparameters, **{name: values_of(name) for name in KNOBS})
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=20),
    st.floats(),
    st.integers(),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "0x10", "9" * 5000, "", "½", "1,5"]),
    st.lists(st.integers(), max_size=2),
    st.binary(max_size=4),
)


def is_fine(name, value):
    """Return whether a value is valid for a hyperparameter, by rules written independently of the product."""
    if name in CHOICES:
        return isinstance(value, str) and value in KNOBS[name].choices
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        number = TYPES[name](value) if isinstance(value, str) else value
    except ValueError:
        return False
    is_inside = KNOBS[name].low <= number <= KNOBS[name].high
    return is_inside and (TYPES[name] is float or number % 1 == 0)


@pytest.mark.parametrize("name", KNOBS)
class TestKnob:
    def test_explains_itself(self, name):
        """Every hyperparameter has a label and an explanation for the visitor."""
        knob = KNOBS[name]
        assert knob.label.strip()
        assert re.fullmatch(r"[A-Z].*\.", knob.help)

    def test_has_a_default_in_its_range(self, name):
        """A default passes its own check unchanged."""
        assert check(name, DEFAULTS[name]) == DEFAULTS[name]
        assert type(DEFAULTS[name]) is TYPES[name]

    def test_offers_only_what_it_takes(self, name):
        """Every stop of a slider and every choice of a list is valid, in order and without repeats."""
        choices = KNOBS[name].choices
        assert [check(name, choice) for choice in choices] == list(choices)
        assert len(set(choices)) == len(choices)
        if name in NUMBERS:
            assert list(choices) == sorted(choices)

    @given(data=st.data())
    def test_takes_its_values_as_text(self, name, data):
        """Text from a link or a command line is parsed to the value that was written."""
        value = data.draw(values_of(name))
        read = check(name, str(value))
        assert read == value
        assert type(read) is TYPES[name]

    @given(value=junk)
    def test_refuses_anything_else_by_name_and_range(self, name, value):
        """Any invalid value raises InvalidHyperparameter, which names the hyperparameter and the allowed values."""
        assume(not is_fine(name, value))
        with pytest.raises(InvalidHyperparameter) as caught:
            check(name, value)
        message, knob = str(caught.value), KNOBS[name]
        assert message.startswith(f"`{name}` must ")
        assert "; received " in message
        assert len(message) < 300
        if name in CHOICES:
            assert ", ".join(knob.choices) in message
        else:
            low, high = map(float, re.search(r"\[(.+?), (.+?)\]", message).groups())
            assert (low, high) == (knob.low, knob.high)

    def test_refuses_what_lies_just_outside(self, name):
        """Both ends of a range are allowed, and the next numbers beyond them are not."""
        if name in CHOICES:
            with pytest.raises(InvalidHyperparameter):
                check(name, KNOBS[name].choices[0].upper())
            return
        low, high = TYPES[name](KNOBS[name].low), TYPES[name](KNOBS[name].high)
        assert (check(name, low), check(name, high)) == (low, high)
        below, above = (
            (low - 1, high + 1)
            if TYPES[name] is int
            else (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
        )
        for value in (below, above, str(below), str(above)):
            with pytest.raises(InvalidHyperparameter, match=f"`{name}` must lie in"):
                check(name, value)


class TestHyperparameters:
    @given(hyperparameters)
    def test_come_back_from_json(self, chosen):
        """Hyperparameters written as JSON are equal when they are read again."""
        assert Hyperparameters.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen

    def test_are_written_in_the_order_of_declaration(self):
        """A run's JSON lists the hyperparameters in the order of their declaration."""
        assert list(Hyperparameters().to_dict()) == list(KNOBS)

    def test_take_defaults_for_what_is_missing(self):
        """Hyperparameters stored before a field was added can still be read."""
        assert Hyperparameters.from_dict({"network": "softmax"}) == Hyperparameters()

    @given(st.text().filter(lambda name: name not in KNOBS))
    def test_refuse_unknown_names(self, name):
        """An unknown name is given in the error, with the known names."""
        with pytest.raises(InvalidHyperparameter, match="received the unknown") as caught:
            Hyperparameters.from_dict({name: 1})
        assert f"`{name}`" in str(caught.value)
        assert ", ".join(KNOBS) in str(caught.value)

    def test_are_checked_when_made(self):
        """Invalid hyperparameters cannot be constructed."""
        with pytest.raises(DigitsError, match=r"`batch_size` must lie in \[1, 1000\] images; received 0\. Choose"):
            Hyperparameters(batch_size=0)

    def test_turn_text_into_numbers_when_made(self):
        """Text from a command line becomes a number."""
        assert Hyperparameters(learning_rate="0.25", iterations="300").to_dict()["iterations"] == 300

    def test_cannot_be_changed(self):
        """Hyperparameters are immutable."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            Hyperparameters().seed = 1


class TestSchedule:
    @given(hyperparameters, st.integers(0, 20_000))
    def test_constant_never_moves(self, chosen, step):
        """A constant learning rate is the chosen one at every step."""
        constant = dataclasses.replace(chosen, schedule="constant")
        assert constant.learning_rate_at(step) == constant.learning_rate

    @given(hyperparameters)
    def test_cosine_falls_from_the_chosen_rate_to_nearly_zero(self, chosen):
        """A cosine schedule starts at the chosen rate, is at half of it midway, never rises and ends near zero."""
        cosine = dataclasses.replace(chosen, schedule="cosine")
        rates = [cosine.learning_rate_at(step) for step in range(0, cosine.iterations, max(1, cosine.iterations // 50))]
        assert rates[0] == cosine.learning_rate
        assert rates == sorted(rates, reverse=True)
        assert cosine.learning_rate_at(cosine.iterations / 2) == pytest.approx(cosine.learning_rate / 2)
        assert 0 < cosine.learning_rate_at(cosine.iterations - 1) < 0.001 * cosine.learning_rate


def test_learning_rates_cover_their_range():
    """The slider's stops cover the whole range of learning rates without large gaps."""
    assert (LEARNING_RATES[0], LEARNING_RATES[-1]) == (KNOBS["learning_rate"].low, KNOBS["learning_rate"].high)
    assert all(1 < high / low < 1.4 for low, high in itertools.pairwise(LEARNING_RATES))


def test_readme_shows_the_declarations():
    """The README's table of hyperparameters equals the one printed from the declarations."""
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert as_markdown() in readme


def test_a_data_set_may_be_a_version_of_a_visitors_own():
    name = "own-0123456789abcdef-12"
    assert Hyperparameters(dataset=name).dataset == check("dataset", name) == name
    for other in ("own-", "own-0123456789abcdef", "own-0123456789abcdef-0", f"{name}\n", f"{name}/..", "OWN"):
        with pytest.raises(InvalidHyperparameter, match="must be one of mnist"):
            check("dataset", other)
