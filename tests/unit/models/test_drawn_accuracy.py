"""drawn_accuracy: a drawing is correct if it is read as its label, and refused drawings are also counted."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from digits.data import drawings, sets
from digits.data.strangers import Group
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


def strokes(source, *rows, way="strokes"):
    """A group of drawings, each row a label, its strokes and its writer."""
    return Group(source, way, [drawings.Drawing(label, pen.check(drawn), writer=by) for label, drawn, by in rows])


class TestStrangers:
    def test_each_source_counts_the_same(self, model):
        """The headline is the mean over the sources, however many drawings each has; pictures have their own."""
        right, wrong = ("7", SEVEN, "a"), ("3", SEVEN, "b")
        groups = [
            strokes("unipen", *[right] * 9, wrong),
            strokes("crohme-hamex", right, wrong),
            strokes("unipen", right, way="pictures"),
        ]
        (found,) = drawn_accuracy.measure_strangers([model], groups)
        assert found.strokes.share == pytest.approx((0.9 + 0.5) / 2)
        assert found.pictures.share == 1
        assert [(figures.source, figures.way, figures.writers) for figures in found.sources] == [
            ("unipen", "strokes", 2),
            ("crohme-hamex", "strokes", 2),
            ("unipen", "pictures", 1),
        ]
        assert found.sources[0].classes == {"3": (1, 0, 0), "7": (9, 9, 0)}

    def test_several_models_read_the_same_drawings(self, model):
        """Measured together or alone, a model has the same figures."""
        other = catalogue.bundled()[0]
        groups = [strokes("unipen", ("7", SEVEN, "a"), ("1", ONE, "b"))]
        together = drawn_accuracy.measure_strangers([other, model], groups)
        assert together == [drawn_accuracy.measure_strangers([one], groups)[0] for one in (other, model)]

    def test_the_sample_is_read_by_any_model_of_digits(self, model):
        """The sample has 460 drawings of 23 writers, 46 of each class; a model of letters has no figures of it."""
        found = drawn_accuracy.measure_sample(model)
        (figures,) = found.sources
        assert (figures.drawings, figures.writers, figures.way) == (460, 23, "strokes")
        assert {name: count[0] for name, count in figures.classes.items() if len(name) == 1} == dict.fromkeys(NAMES, 46)
        assert found.strokes == figures.correct
        assert found.is_sample
        assert drawn_accuracy.measure_sample(SimpleNamespace(class_names=("A", "B"))) is None


class TestInterval:
    def test_is_as_wide_as_the_writers_differ(self):
        """Ten writers who are each read wholly or not at all are ten independent cases, not a hundred."""
        writers = np.repeat(np.arange(10), 10)
        low, high = drawn_accuracy.interval_by_writer(writers < 8, writers)
        assert high - low > 0.4
        one_each = drawn_accuracy.interval_by_writer(np.arange(100) % 10 < 8, np.arange(100))
        assert one_each[1] - one_each[0] < 0.2

    def test_says_how_little_is_known_where_nothing_is_wrong(self):
        """All of ten drawings read correctly do not mean that all of a million are."""
        low, high = drawn_accuracy.interval_by_writer(np.ones(10, bool), np.arange(10))
        assert (round(low, 2), high) == (0.72, 1)


def test_what_no_stranger_has_drawn_is_not_measured():
    """A network that reads clothes can be trained and saved, although there is no drawing to measure it on."""
    clothes = SimpleNamespace(class_names=sets.find("fashion-mnist").class_names)
    assert drawn_accuracy.measure_sample(clothes) is None
