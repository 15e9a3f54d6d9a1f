"""The pen: the same strokes give the same bytes, wherever and however large they were drawn."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digits.data import allographs
from digits.ink import pen

coordinates = st.floats(0, 400, width=32, allow_nan=False)
drawings = st.lists(hnp.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(2)), elements=coordinates), min_size=1)
SEVEN = [np.float32([[70, 60], [210, 60], [120, 230]])]

# SHA-256 of the 28×28 of one drawing of each digit; JavaScript's pen must give the same bytes.
GOLDEN = "af563c65de372ddcd8b62915aa2377653726b0fe7d81115494f91745ba316ea2"


def draw(strokes):
    return pen.draw(strokes, smallest=8.0)[0]


def by_definition(strokes):
    """The image by the definition, pixel by pixel: how deep each centre lies within the pen's path."""
    _, scale, centre = pen.draw(strokes, smallest=8.0)
    image = np.zeros((28, 28))
    for row in range(28):
        for column in range(28):
            for stroke in strokes:
                points = (stroke.astype(float) - centre) * scale + 14.5
                for a, b in zip(points, points[1:] if len(points) > 1 else points, strict=False):
                    along = b - a
                    length = along @ along
                    pixel = np.array([column + 0.5, row + 0.5]) - a
                    share = min(1, max(0, pixel @ along / length)) if length else 0
                    depth = 1.3 + 0.5 - np.linalg.norm(pixel - share * along)
                    image[row, column] = max(image[row, column], min(1, depth))
    return image * 255


def test_an_image_is_what_its_definition_says():
    """The quick arithmetic gives what the plain loop over pixels and lines gives."""
    rng = np.random.default_rng(1)
    for digit in range(10):
        strokes = allographs.draw(digit, rng)
        assert np.abs(draw(strokes) - by_definition(strokes)).max() <= 0.5 + 1e-9


def test_golden_images():
    """A change of a single byte is a change of the pen, which every model would have to learn again."""
    rng = np.random.default_rng(7)
    # Rounded to 1/16 pixel, because the last bits of sines and logarithms differ among processors.
    shapes = [[np.rint(stroke * 16) / 16 for stroke in allographs.draw(digit, rng)] for digit in range(10)]
    images = np.stack([draw(shape) for shape in shapes])
    assert hashlib.sha256(images.tobytes()).hexdigest() == GOLDEN


@given(drawings)
def test_any_drawing_fits(strokes):
    """Whatever is drawn, there is ink, and none of it is cut off by the edge of the image."""
    image, scale, centre = pen.draw(strokes, smallest=8.0)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() > 0
    placed = (np.concatenate(strokes) - centre) * scale + 14.5
    assert placed.min() - 1.3 > -1e-6
    assert placed.max() + 1.3 < 28 + 1e-6


@pytest.mark.parametrize(("factor", "shift"), [(2, 0), (0.5, 16), (4, -64)])
def test_size_and_place_do_not_matter(factor, shift):
    """The same shape twice as large, or elsewhere, is the same image."""
    moved = [stroke * np.float32(factor) + np.float32(shift) for stroke in SEVEN]
    np.testing.assert_array_equal(draw(moved), draw(SEVEN))


def test_the_order_of_strokes_and_their_direction_do_not_matter():
    """A drawing is a set of lines; who began where is not to be seen."""
    strokes = [*SEVEN, np.float32([[90, 150], [190, 150]]), np.float32([[200, 200]])]
    np.testing.assert_array_equal(draw(strokes), draw(strokes[::-1]))
    reversed_strokes = [stroke[::-1] for stroke in strokes]
    assert np.abs(draw(strokes).astype(int) - draw(reversed_strokes)).max() <= 1


def test_the_centre_of_mass_lies_where_mnist_puts_it():
    """The mean pixel by ink is pixel 14.0 in both directions, as in MNIST."""
    image = draw(SEVEN).astype(float)
    line = np.arange(28)
    assert image.sum(axis=0) @ line / image.sum() == pytest.approx(14.0, abs=0.06)
    assert image.sum(axis=1) @ line / image.sum() == pytest.approx(14.0, abs=0.06)


def test_a_point_is_a_dot_and_not_blown_up():
    """A click is a disc as wide as the pen."""
    image = draw([np.float32([[200, 30]])])
    assert image.sum() / 255 == pytest.approx(np.pi * 1.3**2, rel=0.1)
