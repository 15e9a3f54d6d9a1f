"""The sheet: the part of a picture that was written on, without the table, bars or margin around it."""

import numpy as np
import scipy

from digits.ink.paper import reduced

_SMALLEST_SIDE = 24  # of the reduced picture
_SIDE = 200  # the sheet is searched for on a picture of this size
_WRITING = 0.12  # strokes narrower than this share of the picture do not hide the sheet
_GRAIN = 5  # pixels; narrower streaks of a table's wood or cloth do not hide the sheet
_LEAST_STEP = 0.04  # between the sheet and its surroundings
_DARK_STEP = 0.2  # a table with a visible grain is so much darker than the sheet
_EDGE = 1  # pixels either way in which the brightness changes at the edge of a sheet; a shadow's edge is softer
_SHARP = 0.8  # the share of the edge that is so sharp...
_SHARP_AROUND = 0.65  # ...or, where the surroundings are seen all around, so that no shadow has such edges
_AROUND = 0.75  # of the picture's border
_SMALLEST, _LARGEST = 0.25, 0.97  # the sheet's share of the picture
_RECTANGULAR = 0.83  # the sheet's share of a rectangle around it, in perspective; an ellipse has 0.79
_ALONE = 0.85  # the sheet's share of everything as bright
_WRITTEN = 0.5  # writing covers less than this share of a sheet; of a row of digits, the paper does
_MARGIN_NOISE = 0.025  # a margin is at least this even
_LEAST_FRAMED = 0.25  # the share of the picture inside a margin
_CONTACT = 0.35  # the share of the picture's border that is surroundings


def cut_out(picture: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Cut the sheet out of its surroundings, if there are any.

    The surroundings are a second area of another brightness. They reach the border, and end at a sharp, straight edge.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        sheet: float32 (height, width), with the paper's own brightness where the surroundings reach into it.
        place: the rows and columns of the picture that it is.
    """
    rows, columns = slice(0, picture.shape[0]), slice(0, picture.shape[1])
    for _ in range(2):  # a sheet on a table, between black bars
        small = reduced(picture, _SIDE)
        inside = _find(small) if min(small.shape) >= _SMALLEST_SIDE else None
        if inside is None:
            break
        picture, (down, across) = _cut(picture, inside)
        rows = slice(rows.start + down.start, rows.start + down.stop)
        columns = slice(columns.start + across.start, columns.start + across.stop)
    return picture, (rows, columns)


def _find(small: np.ndarray) -> np.ndarray | None:
    """Return the sheet's pixels, bool (height, width), or None if it fills the picture."""
    margin = _without_margin(small)
    if margin is not None:
        return margin
    window = int(_WRITING * max(small.shape)) | 1
    closing, opening = scipy.ndimage.grey_closing, scipy.ndimage.grey_opening
    for fill, smooth in ((closing, opening), (opening, closing)):  # dark ink or light ink
        surface = fill(smooth(small, size=_GRAIN, mode="nearest"), size=window, mode="nearest")
        threshold = _otsu(surface)
        for side in (surface > threshold, surface <= threshold):
            sheet = _largest(side)
            if sheet is not None and _is_sheet(sheet, small, surface):
                return sheet
    return None


def _without_margin(small: np.ndarray) -> np.ndarray | None:
    """Return a rectangle inside a margin of one brightness, bool (height, width), or None if there is none.

    The margin of a page that was written on ends at its ink, where most of the edge is still paper.
    """
    value = float(np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])))
    differs = np.abs(small - value) > _MARGIN_NOISE
    rows, columns = (np.flatnonzero(differs.mean(axis=axis) > 0.3) for axis in (1, 0))
    if len(rows) == 0 or len(columns) == 0:
        return None
    top, foot, left, right = rows[0] + 1, rows[-1], columns[0] + 1, columns[-1]  # a line less at each side
    inside = np.zeros(small.shape, bool)
    inside[top:foot, left:right] = True
    part = differs[top:foot, left:right]
    if not _LEAST_FRAMED < inside.mean() < _LARGEST:
        return None
    edges = [edge.mean() for edge in (part[0], part[-1], part[:, 0], part[:, -1])]
    return inside if min(edges) > 0.7 and part.mean() > 0.7 and differs[~inside].mean() < 0.2 else None


