"""rebuild: the files made from numbers are the files that an export here writes, for every network."""

import keras
import numpy as np
import pytest

from digits.errors import ExportMismatch, InvalidPackage
from digits.models import catalogue, textweights, weights
from digits.models.recogniser import Recogniser
from digits.models.textweights import Weight
from digits.packages import rebuild
from digits.runs.presets import PRESETS
from digits.settings import BUNDLED_MODELS_DIR
from digits.training import explain, export, networks


@pytest.fixture
def shaken(request):
    """A folded network with weights at random, exact in float16."""
    network, classes = request.param
    model = networks.build(network, classes, is_folded=True, seed=5)
    random = np.random.default_rng(5)
    values = [array + random.normal(0, 0.02, array.shape) for array in model.get_weights()]
    model.set_weights([array.astype(np.float16).astype(np.float32) for array in values])
    return model


def numbers_of(model):
    """Return a Keras model's parameters as `parameters.read` does."""
    return [Weight(layer.name, values) for layer in model.layers for values in layer.get_weights()]


@pytest.mark.parametrize(
    "shaken", [*((name, 10) for name in PRESETS), ("published", 62), ("drawing", 3)], indirect=True
)
def test_all_files_hold_the_new_numbers(shaken, tmp_path, sample):
    """The `.tflite` file predicts as Keras does, Keras loads the `.keras` file, and the weights shown are the model's.

    `published` has no activations, so LiteRT's converter adds some of its biases together. A model of a visitor's set
    has another number of classes than the bundled model.
    """
    rebuild.write_files(tmp_path, BUNDLED_MODELS_DIR / shaken.name, numbers_of(shaken))
    images = sample.test.images[:200]
    expected = export.predict(shaken, images)
    assert export.is_same(expected, Recogniser(tmp_path / catalogue.TFLITE_FILE).probabilities(images))
    loaded = keras.models.load_model(tmp_path / catalogue.KERAS_FILE, compile=False, safe_mode=True)
    assert all(np.array_equal(*pair) for pair in zip(loaded.get_weights(), shaken.get_weights(), strict=True))
    shown, found = explain.derive(shaken), np.load(tmp_path / weights.EXPLAIN_FILE)
    assert set(found.files) == set(shown)
    assert all(np.array_equal(found[name], array) for name, array in shown.items())


@pytest.mark.parametrize("network", PRESETS)
def test_a_bundled_models_numbers_give_its_own_files(network, tmp_path):
    """Every number has its place: the `.tflite` file is the same to the byte, up to the last bit of added biases."""
    own = BUNDLED_MODELS_DIR / network
    numbers = textweights.read(own / catalogue.KERAS_FILE)
    rebuild.write_files(tmp_path, own, numbers)
    old, new = ((folder / catalogue.TFLITE_FILE).read_bytes() for folder in (own, tmp_path))
    assert len(old) == len(new)
    differences = sum(one != other for one, other in zip(old, new, strict=True))
    assert differences <= (512 + 10 if network == "published" else 0)
    again = textweights.read(tmp_path / catalogue.KERAS_FILE)
    assert all(np.array_equal(one.values, other.values) for one, other in zip(again, numbers, strict=True))


def test_biases_that_grow_too_large_are_refused(tmp_path):
    """Added biases that float16 does not hold are refused; they would be infinite in the `.tflite` file."""
    numbers = textweights.read(BUNDLED_MODELS_DIR / "published" / catalogue.KERAS_FILE)
    large = [Weight(weight.layer, np.full_like(weight.values, 60_000)) for weight in numbers]
    with pytest.raises(InvalidPackage, match="small enough"):
        rebuild.write_files(tmp_path, BUNDLED_MODELS_DIR / "published", large)


def test_a_bundled_model_with_other_layers_is_noticed(tmp_path):
    """If a bundled model does not have its network's layers, that is an error of Digits, not a wrong model."""
    numbers = textweights.read(BUNDLED_MODELS_DIR / "corrected" / catalogue.KERAS_FILE)
    for wrong in (
        numbers[:-2],
        numbers[2:],
        [*numbers, Weight("more", numbers[-2].values), Weight("more", numbers[-1].values)],
    ):
        with pytest.raises(ExportMismatch, match="layers of its network"):
            rebuild._tflite((BUNDLED_MODELS_DIR / "corrected" / catalogue.TFLITE_FILE).read_bytes(), wrong)
