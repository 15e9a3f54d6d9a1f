"""Seams: where connected ink may be cut into digits that touch.

A path from the top of the ink to its foot goes down row by row and crosses as little ink as it can (J. Wang, J. Jean,
"Segmentation of merged characters by neural networks and shortest path", Pattern Recognition 27, 1994). There is one
for every two places at the top and at the foot. Paths that cross little ink are seams. The other paths tell which
branches of the ink are on which side; a seam then goes through the junctions between these, and cuts no stroke in two.

Lengths are in heights of the line of writing, and ink in pen strokes of that length.
"""

import math
from typing import NamedTuple

import numpy as np

from digits.ink import branches

_ROWS = 60  # of a line's height; larger ink is reduced to about so many before seams are sought
_STEP = 0.05  # from one place at the top, or at the foot, to the next
_SLANT = 0.6  # the largest distance sideways from the top of a path to its foot
_DETOUR = 0.02  # pixels of ink that a step to the side costs, so that paths are straight where that costs nothing
_SAME = 0.12  # seams with less ink between them are one
_LEAST = 0.4  # the ink on either side of a seam is at least this
_MOVED = 1.0  # strokes that count as crossed where so much ink lies on the other side of the path
_THIN = 2.5  # pen widths of ink that a path which is a seam may cross
_PATHS = 10  # such seams for ink as wide as the line is high
_DEAREST = 10.0  # strokes that a seam through junctions may cross
_EACH = 40  # such seams for ink as wide as the line is high
_WIDEST = 8.0  # a number of a dozen digits; wider ink is a rule or a scribble
_MOST_BRANCHES = 80  # six digits that touch have about thirty


class Seam(NamedTuple):
    """A way to cut connected ink in two.

    Attributes:
        is_right: bool (n,), which of the ink's pixels are on the right.
        crossed: how many strokes it crosses.
    """

    is_right: np.ndarray
    crossed: float


