"""claims: what a package states about its model is kept, or refused if it is impossible."""

import contextlib
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import InvalidPackage
from digits.models import catalogue
from digits.packages import archives, claims, pack
from digits.runs.changes import Change
from digits.runs.schema import METRIC_NAMES
from digits.settings import Settings

FILES = archives.read(pack.pack(catalogue.find("softmax", Settings.from_environment())))
HISTORY = ",".join(METRIC_NAMES) + "\n50,0.1,1.5,0.5,,\n100,0.2,1.0,0.75,0.9,0.8\n"


def changed_json(name, **facts):
    """Return the package with some fields of a JSON file changed; None removes a field."""
    changed = {key: value for key, value in (json.loads(FILES[name]) | facts).items() if value is not None}
    return {**FILES, name: json.dumps(changed).encode()}


def test_returns_the_packages_statements():
    """The claims are the hyperparameters, the data, the changes and the history, if there is one."""
    applied = {"step": 60, "name": "learning_rate", "old": 0.5, "value": 0.1}
    planned = {"step": 80, "name": "dropout", "old": None, "value": 0.1}
    files = changed_json("hyperparameters.json", changes=[applied, planned]) | {"history.csv": HISTORY.encode()}
    claimed = claims.read(files)
    assert (claimed.hyperparameters.network, claimed.step) == ("softmax", 1000)
    assert claimed.data.startswith("MNIST: 54,152 training")
    assert claimed.changes == (Change(**applied), Change(**planned))
    assert [row["val_accuracy"] for row in claimed.history] == [None, 0.8]


