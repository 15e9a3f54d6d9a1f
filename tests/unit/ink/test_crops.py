"""crops: turning a picture and cutting away its edges."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digits.errors import InvalidImage
from digits.ink.crops import WHOLE, Crop

QUARTERS = Image.fromarray(np.kron(np.uint8([[10, 20], [30, 40]]), np.ones((50, 100), np.uint8)))


@st.composite
def crops(draw):
    left, top = draw(st.integers(0, 99)), draw(st.integers(0, 99))
    right, bottom = draw(st.integers(left + 1, 100)), draw(st.integers(top + 1, 100))
    return Crop(draw(st.integers(0, 3)), left, right, top, bottom)


def test_whole_picture_is_left_as_it_is():
    """By default nothing is turned or cut."""
    assert WHOLE.is_whole
    assert WHOLE.apply(QUARTERS) is QUARTERS


def test_turns_clockwise_before_it_cuts():
    """After a quarter turn clockwise, the lower left quarter is at the upper left."""
    assert set(np.asarray(Crop(1, right=50, bottom=50).apply(QUARTERS)).ravel()) == {30}
    assert set(np.asarray(Crop(left=50, top=50).apply(QUARTERS)).ravel()) == {40}


@given(crops())
def test_turning_keeps_the_part(crop):
    """A turned crop keeps the same part of the picture, and four turns change nothing."""
    kept = np.asarray(crop.apply(QUARTERS))
    assert (np.asarray(crop.turned().apply(QUARTERS)) == np.rot90(kept, -1)).all()
    assert crop.turned().turned().turned().turned() == crop


@given(crops(), st.integers(1, 40), st.integers(1, 40))
def test_leaves_something_of_every_picture(crop, width, height):
    """A crop has at least one pixel, and as a JPEG it keeps its shape."""
    picture = Image.new("RGB", (width, height), "white")
    part = crop.apply(picture)
    assert 1 <= part.width <= max(width, height)
    assert 1 <= part.height <= max(width, height)
    cut = Image.open(io.BytesIO(crop.cut(picture, side=20)))
    assert max(cut.size) == min(20, max(part.size))


@given(crops(), crops())
def test_a_part_of_a_part_lies_within_it(crop, inner):
    """A rectangle on a cropped picture keeps a part of that, and the whole of it changes nothing."""
    shares = [edge / 100 for edge in (inner.left, inner.top, inner.right, inner.bottom)]
    part = crop.part(*shares)
    assert part.turns == crop.turns
    assert crop.left - 0.1 <= part.left < part.right <= crop.right + 0.1
    assert crop.top - 0.1 <= part.top < part.bottom <= crop.bottom + 0.1
    assert part.right - part.left == pytest.approx(
        max(0.1, (shares[2] - shares[0]) * (crop.right - crop.left)), abs=0.11
    )
    assert crop.part(0, 0, 1, 1) == crop


@pytest.mark.parametrize("edges", [{"left": 50, "right": 50}, {"top": 80, "bottom": 20}, {"right": 101}, {"turns": 4}])
def test_without_anything_between_its_edges_is_refused(edges):
    """Edges that meet or lie outside the picture are refused."""
    with pytest.raises(InvalidImage, match="received"):
        Crop(**edges)
