"""Pictures: the ink on the paper of a photograph, a scan or a screenshot."""

import math

import numpy as np
import scipy
from PIL import Image

from digits.errors import InvalidImage

_PAPER_SIDE = 96  # the paper's brightness is estimated on a picture of this size
_PAPER_WINDOW = 15  # where there are shadows, by grey closing with this window; wider strokes are then lost
_NARROW = 7  # there, strokes up to this wide decide whether the ink is dark or light
_SHADE = 0.03  # a pixel that differs from the plane by more is ink or shadow
_BROAD = 0.2  # a shadow is wider than this share of the picture
_DEEPEST_SHADE = 0.7  # a shadow takes at most this share of the paper's light
_MIN_CONTRAST = 0.12  # ink must be this much darker than its paper (hard pencil on white is about 0.2)
_MIN_SIGNAL = 4.5  # standard deviations of the paper's noise by which ink must exceed it
_MIN_INK_PIXELS = 6
_FAINTEST_LINE = 0.04  # a ruled line's contrast, averaged along it
_STEEPEST_LINE = 0.06  # the largest slope of a ruled line: 3.4 degrees
_RULING_SIDE = 400  # ruled lines are searched for on a picture of this size
_STRIPS = 10  # in this many vertical strips


def find_ink(picture: np.ndarray) -> np.ndarray:
    """Separate the ink from its paper, whichever of the two is darker.

    Shadows, the paper's colour, specks, and ruled lines that cross the whole picture are not ink.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        ink: float32 (height, width), 0 is paper and 1 is ink; all 0 when the page is blank.

    Raises:
        InvalidImage: the picture is not two-dimensional, is empty or is not all finite.
    """
    picture = np.asarray(picture, dtype=np.float32)
    if picture.ndim != 2 or picture.size == 0 or not np.isfinite(picture).all():
        raise InvalidImage(
            f"`picture` must be a grey array (height, width) of finite numbers; received {picture.shape}."
        )
    blank = np.zeros_like(picture)
    contrast = _without_ruling(_contrast(*_dark_ink(picture)))
    floor = _noise_floor(contrast)
    candidates = contrast > floor
    if candidates.sum() < _MIN_INK_PIXELS:
        return blank
    # a blurred edge is at half the ink's darkness; fainter pixels count where they touch a dark one
    darkness = _ink_darkness(contrast, candidates)
    certain = candidates & (contrast > 0.5 * darkness)
    possible = candidates & (contrast > 0.3 * darkness)
    mask = _writing(scipy.ndimage.binary_propagation(certain, structure=np.ones((3, 3)), mask=possible), contrast)
    if mask.sum() < _MIN_INK_PIXELS:
        return blank
    return np.where(mask, np.clip(contrast / darkness, 0, 1), 0).astype(np.float32)


