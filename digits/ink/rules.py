"""Rules: the printed lines of paper, found by their straightness and divided out, so that strokes across them stay."""

import math
from typing import NamedTuple

import numpy as np
import scipy

from digits.ink.paper import reduced

_FAINTEST = 0.04  # a rule's contrast, averaged along it
_STEEPEST = 0.06  # the largest slope of a rule: 3.4 degrees
_SIDE = 400  # rules are searched for on a picture of this size
_PIXELS = 1.5  # a thin rule is blurred over so many pixels of the camera
_STRIPS = 10  # in this many vertical strips
_HIDDEN = 0.4  # the share of these strips in which writing may hide the rule
_STEP = 0.5  # pixels; a rule's profile is measured in steps of this distance from its middle
_TRACE = 0.6  # what is left of a rule where it is not quite even, as a share of its contrast


class Ruled(NamedTuple):
    """A picture without its rules.

    Attributes:
        contrast: float32 (height, width), as `paper.contrast` returns it.
        across: the path of each nearly horizontal rule, float (width,), its row in each column.
        down: the path of each nearly vertical rule, float (height,), its column in each row.
    """

    contrast: np.ndarray
    across: list[np.ndarray]
    down: list[np.ndarray]


def erase(contrast: np.ndarray, *, pixel: int = 1) -> Ruled:
    """Remove thin, nearly horizontal or vertical lines that run from one edge of the picture to the other.

    Ink on a rule darkens it further, so the rule's own contrast is divided out.

    Args:
        contrast: float32 (height, width), as `paper.contrast` returns it.
        pixel: how many times the picture was enlarged.
    """
    level, across = _erase_across(contrast, pixel)
    upright, down = _erase_across(level.T, pixel)
    return Ruled(upright.T, across, down)


