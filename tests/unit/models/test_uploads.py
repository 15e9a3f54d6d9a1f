"""uploads: every picture has an outcome, even if another picture is bad."""

import io

import numpy as np
import pytest
from PIL import Image

from digits.ink import strokes
from digits.ink.crops import Crop
from digits.models import catalogue, uploads


@pytest.fixture(scope="module")
def model():
    return next(model for model in catalogue.bundled() if model.id == catalogue.DEFAULT_MODEL)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def sharp_seven():
    """A 7 in two pen strokes, uint8 (280, 280), dark on white."""
    drawn = [np.float32([[80, 70], [200, 70], [130, 220]]), np.float32([[110, 150], [190, 150]])]
    return np.rint(255 * (1 - strokes.render(drawn, size=(280, 280), pen_width=14))).astype(np.uint8)


def test_picture_is_read_with_how_surely_and_whether_it_is_a_digit(model, seven):
    """A 7 is read as 7 with confidence, and looks like a digit; its thumbnail is a picture."""
    outcome = uploads.read("seven.png", seven, model)
    assert (outcome.name, outcome.reading, outcome.digits, outcome.message) == ("seven.png", "7", 1, "")
    assert outcome.confidence > 0.9
    assert outcome.looks == "yes"
    assert Image.open(io.BytesIO(outcome.thumbnail)).size == (128, 128)


def test_lines_of_writing_become_numbers_with_spaces_between(model, sharp_seven):
    """Two lines of two sevens are read as "77 77"."""
    assert uploads.read("page.png", png(np.tile(sharp_seven, (2, 2))), model).reading == "77 77"


def test_crop_leaves_the_rest_unread(model, sharp_seven):
    """The left half of two sevens is read as one seven."""
    pair = png(np.tile(sharp_seven, (1, 2)))
    assert uploads.read("pair.png", pair, model).reading == "77"
    assert uploads.read("pair.png", pair, model, Crop(right=50)).reading == "7"


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"no picture", "not a picture"), (png(np.full((60, 60), 255, np.uint8)), "No ink")],
    ids=["empty", "text", "blank"],
)
def test_what_cannot_be_read_has_a_message_instead(content, says, model):
    """An empty file, a text and a blank page give an outcome with a message and no reading."""
    outcome = uploads.read("it", content, model)
    assert says in outcome.message
    assert (outcome.reading, outcome.digits, outcome.looks) == ("", 0, "")


@pytest.mark.parametrize(
    ("digits", "doubtful", "looks"),
    [(1, 0, "yes"), (1, 1, "no"), (4, 0, "yes"), (4, 4, "no"), (4, 1, "3 of 4"), (0, 0, "")],
)
def test_number_says_how_many_of_its_digits_look_like_one(digits, doubtful, looks):
    """If all digits look alike the answer is a word; otherwise it is a count."""
    assert uploads.Outcome("n", digits=digits, doubtful=doubtful).looks == looks
