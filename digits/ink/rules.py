"""Rules: the printed lines of paper, found by their straightness and erased."""

import math

import numpy as np
import scipy

from digits.ink.paper import reduced

_FAINTEST_LINE = 0.04  # a ruled line's contrast, averaged along it
_STEEPEST_LINE = 0.06  # the largest slope of a ruled line: 3.4 degrees
_RULING_SIDE = 400  # ruled lines are searched for on a picture of this size
_STRIPS = 10  # in this many vertical strips


def erase(contrast: np.ndarray) -> np.ndarray:
    """Erase thin, nearly horizontal or vertical lines that run from one edge of the picture to the other."""
    return _erase_across(_erase_across(contrast).T).T


def _erase_across(contrast: np.ndarray) -> np.ndarray:
    """Erase the nearly horizontal lines."""
    height, width = contrast.shape
    x = np.arange(width)
    lines, thickness = _find_lines_across(reduced(contrast, _RULING_SIDE))
    if not lines:
        return contrast
    scale = max(1.0, max(contrast.shape) / _RULING_SIDE)
    reach = math.ceil(thickness * scale)
    mask = contrast > _FAINTEST_LINE
    thin = mask & ~scipy.ndimage.binary_opening(mask, np.ones((2 * reach, 1)))  # keep strokes that cross the line
    result = contrast.copy()
    for row, slope in lines:
        path = np.rint((row + 0.5) * scale - 0.5 + slope * (x - width / 2)).astype(int)
        y = np.clip(path + np.arange(-reach, reach + 1)[:, None], 0, height - 1)
        result[y, x] = np.where(thin[y, x], 0, result[y, x])
    return result


def _find_lines_across(contrast: np.ndarray) -> tuple[list[tuple[int, float]], int]:
    """Find nearly horizontal lines by their mean contrast in vertical strips.

    Noise and a digit's curves average out there. A ruled line must show in the first and the last strip, which are
    narrow and which a digit's bar seldom reaches. It must also show in all but one of the strips between them, because
    a digit may hide it in one.

    Returns:
        lines: for each line, its row at half the width, and its slope.
        thickness: the largest thickness of a line, in pixels.
    """
    height, width = contrast.shape
    thickness = max(3, height // 64)
    starts = np.concatenate([[0], np.linspace(width / 16, width - width / 16, _STRIPS - 1).astype(int)])
    if min(height, width) < 4 * _STRIPS or contrast[:, [0, 1, -2, -1]].max() < _FAINTEST_LINE:
        return [], thickness
    capped = np.minimum(scipy.ndimage.uniform_filter1d(contrast, 3, axis=0), 0.5)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    strengths, slopes = np.zeros(height), np.zeros(height)
    for slope in np.linspace(-_STEEPEST_LINE, _STEEPEST_LINE, 17):
        along = capped[np.clip(rows + np.rint(slope * (columns - width / 2)).astype(int), 0, height - 1), columns]
        strips = np.add.reduceat(along, starts, axis=1) / np.diff(starts, append=width)
        strips -= np.maximum(np.roll(strips, thickness + 2, axis=0), np.roll(strips, -thickness - 2, axis=0))
        strength = np.minimum(strips[:, [0, -1]].min(axis=1), np.partition(strips[:, 1:-1], 1, axis=1)[:, 1])
        better = strength > strengths
        strengths[better], slopes[better] = strength[better], slope
    is_peak = strengths == scipy.ndimage.maximum_filter1d(strengths, 2 * thickness + 1)
    peaks = np.flatnonzero(is_peak & (strengths > _FAINTEST_LINE))
    return [(int(row), float(slopes[row])) for row in peaks], thickness
