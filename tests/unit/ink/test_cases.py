"""cases: look-alike letters get their case from the line that they stand on, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.data import sets
from digits.ink import cases

FOLDED = cases.FOLDED["characters"]
BASE = 100.0
HEIGHTS = dict.fromkeys("bdfhtkl", (0, 60)) | dict.fromkeys("gpqyj", (25, 80)) | dict.fromkeys("i", (5, 60))


def stands(word):
    """The classes of a word in one hand, and where each letter stands: tops and bottoms."""
    spans = [HEIGHTS.get(letter, (27, 60) if letter.islower() else (0, 60)) for letter in word]
    return [letter.upper() if letter.upper() in FOLDED else letter for letter in word], [
        (BASE + top, BASE + foot) for top, foot in spans
    ]


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("Dog", "Dog"),
        ("dog", "dog"),
        ("DOG", "DOG"),
        ("paper", "paper"),
        ("Paper", "Paper"),
        ("Box4", "Box4"),
        ("Hello", "Hello"),
        ("happy", "happy"),
        ("AXLE", "AXLE"),
        ("Bill", "BILL"),  # nothing tells the small i and l from capitals
    ],
)
def test_a_word_is_read_in_its_case(word, read):
    names, spans = stands(word)
    found = cases.decide(names, spans, FOLDED)
    assert "".join(case or name for case, name in zip(found, names, strict=True)) == read


@pytest.mark.parametrize("word", ["c", "C", "cow", "COW", "k", "sun"[:2]])
def test_without_anything_to_compare_either_is_possible(word):
    names, spans = stands(word)
    assert cases.decide(names, spans, FOLDED)[0] == ""


def test_a_height_in_between_is_left_open():
    for height, case in ((0.5, "c"), (0.78, ""), (0.95, "C")):
        assert cases.decide(["D", "C"], [(0, 60), (60 * (1 - height), 60)], FOLDED)[1] == case


def test_other_classes_stay_as_they_are():
    assert cases.decide(["A", "4", "a"], [(0, 60), (0, 30), (0, 10)], FOLDED) == ["A", "4", "a"]
    assert cases.decide(["C", "O"], [(0, 60), (0, 30)], ()) == ["C", "O"]


@pytest.mark.parametrize("name", cases.FOLDED)
def test_the_classes_are_those_of_the_data_sets(name):
    if name != "emnist-balanced":  # which has no handwriting with labels
        labels = sets.find(name).labels
        assert cases.FOLDED[name] == {label for label in labels if labels.get(label.lower()) == label != label.lower()}
    assert set(sets.find(name).class_names) >= cases.FOLDED[name]


characters = st.sampled_from(sets.find("characters").class_names)
spans = st.tuples(st.floats(0, 300), st.floats(0, 300)).map(sorted).map(tuple)


@given(st.lists(st.tuples(characters, spans), max_size=12))
def test_any_line_keeps_its_letters_in_any_size(line):
    names, places = [name for name, _ in line], [span for _, span in line]
    found = cases.decide(names, places, FOLDED)
    for case, name in zip(found, names, strict=True):
        assert case == name if name not in FOLDED else case in ("", name, name.lower())
