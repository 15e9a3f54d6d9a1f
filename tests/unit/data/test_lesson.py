"""lesson: copies of the corrections mixed with what the network knew, always the same, and others to measure on."""

import numpy as np
import pytest

from digits.data import lesson
from digits.data.drawings import Drawing

TAUGHT = [
    Drawing("7", [np.float32([[70, 60], [210, 60], [120, 230]])]),
    Drawing("1", [np.float32([[200, 50], [198, 220]])]),
]


@pytest.fixture(scope="module")
def built(small):
    return lesson.build(small, TAUGHT)


def test_it_mixes_the_corrections_with_what_the_network_knew(small, built):
    """The test images are those of before, and the mixture says how many images are of which kind."""
    known, taught = built.mixture
    assert taught.images == 2 * lesson.COPIES
    assert np.bincount(built.train.labels[: taught.images], minlength=10).tolist() == [0, 40, 0, 0, 0, 0, 0, 40, 0, 0]
    assert len(built.train) == taught.images + known.images
    assert set(built.train.labels[taught.images :]) == set(range(10))
    assert known.images > len(small.train)  # real handwriting beside the data set's own images
    assert (built.test, built.class_names, built.name) == (small.test, small.class_names, "mnist")


def test_it_is_the_same_each_time(small, built):
    again = lesson.build(small, TAUGHT)
    np.testing.assert_array_equal(again.train.images, built.train.images)
    np.testing.assert_array_equal(again.validation.images, built.validation.images)


def test_what_it_is_measured_on_is_not_learned_from(built):
    held_out = lesson.variations(TAUGHT, built.class_names)
    assert len(held_out) == 2 * lesson.HELD_OUT
    learned = {image.tobytes() for image in built.train.images}
    assert not learned & {image.tobytes() for image in held_out.images}


def test_a_correction_is_measured_as_it_was_drawn(built):
    assert lesson.as_drawn(TAUGHT, built.class_names).labels.tolist() == [7, 1]
