"""mixture: images are added to the training set only, and cached."""

import dataclasses

import numpy as np

from digits.data import mixture


def test_adds_redrawn_images_and_shapes_to_training_alone(small, tmp_path):
    """A third of redrawn images and a sixth of shapes are added; validation and test images stay the same."""
    few = dataclasses.replace(small, train=small.train.rows(0, 60))
    said = []
    whole = mixture.for_drawings(few, tmp_path, said.append)
    assert len(whole.train) == 60 + 20 + 10
    assert np.array_equal(whole.train.images[:60], few.train.images)
    assert np.array_equal(whole.train.labels[60:80], few.train.labels[:20])
    assert whole.validation is few.validation
    assert whole.test is few.test
    assert [words[-4:] for words in said] == [", 0%"]


def test_is_remembered(small, tmp_path, monkeypatch):
    """The second call draws nothing; a damaged cache file is made again."""
    few = dataclasses.replace(small, train=small.train.rows(0, 30))
    first = mixture.for_drawings(few, tmp_path / "memory")
    redraw = mixture.redraw
    monkeypatch.setattr(mixture, "redraw", None)
    assert np.array_equal(mixture.for_drawings(few, tmp_path / "memory").train.images, first.train.images)
    monkeypatch.setattr(mixture, "redraw", redraw)
    (file,) = (tmp_path / "memory").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(mixture.for_drawings(few, tmp_path / "memory").train.images, first.train.images)


def test_other_classes_get_no_digits(small, tmp_path):
    """A data set of letters is redrawn too, but no digits are added."""
    letters = dataclasses.replace(small, class_names=tuple("ABCDEFGHIJ"), train=small.train.rows(0, 30))
    assert len(mixture.for_drawings(letters, tmp_path).train) == 40


def test_redrawing_evens_the_pen(small):
    """A redrawn image has the even pen of drawings: its ink varies less between images than MNIST's."""
    images = small.train.images[:60]
    redrawn = np.stack([mixture.redraw(image) for image in images])
    assert (redrawn.shape, redrawn.dtype) == (images.shape, np.uint8)
    ink = [pictures[pictures > 40].std() for pictures in (images, redrawn)]
    assert ink[1] < ink[0]