def _largest(side: np.ndarray) -> np.ndarray | None:
    """Return the largest connected part, with its holes filled, unless there is much beside it."""
    labels, count = scipy.ndimage.label(side)
    if count == 0:
        return None
    areas = np.bincount(labels.ravel())[1:]
    if areas.max() < _ALONE * areas.sum():
        return None
    whole = scipy.ndimage.binary_fill_holes(labels == 1 + areas.argmax())
    reach = 2 * _GRAIN  # what is narrower and reaches out of the sheet is the table's grain
    opened = scipy.ndimage.binary_opening(np.pad(whole, reach, mode="edge"), np.ones((reach, reach)))
    return opened[reach:-reach, reach:-reach]


def _is_sheet(sheet: np.ndarray, small: np.ndarray, surface: np.ndarray) -> bool:
    """Return whether an area is a sheet: it has four straight, sharp edges, and something is written on it."""
    border = np.concatenate([sheet[0], sheet[-1], sheet[1:-1, 0], sheet[1:-1, -1]])
    if not _SMALLEST < sheet.mean() < _LARGEST or 1 - border.mean() < _CONTACT:
        return False
    if sheet.sum() < _RECTANGULAR * _box_area(sheet):
        return False
    step = abs(float(np.median(surface[sheet]) - np.median(surface[~sheet])))
    rim = sheet & ~scipy.ndimage.binary_erosion(sheet, border_value=1)
    size = 2 * _EDGE + 1
    rise = scipy.ndimage.maximum_filter(surface, size) - scipy.ndimage.minimum_filter(surface, size)
    is_around = 1 - border.mean() > _AROUND and step > _DARK_STEP
    if step < _LEAST_STEP or np.mean(rise[rim] > 0.6 * step) < (_SHARP_AROUND if is_around else _SHARP):
        return False
    inner = scipy.ndimage.binary_erosion(sheet, np.ones((3, 3)), iterations=3)
    written = np.abs(small - surface)[inner]
    return bool((written > _LEAST_STEP).any()) and np.mean(written > step / 2) < _WRITTEN


def _cut(picture: np.ndarray, sheet: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Cut the sheet's box out, with the brightness of the nearest paper in its corners outside the sheet."""
    inner = scipy.ndimage.binary_erosion(sheet, np.ones((3, 3)), iterations=2, border_value=1)
    paper = scipy.ndimage.median_filter(reduced(picture, _SIDE), 9)
    nearest = scipy.ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    filled = scipy.ndimage.uniform_filter(paper[tuple(nearest)], 5)
    y, x = ((np.arange(size) * count) // size for size, count in zip(picture.shape, inner.shape, strict=True))
    down, across = (np.flatnonzero(inner.any(axis=axis)[place]) for axis, place in ((1, y), (0, x)))
    box = slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)
    places = np.ix_(y[box[0]], x[box[1]])
    return np.where(inner[places], picture[box], filled[places]).astype(np.float32), box


def _box_area(mask: np.ndarray) -> float:
    """Return the area of the smallest rectangle around a mask, which has a side on its convex hull."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = mask[rows].argmax(axis=1), mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    corners = np.concatenate([np.stack([x, y], axis=1) for x in (first, last) for y in (rows, rows + 1)])
    hull = corners[scipy.spatial.ConvexHull(corners).vertices]
    angles = np.arctan2(*(np.roll(hull, -1, axis=0) - hull).T[::-1])
    along = hull @ np.stack([np.cos(angles), np.sin(angles)])  # (corners, angles)
    across = hull @ np.stack([-np.sin(angles), np.cos(angles)])
    return float((np.ptp(along, axis=0) * np.ptp(across, axis=0)).min())


def _otsu(values: np.ndarray) -> float:
    """Return the threshold that separates two classes best (N. Otsu, IEEE Trans. SMC 9, 1979)."""
    counts, edges = np.histogram(values, 64)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * centres)
    gap = sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(edges[1 + np.argmax(below * above * gap**2)])
