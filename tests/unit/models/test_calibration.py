"""calibration: a temperature changes a model's confidence and never its predictions."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digits.errors import ModelNotFound
from digits.models import calibration, recogniser

TEMPERATURES = st.floats(*calibration.TEMPERATURES)
LOGITS = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 8), st.integers(2, 12)), elements=st.floats(-60, 60, width=64)
)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def sample(rng, count, *, sharpness):
    """Return probabilities and labels; the logits are `sharpness` times those that the labels are sampled from."""
    logits = rng.normal(size=(count, 10)) * 2
    true = softmax(logits).astype(np.float64)
    labels = (true.cumsum(axis=1) / true.sum(axis=1, keepdims=True) > rng.random((count, 1))).argmax(axis=1)
    return softmax(logits * sharpness), labels


@given(LOGITS, TEMPERATURES)
def test_a_temperature_keeps_the_order(logits, temperature):
    """A class that is less probable than another never becomes more probable than it."""
    before = softmax(logits)
    after = recogniser.apply_temperature(before, temperature)
    order = before.argsort(axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(after, order, axis=1), axis=1) >= 0).all()


@given(LOGITS, TEMPERATURES)
def test_probabilities_stay_probabilities(logits, temperature):
    """At any temperature they lie in [0, 1] and sum to 1."""
    after = recogniser.apply_temperature(softmax(logits), temperature)
    assert after.dtype == np.float32
    assert ((after >= 0) & (after <= 1)).all()
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)


@given(LOGITS)
def test_temperature_one_changes_nothing(logits):
    """Temperature 1 keeps the probabilities."""
    before = softmax(logits)
    np.testing.assert_allclose(recogniser.apply_temperature(before, 1.0), before, atol=1e-6)


@given(LOGITS, TEMPERATURES)
def test_a_higher_temperature_lowers_the_confidence(logits, temperature):
    """A higher temperature never raises the highest probability."""
    before = softmax(logits)
    confidence = [recogniser.apply_temperature(before, t).max(axis=1) for t in (temperature, temperature * 1.5)]
    assert (confidence[1] <= confidence[0] + 1e-6).all()


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_the_fit_finds_the_scale_of_the_logits(sharpness):
    """A model whose logits are three times too large gets temperature 3, which calibrates it."""
    rng = np.random.default_rng(0)
    probabilities, labels = sample(rng, 20_000, sharpness=sharpness)
    temperature = calibration.fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    calibrated = recogniser.apply_temperature(probabilities, temperature)
    assert calibration.expected_calibration_error(calibrated, labels) < 0.015


def test_few_images_keep_the_temperature_near_one():
    """With 5 correct predictions of 5 the temperature stays nearer to 1 than with 500 of 500."""
    few, many = (np.tile(np.float32([0.9, 0.1]), (count, 1)) for count in (5, 500))
    temperatures = [calibration.fit_temperature(rows, np.zeros(len(rows), int)) for rows in (few, many)]
    assert 0.2 < temperatures[1] < temperatures[0] < 1


def test_the_fit_stays_within_its_bounds():
    """A model that is always wrong gets the upper bound."""
    sure = np.tile(np.float32([0.99, 0.01]), (5000, 1))
    assert calibration.fit_temperature(sure, np.ones(5000, int)) == pytest.approx(calibration.TEMPERATURES[1], rel=1e-6)


def test_a_report_compares_before_and_after():
    """If logits are twice too large, temperature 2 lowers the error; the table is the one with the temperature."""
    probabilities, labels = sample(np.random.default_rng(1), 5_000, sharpness=2.0)
    report = calibration.report(probabilities, labels, 2.0)
    assert report.before == calibration.expected_calibration_error(probabilities, labels) > 0.1
    assert report.after < 0.02
    assert report.table.equals(calibration.reliability(recogniser.apply_temperature(probabilities, 2.0), labels))
    assert report.table["low"].le(report.table["accuracy"]).all()
    assert report.table["high"].ge(report.table["accuracy"]).all()


def test_a_zero_probability_is_finite():
    """A float32 softmax returns exact zeros; a zero at the label still gives a finite loss."""
    probabilities = np.float32([[1, 0], [1, 0], [0, 1]])
    assert np.isfinite(calibration.fit_temperature(probabilities, np.array([0, 1, 1])))
    assert np.isfinite(recogniser.apply_temperature(probabilities, 2.0)).all()


def test_the_error_equals_a_hand_calculation():
    """Four images have confidence 0.8 and three are correct; one has 0.6 and is misclassified."""
    probabilities = np.float32([[0.8, 0.2]] * 4 + [[0.4, 0.6]])
    labels = np.array([0, 0, 0, 1, 0])
    table = calibration.reliability(probabilities, labels, bins=10)
    assert list(table.columns) == ["bin", "confidence", "accuracy", "count", "low", "high"]
    assert table["bin"].tolist() == [6, 8]  # as float32, 0.6 and 0.8 are slightly larger than these numbers
    assert table["count"].tolist() == [1, 4]
    assert table["accuracy"].tolist() == [0, 0.75]
    error = calibration.expected_calibration_error(probabilities, labels, bins=10)
    assert error == pytest.approx((4 * 0.05 + 1 * 0.6) / 5, abs=1e-6)


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_every_image_is_counted_once(count, bins, seed):
    """Each image is in exactly one bin, and the error lies in [0, 1]."""
    probabilities, labels = sample(np.random.default_rng(seed), count, sharpness=2.0)
    table = calibration.reliability(probabilities, labels, bins)
    assert table["count"].sum() == count
    assert table["bin"].between(0, bins - 1).all()
    assert 0 <= calibration.expected_calibration_error(probabilities, labels, bins) <= 1


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), "1", None, True])
def test_an_invalid_temperature_is_refused(temperature, tmp_path):
    """Only a finite number above 0 is used or written."""
    assert not recogniser.is_temperature(temperature)
    with pytest.raises(ValueError, match="temperature"):
        recogniser.apply_temperature(np.float32([[0.5, 0.5]]), temperature)
    with pytest.raises(ValueError, match="temperature"):
        calibration.write_temperature(tmp_path / "card.json", temperature)


def test_writing_a_temperature_keeps_the_rest_of_the_card(tmp_path):
    """No other field of the card changes, and no draft is left behind."""
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"id": "x", "title": "Größe"}), encoding="utf-8")
    calibration.write_temperature(card, 1.23456)
    assert json.loads(card.read_text(encoding="utf-8")) == {"id": "x", "title": "Größe", "temperature": 1.2346}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_an_invalid_card_is_named(content, tmp_path):
    """A missing or invalid card raises `ModelNotFound`, which names it."""
    card = tmp_path / "card.json"
    if content is not None:
        card.write_text(content, encoding="utf-8")
    with pytest.raises(ModelNotFound, match="card"):
        calibration.write_temperature(card, 1.0)
