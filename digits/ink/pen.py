"""The pen: strokes as a 28×28 image, by a few lines of arithmetic that JavaScript repeats to the byte.

A pixel's ink is how deep its centre lies within the pen's path: `radius + 1/2 - distance to the nearest line`, between
0 and 1. Every operation is one that IEEE 754 rounds the same everywhere (+, -, ×, ÷, square root, floor), on float64,
and sums are of whole numbers, so that their order does not matter.
"""

from collections.abc import Sequence

import numpy as np

from digits.settings import IMAGE_SIZE

BOX_SIDE = 20
PEN_WIDTH = 2.6  # MNIST's strokes measure 2.5 ± 0.8 pixels (area over length of the centre line)
CENTRE = 14.5  # MNIST's centres of mass lie at pixel 14.00 ± 0.29, counting from 0: 14.5 from the corner

_REACH = PEN_WIDTH / 2 + 0.5  # pixels from a line to where its ink ends


def draw(strokes: Sequence[np.ndarray], *, smallest: float) -> tuple[np.ndarray, float, np.ndarray]:
    """Draw strokes as MNIST would show them: in a box of 20×20 pixels, on 28×28 by their centre of mass.

    Args:
        strokes: float32 (n, 2) each, at least one, x and y in source pixels.
        smallest: source pixels; a drawing smaller than this is a dot and is not enlarged to fill the box.

    Returns:
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        scale: image pixels for one source pixel.
        centre: float64 (2,), x and y of the point in the source that came to the image's centre.
    """
    segments = _segments(strokes)
    low, high = segments.min(axis=(0, 1)), segments.max(axis=(0, 1))
    extent = high - low
    scale = (BOX_SIDE - PEN_WIDTH) / max(float(extent[0]), float(extent[1]), smallest)
    centre = (low + high) / 2
    image = _render((segments - centre) * scale + CENTRE)
    offset = (_centre_of_mass(image) + 0.5 - CENTRE) / scale
    # The digit must stay whole on the 28×28, even where its mass lies far to one side.
    slack = ((IMAGE_SIZE - PEN_WIDTH - extent * scale) / 2 - 0.5) / scale
    centre = centre + np.maximum(-slack, np.minimum(slack, offset))
    return _render((segments - centre) * scale + CENTRE), scale, centre


def _segments(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Both ends of every line, float64 (n, 2, 2); a stroke of one point is a line without length."""
    points = np.concatenate(strokes).astype(np.float64)
    lengths = np.array([len(stroke) for stroke in strokes])
    first = np.arange(len(points))
    last = np.cumsum(lengths) - 1
    is_inner = np.ones(len(points), dtype=bool)
    is_inner[last[lengths > 1]] = False
    starts = first[is_inner]
    ends = starts + 1
    is_dot = np.zeros(len(points), dtype=bool)
    is_dot[last[lengths == 1]] = True
    ends[is_dot[starts]] -= 1
    return np.stack([points[starts], points[ends]], axis=1)


def _render(segments: np.ndarray) -> np.ndarray:
    """Draw lines float64 (n, 2, 2), in pixels from the image's corner, as uint8 (28, 28)."""
    start, end = segments[:, 0], segments[:, 1]
    low = np.maximum(np.floor(np.minimum(start, end) - _REACH), 0).astype(np.intp)
    high = np.minimum(np.floor(np.maximum(start, end) + _REACH), IMAGE_SIZE - 1).astype(np.intp)
    sides = np.maximum(high - low + 1, 0)
    counts = sides[:, 0] * sides[:, 1]
    line = np.repeat(np.arange(len(segments)), counts)  # which line each of the pixels near one is looked at for
    place = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    column = low[line, 0] + place % sides[line, 0]
    row = low[line, 1] + place // sides[line, 0]
    dx, dy = (end - start).T
    length = dx * dx + dy * dy
    px, py = column + 0.5 - start[line, 0], row + 0.5 - start[line, 1]
    dx, dy = dx[line], dy[line]
    along = (px * dx + py * dy) / np.where(length > 0, length, 1)[line]
    along = np.maximum(0, np.minimum(1, along))
    px, py = px - along * dx, py - along * dy
    depth = _REACH - np.sqrt(px * px + py * py)
    ink = np.zeros(IMAGE_SIZE * IMAGE_SIZE)
    np.maximum.at(ink, row * IMAGE_SIZE + column, np.minimum(depth, 1))
    return np.floor(255 * ink + 0.5).astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)


def _centre_of_mass(image: np.ndarray) -> np.ndarray:
    """x and y of the mean pixel weighted by ink, float64 (2,), from sums of whole numbers."""
    ink = image.astype(np.int64)
    line = np.arange(IMAGE_SIZE)
    return np.array([int(ink.sum(axis=0) @ line), int(ink.sum(axis=1) @ line)]) / max(1, int(ink.sum()))
