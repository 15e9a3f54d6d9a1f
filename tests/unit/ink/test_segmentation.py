"""segmentation: which strokes and which ink form a digit, and which number they give."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.errors import InvalidImage
from digits.ink import glyphs, grouping, segmentation
from digits.ink import strokes as pen

# Digits as people write them, one unit high, x and y from the top left corner.
ONE = [[(0.1, 0), (0.1, 1)]]
TWO = [[(0, 0.2), (0.3, 0), (0.5, 0.3), (0, 1), (0.6, 1)]]
FOUR = [[(0.3, 0), (0, 0.6), (0.6, 0.6)], [(0.45, 0.3), (0.45, 1)]]
FIVE = [[(0.1, 0), (0, 0.4), (0.5, 0.7), (0, 1)], [(0.1, 0), (0.55, 0.02)]]
SEVEN = [[(0, 0), (0.55, 0), (0.2, 1)], [(0.15, 0.5), (0.5, 0.5)]]
ZERO = [[(0.3 + 0.3 * np.sin(a), 0.5 - 0.5 * np.cos(a)) for a in np.linspace(0, 6.28, 30)]]
DIGITS = [ZERO, ONE, TWO, FOUR, FIVE, SEVEN]
BROKEN_FIVE = [FIVE[0], [(0.2, -0.05), (0.6, -0.03)]]

points = st.tuples(st.floats(0, 700, width=32), st.floats(0, 220, width=32))
drawings = st.lists(st.lists(points, min_size=1, max_size=6), max_size=8).map(
    lambda rows: [np.array(row, np.float32) for row in rows]
)
numbers = st.lists(st.sampled_from(range(len(DIGITS))), min_size=1, max_size=6)


def write(*shapes, gap=0.3, height=80.0, corner=(10.0, 60.0)):
    """Return the strokes of these digits side by side, and the number of strokes of each."""
    strokes, x = [], 0.0
    for shape in shapes:
        strokes += [np.array(stroke) * height + [corner[0] + x * height, corner[1]] for stroke in shape]
        x += max(point[0] for stroke in shape for point in stroke) + gap
    return pen.check(strokes)


def groups_of(shapes):
    """Return the groups that `split_strokes` should give for these digits."""
    ends = np.cumsum([0, *map(len, shapes)]).tolist()
    return [list(range(first, last)) for first, last in itertools.pairwise(ends)]


def draw(strokes, size=(220, 700), pen_width=8.0):
    return pen.render(strokes, size=size, pen_width=pen_width)


def sure_of(is_digit):
    """A recogniser that is confident in images for which `is_digit` is true, and in no others."""

    def score(pictures):
        rows = np.full((len(pictures), 10), 0.1, np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            if is_digit(picture):
                row[:] = 0.001
                row[3] = 0.991
        return rows

    return score


@given(drawings)
def test_every_stroke_is_in_one_digit(strokes):
    """For any strokes, the groups are a partition of the strokes, and none is empty."""
    groups = segmentation.split_strokes(strokes)
    assert sorted(index for group in groups for index in group) == list(range(len(strokes)))
    assert all(groups)


@given(drawings)
@settings(max_examples=25)
def test_a_recogniser_cannot_break_the_partition(strokes):
    """The same holds with a recogniser."""
    groups = segmentation.split_strokes(strokes, score=sure_of(lambda picture: picture.sum() % 2))
    assert sorted(index for group in groups for index in group) == list(range(len(strokes)))


@given(drawings)
@settings(max_examples=25)
def test_every_inked_pixel_is_in_one_digit(strokes):
    """The digits' inks, put back in their boxes, give the original ink."""
    ink = draw(strokes, pen_width=6)
    back = np.zeros_like(ink)
    for (x0, y0, x1, y1), digit in segmentation.split_ink(ink, score=sure_of(lambda picture: picture.sum() % 2)):
        assert digit.shape == (y1 - y0, x1 - x0)
        inked = digit > 0.5
        assert not (back[y0:y1, x0:x1] > 0.5)[inked].any()
        back[y0:y1, x0:x1][inked] = digit[inked]
    assert np.array_equal(back, np.where(ink > 0.5, ink, 0))


