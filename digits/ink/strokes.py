"""Strokes: the path of the pen before it becomes pixels; checked, simplified and drawn.

A stroke is a float32 (n, 2) array of x, y in canvas pixels, n >= 1; y grows downwards. A click is one point.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digits.errors import InvalidImage

MAX_STROKES = 500
MAX_POINTS = 20_000
MAX_COORDINATE = 4096.0  # no canvas is larger, and the limit keeps the numbers in a link short


def check(strokes: Iterable[Any]) -> list[np.ndarray]:
    """Check strokes and convert them to float32 arrays.

    Args:
        strokes: array-likes (n, 2), x and y in canvas pixels.

    Returns:
        The strokes, float32 (n, 2) each.

    Raises:
        InvalidImage: a stroke has another shape, a coordinate is not a number within `MAX_COORDINATE`, or there are
            more than `MAX_STROKES` strokes or `MAX_POINTS` points.

    Example:
        >>> check([[(10, 20), (30, 40)]])
        [array([[10., 20.], [30., 40.]], dtype=float32)]
    """
    checked = []
    for stroke in strokes:
        try:
            points = np.asarray(stroke, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidImage("A stroke must be a list of [x, y] numbers. Draw it again.") from error
        if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
            raise InvalidImage(f"A stroke must be an (n, 2) array of x, y; received the shape {points.shape}.")
        if not (np.abs(points) <= MAX_COORDINATE).all():  # also false for NaN
            raise InvalidImage(f"A stroke's coordinates must lie within ±{MAX_COORDINATE:.0f} pixels. Draw it again.")
        checked.append(points.astype(np.float32))
    if len(checked) > MAX_STROKES or sum(map(len, checked)) > MAX_POINTS:
        raise InvalidImage(too_many())
    return checked


def parse(sent: Iterable[Any]) -> list[np.ndarray]:
    """Check strokes as the sheet sends them, each a flat list x, y, x, y, …; returns and raises as `check`.

    >>> parse([[10, 20, 30, 40]])
    [array([[10., 20.],
           [30., 40.]], dtype=float32)]
    """
    return check(map(_pairs, sent))


def _pairs(flat: Any) -> np.ndarray:
    """Return x, y, x, y, … as an array of points, float64 (n, 2)."""
    try:
        return np.asarray(flat, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidImage("A stroke must be a list of numbers, x and y in turn. Draw it again.") from error


def render(strokes: Sequence[np.ndarray], *, size: tuple[int, int], pen_width: float) -> np.ndarray:
    """Draw strokes with a round, anti-aliased pen.

    Args:
        strokes: float32 (n, 2) each, x and y in pixels of the picture to draw.
        size: height and width of the picture.
        pen_width: the pen's diameter in pixels.

    Returns:
        ink: float32 (height, width), 0 is paper and 1 is ink.
    """
    height, width = size
    ink = np.zeros(size, np.float32)
    left, top, right, foot = _reach(strokes, size, pen_width / 2)
    if left >= right or top >= foot:
        return ink
    # Pillow draws without anti-aliasing, so draw large and average: 16×16 samples a pixel on 28×28, 4×4 on a canvas
    factor = max(1, min(16, 1200 // max(height, width)))
    picture = Image.new("L", ((right - left) * factor, (foot - top) * factor))
    draw = ImageDraw.Draw(picture)
    radius = pen_width * factor / 2
    for stroke in strokes:
        # Pillow's coordinates start at a pixel's centre, strokes at the picture's corner
        path = (thin(stroke, 1 / factor) * factor - 0.5).astype(np.float64)
        points = (path - np.array([left, top]) * factor).tolist()
        if len(points) > 1:
            draw.line([tuple(point) for point in points], fill=255, width=max(1, round(2 * radius)))
        for x, y in points:  # round caps and joins
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink[top:foot, left:right] = np.asarray(picture.reduce(factor), dtype=np.float32) / 255
    return ink


def thin(stroke: np.ndarray, distance: float) -> np.ndarray:
    """Drop points that are nearer than `distance` pixels to the last one kept; the last point always stays.

    Args:
        stroke: float32 (n, 2).
        distance: in pixels.

    Returns:
        float32 (k, 2), k <= n.
    """
    if len(stroke) == 1:
        return stroke
    points = stroke.tolist()
    kept = [points[0]]
    for point in points[1:-1]:
        if math.dist(point, kept[-1]) >= distance:
            kept.append(point)
    if points[-1] != kept[-1]:
        kept.append(points[-1])
    return np.array(kept, dtype=np.float32)


def simplify(stroke: np.ndarray, tolerance: float) -> np.ndarray:
    """Keep few points whose connecting lines stay within `tolerance` pixels of the stroke.

    This is the algorithm of Ramer 1972 and Douglas, Peucker 1973, with a stack in place of recursion.

    Args:
        stroke: float (n, 2).
        tolerance: in pixels.

    Returns:
        The rows of `stroke` that are kept, among them the first and the last.
    """
    points = stroke.astype(np.float64)
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(points[first + 1 : last], points[first], points[last])
        farthest = int(np.argmax(distances))
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return stroke[keep]


def too_many() -> str:
    """Return the error message for a drawing with too many strokes or points."""
    return f"A drawing may hold {MAX_STROKES} strokes and {MAX_POINTS:,} points; this one holds more. Clear it."


def _reach(strokes: Sequence[np.ndarray], size: tuple[int, int], radius: float) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the part of a picture that ink may touch, in pixels; a sheet is mostly paper."""
    points = np.concatenate(strokes) if len(strokes) else np.zeros((0, 2), np.float32)
    if not len(points):
        return 0, 0, 0, 0
    margin = radius + 2
    x0, y0 = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(points.max(axis=0) + margin), size[::-1]).astype(int).tolist()
    return x0, y0, x1, y1


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the distance (n,) of each point (n, 2) from the line segment between start and end."""
    direction = end - start
    length = float(direction @ direction)
    along = np.clip((points - start) @ direction / length, 0, 1) if length > 0 else np.zeros(len(points))
    return np.hypot(*(points - start - along[:, None] * direction).T)
