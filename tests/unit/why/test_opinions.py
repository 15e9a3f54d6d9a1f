"""opinions: what several models read, and why the simplest one differs."""

import numpy as np
import pytest

from digits.models import catalogue
from digits.why import opinions


@pytest.fixture(scope="module")
def models():
    return [model for model in catalogue.bundled() if model.card.dataset == "mnist"]


@pytest.fixture(scope="module")
def told_apart(models, sample):
    """An image that softmax regression and the convolutional network read as different classes."""
    images = sample.test.images[:300]
    readings = [model.recogniser.probabilities(images).argmax(axis=1) for model in models]
    return images[np.flatnonzero(readings[0] != readings[-1])[0]]


def test_every_model_says_what_it_reads(models, told_apart):
    """Each opinion is the model's most likely class and its probability."""
    for model, opinion in zip(models, opinions.ask(models, told_apart), strict=True):
        probabilities = model.probabilities(told_apart[np.newaxis])[0]
        assert opinion.model is model
        assert opinion.reads == model.class_names[probabilities.argmax()]
        assert opinion.confidence == pytest.approx(probabilities.max())


def test_a_difference_is_explained_in_one_line(models, told_apart):
    """The line names the simple model, its prediction and the place of the ink that supports it."""
    asked = opinions.ask(models, told_apart)
    line = opinions.difference(asked, told_apart)
    assert line.startswith("Softmax regression only adds up ink")
    assert f"speaks for {asked[0].reads};" in line
    assert len(line) < 200


def test_nothing_is_explained_where_they_agree(models, told_apart, sample):
    """There is no line if both agree, or if one of the two was not asked."""
    image = sample.test.images[0]
    assert opinions.difference(opinions.ask(models, image), image) == ""
    assert opinions.difference(opinions.ask(models[1:3], told_apart), told_apart) == ""
