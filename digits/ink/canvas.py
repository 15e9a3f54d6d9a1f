"""Convert between strokes and the JSON paths of Fabric.js, the drawing library inside the canvas.

Fabric (https://fabricjs.com, 7.4 in streamlit-drawable-canvas 0.13) writes a pen stroke as a `Path` whose commands M, L
and Q hold absolute canvas pixels. The canvas's edit tool moves, scales or rotates an object by changing `left`, `top`,
`scaleX`, `angle` and so on; the commands stay the same. So both are read here.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from digits.errors import InvalidImage
from digits.ink.strokes import MAX_COORDINATE, MAX_POINTS, MAX_STROKES, check, too_many

_FLATNESS = 0.1  # the largest distance in pixels between a curve and the lines that replace it
_TO_CENTRE = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}  # from an origin, in widths

Point = tuple[float, float]


def parse(json_data: Any) -> list[np.ndarray]:
    """Read the strokes from `st_canvas(...).json_data`.

    Args:
        json_data: the decoded JSON, or None before the canvas has sent anything.

    Returns:
        Strokes, each float32 (n, 2), x and y in canvas pixels, in the order they were drawn.

    Raises:
        InvalidImage: the data does not come from a canvas, or holds more than `MAX_STROKES` strokes or `MAX_POINTS`
            points.

    Example:
        >>> parse({"objects": [{"type": "Path", "path": [["M", 10, 20], ["L", 30, 40]]}]})
        [array([[10., 20.], [30., 40.]], dtype=float32)]
    """
    if json_data is None:
        return []
    paths = _pen_paths(json_data)
    if len(paths) > MAX_STROKES or sum(len(path["path"]) for path in paths) > MAX_POINTS:
        raise InvalidImage(too_many())
    return check(stroke for path in paths for stroke in _read_path(path))


def build(strokes: Sequence[np.ndarray], pen_width: float, colour: str) -> dict[str, Any]:
    """Build an `initial_drawing` for `st_canvas` that shows these strokes.

    Args:
        strokes: float32 (n, 2) each, x and y in canvas pixels.
        pen_width: the pen's diameter in canvas pixels.
        colour: any CSS colour.

    Returns:
        The drawing as JSON-like data; `parse` reads the same strokes back.

    Raises:
        InvalidImage: as in `strokes.check`.
    """
    return {"objects": [write_path(stroke, pen_width=pen_width, colour=colour) for stroke in check(strokes)]}


def _pen_paths(json_data: Any) -> list[dict[str, Any]]:
    """List a drawing's `Path` objects in the order they were drawn; ignore objects of other types.

    Raises:
        InvalidImage: the data does not come from a canvas.
    """
    objects = json_data.get("objects", []) if isinstance(json_data, dict) else None
    if not isinstance(objects, list):
        raise InvalidImage("`json_data` must be a canvas's drawing, a dict with a list `objects`. Draw it again.")
    paths = [item for item in objects if isinstance(item, dict) and item.get("type") in ("path", "Path")]
    if not all(isinstance(path.get("path"), list) for path in paths):
        raise _unreadable()
    return paths


def _read_path(item: dict[str, Any]) -> list[np.ndarray]:
    """Turn one `Path` object into points, and apply the object's transformation.

    Returns:
        One float64 (n, 2) array of x, y in canvas pixels for each M command; a click gives a single point.

    Raises:
        InvalidImage: a command is not M, L or Q, or a coordinate is not a number within `MAX_COORDINATE`.
    """
    strokes: list[list[Point]] = []
    corners: list[Point] = []  # the points from which Fabric computes the path's bounds
    for command in item["path"]:
        letter, ends = _read_command(command)
        if letter == "M" and len(ends) == 1:
            strokes.append(ends)
        elif letter == "L" and len(ends) == 1 and strokes:
            strokes[-1] += ends
        elif letter == "Q" and len(ends) == 2 and strokes:
            corners.append(_farthest(strokes[-1][-1], *ends))
            strokes[-1] += _flatten(strokes[-1][-1], *ends)
        else:
            raise _unreadable()
        corners.append(ends[-1])
    arrays = [_dot_or_line(np.array(stroke)) for stroke in strokes]
    return _place(arrays, np.array(corners), item) if arrays else []


def write_path(stroke: np.ndarray, *, pen_width: float, colour: str) -> dict[str, Any]:
    """Build the `Path` object that shows a stroke.

    The path has no `left` and `top`, so Fabric places it where its commands say. It consists of straight lines only, so
    sending a drawing back and forth between canvas and server never changes it.

    Args:
        stroke: float32 (n, 2), x and y in canvas pixels.
        pen_width: the pen's diameter in canvas pixels.
        colour: any CSS colour.
    """
    points = stroke.tolist()
    if len(points) == 1:
        x, y = points[0]
        points = [[x - 0.02, y], [x + 0.02, y]]  # as Fabric writes a click: it does not draw a path of length 0
    commands = [["M" if index == 0 else "L", round(x, 2), round(y, 2)] for index, (x, y) in enumerate(points)]
    pen = {"stroke": colour, "strokeWidth": pen_width, "strokeLineCap": "round", "strokeLineJoin": "round"}
    return {"type": "Path", "path": commands, "originX": "center", "originY": "center", "fill": None} | pen


def _unreadable() -> InvalidImage:
    return InvalidImage("A stroke on the canvas cannot be read: its `path` must be a list of M, L and Q commands.")


def _read_command(command: Any) -> tuple[Any, list[Point]]:
    """Split ["Q", x1, y1, x2, y2] into "Q" and its points."""
    if not isinstance(command, list) or len(command) not in (3, 5):
        raise _unreadable()
    numbers = [_number(value) for value in command[1:]]
    return command[0], list(zip(numbers[0::2], numbers[1::2], strict=True))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_COORDINATE:
        raise InvalidImage(f"A coordinate on the canvas must be a number within ±{MAX_COORDINATE:.0f}. Draw it again.")
    return float(value)


def _flatten(start: Point, control: Point, end: Point) -> list[Point]:
    """Return points along a quadratic Bézier curve, without its start.

    A polyline of n equal pieces differs from the curve by at most |start - 2 control + end| / 4 n² pixels.
    """
    bend = math.hypot(start[0] - 2 * control[0] + end[0], start[1] - 2 * control[1] + end[1])
    pieces = max(1, math.ceil(math.sqrt(bend / (4 * _FLATNESS))))
    points = []
    for piece in range(1, pieces + 1):
        t = piece / pieces
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append((a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1]))
    return points


def _farthest(start: Point, control: Point, end: Point) -> Point:
    """Return the extreme x and y of a curve as Fabric 7 computes them: for the cubic start, control, control, end."""
    found = []
    for p, q, r in zip(start, control, end, strict=True):
        if (q - p) * (r - q) < 0:  # the curve reverses its direction on this axis
            t = 1 / (1 + math.sqrt((r - q) / (p - q)))
            found.append((1 - t) ** 3 * p + 3 * t * (1 - t) * q + t**3 * r)
        else:
            found.append(r)
    return found[0], found[1]


def _dot_or_line(points: np.ndarray) -> np.ndarray:
    """Turn a click into one point; Fabric writes it as a line of a few hundredths of a pixel."""
    return points.mean(axis=0, keepdims=True) if np.ptp(points, axis=0).max() < 0.1 else points


def _place(strokes: list[np.ndarray], corners: np.ndarray, item: dict[str, Any]) -> list[np.ndarray]:
    """Apply an object's own transformation, as Fabric 7's `calcTransformMatrix` and `translateToCenterPoint` do."""

    def get(name: str, default: float) -> float:
        value = item.get(name)
        return default if value is None else _number(value)

    low, high = corners.min(axis=0), corners.max(axis=0)
    middle = (low + high) / 2
    scales = np.array([get("scaleX", 1), get("scaleY", 1)])
    flips = [-1 if item.get(name) is True else 1 for name in ("flipX", "flipY")]
    angle, skew_x, skew_y = (math.radians(get(name, 0)) for name in ("angle", "skewX", "skewY"))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shear = np.array([[1, math.tan(skew_x)], [0, 1]]) @ np.array([[1, 0], [math.tan(skew_y), 1]])
    matrix = turn @ np.diag(scales * flips) @ shear
    centre = middle
    if item.get("left") is not None and item.get("top") is not None:
        pen = get("strokeWidth", 1) * (1 if item.get("strokeUniform") is True else scales)
        origins = [_TO_CENTRE.get(str(item.get(name, "left")), 0.0) for name in ("originX", "originY")]
        centre = np.array([get("left", 0), get("top", 0)]) + turn @ (origins * ((high - low) * scales + pen))
    return [centre + (stroke - middle) @ matrix.T for stroke in strokes]