def test_accepts_every_description_that_digits_writes(sample):
    """The description of the small data set contains all the punctuation that descriptions use."""
    assert claims.read(changed_json("card.json", data=sample.description)).data == sample.description


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"class_names": list("0123")}, "`class_names` must be the classes 0, 1"),
        ({"class_names": "0123456789"}, "`class_names`"),
        ({"title": "x" * 81}, "`title` must be up to 80"),
        ({"title": 7}, "`title`"),
        ({"data": "![](http://tracker/pixel)"}, "`data` must be up to 500 letters"),
        ({"data": "See http://tracker"}, "`data`"),
        ({"data": "See WWW.tracker.com"}, "`data`"),
        ({"data": None}, "`data`"),
        ({"temperature": 0}, "`temperature`: expected"),
        ({"temperature": float("nan")}, "`temperature`"),
        ({"temperature": float("inf")}, "`temperature`"),
        ({"temperature": True}, "`temperature`"),
        ({"test": {"correct": 11, "total": 10}}, "`test`: `correct` must lie in"),
        ({"test": {"correct": True, "total": 10}}, "`test.correct`"),
        ({"test": [1, 2]}, "`test`"),
        ({"seconds": -1}, "`seconds`: expected"),
        ({"seconds": 1e10}, "`seconds`"),
        ({"seconds": "long"}, "`seconds`: expected"),
        ({"train_images": 1.5}, "`train_images`"),
        ({"train_images": 10**12}, "`train_images`"),
        ({"step": -1}, "`step`"),
        ({"step": 1001}, "`step` must be .*1,000"),
        ({"hyperparameters": {"network": "resnet"}}, "`network` must be one of"),
        ({"hyperparameters": {"learning_rate": 7}}, "`learning_rate` must lie in"),
        ({"hyperparameters": {"__class__": "os.system"}}, "unknown `__class__`"),
        ({"hyperparameters": {"network": []}}, "`network` must be one of"),
        ({"hyperparameters": [1]}, "`hyperparameters`: expected `object`"),
        ({"weights": "x" * 9000}, "`weights`"),
        ({"hyperparameters": {"network": "softmax"}}, "the same settings"),
    ],
    ids=str,
)
def test_an_impossible_card_is_refused(facts, complaint):
    """The error names the field that is wrong."""
    with pytest.raises(InvalidPackage, match=complaint):
        claims.read(changed_json("card.json", **facts))


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{" * 100_000, b"9" * 10_000, b" " * 300_000], ids=len)
def test_a_card_must_be_json(content):
    """Text that is not a JSON object, is nested too deeply or is too long is refused."""
    with pytest.raises(InvalidPackage, match=r"card\.json"):
        claims.read({**FILES, "card.json": content})


@pytest.mark.parametrize(
    "change",
    [
        {"step": 60, "name": "network", "old": 0.5, "value": 0.1},
        {"step": 1001, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": 60, "name": "dropout", "old": 0.5, "value": 2},
        {"step": 60, "name": ["dropout"], "old": 0.5, "value": 0.1},
        {"step": 60},
        {"step": None, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": True, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": 60, "name": "dropout", "old": 0.5, "value": 10**400},
        60,
    ],
    ids=str,
)
def test_impossible_changes_are_refused(change):
    """A change needs a hyperparameter that can change, a completed iteration and a value in range."""
    with pytest.raises(InvalidPackage, match="must list changes"):
        claims.read(changed_json("hyperparameters.json", changes=[change]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("step,", "stop,"),
        ("0.8", "1.8"),
        ("0.8", "nan"),
        ("1.5", "=cmd()"),
        ("100,", "50,"),
        ("100,", "1001,"),
        ("0.8\n", "\n200,0.3\n"),
        ("0.8\n", "0.8,9,9\n200,\x00\n"),
    ],
)
def test_an_invalid_history_is_refused(old, new):
    """The columns, the order of the steps and the ranges of the values are validated."""
    with pytest.raises(InvalidPackage, match=r"history\.csv must be"):
        claims.read({**FILES, "history.csv": HISTORY.replace(old, new).encode()})


def test_a_history_that_is_one_long_line_is_refused_at_once():
    """The line takes neither seconds nor memory: 2.7 GB and 6 s were seen before there was a limit."""
    content = (",".join(METRIC_NAMES) + "\n" + "1," * (claims.MAX_HISTORY_BYTES // 2 - 100)).encode()
    tracemalloc.start()
    started = time.perf_counter()
    for history in (content, content.replace(b"\n", b"")):
        with pytest.raises(InvalidPackage, match="rows of 200 characters"):
            claims.read({**FILES, "history.csv": history})
    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_a_history_has_a_limited_number_of_rows():
    """Rows are counted before they are parsed."""
    content = ",".join(METRIC_NAMES) + "\n" + "x\n" * (claims.MAX_ROWS + 1)
    with pytest.raises(InvalidPackage, match="at most 5,000 rows"):
        claims.read({**FILES, "history.csv": content.encode()})


@pytest.mark.parametrize("depth", [11, 100, 800, 990])
@pytest.mark.parametrize("name", ["card.json", "hyperparameters.json"])
def test_deep_json_is_refused(name, depth):
    """Nesting has a limit far below Python's, so that nothing that walks a value fails later."""
    facts = json.loads(FILES[name]) | {"hyperparameters": 0}
    content = json.dumps(facts).replace('"hyperparameters": 0', f'"hyperparameters": {"[" * depth}{"]" * depth}')
    with pytest.raises(InvalidPackage, match=rf"{name} must be JSON"):
        claims.read({**FILES, name: content.encode()})


@given(st.binary(max_size=400) | st.text(',.0123456789\n\r"-einfa ', max_size=400).map(str.encode))
def test_any_history_is_accepted_or_refused(rows):
    """Any bytes below a right header are accepted or raise `InvalidPackage`."""
    with contextlib.suppress(InvalidPackage):
        claims.read({**FILES, "history.csv": ",".join(METRIC_NAMES).encode() + b"\n" + rows})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*json.loads(FILES["card.json"]), "step"]), JSON)
def test_any_card_is_accepted_or_refused(name, value):
    """Any JSON value in a card is accepted or raises `InvalidPackage`."""
    with contextlib.suppress(InvalidPackage):
        claims.read(changed_json("card.json", **{name: value}))


@given(JSON)
def test_any_changes_are_accepted_or_refused(value):
    """Any JSON value for the changes is accepted or raises `InvalidPackage`."""
    with contextlib.suppress(InvalidPackage):
        claims.read(changed_json("hyperparameters.json", changes=value))
