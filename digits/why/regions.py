"""Parts of a digit: discs and thirds that can be erased from its image, and what a person would call them."""

import numpy as np
import scipy

from digits.errors import InvalidImage
from digits.settings import IMAGE_SIZE

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 lie just outside

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
_INK = 96  # from here on a pixel belongs to a line, where lines close loops
_LONG = 1.7  # a part that many times longer than wide is a bar or a stem


def check(image: np.ndarray) -> None:
    """Raise `InvalidImage` unless an image is uint8 (28, 28)."""
    if image.shape != (IMAGE_SIZE, IMAGE_SIZE) or image.dtype != np.uint8:
        raise InvalidImage(f"`image` must be uint8 (28, 28); received {image.dtype} {image.shape}.")


def erase(image: np.ndarray, row: float, column: float, *, radius: float) -> np.ndarray:
    """Return an image uint8 (28, 28) without the ink in a disc whose rim is soft by a pixel; radius in pixels."""
    check(image)
    return erase_all(image, _around(np.array([[row, column]]), radius))[0]


def erase_all(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return uint8 (n, 28, 28), an image once for each mask float32 (n, 28, 28) in [0, 1], 1 is erased."""
    return np.rint(image * (1 - masks)).astype(np.uint8)


def discs(image: np.ndarray, radius: float) -> np.ndarray:
    """Return masks float32 (n, 28, 28) of discs on a lattice that together reach all ink; n <= 196, about 60."""
    near = scipy.ndimage.maximum_filter(image, 3) > 0
    return _around(np.argwhere(near[::_STRIDE, ::_STRIDE]) * _STRIDE, radius)


def thirds(box: Box) -> np.ndarray:
    """Return masks float32 (6, 28, 28) of a box's top, middle, bottom, left, middle and right third."""
    x0, y0, x1, y1 = box
    masks = np.zeros((6, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    for third in range(3):
        masks[third, round(y0 + third * (y1 - y0) / 3) : round(y0 + (third + 1) * (y1 - y0) / 3), :] = 1
        masks[3 + third, :, round(x0 + third * (x1 - x0) / 3) : round(x0 + (third + 1) * (x1 - x0) / 3)] = 1
    return masks


def box(image: np.ndarray, *, at_least: int = 64) -> Box | None:
    """Return the box around the pixels of `at_least` this ink, or around the darkest; None for a blank image."""
    if not image.any():
        return None
    mask = image >= min(at_least, int(image.max()))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def region(row: float, column: float, within: Box) -> str:
    """Return the key of `WHERE` for a pixel's ninth of a box; a box that is narrow or flat has thirds only."""
    x0, y0, x1, y1 = within
    width, height = x1 - x0, y1 - y0
    down = int(np.clip(3 * (row + 0.5 - y0) / height, 0, 2)) if 2 * height > width else 1
    across = int(np.clip(3 * (column + 0.5 - x0) / width, 0, 2)) if 2 * width > height else 1
    words = ("top", "", "bottom")[down], ("left", "", "right")[across]
    return " ".join(filter(None, words)) or "middle"


def place(image: np.ndarray, erased: np.ndarray, within: Box) -> str:
    """Return the key of `WHERE` for the ink uint8 (28, 28) that `image` has and `erased` has not."""
    return region(*scipy.ndimage.center_of_mass((image - erased).astype(np.float64)), within)


def shape(image: np.ndarray, erased: np.ndarray) -> str:
    """Return "loop" when erasing opened one, else "bar", "stem" or "stroke" by what was lost; at least a pixel was."""
    if _holes(image) > _holes(erased):
        return "loop"
    x0, y0, x1, y1 = box(image - erased, at_least=_INK)
    width, height = x1 - x0, y1 - y0
    return "bar" if width >= _LONG * height else "stem" if height >= _LONG * width else "stroke"


def _around(centres: np.ndarray, radius: float) -> np.ndarray:
    """Masks float32 (n, 28, 28) around rows and columns (n, 2)."""
    rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
    distances = np.hypot(rows - centres[:, :1, None], columns - centres[:, 1:, None])
    return np.clip(radius + 0.5 - distances, 0, 1).astype(np.float32)


def _holes(image: np.ndarray) -> int:
    paper = np.pad(image < _INK, 1, constant_values=True)
    return scipy.ndimage.label(paper)[1] - 1