def _dark_ink(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Make the ink the darker of the two, and estimate the paper's brightness where a plane can describe it.

    The border of a picture is mostly paper. A curved plane fitted to the border models the paper's brightness and its
    shading; pixels inside that differ from the plane are ink.

    Returns:
        picture: the picture, or its negative when its ink is lighter than its paper.
        paper: the paper's brightness, or None where a plane cannot describe it, as at the edge of a shadow.
    """
    small = _resized(picture, _PAPER_SIDE)
    height, width = small.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    inside = np.zeros(small.shape, dtype=bool)
    margin_y, margin_x = max(1, height // 16), max(1, width // 16)
    inside[margin_y:-margin_y, margin_x:-margin_x] = True
    plane = np.full_like(small, np.median(small[~inside]))
    for _ in range(4):  # leave out strokes that reach the border
        difference = np.abs(small - plane)
        ring = ~inside & (difference <= max(2.5 * float(np.median(difference[~inside])), 0.01))
        plane = terms @ np.linalg.lstsq(terms[ring], small[ring], rcond=None)[0]
    plane = np.clip(plane, small.min(), small.max())  # a dark corner would bend the plane beyond white
    difference = small - plane
    depth = np.abs(difference) / np.maximum(np.maximum(small, plane), 0.05)
    shade = (np.abs(difference) > _SHADE) & (depth < _DEEPEST_SHADE)
    breadth = 2 * scipy.ndimage.distance_transform_edt(shade).max()
    is_even = float(np.percentile(np.abs(difference[~inside]), 85)) < _SHADE
    is_simple = is_even or breadth < _BROAD * max(small.shape)
    if is_simple:
        darker, lighter = np.minimum(difference, 0), np.maximum(difference, 0)
    else:  # compare narrow marks only; shadows are wide
        darker = scipy.ndimage.black_tophat(small, _NARROW, mode="reflect")
        lighter = scipy.ndimage.white_tophat(small, _NARROW, mode="reflect")
    if (lighter**2).sum() > (darker**2).sum():
        picture, plane = 1 - picture, 1 - plane
    return picture, plane.astype(np.float32) if is_simple else None


def _contrast(picture: np.ndarray, paper: np.ndarray | None) -> np.ndarray:
    """Return how much darker each pixel is than the paper around it: 0 is equal, 1 is black, below 0 is brighter."""
    if paper is None:
        small = _resized(picture, _PAPER_SIDE)
        paper = scipy.ndimage.grey_closing(small, size=_PAPER_WINDOW, mode="reflect")
        paper = scipy.ndimage.gaussian_filter(paper, 1)
    paper = np.asarray(Image.fromarray(paper).resize(picture.shape[::-1], Image.Resampling.BILINEAR))
    return 1 - picture / np.maximum(paper, 0.05)


def _noise_floor(contrast: np.ndarray) -> float:
    """Return the contrast above which a pixel is more than the paper's noise.

    The lowest third of the pixels is always paper. In a normal distribution the 5th and the 30th percentile are 1.12
    standard deviations apart.
    """
    low, middle = np.percentile(contrast[::2, ::2], [5, 30])
    return max(_MIN_CONTRAST / 2, float(middle + _MIN_SIGNAL * (middle - low) / 1.12))


def _ink_darkness(contrast: np.ndarray, candidates: np.ndarray) -> float:
    """Return the contrast of full ink, at least `_MIN_CONTRAST`."""
    if not candidates.any():
        return 1.0
    return max(_MIN_CONTRAST, float(np.percentile(contrast[candidates], 85)))


def _without_ruling(contrast: np.ndarray) -> np.ndarray:
    """Erase thin, nearly horizontal or vertical lines that run from one edge of the picture to the other."""
    return _without_lines_across(_without_lines_across(contrast).T).T


def _without_lines_across(contrast: np.ndarray) -> np.ndarray:
    """Erase the nearly horizontal lines."""
    height, width = contrast.shape
    x = np.arange(width)
    lines, thickness = _find_lines_across(_resized(contrast, _RULING_SIDE))
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


def _writing(mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Keep the components that may be writing.

    They are not tiny compared with the largest, have sharp edges as ink does, and are not strips along the picture's
    edge.
    """
    labels, count = scipy.ndimage.label(mask, structure=np.ones((3, 3)))
    if count <= 1:
        return mask
    sharpness = np.zeros(count + 1)
    np.maximum.at(sharpness, labels[mask], scipy.ndimage.gaussian_gradient_magnitude(contrast, 1)[mask])
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    contact = np.bincount(edge, minlength=count + 1)
    is_writing = (areas >= _MIN_INK_PIXELS) & (sharpness > 0.4 * sharpness.max())
    is_writing[0] = False
    inner = is_writing & (contact <= min(mask.shape) / 3)
    if inner.any():
        is_writing = inner
    return (is_writing & (areas >= 0.02 * areas[is_writing].max(initial=0)))[labels]


def _resized(picture: np.ndarray, side: int) -> np.ndarray:
    """Reduce to at most `side` pixels by averaging over areas."""
    factor = side / max(picture.shape)
    if factor >= 1:
        return picture
    size = tuple(max(1, round(length * factor)) for length in picture.shape[::-1])
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
