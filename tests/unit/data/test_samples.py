"""samples: the handwriting that is part of Digits is balanced, small, and by different people."""

import numpy as np

from digits.data import samples
from digits.data.drawings import Drawing
from digits.data.shapes import RARE, is_european_one, is_slashed_zero
from digits.ink import strokes as pen

RING = [[100 + 50 * np.cos(t), 150 + 100 * np.sin(t)] for t in np.linspace(-1.5, 4.7, 30)]


def drawn(label, *strokes):
    return Drawing(label, pen.check([np.asarray(stroke).tolist() for stroke in strokes]))


def test_are_balanced_over_classes_and_writers():
    """Every class is as frequent as the others, and no writer has more than a few drawings of a class."""
    for name, each, most in ((samples.STRANGERS, 46, 6), (samples.EXAMPLES, 160, 12)):
        found = samples.load(name)
        labels = [drawing.label for drawing in found]
        assert {label: labels.count(label) for label in labels} == dict.fromkeys("0123456789", each)
        pairs = [(drawing.label, drawing.writer) for drawing in found]
        assert max(pairs.count(pair) for pair in set(pairs)) <= most


def test_have_no_writer_in_common():
    """Whoever is measured on is shown nowhere as an example, and no model learned from them."""
    strangers, examples = ({one.writer for one in samples.load(name)} for name in (samples.STRANGERS, samples.EXAMPLES))
    assert not strangers & examples


def test_hold_the_rare_shapes():
    """Slashed zeros and European ones are among the examples, by several writers."""
    for is_one in RARE.values():
        writers = [drawing.writer for drawing in samples.load(samples.EXAMPLES) if is_one(drawing)]
        assert len(writers) >= 10
        assert len(set(writers)) >= 5


def test_writers_take_turns():
    """The first of each writer comes before anybody's second."""
    rows = [Drawing("7", [], writer=name) for name in "aaaabbc"]
    assert [one.writer for one in samples.choose_strangers(rows, each=5)] == ["a", "b", "c", "a", "b"]


def test_shapes_are_told_by_their_strokes():
    """A slash goes through the ring; an upstroke is long and comes from the left."""
    assert is_slashed_zero(drawn("0", RING, [[60, 250], [140, 50]]))
    assert not is_slashed_zero(drawn("0", RING))
    assert not is_slashed_zero(drawn("0", RING, [[40, 250], [44, 50]]))
    assert not is_slashed_zero(drawn("8", RING, [[60, 250], [140, 50]]))
    assert is_european_one(drawn("1", [[40, 180], [120, 20], [110, 300]]))
    assert not is_european_one(drawn("1", [[100, 50], [120, 20], [110, 300]]))
    assert not is_european_one(drawn("1", [[110, 300], [120, 20]]))
    assert not is_european_one(drawn("7", [[40, 180], [120, 20], [110, 300]]))


def test_are_a_part_of_the_repository_that_stays_small():
    """The files of digits together take less than a model, and so do those of letters."""
    digits, letters = (samples.STRANGERS, samples.EXAMPLES), (samples.LETTER_STRANGERS, samples.LETTER_EXAMPLES)
    assert sum(samples._path(name).stat().st_size for name in digits) < 250_000
    assert sum(samples._path(name).stat().st_size for name in letters) < 600_000
