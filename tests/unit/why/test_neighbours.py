"""neighbours: an image's nearest examples are those that the network finds similar, in order."""

import dataclasses

import numpy as np
import pytest

from digits.data import samples
from digits.errors import InvalidImage, ModelNotFound
from digits.ink import glyphs
from digits.models import catalogue, features, textweights
from digits.models.recogniser import softmax
from digits.settings import Settings
from digits.why import neighbours

NAMES = tuple("0123456789")


@pytest.fixture(scope="module", params=["softmax", "convolutional", "drawing"])
def model(request):
    """A network of one layer, whose features are the pixels, and two of several layers."""
    return next(model for model in catalogue.bundled() if model.id == request.param)


def test_an_example_finds_itself_first(model):
    """An example has distance zero to itself."""
    images, labels = neighbours.examples(NAMES)
    for row in range(0, len(images), 200):
        first = neighbours.find(model, images[row])[0]
        np.testing.assert_array_equal(first.image, images[row])
        assert model.class_names[first.label] == labels[row]
        assert first.distance == pytest.approx(0, abs=1e-4)


def test_neighbours_come_in_order(model, sample):
    """There are eight by default, nearest first, all different and read-only."""
    found = neighbours.find(model, sample.test.images[3])
    distances = [neighbour.distance for neighbour in found]
    assert len(found) == 8
    assert distances == sorted(distances)
    assert len({neighbour.image.tobytes() for neighbour in found}) == 8
    assert all(neighbour.image.shape == (28, 28) and not neighbour.image.flags.writeable for neighbour in found)


def test_neighbours_of_what_is_read_correctly_have_its_label():
    """Of strangers' digits that are read correctly, nearly all have eight neighbours of their own class."""
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    drawings = samples.load(samples.STRANGERS)[::3]
    images = np.stack([glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings])
    labels = np.array([model.class_names.index(drawing.label) for drawing in drawings])
    is_right = model.probabilities(images).argmax(axis=1) == labels
    near = [[neighbour.label for neighbour in neighbours.find(model, image)] for image in images[is_right]]
    assert (np.array(near) == labels[is_right, None]).all(axis=1).mean() >= 0.95


def test_features_are_what_the_last_layer_is_given(model, sample):
    """The last layer's weights turn the features into the model's own probabilities."""
    reader = features.load(model.folder / catalogue.TFLITE_FILE)
    given = reader.features(sample.test.images[:20])
    kernel, bias = (weight.values for weight in textweights.read(model.folder / catalogue.KERAS_FILE)[-2:])
    assert softmax(given @ kernel + bias) == pytest.approx(
        model.recogniser.probabilities(sample.test.images[:20]), abs=1e-3
    )


def test_a_model_of_other_classes_has_its_own_examples(model):
    """Labels are indices into the model's classes; what nobody here has written has no examples."""
    images, _ = neighbours.examples(NAMES)
    turned = dataclasses.replace(model, card=dataclasses.replace(model.card, class_names=tuple("9876543210")))
    assert neighbours.find(turned, images[0])[0].label == 9 - neighbours.find(model, images[0])[0].label
    letters = dataclasses.replace(model, card=dataclasses.replace(model.card, class_names=tuple("ABCDEFGHIJ")))
    assert len(neighbours.find(letters, images[0])) == 8
    greek = dataclasses.replace(model, card=dataclasses.replace(model.card, class_names=tuple("αβγδεζηθικ")))
    assert neighbours.find(greek, images[0]) == []


def test_the_index_of_a_model_is_built_once(model):
    """All 1,600 examples are there, and few bytes are kept."""
    assert len(neighbours.index(model)) == 1600
    assert neighbours.index(model) is neighbours.index(model)
    assert neighbours.index(model)._directions.nbytes < 6e6


def test_an_index_may_be_small(model, small):
    """With fewer images than requested, all are returned in order."""
    reader = features.load(model.folder / catalogue.TFLITE_FILE)
    found = neighbours.Index(reader, small.train.images[:3], small.train.labels[:3]).find(small.train.images[1], 8)
    assert len(found) == 3
    np.testing.assert_array_equal(found[0].image, small.train.images[1])


def test_a_blank_image_has_neighbours(model):
    """A blank image has neighbours too."""
    assert len(neighbours.find(model, np.zeros((28, 28), np.uint8), 3)) == 3


@pytest.mark.parametrize("image", [np.zeros((28, 28)), np.zeros((1, 28, 28), np.uint8)])
def test_what_is_no_image_is_refused(image, model):
    """The message says what was expected and what was received."""
    with pytest.raises(InvalidImage, match=r"uint8 \(28, 28\); received"):
        neighbours.find(model, image)


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000)])
def test_a_damaged_model_is_named(content, tmp_path):
    """A file that is no model of LiteRT raises `ModelNotFound`."""
    (tmp_path / "model.tflite").write_bytes(content)
    with pytest.raises(ModelNotFound, match=r"model\.tflite; it cannot be read"):
        features.load(tmp_path / "model.tflite")
    with pytest.raises(ModelNotFound):
        features.load(tmp_path / "missing.tflite")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], "There are no examples to compare with."),
        ([7, 7], "The 2 nearest examples are all labelled 7."),
        ([7, 9, 7], "Of the 3 nearest examples, 2 are labelled 7 and 1 is labelled 9."),
        ([7, 9, 7, 1, 9, 7], "Of the 6 nearest examples, 3 are labelled 7, 2 are labelled 9 and 1 is labelled 1."),
    ],
)
def test_words_count_the_labels(labels, expected):
    """The most frequent class comes first."""
    near = [neighbours.Neighbour(np.zeros((28, 28), np.uint8), label, 1.0) for label in labels]
    assert neighbours.describe(near, NAMES) == expected