@given(numbers)
def test_separate_digits_are_separated(chosen):
    """Separate digits are found from left to right, and those of two strokes stay whole."""
    shapes = [DIGITS[index] for index in chosen]
    strokes = write(*shapes)
    assert segmentation.split_strokes(strokes) == groups_of(shapes)
    boxes = [box for box, _ in segmentation.split_ink(draw(strokes))]
    assert len(boxes) == len(shapes)
    assert boxes == sorted(boxes)


@given(numbers, st.randoms(use_true_random=False))
def test_the_order_of_drawing_does_not_matter(chosen, random):
    """The digits do not depend on the order of the strokes."""
    strokes = write(*(DIGITS[index] for index in chosen))
    order = list(range(len(strokes)))
    random.shuffle(order)
    groups = segmentation.split_strokes([strokes[index] for index in order])
    assert [sorted(order[index] for index in group) for group in groups] == segmentation.split_strokes(strokes)


@given(drawings, st.integers(-2, 2), st.integers(-512, 512), st.integers(-512, 512))
def test_place_and_size_do_not_matter(strokes, power, right, down):
    """A drawing that is moved and scaled gives the same digits."""
    strokes = [np.rint(stroke) for stroke in strokes]  # so that moving and halving are exact
    moved = [stroke * np.float32(2.0**power) + np.float32([right, down]) for stroke in strokes]
    ys = [value for stroke in strokes for value in stroke[:, 1]]
    if not ys or min(np.ptp(stroke[:, 1]) for stroke in strokes) < 8:
        return  # heights below one pixel count as one pixel, so size matters for a drawing of a few pixels
    assert segmentation.split_strokes(moved) == segmentation.split_strokes(strokes)


@pytest.mark.parametrize("shape", [*DIGITS, BROKEN_FIVE], ids=["0", "1", "2", "4", "5", "7", "broken-5"])
@pytest.mark.parametrize("pen_width", [4, 16])
def test_a_lone_digit_stays_whole(shape, pen_width):
    """A digit of two strokes, or with a loose bar, is one digit, even if the recogniser is never confident."""
    strokes = write(shape, height=120)
    for score in (None, sure_of(lambda picture: False)):
        assert len(segmentation.split_strokes(strokes, score=score)) == 1
        assert len(segmentation.split_ink(draw(strokes, pen_width=pen_width), score=score)) == 1


def test_where_digits_meet_the_recogniser_decides():
    """Two digits whose boxes overlap a little are one or two, as the recogniser decides."""
    strokes = write(ZERO, ZERO, gap=-0.08)
    wide, narrow = (
        sure_of(lambda picture: inked_width(picture) > 16),
        sure_of(lambda picture: inked_width(picture) < 16),
    )
    assert segmentation.split_strokes(strokes, score=wide) == [[0, 1]]
    assert segmentation.split_strokes(strokes, score=narrow) == [[0], [1]]


def test_touching_ink_is_cut_where_the_parts_read_better():
    """Two digits in one piece of ink are cut at the bridge, unless the recogniser reads them as one."""
    ink = draw([*write(ZERO, ZERO, gap=0.2, height=100), np.array([[70, 110], [90, 110]], np.float32)])
    narrow, anything = sure_of(lambda picture: inked_width(picture) < 16), sure_of(lambda picture: True)
    (left, _), (right, _) = segmentation.split_ink(ink, score=narrow)
    assert 74 <= left[2] <= right[0] + 1 <= 87  # somewhere on the bridge
    assert len(segmentation.split_ink(ink, score=anything)) == 1
    assert len(segmentation.split_ink(ink)) == 1


def inked_width(picture):
    return np.ptp(np.flatnonzero((picture > 127).any(axis=0))) + 1


