"""corrections: each visitor has their own, bounded in number and size, and a run has its copy."""

import numpy as np
import pytest

from digits.data import corrections
from digits.errors import QuotaReached
from digits.ink import codec
from digits.settings import Settings
from digits.store import open_store

SEVEN = [np.float32([[70, 60], [210, 60], [120, 230]])]
ONE = [np.float32([[200, 50], [198, 220]])]


@pytest.fixture
def store(runs_dir):
    return open_store(Settings.from_environment())


def labels(store, owner):
    return [one.label for one in corrections.load(store, owner)]


def test_each_visitor_has_their_own_the_oldest_first(store):
    corrections.add(store, "ada", SEVEN, "7")
    corrections.add(store, "ada", ONE, "1")
    corrections.add(store, "bob", ONE, "4")
    assert (labels(store, "ada"), labels(store, "bob"), labels(store, "eve")) == (["7", "1"], ["4"], [])
    np.testing.assert_allclose(corrections.load(store, "ada")[0].strokes[0], SEVEN[0], atol=1.5)


def test_the_same_drawing_is_kept_once_with_its_last_label(store):
    for label in "123":
        corrections.add(store, "ada", SEVEN, label)
    assert labels(store, "ada") == ["3"]


def test_one_is_removed_and_a_name_from_outside_leads_nowhere(store, runs_dir):
    kept, other = corrections.add(store, "ada", SEVEN, "7"), corrections.add(store, "ada", ONE, "1")
    for name in ("", "../bob", f"../ada/{kept.id}", "0" * 16):
        corrections.remove(store, "ada", name)
    assert labels(store, "ada") == ["7", "1"]
    corrections.remove(store, "ada", other.id)
    assert labels(store, "ada") == ["7"]


def test_a_visitor_keeps_so_many_and_none_is_large(store, monkeypatch, runs_dir):
    """A drawing of many points is simplified; at the quota, one that is known may still get another label."""
    monkeypatch.setenv("DIGITS_CORRECTIONS_PER_VISITOR", "2")
    scribble = [np.random.default_rng(0).uniform(0, 400, (5000, 2)).astype(np.float32)]
    corrections.add(store, "ada", scribble, "8")
    corrections.add(store, "ada", SEVEN, "1")
    with pytest.raises(QuotaReached, match="2 corrections"):
        corrections.add(store, "ada", ONE, "1")
    corrections.add(store, "ada", SEVEN, "7")
    assert sorted(labels(store, "ada")) == ["7", "8"]
    assert all(path.stat().st_size < codec.CHARACTERS_WANTED + 200 for path in runs_dir.rglob("*.json"))


def test_a_damaged_one_is_left_out(store, runs_dir):
    corrections.add(store, "ada", SEVEN, "7")
    for name, content in (("a", b""), ("b", b"[1]"), ("c", b'{"id": "c"}'), ("d", b"\xff")):
        (runs_dir / ".corrections" / "ada" / f"{name}.json").write_bytes(content)
    assert labels(store, "ada") == ["7"]


def test_a_run_keeps_its_copy(store):
    """What the visitor removes later is still what the run has learned from."""
    kept = corrections.add(store, "ada", SEVEN, "7")
    corrections.write_of_run(store, "abc", corrections.load(store, "ada"))
    corrections.remove(store, "ada", kept.id)
    assert [one.label for one in corrections.load_of_run(store, "abc")] == ["7"]
    assert corrections.load_of_run(store, "other") == []
