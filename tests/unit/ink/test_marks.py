"""marks: a dot is never a digit, the smallest digits are no dots, and a first stroke may become a digit."""

import os

import numpy as np
import pytest

from digits.data import handwriting
from digits.ink import glyphs, marks
from digits.ink import strokes as pen
from digits.models import catalogue, reading
from digits.models.judge import find_judge
from digits.settings import Settings
from digits.views.sharing import PEN_WIDTHS

PENS = [4, 8, 16, 24, 40]
SHEETS = [(280, 280), (400, 400), (240, 640), (200, 344)]
DIGITS = {
    "0": [[(10 + 7 * np.sin(a), 10 - 10 * np.cos(a)) for a in np.linspace(0, 6.2, 30)]],
    "1": [[(10, 0), (9, 20)]],
    "4": [[(8, 0), (0, 12), (14, 12)], [(11, 6), (10, 20)]],
    "7": [[(0, 0), (14, 0), (5, 20)]],
}


@pytest.fixture(scope="module")
def model():
    return catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())


def moved(strokes, place):
    return [np.float32(stroke) + np.float32(place) for stroke in strokes]


@pytest.mark.parametrize("pen_width", PENS)
def test_a_tap_is_never_read(pen_width, model):
    """Taps at a hundred places, still or trembling by a few pixels, are refused and asked to go on."""
    rng = np.random.default_rng(pen_width)
    for number in range(100):
        height, width = SHEETS[number % len(SHEETS)]
        place = rng.uniform([0, 0], [width, height])
        tremble = rng.uniform(0, 4, (number % 5 + 1, 2)) * (number % 2)
        tap = pen.check([place + tremble])
        read = reading.read_strokes(tap, model, size=(height, width), pen_width=pen_width)
        assert read.doubtful == len(read.digits) == 1, place
        assert read.beginnings.all()


@pytest.mark.parametrize("size", SHEETS)
@pytest.mark.parametrize("pen_width", range(PEN_WIDTHS[0], PEN_WIDTHS[1] + 1, 6))
@pytest.mark.parametrize("digit", DIGITS)
def test_the_smallest_digits_are_no_dots(digit, pen_width, size, model):
    """Digits of 20 pixels are read, with the thickest pen too."""
    strokes = moved(DIGITS[digit], (100, 90))
    read = reading.read_strokes(strokes, model, size=size, pen_width=pen_width)
    assert (read.text, read.doubtful) == (digit, 0)


@pytest.mark.parametrize("radius", [4, 10, 40, 90])
def test_a_spot_in_a_picture_is_a_dot(radius, model):
    """A disc and a rough spot are dots at every size; a ring and a bar are not."""
    rng = np.random.default_rng(radius)
    y, x = np.mgrid[-100:100, -100:100] + 0.5
    distance = np.hypot(x, y)
    angle = np.arctan2(y, x)
    rough = radius * (1 + 0.06 * np.sin(5 * angle + rng.uniform(0, 6)))
    for edge in (radius, rough):
        read = reading.read_ink(np.float32(distance < edge), model)
        assert read.doubtful == len(read.digits) == 1
        assert marks.is_dot(read.digits[0].glyph)
        assert not read.beginnings.any()
    ring = np.float32((distance < radius) & (distance > 0.7 * radius))
    bar = np.float32((abs(x) < radius / 4) & (abs(y) < radius))
    assert not marks.is_dot(glyphs.fit(ring))
    assert not marks.is_dot(glyphs.fit(bar))


def test_first_strokes_are_beginnings_and_finished_drawings_are_not():
    """An L, a hook and a bar may become digits; scribbles, letters of several strokes and pictures may not."""
    angle, hook, bar = (
        [(60, 40), (30, 110), (95, 110)],
        [(60, 40), (60, 80), (100, 90), (80, 130)],
        [(30, 50), (90, 52)],
    )
    for first in (angle, hook, bar, [(140, 140)]):
        assert marks.is_beginning(glyphs.fit_strokes(pen.check([first])))
    zigzag = [(20 * step, 100 + 80 * (step % 2)) for step in range(9)]
    cross = [[(40, 40), (120, 120)], [(120, 40), (40, 120)]]
    for strokes in ([zigzag], cross):
        assert not marks.is_beginning(glyphs.fit_strokes(pen.check(strokes)))
    ink = pen.render(pen.check([angle]), size=(280, 280), pen_width=12)
    assert not marks.is_beginning(glyphs.fit(ink))


@pytest.mark.skipif(not os.environ.get("DIGITS_DATA_DIR"), reason="real handwriting is needed")
def test_real_first_strokes_are_seldom_scolded():
    """Of the first strokes of real 4s, 5s and 7s in two strokes, nearly all are read or asked to go on."""
    folder = Settings.from_environment().data_dir
    drawings = handwriting.load_strokes(folder, "pendigits", "development", ("4", "5", "7"))
    firsts = [glyphs.fit_strokes(drawing.strokes[:1]) for drawing in drawings if len(drawing.strokes) == 2][:300]
    accepted = find_judge(tuple("0123456789")).accepts(np.stack([glyph.image for glyph in firsts]))
    scolded = [
        glyph for glyph, is_digit in zip(firsts, accepted, strict=True) if not (is_digit or marks.is_beginning(glyph))
    ]
    assert len(firsts) > 200
    assert len(scolded) <= 0.02 * len(firsts)
