"""Thinning against scikit-image's, pixel by pixel, on the masks that fitting really thins."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import thin

from digits.data import allographs, drawings
from digits.ink import glyphs, strokes

EIGHT_NEIGHBOURS = np.ones((3, 3))


@pytest.fixture(scope="module", params=["MNIST", "drawn"])
def masks(request, sample):
    """The masks of 100 digits each, as `glyphs.fit` thins them; drawn with pens from thin to thick."""
    seen, thin_to_lines = [], glyphs.thin_to_lines
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glyphs, "thin_to_lines", lambda mask: seen.append(mask.copy()) or thin_to_lines(mask))
        for index in range(100):
            if request.param == "MNIST":
                glyphs.fit(sample.test.images[index * 10] / np.float32(255))
            else:
                placed = drawings.place(allographs.draw(index % 10, rng), rng)
                glyphs.fit(strokes.render(placed.strokes, size=(280, 280), pen_width=placed.pen_width))
    assert len(seen) == 100
    return seen


def pieces_and_holes(mask):
    return ndimage.label(mask, EIGHT_NEIGHBOURS)[1], ndimage.label(~mask)[1] - 1


def test_lines_are_those_of_scikit_image(masks):
    """Ours are scikit-image's, which are made by the same algorithm."""
    for mask in masks:
        assert np.array_equal(glyphs.thin_to_lines(mask), thin(mask))


def test_lines_have_the_pieces_and_holes_of_the_ink(masks):
    """Lines have as many pieces and as many holes as the ink."""
    for mask in masks:
        assert pieces_and_holes(glyphs.thin_to_lines(mask)) == pieces_and_holes(mask)


def test_a_slanting_line_two_pixels_wide_stays():
    """At 45° a line two pixels wide is as long after thinning as before."""
    mask = np.zeros((40, 40), bool)
    for index in range(5, 34):
        mask[index, index : index + 2] = True
    assert np.ptp(np.nonzero(glyphs.thin_to_lines(mask))[0]) > 20
