"""Examples: ten digits that anybody can have drawn."""

import numpy as np

from digits.ink import examples


def test_are_the_ten_digits_of_one_height_from_the_corner():
    """Each begins at 0 on both axes and is about as high as the others, so that they can stand side by side."""
    digits = examples.digits()
    assert "".join(digits) == "0123456789"
    for strokes in digits.values():
        points = np.concatenate(strokes)
        assert points.min(axis=0).tolist() == [0, 0]
        assert abs(points[:, 1].max() - examples.HEIGHT) < 0.1 * examples.HEIGHT