def test_lines_are_numbers_of_their_own():
    """Lines are read from top to bottom, each from left to right."""
    strokes = [*write(TWO, ZERO, corner=(60, 120)), *write(FIVE, ONE, SEVEN, corner=(10, 10))]
    assert segmentation.split_strokes(strokes) == [[2, 3], [4], [5, 6], [0], [1]]
    for digits in (
        segmentation.find_digits(strokes, size=(220, 700), pen_width=6),
        segmentation.find_digits_in_ink(draw(strokes, pen_width=6)),
    ):
        assert [digit.line for digit in digits] == [0, 0, 0, 1, 1]


def test_an_eight_of_two_circles_is_no_two_lines():
    """Pieces above each other that almost touch form one digit."""
    upper = np.array(ZERO[0]) * 60 + [50, 20]
    lower = np.array(ZERO[0]) * 70 + [48, 84]
    assert segmentation.split_strokes(pen.check([upper, lower])) == [[0, 1]]


def test_digits_know_their_place():
    """A digit's box, and its glyph's, match its position in the source."""
    strokes = write(TWO, ZERO, height=80, corner=(30, 60))
    for digits in (
        segmentation.find_digits(strokes, size=(220, 700), pen_width=8),
        segmentation.find_digits_in_ink(draw(strokes)),
    ):
        two, zero = digits
        assert two.box == pytest.approx((26, 56, 82, 144), abs=2)
        assert zero.box == pytest.approx((98, 56, 154, 144), abs=2)
        for digit in digits:
            x0, y0, x1, y1 = digit.box
            assert digit.glyph.box == digit.box
            assert digit.glyph.found.shape == (220, 700)
            assert (digit.glyph.found > 127).sum() == (digit.glyph.found[y0:y1, x0:x1] > 127).sum()
            assert digit.glyph.image.max() > 200


def test_nothing_holds_no_digits():
    """A blank canvas and a blank page have no digits."""
    assert segmentation.split_strokes([]) == []
    assert segmentation.split_ink(np.zeros((50, 60), np.float32)) == []
    assert segmentation.find_digits([]) == segmentation.find_digits_in_ink(np.zeros((50, 60), np.float32)) == []


def test_a_page_of_marks_is_no_number():
    """Too many digits are refused, and the message gives their number."""
    strokes = [np.array([[12 * i, 0], [12 * i, 20]], np.float32) for i in range(50)]
    with pytest.raises(InvalidImage, match="50 separate marks"):
        segmentation.find_digits(strokes)


def test_what_is_no_ink_is_refused():
    """Ink must be a two-dimensional array of numbers."""
    for wrong in (np.zeros((5, 5, 3)), np.full((5, 5), np.nan)):
        with pytest.raises(InvalidImage, match="grey array"):
            segmentation.split_ink(wrong)


def test_a_scribble_asks_the_recogniser_only_so_often():
    """Hundreds of strokes close together do not cause hundreds of readings."""
    asked = []
    strokes = [np.array([[2 * i, 0], [2 * i + 5, 200]], np.float32) for i in range(300)]
    started = time.process_time()
    segmentation.split_strokes(strokes, score=lambda pictures: asked.append(1) or np.full((1, 10), 0.1, np.float32))
    assert len(asked) <= grouping.MAX_QUESTIONS
    assert time.process_time() - started < 5


def test_the_glyph_of_a_lone_digit_is_the_draw_pages():
    """For a single digit, the image equals that of reading the whole drawing."""
    strokes = write(FOUR)
    (digit,) = segmentation.find_digits(strokes, size=(220, 700), pen_width=10)
    whole = glyphs.fit_strokes(strokes, size=(220, 700), pen_width=10)
    assert np.array_equal(digit.glyph.image, whole.image)


def test_a_faint_spot_does_not_cut_a_stroke():
    """A stroke that is only a third as dark in one place is still one digit, as a pencil leaves it."""
    ink = pen.render([np.float32([[60, 20], [60, 180]])], size=(200, 120), pen_width=12)
    ink[95:105] *= 0.33
    assert len(segmentation.split_ink(ink)) == 1
