"""cards: a card has typed fields, and an invalid card is refused."""

import dataclasses
import datetime
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.accuracy import Accuracy
from digits.data.datasets import Part
from digits.errors import ModelNotFound
from digits.models import cards
from digits.models.cards import Card
from digits.models.identity import Weights
from digits.settings import BUNDLED_MODELS_DIR

BUNDLED = sorted(BUNDLED_MODELS_DIR.glob("*/card.json"))
FACTS = {
    "id": "own",
    "title": "Softmax regression",
    "order": 0,
    "class_names": ["0", "1"],
    "data": "A few images.",
    "train_images": 640,
    "hyperparameters": {"network": "softmax", "seed": 3},
    "test": {"correct": 9, "total": 10},
}
SHARE = {"share": 0.875, "interval_95": [0.5, 1.0]}
FULL = FACTS | {
    "versions": {"python": "3.13.1"},
    "date": "2026-11-25",
    "command": "started on the Train page",
    "seconds": 1.5,
    "precision": "float32",
    "run": "a1B2c3D4e5F6",
    "weights": "best",
    "step": 300,
    "temperature": 1.25,
    "mixture": [{"source": "mnist", "way": "", "images": 640}, {"source": "unipen", "way": "strokes", "images": 30}],
    "strangers": {
        "strokes": SHARE,
        "pictures": SHARE,
        "sources": [
            {
                "source": "unipen",
                "way": "strokes",
                "drawings": 8,
                "writers": 2,
                "correct": SHARE,
                "refused": {"share": 0.0, "interval_95": [0.0, 0.3]},
                "split": {"share": 0.0, "interval_95": [0.0, 0.3]},
                "classes": {"7": [8, 7, 0]},
            }
        ],
    },
}


def read(facts):
    """Read a card from a file with these fields, or with this text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own" / "card.json"
        path.parent.mkdir()
        path.write_text(facts if isinstance(facts, str) else json.dumps(facts), encoding="utf-8")
        return cards.read(path)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.parent.name)
def test_a_bundled_card_round_trips(path):
    """Every field of a bundled card is read, and written unchanged."""
    card = cards.read(path)
    assert json.loads(card.to_json()) == json.loads(path.read_text(encoding="utf-8"))
    assert card.network == (path.parent.name if card.dataset == "mnist" else "drawing")


def test_every_field_has_its_type():
    """Dates, accuracies, weights, parts of the mixture and figures have types of their own."""
    card = read(FULL)
    assert (card.date, card.weights) == (datetime.date(2026, 11, 25), Weights.BEST)
    assert card.test == Accuracy(9, 10)
    assert card.mixture == (Part("mnist", "", 640), Part("unipen", "strokes", 30))
    assert card.strangers.of("strokes")[0].classes == {"7": (8, 7, 0)}
    assert str(card.strangers.strokes) == "87.5% (50.0% to 100.0%)"
    assert (card.class_names, card.network) == (("0", "1"), "softmax")


def test_optional_fields_have_defaults():
    """Fields that only some models have may be missing; the default temperature is 1."""
    card = read(FACTS)
    missing = {name: getattr(card, name) for name in FULL.keys() - FACTS.keys()}
    assert missing == dict.fromkeys(missing) | {"temperature": 1.0, "versions": {}, "mixture": ()}


@pytest.mark.parametrize("facts", [FACTS, FULL])
def test_a_card_round_trips_through_json(facts):
    """A written card is read as the same card, and no None is written."""
    card = read(facts)
    assert read(card.to_json()) == card
    assert None not in json.loads(card.to_json()).values()


def test_a_card_of_an_earlier_version_is_read():
    """Earlier cards have an accuracy on drawings by one collection's writers, and the mixture in words alone."""
    earlier = read(FACTS | {"drawn": {"correct": 5, "total": 8}, "data": "A few images. Learned from: 5 of MNIST."})
    assert earlier == dataclasses.replace(read(FACTS), data="A few images. Learned from: 5 of MNIST.")
    assert earlier.learned_from == earlier.data


def test_says_what_it_learned_from():
    """The parts of the mixture are named with their numbers."""
    assert read(FULL).learned_from == "A few images. Learned from: 640 of MNIST, 30 of UNIPEN (strokes)."


def test_knows_whether_it_was_distilled():
    """The bundled network for drawings learned from larger ones, and softmax regression did not."""
    found = {path.parent.name: cards.read(path) for path in BUNDLED}
    assert found["drawing"].is_distilled
    assert not found["softmax"].is_distilled


def test_is_written_with_other_figures(tmp_path):
    """A card is replaced as a whole, and short lists take one line."""
    path = tmp_path / "own" / "card.json"
    cards.write(path, dataclasses.replace(read(FULL), strangers=None))
    assert cards.read(path) == dataclasses.replace(read(FULL), strangers=None)
    assert '"class_names": ["0", "1"],' in path.read_text(encoding="utf-8").splitlines()[4]


