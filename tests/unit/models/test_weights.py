"""weights: the small file holds what the network computes, and its pictures are valid."""

import keras
import numpy as np
import pytest

from digits.errors import ModelNotFound
from digits.models import catalogue, weights
from digits.training import explain, export, networks

MODELS = {model.id: model for model in catalogue.bundled()}
NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def image(sample):
    return sample.test.images[0]


def shaken(network):
    """A network with all weights changed at random, including moving means and variances."""
    model = networks.build(network, 10, seed=3)
    random = np.random.default_rng(0)
    model.set_weights([np.abs(w + random.normal(0, 0.05, w.shape).astype(np.float32)) for w in model.get_weights()])
    return model


def written(model, folder):
    explain.write(model, folder / weights.EXPLAIN_FILE)
    return weights.load(folder)


@pytest.mark.parametrize(("network", "last"), [("drawing", "relu_1"), ("convolutional", "filters_1")])
def test_filters_answer_as_the_network_does(network, last, tmp_path, image):
    """NumPy's maps equal Keras's after the first convolution, its normalisation and its ReLU."""
    model = shaken(network)
    filters = written(model, tmp_path).filters
    first = keras.Model(model.input, model.get_layer(last).output)
    expected = first(image[np.newaxis].astype(np.float32)).numpy()[0]
    assert filters.is_relu
    np.testing.assert_allclose(filters.maps(image), expected, atol=0.005 * expected.max())


@pytest.mark.parametrize("network", ["softmax", "published"])
def test_a_linear_network_becomes_one_matrix(network, tmp_path, image):
    """Layers without activations multiply into one matrix, whose logits are the network's."""
    model = networks.build(network, 10, seed=3)
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.02, w.shape).astype(np.float32) for w in model.get_weights()])
    found = written(model, tmp_path)
    logits = keras.Model(model.input, model.get_layer(networks.LOGITS).output)
    expected = logits(image[np.newaxis].astype(np.float32)).numpy()
    np.testing.assert_allclose(found.linear.logits(image[np.newaxis]), expected, atol=0.005 * np.abs(expected).max())
    assert (found.units is None) == (network == "softmax")


def test_the_strongest_units_come_first(tmp_path):
    """A unit with large weights in and out is selected, and its picture shows its weights."""
    model = networks.build("corrected", 10)
    loud = model.get_layer("hidden_1")
    kernel, bias = loud.get_weights()
    kernel[:, 77] *= 5
    loud.set_weights([kernel, bias])
    found = written(model, tmp_path)
    assert found.linear is None
    assert found.units.shape == (weights.UNITS, 28, 28)
    np.testing.assert_allclose(found.units[0].ravel(), kernel[:, 77] / np.abs(kernel[:, 77]).max(), atol=0.005)


def test_a_network_of_another_kind_has_nothing_to_show(tmp_path):
    """A network without scaling to [0, 1], or with an unknown layer, has no file and no weights."""
    plain = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    assert explain.derive(plain) == {}
    assert written(plain, tmp_path).linear is None
    assert not (tmp_path / weights.EXPLAIN_FILE).exists()


def test_a_damaged_file_is_reported(tmp_path):
    """Any damaged file is read as arrays or refused with an explanation."""
    path = tmp_path / weights.EXPLAIN_FILE
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(ModelNotFound, match=weights.EXPLAIN_FILE):
        weights.load(tmp_path)
    np.savez(path, linear_kernel=np.zeros(5), linear_bias=np.zeros(10))
    with pytest.raises(ModelNotFound, match="2 dimensions"):
        weights.load(tmp_path)
    np.savez(path, filters_kernel=np.zeros((3, 3, 4)))
    with pytest.raises(ModelNotFound):
        weights.load(tmp_path)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras with NumPy 2
def test_the_way_to_explain_an_old_model(tmp_path):
    """For a folder with only a Keras file, the file of weights can be created."""
    networks.build("softmax", 10).save(tmp_path / catalogue.KERAS_FILE)
    export.write_explanation(tmp_path)
    assert weights.load(tmp_path).linear is not None


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_bundled_model_has_small_weights(name):
    """Every bundled model has weights to show, in less than 50 KB."""
    path = MODELS[name].folder / weights.EXPLAIN_FILE
    assert path.stat().st_size < 50_000
    found = weights.load(path.parent)
    assert found.linear or found.filters or found.units is not None
