"""own: a visitor's set is read from batches; a version never changes; every class is in every part."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.data import collected, mixture, own, sets
from digits.data.datasets import Source
from digits.errors import DatasetCorrupt, DatasetUnavailable, InvalidSet
from digits.settings import Settings
from digits.store import FolderStore, open_store

SET_ID = "0123456789abcdef"
VOWELS = ("a", "e", "ü")


def drawing(label, place, writer=""):
    """A drawing that differs from every other one, and from those of other labels clearly."""
    points = np.array([[10, 10], [60 + place % 97, 80], [20, 100 + place]], np.float32)
    sign = (1, -1) if label == VOWELS[0] else (-1, -1) if label == VOWELS[1] else (1, 1)
    return collected.of_strokes(label, [points * np.array(sign)], writer)


def drawings(each=5, names=VOWELS, writers=("",)):
    return tuple(drawing(name, turn, writers[turn % len(writers)]) for turn in range(each) for name in names)


def built(*batches):
    found = own.empty(SET_ID)
    for batch in batches:
        found = found.apply(batch)
    return found


def stored(*batches):
    """Write batches to the store of this test's settings; returns the name of the last version."""
    store = open_store(Settings.from_environment())
    for version, batch in enumerate(batches, start=1):
        own.write(store, SET_ID, version, batch.to_bytes())
    return own.name_of(SET_ID, len(batches))


def test_a_batch_is_read_as_it_was_written():
    picture = collected.of_image("e", np.eye(28, dtype=np.uint8), "ada")
    batch = own.Batch("My vowels", VOWELS, (drawing("ü", 1, "bob"), picture), ("abcdefgh",))
    read = own.Batch.from_bytes(batch.to_bytes())
    assert (read.title, read.class_names, read.removed) == (batch.title, batch.class_names, batch.removed)
    first, second = read.added
    assert (first.id, first.label, first.writer) == (batch.added[0].id, "ü", "bob")
    assert np.allclose(first.strokes[0], batch.added[0].strokes[0])
    assert np.array_equal(second.image, picture.image)
    assert read.to_bytes() == batch.to_bytes()


def test_a_version_never_changes():
    """What comes and goes later leaves a version as it was, so that a run that learned from it can be repeated."""
    first, more = drawings(5), drawings(7)
    name = stored(own.Batch("Vowels", VOWELS, first), own.Batch("Others", VOWELS, more, (first[0].id,)))
    old, new = own.find(own.name_of(SET_ID, 1)), own.find(name)
    assert (old.title, len(old.samples)) == ("Vowels", 15)
    assert (new.title, len(new.samples)) == ("Others", 20)
    assert new.counts == {"a": 6, "e": 7, "ü": 7}


def test_a_drawing_that_comes_again_is_the_same():
    assert len(built(own.Batch("x", VOWELS, drawings()), own.Batch("x", VOWELS, drawings())).samples) == 15
    assert drawing("a", 1).id != drawing("e", 1).id


@pytest.mark.parametrize("each", [5, 6, 12])
@pytest.mark.parametrize("writers", [("",), ("ada", "bob", "eve"), ("ada", "")])
def test_every_class_is_in_every_part(each, writers):
    own_set = built(own.Batch("x", VOWELS, drawings(each, writers=writers)))
    parts = own_set.parts()
    assert sum(map(len, parts.values())) == len(own_set.samples)
    for part in parts.values():
        assert {sample.label for sample in part} == set(VOWELS)
    assert 0.1 <= len(parts["test"]) / len(own_set.samples) <= 0.34
    people = [{sample.writer for sample in part} for part in parts.values()]
    if len(writers) == 3:
        assert people == [{"ada"}, {"bob"}, {"eve"}]


def test_too_few_drawings_are_told_by_class():
    own_set = built(own.Batch("x", VOWELS, (*drawings(4), drawing("a", 99))))
    with pytest.raises(
        DatasetUnavailable, match=r"needs 5 drawings of each class; there are fewer of e \(4\), ü \(4\)"
    ):
        own_set.parts()
    assert "at least two classes" in built(own.Batch("x", ("a",), drawings(6, ("a",)))).why_not()


def test_is_a_data_set_like_any_other(tmp_path):
    """It can be found by its name, loaded, and learned from with varied copies; pictures come once."""
    pictures = [collected.of_image(name, np.full((28, 28), turn + 1, np.uint8)) for turn in range(5) for name in VOWELS]
    declared = sets.find(stored(own.Batch("Vowels", VOWELS, (*drawings(5), *pictures))))
    settings = Settings.from_environment()
    dataset = declared.load(settings)
    assert (declared.title, dataset.source, dataset.name) == ("Vowels", Source.OWN, declared.name)
    assert np.bincount(dataset.validation.labels).tolist() == np.bincount(dataset.test.labels).tolist() == [2, 2, 2]
    tested = declared.load_test(settings)
    assert np.array_equal(tested.test.images, dataset.test.images)
    assert not len(tested.validation)
    learned = sets.add_shares(dataset, "none", tmp_path / "kept", lambda words: None, settings)
    assert np.bincount(learned.train.labels).tolist() == [3 * mixture.OWN_COPIES[1] + 3] * 3
    assert [part.source for part in learned.mixture] == ["own"]
    assert not (tmp_path / "kept").exists()  # nothing is kept of it
    assert declared.model_title("Softmax regression") == "Vowels: softmax regression"


def test_a_set_that_is_gone_says_so():
    with pytest.raises(DatasetUnavailable, match="not on this server"):
        sets.find(own.name_of(SET_ID, 1))
    own.remove(open_store(Settings.from_environment()), SET_ID)  # a missing one is no error


@pytest.mark.parametrize("name", ["own-1", "own-../../../etc-1", f"own-{SET_ID}-0", f"own-{SET_ID.upper()}-1"])
def test_other_names_are_no_names(name):
    assert not own.is_name(name)
    with pytest.raises(DatasetUnavailable):
        sets.find(name)


@pytest.mark.parametrize(
    "content", [b"", b"{}", gzip.compress(b"[]", mtime=0), gzip.compress(b'{"title": "x"}', mtime=0)[:-9]]
)
def test_a_damaged_file_is_named(content, tmp_path):
    own.write(FolderStore(tmp_path), SET_ID, 1, content)
    with pytest.raises(DatasetCorrupt, match="damaged"):
        own.read(FolderStore(tmp_path), SET_ID, 1)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "1 to 62 classes"),
        (["a"] * 2, "a is there twice"),
        (["a", "á", "a\u0301"], "twice"),  # the same letter, written in two ways
        (["x" * 13], "1 to 12 characters"),
        ([""], "1 to 12 characters"),
        (["a\u202e"], "can be seen"),
        (map(str, range(63)), "received 63"),
    ],
)
def test_names_of_classes_are_checked(names, words):
    with pytest.raises(InvalidSet, match=words):
        collected.check_classes(names)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ROWS = st.fixed_dictionaries(
    {"label": JSON}, optional={"strokes": JSON, "image": JSON, "writer": JSON, "id": JSON, "part": JSON}
)


@given(ROWS | JSON)
def test_any_json_is_read_or_refused(row):
    """Whatever a row holds, it becomes a drawing that can be drawn and written again, or is refused with a reason."""
    try:
        sample = collected.read_row(row)
    except InvalidSet:
        return
    assert sample.glyph.shape == (28, 28)
    assert collected.read_row(json.loads(json.dumps(collected.to_row(sample)))).label == sample.label
