"""Regions: parts of a digit that can be erased from its image, and the words for their shape and position."""

import numpy as np
import scipy

from digits.errors import InvalidImage
from digits.settings import IMAGE_SIZE

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 are exclusive

WHERE = {
    "top left": "at the top left",
    "top": "at the top",
    "top right": "at the top right",
    "left": "on the left",
    "middle": "in the middle",
    "right": "on the right",
    "bottom left": "at the bottom left",
    "bottom": "at the bottom",
    "bottom right": "at the bottom right",
}

_STRIDE = 2  # pixels between the centres of neighbouring discs
_INK = 96  # a pixel of at least this value belongs to a line, which can close a loop
_LONG = 1.7  # a part this many times longer than wide is a bar or a stem


def check(image: np.ndarray) -> None:
    """Check that an image is uint8 (28, 28).

    Raises:
        InvalidImage: it has another shape or type.
    """
    if image.shape != (IMAGE_SIZE, IMAGE_SIZE) or image.dtype != np.uint8:
        raise InvalidImage(f"`image` must be uint8 (28, 28); received {image.dtype} {image.shape}.")


def erase(image: np.ndarray, row: float, column: float, *, radius: float) -> np.ndarray:
    """Erase the ink in a disc with a rim one pixel soft.

    Args:
        image: uint8 (28, 28).
        row, column: the disc's centre in pixels.
        radius: in pixels.

    Returns:
        uint8 (28, 28), a copy.

    Raises:
        InvalidImage: `image` has another shape or type.
    """
    check(image)
    return erase_all(image, _around(np.array([[row, column]]), radius))[0]


def erase_all(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Erase each of several masks from an image.

    Args:
        image: uint8 (28, 28).
        masks: float32 (n, 28, 28) in [0, 1], 1 is erased.

    Returns:
        uint8 (n, 28, 28), one copy for each mask.
    """
    return np.rint(image * (1 - masks)).astype(np.uint8)


def discs(image: np.ndarray, radius: float) -> np.ndarray:
    """Return masks of discs on a lattice that together cover all ink.

    Args:
        image: uint8 (28, 28).
        radius: in pixels.

    Returns:
        float32 (n, 28, 28) in [0, 1]; n <= 196, typically 60.
    """
    near = scipy.ndimage.maximum_filter(image, 3) > 0
    return _around(np.argwhere(near[::_STRIDE, ::_STRIDE]) * _STRIDE, radius)


def thirds(box: Box) -> np.ndarray:
    """Return masks float32 (6, 28, 28) of a box's top, middle, bottom, left, middle and right thirds."""
    x0, y0, x1, y1 = box
    masks = np.zeros((6, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    for third in range(3):
        masks[third, round(y0 + third * (y1 - y0) / 3) : round(y0 + (third + 1) * (y1 - y0) / 3), :] = 1
        masks[3 + third, :, round(x0 + third * (x1 - x0) / 3) : round(x0 + (third + 1) * (x1 - x0) / 3)] = 1
    return masks


def box(image: np.ndarray, *, at_least: int = 64) -> Box | None:
    """Return the box around the ink.

    Args:
        image: uint8 (28, 28).
        at_least: the least ink of a pixel that counts; if no pixel has as much, the darkest ones count.

    Returns:
        x0, y0, x1, y1, or None for a blank image.
    """
    if not image.any():
        return None
    mask = image >= min(at_least, int(image.max()))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def region(row: float, column: float, within: Box) -> str:
    """Return in which ninth of a box a pixel is, as a key of `WHERE`; a narrow or a flat box has thirds only.

    Example:
        >>> region(2, 3, (0, 0, 20, 20))
        'top left'
    """
    x0, y0, x1, y1 = within
    width, height = x1 - x0, y1 - y0
    down = int(np.clip(3 * (row + 0.5 - y0) / height, 0, 2)) if 2 * height > width else 1
    across = int(np.clip(3 * (column + 0.5 - x0) / width, 0, 2)) if 2 * width > height else 1
    words = ("top", "", "bottom")[down], ("left", "", "right")[across]
    return " ".join(filter(None, words)) or "middle"


def place(image: np.ndarray, erased: np.ndarray, within: Box) -> str:
    """Return where ink was erased, as a key of `WHERE`.

    Args:
        image: uint8 (28, 28).
        erased: uint8 (28, 28), `image` without that ink.
        within: the box whose ninths are named.
    """
    row, column = scipy.ndimage.center_of_mass((image - erased).astype(np.float64))
    return region(row, column, within)


def shape(image: np.ndarray, erased: np.ndarray) -> str:
    """Name the shape of the ink that was erased.

    Args:
        image: uint8 (28, 28).
        erased: uint8 (28, 28), `image` without that ink, at least one pixel.

    Returns:
        "loop" if erasing opened a loop, else "bar", "stem" or "stroke".
    """
    if _holes(image) > _holes(erased):
        return "loop"
    lost = box(image - erased, at_least=_INK)
    if lost is None:
        raise ValueError("`erased` must lack at least one pixel of `image`'s ink.")
    x0, y0, x1, y1 = lost
    width, height = x1 - x0, y1 - y0
    return "bar" if width >= _LONG * height else "stem" if height >= _LONG * width else "stroke"


def _around(centres: np.ndarray, radius: float) -> np.ndarray:
    """Return masks float32 (n, 28, 28) of discs around rows and columns (n, 2)."""
    rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
    distances = np.hypot(rows - centres[:, :1, None], columns - centres[:, 1:, None])
    return np.clip(radius + 0.5 - distances, 0, 1).astype(np.float32)


def _holes(image: np.ndarray) -> int:
    """Count the loops: areas of paper that the ink encloses."""
    paper = np.pad(image < _INK, 1, constant_values=True)
    return scipy.ndimage.label(paper)[1] - 1
