"""drawn_accuracy: a drawing is correct if it is read as its label, and refused drawings are also counted."""

import json

import numpy as np
import pytest

from digits.data import drawings
from digits.ink import strokes as pen
from digits.models import catalogue, drawn_accuracy, reading

SEVEN = [[[70, 60], [210, 60], [120, 230]]]
ONE = [[[140, 40], [138, 240]]]
CROSS = [[[60, 60], [220, 220]], [[220, 60], [60, 220]], [[40, 140], [240, 140]], [[140, 40], [140, 240]]]
SPLIT_FOUR = [[[40, 60], [30, 130], [90, 130]], [[200, 60], [200, 220]]]  # strokes far apart: two digits
NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def model():
    return next(model for model in catalogue.bundled() if model.id == catalogue.DEFAULT_MODEL)


def examples(folder, *rows, **how):
    folder.mkdir(exist_ok=True)
    (folder / "some.json").write_text(json.dumps([{"label": label, "strokes": strokes} for label, strokes in rows]))
    return drawings.load_examples(folder, NAMES, **how)


@pytest.mark.parametrize("as_picture", [False, True])
def test_counts_drawings_as_the_independent_ones(model, tmp_path, as_picture):
    """Four placings of one drawing are not independent: the interval is as wide as for two drawings."""
    measured = drawn_accuracy.measure(model, examples(tmp_path, ("7", SEVEN), ("1", ONE), as_picture=as_picture))
    assert (measured.correct, measured.total, measured.independent) == (8, 8, 2)
    assert measured.interval[1] - measured.interval[0] > 0.4
    assert measured.refused == 0


def test_a_digit_in_two_is_wrong(model, tmp_path):
    """A 4 whose strokes are far apart is read as two digits, so it is wrong."""
    measured = drawn_accuracy.measure(model, examples(tmp_path, ("4", SPLIT_FOUR), ("7", SEVEN)))
    assert (measured.correct, measured.total) == (4, 8)


def test_a_refused_drawing_counts_as_it_is_read(model, tmp_path):
    """A refused drawing is counted separately; it is correct if its reading is the label."""
    label = reading.read_strokes(pen.check(CROSS), model).text
    measured = drawn_accuracy.measure(model, examples(tmp_path, (label, CROSS), ("7", SEVEN)))
    assert measured.refused == 4
    assert measured.correct == 8
    assert measured.to_dict().keys() >= {"correct", "total", "independent", "accuracy", "refused", "data"}
    assert "4 refused" in str(measured)


@pytest.mark.parametrize("as_picture", [False, True])
def test_every_drawing_counts_as_reading_it_alone_says(model, tmp_path, as_picture):
    """Drawings read together, and those read one by one, are read like on the Draw page."""
    touching = [*SEVEN, [[200, 70], [190, 200], [240, 200], [200, 70]]]
    given = examples(tmp_path, ("7", SEVEN), ("0", touching), ("4", SPLIT_FOUR), placings=2, as_picture=as_picture)
    correct, refused = 0, 0
    for seed in range(2):
        rng = np.random.default_rng(seed)
        for label, strokes in (("7", SEVEN), ("0", touching), ("4", SPLIT_FOUR)):
            placed = drawings.place(pen.check(strokes), rng)
            if as_picture:
                ink = pen.render(placed.strokes, size=(280, 280), pen_width=placed.pen_width)
                read = reading.read_ink(drawings.pictures.find_ink(np.float32(1) - ink), model)
            else:
                read = reading.read_strokes(placed.strokes, model, pen_width=placed.pen_width)
            correct, refused = correct + (read.text == label), refused + (not read.accepted.any())
    measured = drawn_accuracy.measure(model, given)
    assert (measured.correct, measured.refused) == (correct, refused)
    assert given.doubtful


def test_a_page_of_marks_is_wrong_and_no_error(model, tmp_path):
    """A drawing with too many marks to read counts as wrong, and the measurement continues."""
    marks = [[[6 * i, 0], [6 * i, 20]] for i in range(45)]
    assert drawn_accuracy.measure(model, examples(tmp_path, ("1", marks), placings=1)).correct == 0