def _erase_across(contrast: np.ndarray, pixel: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Remove the nearly horizontal rules; return their paths, too."""
    width = contrast.shape[1]
    rules, thickness = _find_across(reduced(contrast, _SIDE), pixel)
    if not rules:
        return contrast, []
    scale = max(1.0, max(contrast.shape) / _SIDE)
    reach = math.ceil((thickness + 1) * scale)
    result = contrast.copy()
    paths: list[np.ndarray] = []
    for row, slope in rules:
        path = (row + 0.5) * scale - 0.5 + slope * (np.arange(width) - (width - 1) / 2)
        path = _refined(contrast, path, reach)
        is_new = all(np.abs(path - other).mean() > reach / 2 for other in paths)  # two candidates may be one rule
        if is_new and _divide_out(result, path, reach):
            paths.append(path)
    return result, paths


def _refined(contrast: np.ndarray, path: np.ndarray, reach: int) -> np.ndarray:
    """Fit a rule's path, float (width,), to the rows at which it is darkest."""
    height, width = contrast.shape
    offsets = np.arange(-reach, reach + 1)
    x = np.arange(width)
    band = contrast[np.clip(np.rint(path).astype(int) + offsets[:, None], 0, height - 1), x]
    starts = np.linspace(0, width, min(24, width // 4) + 1).astype(int)[:-1]
    strips = np.add.reduceat(np.minimum(band, 0.5), starts, axis=1) / np.diff(starts, append=width)
    smooth = scipy.ndimage.uniform_filter1d(strips, 3, axis=0)
    middles = (starts + np.append(starts[1:], width)) / 2
    shifts = offsets[smooth.argmax(axis=0)].astype(float)
    for _ in range(4):  # a strip in which a digit is darker than the rule does not count
        line = np.polyfit(middles, shifts, 1)
        misses = np.abs(shifts - np.polyval(line, middles))
        good = misses <= max(1.0, float(np.median(misses)))
        middles, shifts = middles[good], shifts[good]
    return path + np.polyval(line, x)


def _divide_out(contrast: np.ndarray, path: np.ndarray, reach: int) -> bool:
    """Divide a rule out of the contrast, in place; return whether it is as thin as a rule, and inside the picture."""
    height, width = contrast.shape
    rows = np.rint(path).astype(int) + np.arange(-reach, reach + 1)[:, None]
    inside = (rows >= 0) & (rows < height)
    rows = np.clip(rows, 0, height - 1)
    columns = np.broadcast_to(np.arange(width), rows.shape)
    band = contrast[rows, columns]
    distance = np.rint((rows - path) / _STEP).astype(int)
    steps = np.arange(distance.min(), distance.max() + 1)
    at_steps = [band[(distance == step) & inside] for step in steps]
    profile = np.array([np.median(values) if values.size else 0.0 for values in at_steps])
    profile = scipy.ndimage.median_filter(profile, 3)
    paper = max(0.0, min(float(np.median(profile[:4])), float(np.median(profile[-4:]))))
    profile = np.maximum(profile - paper - _FAINTEST / 4, 0)
    middle = np.abs(steps) <= 2 / _STEP
    if not middle.any():
        return False
    peak = steps[middle][profile[middle].argmax()] - steps[0]
    gaps = np.flatnonzero(profile <= 0)  # the profile ends where the rule does, before the next stroke or rule
    first, last = gaps[gaps < peak].max(initial=-1), gaps[gaps > peak].min(initial=len(profile))
    if first < 0 or last == len(profile):
        return False
    profile[: first + 1] = 0
    profile[last:] = 0
    rule = np.clip(profile, 0, 0.95)[distance - steps[0]]
    divided = 1 - (1 - band) / (1 - rule)
    beside = np.where((rule == 0) & inside, band, 0).max(axis=0)
    is_crossed = scipy.ndimage.maximum_filter1d(beside, 2 * reach + 1) > profile.max() / 2
    is_trace = (rule > 0) & (divided < np.where(is_crossed, _TRACE, 1.0) * profile.max())
    cleared = np.where(is_trace, np.minimum(divided, 0), divided)
    bridged = scipy.ndimage.grey_closing(cleared, size=(int((rule > 0).any(axis=1).sum()) | 1, 3), mode="nearest")
    result = np.where(is_trace, np.minimum(bridged, band), cleared)
    contrast[rows[inside], columns[inside]] = result[inside]
    return True


def _find_across(contrast: np.ndarray, pixel: int) -> tuple[list[tuple[int, float]], int]:
    """Find nearly horizontal rules by their mean contrast in vertical strips.

    Noise and a digit's curves average out there. A rule must show in the first and the last strip, which are narrow and
    which a digit's bar seldom reaches. It must also show in most of the strips between them; writing may hide it in the
    others.

    Returns:
        rules: for each, its row at half the width, and its slope.
        thickness: the largest thickness of a rule, in pixels.
    """
    height, width = contrast.shape
    thickness = max(3, height // 64, math.ceil(_PIXELS * pixel))
    starts = np.concatenate([[0], np.linspace(width / 16, width - width / 16, _STRIPS - 1).astype(int)])
    if min(height, width) < 4 * _STRIPS or contrast[:, [0, 1, -2, -1]].max() < _FAINTEST:
        return [], thickness
    capped = np.minimum(scipy.ndimage.uniform_filter1d(contrast, 3, axis=0), 0.5)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    strengths, slopes = np.zeros(height), np.zeros(height)
    for slope in np.linspace(-_STEEPEST, _STEEPEST, 17):
        along = capped[np.clip(rows + np.rint(slope * (columns - width / 2)).astype(int), 0, height - 1), columns]
        strips = np.add.reduceat(along, starts, axis=1) / np.diff(starts, append=width)
        strips -= np.maximum(np.roll(strips, thickness + 2, axis=0), np.roll(strips, -thickness - 2, axis=0))
        seen = np.sort(strips[:, 1:-1], axis=1)[:, int(_HIDDEN * (_STRIPS - 2))]
        strength = np.minimum(strips[:, [0, -1]].min(axis=1), seen)
        better = strength > strengths
        strengths[better], slopes[better] = strength[better], slope
    is_peak = strengths == scipy.ndimage.maximum_filter1d(strengths, 2 * thickness + 1)
    peaks = np.flatnonzero(is_peak & (strengths > _FAINTEST))
    return [(int(row), float(slopes[row])) for row in peaks], thickness
