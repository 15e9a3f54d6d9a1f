"""Branches: the centre lines of connected ink, each from one junction or end to the next."""

from typing import NamedTuple

import numpy as np
import scipy

from digits.ink.glyphs import thin_to_lines

_SHORTEST = 0.8  # pen widths; anything shorter is part of a junction, as where two strokes cross
_NEAR = 1.5  # pen widths along a branch that give its direction
_STRAIGHT = (
    -0.75
)  # the cosine between the directions in which two branches leave a junction that go straight through it
_AROUND = np.ones((3, 3), bool)


class Branches(NamedTuple):
    """The branches of connected ink.

    Attributes:
        owner: int (rows, columns), for each pixel the nearest branch.
        lines: int (rows, columns), the branch whose centre line is there, or -1.
        junctions: bool (junctions, branches), which branches meet.
        smooth: int (pairs, 2), two branches of which one continues the other.
    """

    owner: np.ndarray
    lines: np.ndarray
    junctions: np.ndarray
    smooth: np.ndarray


def find(mask: np.ndarray, pen_width: float) -> Branches:
    """Find the branches of ink.

    Args:
        mask: bool (rows, columns), True is ink.
        pen_width: in pixels.
    """
    thinned = thin_to_lines(np.pad(mask, 2))[2:-2, 2:-2]
    if not thinned.any():  # thinning can erase a dot, and reducing a picture a hairline
        thinned = mask if mask.any() else np.ones_like(mask)
    knots = scipy.ndimage.binary_dilation(thinned & (_arms(thinned) > 2), _AROUND) & thinned
    found, _ = scipy.ndimage.label(thinned & ~knots, _AROUND)
    is_branch = np.bincount(found.ravel()) >= max(2.0, _SHORTEST * pen_width)
    is_branch[0] = False
    if not is_branch.any():
        found, is_branch = thinned.astype(int), np.array([False, True])
    lines = (np.cumsum(is_branch) * is_branch - 1)[found]
    nearest = scipy.ndimage.distance_transform_edt(lines < 0, return_distances=False, return_indices=True)
    junctions, smooth = _meetings(lines, thinned & (lines < 0), pen_width)
    return Branches(lines[tuple(nearest)], lines, junctions, smooth)


def _meetings(lines: np.ndarray, knots: np.ndarray, pen_width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which branches meet, and which continue each other; see `Branches`."""
    labels, _ = scipy.ndimage.label(knots, _AROUND)
    junctions, smooth = [], []
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(labels), start=1):
        window = slice(max(0, rows.start - 1), rows.stop + 1), slice(max(0, columns.start - 1), columns.stop + 1)
        here = scipy.ndimage.binary_dilation(labels[window] == number, _AROUND) & (lines[window] >= 0)
        met = np.unique(lines[window][here]).tolist()
        if len(met) < 2:
            continue
        junctions.append(np.isin(np.arange(lines.max() + 1), met))
        centre = np.argwhere(labels == number).mean(axis=0)
        ways = [_direction(np.argwhere(lines == branch) - centre, pen_width) for branch in met]
        smooth += [(met[a], met[b]) for a in range(len(met)) for b in range(a) if ways[a] @ ways[b] < _STRAIGHT]
    return np.array(junctions, bool).reshape(-1, lines.max() + 1), np.array(smooth, int).reshape(-1, 2)


def _direction(points: np.ndarray, pen_width: float) -> np.ndarray:
    """Return the direction, float64 (2,), in which a branch, float64 (n, 2) from its junction, leaves it."""
    distances = np.hypot(*points.T)
    way = points[distances <= distances.min() + max(_NEAR * pen_width, 3)].mean(axis=0)
    return way / max(1e-9, float(np.hypot(*way)))


def _arms(lines: np.ndarray) -> np.ndarray:
    """Return how many lines leave each pixel, int (rows, columns)."""
    padded = np.pad(lines, 1)
    rows, columns = lines.shape
    around = [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]
    ring = [padded[y : y + rows, x : x + columns] for y, x in around]
    return np.sum([~one & other for one, other in zip(ring, [*ring[1:], ring[0]], strict=True)], axis=0)