def test_is_written_for_other_programs():
    """An accuracy is written with its share and interval, and non-ASCII letters are not escaped."""
    written = dataclasses.replace(read(FULL), title="Größe").to_json()
    assert '"title": "Größe"' in written
    assert json.loads(written)["test"].keys() == {"correct", "total", "accuracy", "interval_95"}
    assert json.loads(written)["strangers"] == FULL["strangers"]


def test_unknown_fields_are_ignored():
    """A later version may add fields to a card or to its accuracies."""
    later = FULL | {"warmth": {"deep": [1]}, "test": FULL["test"] | {"brier": 0.1}}
    assert read(later) == read(FULL)


@pytest.mark.parametrize("name", FACTS)
def test_required_fields_must_be_present(name):
    """The error names the missing field."""
    with pytest.raises(ModelNotFound, match=f"own's card .* required field `{name}`"):
        read({other: fact for other, fact in FACTS.items() if other != name})


@pytest.mark.parametrize(
    ("name", "wrong", "complaint"),
    [
        ("id", 7, "`id`: expected `str`, got `int`; received 7"),
        ("title", None, "`title`: expected `str`, got `null`; received None"),
        ("order", "first", "`order`: expected `int`"),
        ("class_names", "01", "`class_names`: expected `array`"),
        ("class_names", [], "`class_names`: expected `array` of length >= 1"),
        ("class_names", ["0", 1], r"`class_names\[1\]`: expected `str`"),
        ("data", ["MNIST"], "`data`: expected `str`"),
        ("train_images", 1.5, "`train_images`: expected `int`"),
        ("train_images", -1, "`train_images`: expected `int` >= 0; received -1"),
        ("hyperparameters", [1], "`hyperparameters`: expected `object`"),
        ("test", [9, 10], "`test`: expected `object`"),
        ("test", {"correct": 9}, "`test`: object missing required field `total`"),
        ("test", {"correct": "9", "total": 10}, r"`test\.correct`: expected `int`"),
        ("test", {"correct": 11, "total": 10}, r"`test`: `correct` must lie in \[0, total\].* received 11 of 10"),
        ("test", {"correct": 0, "total": 0}, "`test`: `correct` must lie in"),
        ("versions", {"python": 3}, r"`versions\[\.\.\.\]`: expected `str`"),
        ("date", "yesterday", "`date`: invalid RFC3339 encoded date"),
        ("command", 1, "`command`: expected `str"),
        ("seconds", "long", "`seconds`: expected `float"),
        ("seconds", -0.1, "`seconds`: expected `float` >= 0"),
        ("precision", 32, "`precision`: expected `str"),
        ("run", ["a"], "`run`: expected `str"),
        ("weights", "worst", "`weights`: invalid enum value 'worst'"),
        ("step", True, "`step`: expected `int"),
        ("temperature", None, "`temperature`: expected `float`, got `null`"),
        ("temperature", 0, "`temperature`: expected `float` >= 0.05; received 0"),
        ("temperature", float("nan"), "`temperature`: expected `float`"),
        ("temperature", "warm", "`temperature`: expected `float`, got `str`; received 'warm'"),
        ("mixture", [{"source": "mnist", "way": ""}], r"`mixture\[0\]`: object missing required field `images`"),
        ("strangers", {"strokes": SHARE | {"share": 1.5}}, r"`strangers\.strokes\.share`: expected `float` <= 1"),
        ("strangers", "well", "`strangers`: expected `object"),
    ],
)
def test_an_invalid_field_is_refused(name, wrong, complaint):
    """The error names the model and the field, and states what was expected and received."""
    with pytest.raises(ModelNotFound, match=f"own's card .*{complaint}"):
        read(FULL | {name: wrong})


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null", "[" * 100_000], ids=lambda text: text[:4])
def test_text_that_is_not_a_card_is_refused(text):
    """A file that is not a JSON object raises `ModelNotFound`."""
    with pytest.raises(ModelNotFound, match="own's card"):
        read(text)


def test_a_missing_card_is_refused(tmp_path):
    """A missing file raises `ModelNotFound`."""
    with pytest.raises(ModelNotFound, match="own's card"):
        cards.read(tmp_path / "own" / "card.json")


def test_a_long_value_is_shortened_in_the_message():
    """The message stays short, whatever the card contains."""
    with pytest.raises(ValueError, match="`weights`") as caught:
        Card.from_dict(FULL | {"weights": "x" * 9_000})
    assert len(str(caught.value)) < 250


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


@given(JSON | st.dictionaries(st.sampled_from(list(FULL)), JSON).map(lambda facts: FULL | facts))
def test_any_json_is_a_card_or_is_refused(facts):
    """Any JSON value raises `ModelNotFound`, or is a card that round-trips."""
    try:
        card = read(facts)
    except ModelNotFound:
        return
    assert json.loads(card.to_json()) == json.loads(read(card.to_json()).to_json())
