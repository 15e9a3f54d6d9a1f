"""Cells: marks that the picture's edge cuts off, which are parts of other numbers on the page."""

import numpy as np
import scipy

_INSIDE = 0.9  # of the writing's pixels that lie on one side of a rule are inside
_BEYOND = 0.15  # of a mark's pixels that lie beyond it, if the mark reaches the edge there; digits may cross a line
_IN_LINE = 0.25  # of a mark's height that is beside the writing; marks above and below it share less
_LEAST = 0.5  # of the highest mark's height that the marks inside have at least, or they are scraps themselves
_BAR = 0.2  # of the writing's height; a loose bar of a 5 is so near above its body


def beyond(mask: np.ndarray, across: list[np.ndarray], down: list[np.ndarray]) -> np.ndarray:
    """Find the marks that belong to neighbours of the writing.

    They reach the edge of the picture, and lie beyond a rule, or above or below all marks that do not reach it.

    Args:
        mask: bool (height, width), True is ink.
        across: the rows of each nearly horizontal rule, float (width,).
        down: the columns of each nearly vertical rule, float (height,).

    Returns:
        bool (height, width); all False if no mark of a digit's size lies inside the picture.
    """
    labels, count = scipy.ndimage.label(mask, structure=np.ones((3, 3)))
    places = scipy.ndimage.find_objects(labels)
    sides = [set(side[side > 0].tolist()) for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1])]
    top, foot, left, right = sides
    inside = [index for index in range(1, count + 1) if not any(index in side for side in sides)]
    heights = {index: place[0].stop - place[0].start for index, place in enumerate(places, 1)}
    inside = [index for index in inside if heights[index] >= _LEAST * max(heights.values())]
    if not inside:
        return np.zeros_like(mask)
    y, x = np.nonzero(labels)
    owners = labels[y, x]
    own = np.isin(owners, inside)
    found: set[int] = set()
    for nearer, farther, paths, along, over in ((top, foot, across, x, y), (left, right, down, y, x)):
        for path in paths:
            is_after = over > path[along]
            share_after = np.bincount(owners, is_after, count + 1) / np.maximum(
                np.bincount(owners, minlength=count + 1), 1
            )
            if np.mean(is_after[own]) > _INSIDE:
                found |= {index for index in nearer if share_after[index] < 1 - _BEYOND}
            elif np.mean(is_after[own]) < 1 - _INSIDE:
                found |= {index for index in farther if share_after[index] > _BEYOND}
    first, last = (
        min(places[index - 1][0].start for index in inside),
        max(places[index - 1][0].stop for index in inside),
    )
    for index in top | foot:
        rows = places[index - 1][0]
        is_bar = index in top and first - rows.stop < _BAR * (last - first) and 2 * heights[index] < last - first
        shared = min(last, rows.stop) - max(first, rows.start)
        if shared < _IN_LINE * heights[index] and not (is_bar and _is_over(places, index, inside)):
            found.add(index)
    return np.isin(labels, list(found))


def _is_over(places: list, index: int, inside: list[int]) -> bool:
    """Return whether a mark is wider than high and above another one."""
    rows, columns = places[index - 1]
    others = [places[other - 1][1] for other in inside]
    is_above = any(columns.start < other.stop and other.start < columns.stop for other in others)
    return is_above and columns.stop - columns.start > rows.stop - rows.start
