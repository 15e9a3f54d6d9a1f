"""neighbours: an image's nearest examples are itself and similar images, in order."""

import numpy as np
import pytest

from digits.errors import InvalidImage
from digits.why import neighbours

NAMES = tuple("0123456789")


def test_an_image_of_the_index_finds_itself_first(sample):
    """An image of the index has distance zero to itself, whichever split it is from."""
    for split in (sample.train, sample.validation, sample.test):
        for image, label in zip(split.images[:10], split.labels[:10], strict=True):
            first = neighbours.find(image)[0]
            np.testing.assert_array_equal(first.image, image)
            assert first.label == label
            assert first.distance == pytest.approx(0, abs=1e-3)


def test_neighbours_come_in_order(sample):
    """There are eight by default, nearest first, all different and read-only."""
    found = neighbours.find(sample.test.images[3])
    distances = [neighbour.distance for neighbour in found]
    assert len(found) == 8
    assert distances == sorted(distances)
    assert len({neighbour.image.tobytes() for neighbour in found}) == 8
    assert all(neighbour.image.shape == (28, 28) and not neighbour.image.flags.writeable for neighbour in found)


def test_neighbours_of_an_unseen_image_are_mostly_of_its_class(sample):
    """An index without the test images finds images of the same class for most of them."""
    index = neighbours.Index(sample.train.images, sample.train.labels)
    labels = np.array([[near.label for near in index.find(image, 5)] for image in sample.test.images[:200]])
    assert (labels == sample.test.labels[:200, None]).mean() > 0.88


def test_all_five_thousand_are_there():
    """The index holds the whole sample, is built once and stays small."""
    index = neighbours.index()
    assert len(index) == 5000
    assert neighbours.index() is index
    assert index._positions.dtype == np.float32
    assert index._positions.nbytes + index._images.nbytes < 6e6


def test_an_index_may_be_small(small):
    """With fewer images than requested, or even than components, all are returned in order."""
    index = neighbours.Index(small.train.images[:3], small.train.labels[:3])
    found = index.find(small.train.images[1], 8)
    assert len(found) == 3
    np.testing.assert_array_equal(found[0].image, small.train.images[1])
    assert len(index.find(small.train.images[1], 3)) == 3


def test_a_blank_image_has_neighbours():
    """A blank image has neighbours too."""
    assert len(neighbours.find(np.zeros((28, 28), np.uint8), 3)) == 3


@pytest.mark.parametrize("image", [np.zeros((28, 28)), np.zeros((1, 28, 28), np.uint8)])
def test_what_is_no_image_is_refused(image):
    """The message says what was expected and what was received."""
    with pytest.raises(InvalidImage, match=r"uint8 \(28, 28\); received"):
        neighbours.find(image)


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