def find(pixels: np.ndarray, height: float, pen_width: float) -> list[Seam]:
    """Find the seams of connected ink.

    Args:
        pixels: int (n, 2), x and y.
        height: of the line of writing, in pixels.
        pen_width: in pixels.

    Returns:
        The seams, by how much ink lies to the left of each; they may cross each other. None where the ink is far wider
        or more tangled than a number.
    """
    corner = pixels.min(axis=0)
    factor = max(1, round(height / _ROWS))
    columns, rows = ((pixels.max(axis=0) - corner) // factor + 1).tolist()
    wide = columns * factor / height
    if wide > _WIDEST:
        return []
    x, y = ((pixels - corner) // factor).T
    place = y * columns + x
    ink = np.bincount(place, minlength=rows * columns).reshape(rows, columns) / factor**2
    pen = pen_width / factor
    paths, lengths = _shortest(ink, height / factor)
    weights = ink.ravel() / (height / factor * pen)  # in strokes
    thin = lengths <= _THIN * pen
    right = (np.arange(columns) >= paths[thin][:, :, None]).reshape(-1, rows * columns)
    crossed = lengths[thin] / pen
    found = [(right[one], crossed[one]) for one in _distinct(right, crossed, weights, math.ceil(_PATHS * wide))]
    strokes = branches.find(ink > 0.4, pen)
    inks = np.bincount(strokes.owner.ravel(), weights)
    if len(inks) <= _MOST_BRANCHES:
        sets, costs = _through_junctions(paths, strokes, inks)
        chosen = _distinct(sets, costs, inks, math.ceil(_EACH * wide))
        found += [(sets[one][strokes.owner.ravel()], costs[one]) for one in chosen]
    found.sort(key=lambda seam: -float(seam[0] @ weights))
    return [Seam(is_right[place], float(cost)) for is_right, cost in found]


def _distinct(sets: np.ndarray, costs: np.ndarray, weights: np.ndarray, most: int) -> list[int]:
    """Choose the cheapest sets, bool (n, m), that differ by enough ink and have enough in them and beside them."""
    chosen: list[int] = []
    everything = weights.sum()
    for index in np.argsort(costs, kind="stable").tolist():
        if len(chosen) == most:
            break
        if not _LEAST <= sets[index] @ weights <= everything - _LEAST:
            continue
        if not chosen or ((sets[chosen] ^ sets[index]) @ weights).min() >= _SAME:
            chosen.append(index)
    return chosen


def _through_junctions(paths: np.ndarray, found: branches.Branches, inks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find sets of branches that may be the right side of a seam.

    A path has a branch on the right if most of it is there. Each such set, and each that differs by one branch, is a
    candidate if it and the branches on the left are connected.

    Args:
        paths: int (n, rows), the column in each row.
        found: the ink's branches.
        inks: float64 (branches,), the ink of each.

    Returns:
        sets: bool (m, branches).
        costs: float64 (m,), how many junctions each divides, how many branches it separates from one that continues
            them, and the ink that it has on another side than the nearest path.
    """
    y, x = np.nonzero(found.lines >= 0)
    owner = found.lines[y, x]
    each = np.eye(len(inks), dtype=np.float32)
    shares = (x >= paths[:, y]).astype(np.float32) @ each[owner] / np.bincount(owner, minlength=len(inks))
    moved = np.minimum(shares, 1 - shares) @ inks
    order = np.argsort(moved, kind="stable")
    sets, first = np.unique(shares[order] > 0.5, axis=0, return_index=True)
    shares, moved = shares[order][first], moved[order][first]
    sets = np.concatenate([sets, (sets[:, None] ^ each.astype(bool)).reshape(-1, len(inks))])
    moved = np.concatenate([moved, (moved[:, None] + np.abs(1 - 2 * shares) * inks).ravel()])
    junctions = found.junctions.astype(np.float32)
    meets = sets.astype(np.float32) @ junctions.T
    costs = ((meets > 0) & (meets < junctions.sum(axis=1))).sum(axis=1) + _MOVED * moved
    costs += (sets[:, found.smooth[:, 0]] ^ sets[:, found.smooth[:, 1]]).sum(axis=1)
    is_cheap = (costs < _DEAREST) & sets.any(axis=1) & ~sets.all(axis=1)
    sets, costs = sets[is_cheap], costs[is_cheap]
    near = junctions.T @ junctions
    is_whole = _are_connected(sets, near) & _are_connected(~sets, near)
    return sets[is_whole], costs[is_whole]


def _are_connected(sets: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return which sets, bool (n, m), are connected by the neighbours, float32 (m, m), above 0 if two are."""
    reached = sets & (np.cumsum(sets, axis=1) == 1)
    while True:
        grown = sets & ((reached.astype(np.float32) @ near > 0) | reached)
        if (grown == reached).all():
            return (reached == sets).all(axis=1)
        reached = grown


def _shortest(ink: np.ndarray, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the shortest path for every two places at the top and at the foot.

    Args:
        ink: float64 (rows, columns) in [0, 1].
        height: of the line, in rows.

    Returns:
        paths: int (n, rows), in each row the column, in [0, columns].
        lengths: float64 (n,), the ink in the pixels of each, and a little for each step to a side.
    """
    rows, columns = ink.shape
    reach, step = min(rows, max(2, round(_SLANT * height))), max(1, round(_STEP * height))
    starts = np.arange(0, columns, step)
    width = 2 * reach + 1
    padded = np.pad(ink, ((0, 0), (reach, reach)))
    # (rows, starts, width): the pixels that a path from each start may visit
    seen = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)[:, ::step]
    cost = np.full((len(starts), width), np.inf)
    cost[:, reach] = seen[0, :, reach]
    moves = np.zeros((rows, *cost.shape), np.int8)
    for row in range(1, rows):
        wide = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        options = np.stack([wide[:, 1:-1], wide[:, :-2] + _DETOUR, wide[:, 2:] + _DETOUR])
        moves[row] = np.array([0, -1, 1], np.int8)[options.argmin(axis=0)]
        cost = seen[row] + options.min(axis=0)
    start, foot = (found.ravel() for found in np.mgrid[: len(starts), reach % step : width : step])
    place = np.empty((rows, len(foot)), int)
    place[-1] = foot
    for row in range(rows - 1, 0, -1):
        place[row - 1] = place[row] + moves[row, start, place[row]]
    is_reached = np.isfinite(cost[start, foot])
    paths = np.clip(place - reach + starts[start], 0, columns).T
    return paths[is_reached], cost[start, foot][is_reached]
