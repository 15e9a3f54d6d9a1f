"""allographs: every digit in its variants, each drawn differently, as on the Draw page."""

import numpy as np
import pytest

from digits.data import allographs
from digits.models import catalogue
from digits.settings import Settings


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_drawn_whole_and_never_twice_alike(digit):
    """Strokes are finite, about a hundred high, and differ between drawings."""
    rng = np.random.default_rng(digit)
    drawings = [allographs.draw(digit, rng) for _ in range(30)]
    for strokes in drawings:
        points = np.concatenate(strokes)
        assert points.dtype == np.float32
        assert np.isfinite(points).all()
        assert 70 < np.ptp(points[:, 1]) < 160
    assert len({np.concatenate(strokes).tobytes() for strokes in drawings}) == 30


def test_examples_are_images_with_all_labels():
    """As many images as requested, with the ten digits in turn; the same seed gives the same images."""
    images, labels = allographs.examples(40, np.random.default_rng(3))
    again, _ = allographs.examples(40, np.random.default_rng(3))
    assert (images.shape, images.dtype, labels.dtype) == ((40, 28, 28), np.uint8, np.uint8)
    assert np.bincount(labels).tolist() == [4] * 10
    assert np.array_equal(images, again)
    assert images.max(axis=(1, 2)).min() == 255


def test_a_model_reads_most_of_them_correctly():
    """A network trained on MNIST alone reads nine of ten: the shapes are digits, and some are new to it."""
    images, labels = allographs.examples(300, np.random.default_rng(5))
    model = catalogue.find("convolutional", Settings.from_environment())
    share = (model.recogniser.probabilities(images).argmax(axis=1) == labels).mean()
    assert 0.9 < share <= 1
