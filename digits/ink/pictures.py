"""Pictures: the ink on the paper of a photograph, a scan or a screenshot."""

import math

import numpy as np
import scipy
from PIL import Image

from digits.errors import InvalidImage
from digits.ink import cells, paper, rules, writing
from digits.ink.sheet import cut_out

_SMALL = 240  # smaller pictures are enlarged
_OWN_DARKNESS = 0.8  # writing that is fainter than this share of all marks is looked for again
_MIN_CONTRAST = 0.12  # ink must be this much darker than its paper (hard pencil on white is about 0.2)
_MIN_SIGNAL = 4.5  # standard deviations of the paper's noise by which ink must exceed it
_MIN_INK_PIXELS = 6


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
    large = enlarged(picture)  # a rule is hard to tell from a stroke where both have a pixel
    factor = len(large) // len(picture)
    sheet, place = cut_out(large)
    ink = np.zeros_like(large)
    ink[place] = _find_on_sheet(sheet, factor)
    return ink if factor == 1 else np.asarray(Image.fromarray(ink).reduce(factor))


def enlarged(picture: np.ndarray) -> np.ndarray:
    """Enlarge a small picture or its ink, so that strokes and the gaps between them have more than a pixel or two.

    Args:
        picture: float32 (height, width), in [0, 1]; neither is 0.

    Returns:
        float32 (height, width) in [0, 1], a whole number of times as large; the picture itself if it is not small.
    """
    factor = math.ceil(_SMALL / max(1, *picture.shape))
    if factor == 1 or picture.ndim != 2 or 0 in picture.shape:
        return picture
    shape = (picture.shape[0] * factor, picture.shape[1] * factor)
    return np.clip(paper.enlarged(picture, shape, Image.Resampling.BICUBIC), 0, 1)


def find_marks(picture: np.ndarray) -> np.ndarray:
    """Separate everything dark from its paper, as on a clean page that is full of writing up to its edges.

    `find_ink` looks for one number, and takes what stands at the edge of a page for parts of others.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        ink: as `find_ink`.
    """
    contrast = paper.contrast(picture)
    candidates = contrast > _noise_floor(contrast)
    darkness = _ink_darkness(contrast, candidates)
    mask = _grown(contrast, candidates, darkness)
    return np.where(mask, np.clip(contrast / darkness, 0, 1), 0).astype(np.float32)


def _find_on_sheet(sheet: np.ndarray, factor: int) -> np.ndarray:
    """Separate the ink from its paper; arguments as for `find_ink`, and how many times the picture was enlarged."""
    blank = np.zeros_like(sheet)
    contrast, *lines = rules.erase(paper.contrast(sheet), pixel=factor)
    floor = _noise_floor(contrast)
    candidates = contrast > floor
    if candidates.sum() < _MIN_INK_PIXELS:
        return blank
    darkness = _ink_darkness(contrast, candidates)
    mask, ink = _dark_marks(contrast, candidates, darkness, lines)
    own = _ink_darkness(contrast, ink)
    if own < _OWN_DARKNESS * darkness:  # darker things than the writing had set the scale
        candidates &= ~(mask & ~ink)
        darkness = own
        _, ink = _dark_marks(contrast, candidates, darkness, lines)
    if ink.sum() < _MIN_INK_PIXELS:
        return blank
    return np.where(ink, np.clip(contrast / darkness, 0, 1), 0).astype(np.float32)


def _dark_marks(
    contrast: np.ndarray, candidates: np.ndarray, darkness: float, lines: list[list[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return all pixels that are dark enough to be ink, and those of them that may be writing."""
    mask = _grown(contrast, candidates, darkness)
    return mask, writing.select(mask & ~cells.beyond(mask, *lines), contrast)


def _grown(contrast: np.ndarray, candidates: np.ndarray, darkness: float) -> np.ndarray:
    """Return the pixels that are dark enough to be ink."""
    # a blurred edge is at half the ink's darkness; fainter pixels count where they touch a dark one
    certain = candidates & (contrast > 0.5 * darkness)
    possible = candidates & (contrast > 0.3 * darkness)
    return scipy.ndimage.binary_propagation(certain, structure=np.ones((3, 3)), mask=possible)


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
