"""Paper: how much darker each pixel of a picture is than the paper around it, in any light."""

import numpy as np
import scipy
from PIL import Image

_PAPER_SIDE = 96  # the paper's brightness is estimated on a picture of this size, or twice it in a shadow...
_PAPER_WINDOW = 15  # ...by grey closing with this window, on the smaller size; wider strokes are then lost...
_PAPER_STROKES = 3  # ...or so many widths of a stroke, if that is less
_STROKE_PIXELS = 12  # on the larger size; what has fewer is noise, and no stroke to measure
_SHADE = 0.03  # a pixel that differs from the plane by more is ink or shadow
_BROAD = 0.2  # a shadow is wider than this share of the picture
_BROADEST = 0.45  # where the border is even, narrower shades are thick grey ink
_DEEPEST_SHADE = 0.7  # a shadow takes at most this share of the paper's light


def contrast(picture: np.ndarray) -> np.ndarray:
    """Compare each pixel with its paper, whichever of ink and paper is darker.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        float32 (height, width): 0 is paper, 1 is black ink on it; below 0 is brighter than the paper.
    """
    return _relative(*_dark_ink(picture))


def _dark_ink(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Make the ink the darker of the two, and estimate the paper's brightness where a plane can describe it.

    The border of a picture is mostly paper. A curved plane fitted to the border models the paper's brightness and its
    shading; pixels inside that differ from the plane are ink.

    Returns:
        picture: the picture, or its negative when its ink is lighter than its paper.
        paper: the paper's brightness, or None where a plane cannot describe it, as at the edge of a shadow.
    """
    small = reduced(picture, _PAPER_SIDE)
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
    is_simple = breadth < (_BROADEST if is_even else _BROAD) * max(small.shape)
    if is_simple:
        marks = difference * scipy.ndimage.gaussian_gradient_magnitude(small, 1)  # shading has no edges
    else:  # compare marks with sharp edges only; shadows are soft
        fine = reduced(picture, 2 * _PAPER_SIDE)
        marks = fine - enlarged(scipy.ndimage.median_filter(small, _PAPER_WINDOW, mode="reflect"), fine.shape)
        marks *= scipy.ndimage.gaussian_gradient_magnitude(fine, 1)
    if (np.maximum(marks, 0) ** 2).sum() > (np.minimum(marks, 0) ** 2).sum():
        picture, plane, small = 1 - picture, 1 - plane, 1 - small
    brightest = np.percentile(small - plane, [70, 95])  # a third of every picture is paper
    is_simple &= float(np.ptp(brightest)) < _SHADE
    return picture, plane.astype(np.float32) if is_simple else None


def _relative(picture: np.ndarray, paper: np.ndarray | None) -> np.ndarray:
    """Return how much darker each pixel is than the paper around it: 0 is equal, 1 is black, below 0 is brighter."""
    if paper is None:
        paper = _local_paper(reduced(picture, 2 * _PAPER_SIDE))
    return 1 - picture / np.maximum(enlarged(paper, picture.shape), 0.05)


def _local_paper(small: np.ndarray) -> np.ndarray:
    """Estimate the paper's brightness by grey closing, with a window only a few times as wide as the strokes.

    So the estimate follows a shadow, even one as narrow as a finger's. A first, wide window shows the strokes' width.
    """
    window = 2 * _PAPER_WINDOW + 1
    contrast = 1 - small / np.maximum(scipy.ndimage.grey_closing(small, size=window, mode="reflect"), 0.05)
    mask = contrast > max(0.1, 0.5 * float(np.percentile(contrast, 98)))
    labels, _ = scipy.ndimage.label(mask, structure=np.ones((3, 3)))
    mask &= (np.bincount(labels.ravel()) >= _STROKE_PIXELS)[labels]
    depth = scipy.ndimage.distance_transform_edt(mask)
    ridges = depth[(depth > 0) & (depth == scipy.ndimage.maximum_filter(depth, 3))]
    if ridges.size:
        window = min(window, int(_PAPER_STROKES * 2 * float(np.median(ridges))) | 1)
    return scipy.ndimage.gaussian_filter(scipy.ndimage.grey_closing(small, size=window, mode="reflect"), 1)


def enlarged(
    small: np.ndarray, shape: tuple[int, int], resampling: Image.Resampling = Image.Resampling.BILINEAR
) -> np.ndarray:
    """Enlarge to a shape by interpolation."""
    return np.asarray(Image.fromarray(small).resize(shape[::-1], resampling))


def reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """Reduce to at most `side` pixels by averaging over areas."""
    factor = side / max(picture.shape)
    if factor >= 1:
        return picture
    size = tuple(max(1, round(length * factor)) for length in picture.shape[::-1])
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
