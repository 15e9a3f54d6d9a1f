"""weight_pictures: every sprite has the expected size, and colours show the sign."""

import io

import numpy as np
import pytest
from PIL import Image

from digits.models import catalogue, weights
from digits.views import weight_pictures

MODELS = {model.id: model for model in catalogue.bundled()}
NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def image(sample):
    return sample.test.images[0]


def size_of(sprite):
    picture = Image.open(io.BytesIO(sprite.png))
    picture.load()
    assert sprite.alt[0].isupper() or sprite.alt[0].isdigit()
    return picture.size


def test_sprites_open_at_their_size(image):
    """Each sprite has room for all its pictures, and a text alternative."""
    linear = weights.Linear(np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32), np.zeros(10))
    assert size_of(weight_pictures.class_pictures(linear, NAMES)) == (10 + 5 * (112 + 10), 10 + 2 * (112 + 20 + 10))
    filters = weights.load(MODELS["convolutional"].folder).filters
    assert size_of(weight_pictures.filter_pictures(filters)) == (10 + 8 * 70, 10 + 4 * 70)
    assert size_of(weight_pictures.map_pictures(filters, image)) == (10 + 8 * 94, 10 + 4 * 94)
    assert size_of(weight_pictures.unit_pictures(np.zeros((32, 28, 28)), columns=4)) == (10 + 4 * 94, 10 + 8 * 94)


def test_maps_of_a_blank_image_are_drawn():
    """A blank image, to which no filter responds, causes no division by zero."""
    filters = weights.load(MODELS["convolutional"].folder).filters
    assert size_of(weight_pictures.map_pictures(filters, np.zeros((28, 28), np.uint8)))


def test_colours_tell_signs_apart():
    """Blue is positive, white zero, orange negative; large values do not exceed full blue."""
    colours = weight_pictures.diverging(np.array([-1.0, 0.0, 1.0, 7.0]))
    assert [tuple(map(int, colour)) for colour in colours] == [
        weights.AGAINST,
        (255, 255, 255),
        weights.FOR,
        weights.FOR,
    ]
