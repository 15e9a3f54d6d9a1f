"""The answer card: what is read in large print, and one line about it."""

import numpy as np
import pytest

from digits.ink import examples
from digits.models import catalogue
from digits.models.reading import read_strokes
from digits.settings import Settings
from digits.views.answer_card import card

STAR = [np.float32([[150, y], [420, 400 - y]]) for y in (100, 150, 200, 250, 300)]


def read(*numbers):
    """Read examples side by side, 150 pixels apart."""
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    digits = examples.digits()
    strokes = [
        stroke * np.float32(0.5) + np.float32([60 + 150 * place, 100])
        for place, name in enumerate(numbers)
        for stroke in digits[name]
    ]
    return read_strokes(strokes, model, size=(400, 560)), model.class_names


@pytest.mark.parametrize("digit", list("0123456789"))
def test_every_example_is_read_as_what_it_is(digit):
    """A digit stands in large print, with its confidence and the second guess below it."""
    shown = card(*read(digit))
    assert [one["name"] for one in shown["digits"]] == [digit]
    assert shown["title"] == ""
    assert "confidence; next: " in shown["line"]
    assert shown["spoken"][0] == f"The model reads {digit}"
    assert sum(shown["digits"][0]["probabilities"]) == pytest.approx(1, abs=1e-3)


def test_of_a_number_one_digit_is_described():
    """The digits are side by side; the bars and the line are about the chosen one."""
    shown = card(*read("4", "2"), chosen=1)
    assert [one["name"] for one in shown["digits"]] == ["4", "2"]
    assert shown["line"].endswith("Digit 2 is read as 2.")
    assert shown["bars"].startswith("Probabilities: 2 ")


def test_what_is_refused_has_a_title():
    """A question mark, what it looks like, and no confidence."""
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    shown = card(read_strokes(STAR, model, size=(400, 560)), model.class_names)
    assert [(one["name"], one["doubtful"]) for one in shown["digits"]] == [("?", True)]
    assert shown["title"] == "This does not look like a digit"
    assert "%" not in shown["line"]


@pytest.mark.parametrize("chosen", [0, 1])
def test_what_is_said_of_a_mark_is_said_once(chosen):
    """The sentence is about a mark beside a digit; the description of that mark would repeat it."""
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    star = [np.float32([[30, y], [130, 400 - y]]) for y in (140, 200, 260)]
    seven = [stroke * np.float32(0.5) + np.float32([250, 100]) for stroke in examples.digits()["7"]]
    shown = card(read_strokes([*star, *seven], model, size=(400, 560)), model.class_names, chosen=chosen)
    assert [one["name"] for one in shown["digits"]] == ["?", "7"]
    assert shown["line"].count("Mark 1 does not look like a digit") == 1
    assert ("Digit 2 is read as 7." in shown["line"]) == (chosen == 1)


def test_an_unfinished_digit_is_three_dots():
    """The first stroke of a 4 is neither read nor scolded."""
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    angle = [np.float32([[240, 80], [140, 230], [380, 230]])]
    shown = card(read_strokes(angle, model, size=(400, 560)), model.class_names)
    assert (shown["digits"][0]["name"], shown["title"], shown["line"]) == ("…", "Not a digit yet", "Go on drawing.")


def test_a_letter_alone_may_be_either_case():
    """Nothing stands beside it to compare its height with."""
    model = catalogue.find("characters", Settings.from_environment())
    ring = np.linspace(0.8, 5.5, 40)
    arc = np.stack([140 + 60 * np.cos(ring), 140 - 80 * np.sin(ring)], axis=1).astype(np.float32)
    shown = card(read_strokes([arc], model), model.class_names)
    assert shown["digits"][0]["name"] == "C"
    assert shown["line"].startswith("C or c: ")
    assert shown["spoken"][0].startswith("The model reads C or c")
