"""Weights to look at: what the small file holds is what the network computes, and its pictures open."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from digits.errors import ModelNotFound
from digits.models import catalogue, weights
from digits.training import export, networks

MODELS = {model.id: model for model in catalogue.bundled()}
NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def image(sample):
    return sample.test.images[0]


def shaken(network):
    """A network with every weight away from its start, running means and variances included."""
    model = networks.build(network, 10, seed=3)
    random = np.random.default_rng(0)
    model.set_weights([np.abs(w + random.normal(0, 0.05, w.shape).astype(np.float32)) for w in model.get_weights()])
    return model


def written(model, folder):
    weights.write(model, folder / weights.EXPLAIN_FILE)
    return weights.load(folder)


@pytest.mark.parametrize(("network", "last"), [("drawing", "relu_1"), ("convolutional", "filters_1")])
def test_filters_answer_as_the_network_does(network, last, tmp_path, image):
    """Numpy's maps are Keras's after the first convolution, its normalisation and its ReLU."""
    model = shaken(network)
    filters = written(model, tmp_path).filters
    first = keras.Model(model.input, model.get_layer(last).output)
    expected = first(image[np.newaxis].astype(np.float32)).numpy()[0]
    assert filters.is_relu
    np.testing.assert_allclose(filters.maps(image), expected, atol=0.005 * expected.max())


@pytest.mark.parametrize("network", ["softmax", "published"])
def test_a_linear_network_becomes_one_matrix(network, tmp_path, image):
    """Layers without activations multiply into one, and its logits are the network's."""
    model = networks.build(network, 10, seed=3)
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.02, w.shape).astype(np.float32) for w in model.get_weights()])
    found = written(model, tmp_path)
    logits = keras.Model(model.input, model.get_layer(networks.LOGITS).output)
    expected = logits(image[np.newaxis].astype(np.float32)).numpy()
    np.testing.assert_allclose(found.linear.logits(image[np.newaxis]), expected, atol=0.005 * np.abs(expected).max())
    assert (found.units is None) == (network == "softmax")


def test_the_strongest_units_come_first(tmp_path):
    """A unit with long weights in and out is picked, and its picture is its weights."""
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
    """No scaling to [0, 1], or a layer that nobody foresaw: no file, no weights."""
    plain = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    assert weights.derive(plain) == {}
    assert written(plain, tmp_path).linear is None
    assert not (tmp_path / weights.EXPLAIN_FILE).exists()


def test_a_damaged_file_is_reported(tmp_path):
    """Whatever lies there is read as arrays, or refused in words."""
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
    """A folder with a Keras file alone gets its weights to look at."""
    networks.build("softmax", 10).save(tmp_path / catalogue.KERAS_FILE)
    export.write_explanation(tmp_path)
    assert weights.load(tmp_path).linear is not None


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_bundled_model_has_small_weights(name):
    """Each has something to show, in less than 50 KB."""
    path = MODELS[name].folder / weights.EXPLAIN_FILE
    assert path.stat().st_size < 50_000
    found = weights.load(path.parent)
    assert found.linear or found.filters or found.units is not None


def size_of(sprite):
    picture = Image.open(io.BytesIO(sprite.png))
    picture.load()
    assert sprite.alt[0].isupper() or sprite.alt[0].isdigit()
    return picture.size


def test_sprites_open_at_their_size(image, tmp_path):
    """Each sprite has room for all its pictures, and words for who cannot see it."""
    linear = weights.Linear(np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32), np.zeros(10))
    assert size_of(weights.class_pictures(linear, NAMES)) == (10 + 5 * (112 + 10), 10 + 2 * (112 + 20 + 10))
    filters = written(networks.build("convolutional", 10), tmp_path).filters
    assert size_of(weights.filter_pictures(filters)) == (10 + 8 * 70, 10 + 4 * 70)
    assert size_of(weights.map_pictures(filters, image)) == (10 + 8 * 94, 10 + 4 * 94)
    assert size_of(weights.unit_pictures(np.zeros((32, 28, 28), np.float32), columns=4)) == (10 + 4 * 94, 10 + 8 * 94)


def test_maps_of_a_blank_image_are_drawn(tmp_path):
    """Nothing to answer to is no division by zero."""
    filters = written(networks.build("convolutional", 10), tmp_path).filters
    assert size_of(weights.map_pictures(filters, np.zeros((28, 28), np.uint8)))


def test_colours_tell_signs_apart():
    """Blue for, white for nothing, orange against; larger values are no bluer than blue."""
    colours = weights.diverging(np.array([-1.0, 0.0, 1.0, 7.0]))
    assert [tuple(map(int, colour)) for colour in colours] == [
        weights.AGAINST,
        (255, 255, 255),
        weights.FOR,
        weights.FOR,
    ]
