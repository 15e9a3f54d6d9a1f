"""Pieces: pen strokes or components of connected ink, grouped into lines of writing.

A piece is an array (n, 2) of x and y in source pixels, n >= 1; y grows downwards.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import scipy

Box = tuple[int, int, int, int]

# Ink is one piece where it is at least this dark. At 0.5 a faint spot in a stroke cut 6.8% of the digits of the Swiss
# training writers in two; at 0.25 it cuts 0.8%, and no more digits that touch are joined.
FAINTEST = 0.25
LEANS = (-0.25, -0.125, 0.0, 0.125, 0.25)  # handwriting leans by up to about 14 degrees either way
_LINE_GAP = 0.25  # the gap between two lines is at least this share of the higher one's height
_ROW_GAP = 0.08  # or, between two rows of several pieces each, this share
_SLOPES = np.arange(-12, 13) / 64  # of lines: 11 degrees either way, in steps that are exact in binary
_LINE_HEIGHTS = 0.5  # the smaller line is at least this share of the larger one's height, or it is a separate bar


def components(mask: np.ndarray, *, bridge: int = 0) -> list[np.ndarray]:
    """Find the components of connected ink.

    Args:
        mask: bool (height, width), True is ink.
        bridge: ink across gaps of up to so many pixels is connected.

    Returns:
        For each component its pixels, int (n, 2), x and y.
    """
    joined = scipy.ndimage.binary_dilation(mask, np.ones((bridge + 1, bridge + 1))) if bridge else mask
    labels, count = scipy.ndimage.label(joined, structure=np.ones((3, 3)))
    labels *= mask
    y, x = np.nonzero(labels)
    order = np.argsort(labels[y, x], kind="stable")
    if count == 0:
        return []
    ends = np.cumsum(np.bincount(labels[y, x], minlength=count + 1))[1:-1]
    return np.split(np.stack([x, y], axis=-1)[order], ends)


def paint(pieces: Iterable[np.ndarray], ink: np.ndarray) -> tuple[Box, np.ndarray]:
    """Cut out the ink of some pixels, with the soft edge around it.

    Args:
        pieces: int (n, 2) each, x and y; at least one.
        ink: float32 (height, width), 0 is paper and 1 is ink.

    Returns:
        box: x0, y0, x1, y1 of the pixels; x1 and y1 are exclusive.
        ink: float32 (y1 - y0, x1 - x0).
    """
    pixels = np.concatenate(list(pieces))
    (x0, y0), (x1, y1) = pixels.min(axis=0), pixels.max(axis=0) + 1
    mask = np.zeros((y1 - y0, x1 - x0), dtype=bool)
    mask[pixels[:, 1] - y0, pixels[:, 0] - x0] = True
    crop = ink[y0:y1, x0:x1]
    soft = scipy.ndimage.binary_dilation(mask, np.ones((3, 3))) & (crop <= FAINTEST)
    return (int(x0), int(y0), int(x1), int(y1)), np.where(mask | soft, crop, np.float32(0))


def lines_of_writing(pieces: Sequence[np.ndarray]) -> list[list[int]]:
    """Group pieces into lines of writing, from top to bottom.

    Bands of pieces with blank paper between them are separate lines if their heights are similar, the gap is large
    enough, and one band is above the other. All other neighbouring bands are one line. Lines that slope are separated
    along the slope that leaves most blank paper between them.

    Args:
        pieces: (n, 2) each, x and y.

    Returns:
        For each line the rising indices of its pieces.
    """
    if not pieces:
        return []
    spans = np.array([(*piece.min(axis=0).tolist(), *piece.max(axis=0).tolist()) for piece in pieces])  # x0, y0, x1, y1
    level = _bands(spans.tolist())
    if len(pieces) < 4:
        return level
    shift = (spans[:, :1] + spans[:, 2:3]) / 2 - spans[:, 0].min()
    sheared = [spans - slope * shift * np.array([0, 1, 0, 1]) for slope in _SLOPES]
    sloping = _bands(min(sheared, key=_inked_height).tolist())
    has_whole_lines = min(map(len, sloping)) >= 2
    return sloping if len(sloping) > len(level) and has_whole_lines else level


def _inked_height(spans: np.ndarray) -> float:
    """Return the height that is not blank from side to side, for spans x0, y0, x1, y1."""
    total, end = 0.0, -math.inf
    for _, top, _, foot in sorted(spans.tolist(), key=lambda span: span[1]):
        total += max(0.0, foot - max(top, end))
        end = max(end, foot)
    return total


def _bands(spans: list[list[float]]) -> list[list[int]]:
    """Group spans x0, y0, x1, y1 into lines; see `lines_of_writing`."""
    bands: list[tuple[list[int], tuple[float, ...]]] = []
    for index in sorted(range(len(spans)), key=lambda index: spans[index][1]):
        if bands and spans[index][1] <= bands[-1][1][3]:
            bands[-1] = _merged(bands[-1], ([index], spans[index]))
        else:
            bands.append(([index], tuple(spans[index])))
    while True:
        wrong = [place for place in range(len(bands) - 1) if not _are_two_lines(bands[place], bands[place + 1])]
        if not wrong:
            return [sorted(members) for members, _ in bands]
        nearest = min(wrong, key=lambda place: bands[place + 1][1][1] - bands[place][1][3])
        bands[nearest : nearest + 2] = [_merged(bands[nearest], bands[nearest + 1])]


def _merged(first: tuple, second: tuple) -> tuple:
    return first[0] + second[0], united_box(first[1], second[1])


def _are_two_lines(first: tuple, second: tuple) -> bool:
    """Return whether two bands, each its members and its box, are two lines."""
    upper, lower = first[1], second[1]
    low, high = sorted((upper[3] - upper[1], lower[3] - lower[1]))
    is_above = upper[0] <= lower[2] and lower[0] <= upper[2]
    are_rows = all(len(members) > 1 and box[2] - box[0] > high for members, box in (first, second))
    gap = _ROW_GAP if are_rows else _LINE_GAP
    return is_above and low >= _LINE_HEIGHTS * high and lower[1] - upper[3] >= gap * high


def united_box(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the smallest box x0, y0, x1, y1 around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
