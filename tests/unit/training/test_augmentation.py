"""augmentation: each image is distorted differently, and only the seed decides how."""

import numpy as np
import pytest
import tensorflow as tf

from digits.training.augmentation import augment


@pytest.fixture(scope="module")
def images(sample):
    return sample.train.images[:60].astype(np.float32)


def distorted(images, *seed):
    return augment(tf.constant(images), tf.constant(seed, tf.int32)).numpy()


def test_gives_images_of_the_same_kind(images):
    """The result has the same shape and stays between paper and ink."""
    result = distorted(images, 1, 2)
    assert (result.shape, result.dtype) == (images.shape, np.float32)
    assert result.min() >= 0
    assert result.max() <= 255


def test_depends_on_the_seed_alone(images):
    """The same seed gives the same distortions, and another seed gives others."""
    assert np.array_equal(distorted(images, 1, 2), distorted(images, 1, 2))
    assert not np.array_equal(distorted(images, 1, 2), distorted(images, 1, 3))


def test_distorts_each_image_in_its_own_way(images):
    """Copies of one image are all distorted differently."""
    results = distorted(np.repeat(images[:1], 20, axis=0), 5, 6)
    assert len({result.tobytes() for result in results}) == 20


def test_leaves_digits_readable(images, sample):
    """A model that was never trained on distorted digits still reads most of them correctly."""
    from digits.models import catalogue

    model = next(model for model in catalogue.bundled() if model.id == "convolutional")
    read = model.recogniser.probabilities(np.rint(distorted(images, 7, 8)).astype(np.uint8)).argmax(axis=1)
    assert (read == sample.train.labels[: len(images)]).mean() > 0.7


def test_keeps_paper_empty():
    """Augmentation adds no ink where there is none."""
    assert not distorted(np.zeros((3, 28, 28), np.float32), 1, 1).any()
