"""Strokes: what the pen did on the canvas, before any pixel; from Fabric's JSON to ink, to a link, and back.

A stroke is a float32 (n, 2) array of x, y in canvas pixels, n >= 1; y grows downwards. A click is one point.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digits.errors import InvalidImage
from digits.ink import canvas
from digits.ink.canvas import MAX_COORDINATE

MAX_STROKES = 500
MAX_POINTS = 20_000
MAX_LINK_CHARACTERS = 10_000
LINK_CHARACTERS_WANTED = 2_000  # longer addresses are cut by some mail programs and proxies

_LINK_GRID = 0.5  # a link's coordinates are multiples of this many pixels
_LINK_TOLERANCE = 0.7  # and its points may leave the drawing by this many
_LINK_VERSION = "1"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # base64url: needs no escaping in a URL
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def parse_canvas(json_data: Any) -> list[np.ndarray]:
    """Read the strokes out of `st_canvas(...).json_data`.

    Args:
        json_data: the decoded JSON, or None before the canvas has answered.

    Returns:
        Strokes, each float32 (n, 2), x and y in canvas pixels, in the order they were drawn.

    Raises:
        InvalidImage: the data is no canvas, or holds more than `MAX_STROKES` strokes or `MAX_POINTS` points.
    """
    if json_data is None:
        return []
    paths = canvas.pen_paths(json_data)
    if len(paths) > MAX_STROKES or sum(len(path["path"]) for path in paths) > MAX_POINTS:
        raise InvalidImage(_too_much())
    return check(stroke for path in paths for stroke in canvas.read_path(path))


def check(strokes: Iterable[Any]) -> list[np.ndarray]:
    """Return the strokes as float32 arrays, or say what is wrong with them.

    Args:
        strokes: array-likes (n, 2), x and y in canvas pixels.

    Raises:
        InvalidImage: a stroke has another shape, a coordinate is not a number or lies beyond `MAX_COORDINATE`, or
            there are more than `MAX_STROKES` strokes or `MAX_POINTS` points.
    """
    checked = []
    for stroke in strokes:
        try:
            points = np.asarray(stroke, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidImage("A stroke must be a list of [x, y] numbers; draw it again.") from error
        if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
            raise InvalidImage(f"A stroke must be an (n, 2) array of x, y; received the shape {points.shape}.")
        if not (np.abs(points) <= MAX_COORDINATE).all():  # also false for NaN
            raise InvalidImage(f"A stroke's coordinates must lie within ±{MAX_COORDINATE:.0f} pixels; draw it again.")
        checked.append(points.astype(np.float32))
    if len(checked) > MAX_STROKES or sum(map(len, checked)) > MAX_POINTS:
        raise InvalidImage(_too_much())
    return checked


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
    # Pillow draws without anti-aliasing, so draw large and average: 16 x 16 samples a pixel on 28x28, 4 x 4 on a canvas
    factor = max(1, min(16, 1200 // max(height, width)))
    picture = Image.new("L", (width * factor, height * factor))
    draw = ImageDraw.Draw(picture)
    radius = pen_width * factor / 2
    for stroke in strokes:
        # Pillow counts from pixel centres, strokes from the picture's corner
        points = (thin(stroke, 1 / factor) * factor - 0.5).tolist()
        if len(points) > 1:
            draw.line([tuple(point) for point in points], fill=255, width=max(1, round(2 * radius)))
        for x, y in points:  # round caps and joins
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(picture.reduce(factor), dtype=np.float32) / 255


def thin(stroke: np.ndarray, distance: float) -> np.ndarray:
    """Drop the points that lie nearer than `distance` pixels to the last one kept; the end always stays."""
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
    """Keep the fewest points whose lines stay within `tolerance` pixels of the stroke.

    Ramer 1972 and Douglas, Peucker 1973, with a stack in place of recursion.
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


def encode_strokes(strokes: Sequence[np.ndarray]) -> str:
    """Write strokes as a short string that can stand in a URL as it is.

    Points are rounded to half a pixel, simplified, and written as differences in variable-length numbers of 5 bits a
    character; an ordinary digit takes 50 to 200 characters. A drawing that would be longer than
    `LINK_CHARACTERS_WANTED` is simplified further. Encoding what was decoded gives the same string.

    Raises:
        InvalidImage: as in `check`.
    """
    checked = check(strokes)
    tolerance = _LINK_TOLERANCE
    while True:
        text = _LINK_VERSION + "".join(_encode_all(checked, tolerance))
        if len(text) <= LINK_CHARACTERS_WANTED or tolerance > MAX_COORDINATE:
            return text
        tolerance *= 3


def decode_strokes(text: str) -> list[np.ndarray]:
    """Read strokes from a string that `encode_strokes` wrote.

    Returns:
        Strokes, each float32 (n, 2), within about a pixel of those that were encoded.

    Raises:
        InvalidImage: the string is too long, was cut, or was never such a string.
    """
    broken = InvalidImage("This link's drawing cannot be read: it was cut or changed. Copy the whole link again.")
    if not isinstance(text, str) or not text.startswith(_LINK_VERSION) or len(text) > MAX_LINK_CHARACTERS:
        raise broken
    numbers = _read_numbers(text[len(_LINK_VERSION) :], broken)
    strokes, position, place = [], np.zeros(2), 0
    while place < len(numbers):
        count = numbers[place]
        deltas = numbers[place + 1 : place + 1 + 2 * count]
        if count < 1 or len(deltas) < 2 * count:
            raise broken
        signed = [(value >> 1) ^ -(value & 1) for value in deltas]
        points = position + np.cumsum(np.array(signed, dtype=np.float64).reshape(count, 2), axis=0)
        position = points[-1]
        strokes.append((points * _LINK_GRID).astype(np.float32))
        place += 1 + 2 * count
    return check(strokes)


def to_canvas(strokes: Sequence[np.ndarray], pen_width: float, colour: str) -> dict[str, Any]:
    """Build an `initial_drawing` for `st_canvas` that shows these strokes.

    Args:
        strokes: float32 (n, 2) each, x and y in canvas pixels.
        pen_width: the pen's diameter in canvas pixels.
        colour: any CSS colour.
    """
    return {"objects": [canvas.write_path(stroke, pen_width=pen_width, colour=colour) for stroke in check(strokes)]}


def _too_much() -> str:
    return f"A drawing may hold {MAX_STROKES} strokes and {MAX_POINTS:,} points; this one holds more. Clear it."


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance (n,) of each point (n, 2) from the line segment between start and end."""
    direction = end - start
    length = float(direction @ direction)
    along = np.clip((points - start) @ direction / length, 0, 1) if length > 0 else np.zeros(len(points))
    return np.hypot(*(points - start - along[:, None] * direction).T)


def _encode_all(strokes: list[np.ndarray], tolerance: float) -> Iterable[str]:
    position = np.zeros(2, dtype=np.int64)
    for stroke in strokes:
        on_grid = np.rint(stroke.astype(np.float64) / _LINK_GRID)
        points = simplify(on_grid, tolerance / _LINK_GRID).astype(np.int64)
        deltas = np.diff(points, axis=0, prepend=position[None])
        position = points[-1]
        yield _write_number(len(points))
        for value in deltas.ravel().tolist():
            yield _write_number(value << 1 if value >= 0 else (-value << 1) - 1)  # zigzag: small either way is short


def _write_number(value: int) -> str:
    text = ""
    while value >= 32:
        text += _ALPHABET[32 + value % 32]
        value //= 32
    return text + _ALPHABET[value]


def _read_numbers(text: str, broken: InvalidImage) -> list[int]:
    numbers, value, shift = [], 0, 0
    for character in text:
        digit = _VALUES.get(character)
        if digit is None or shift > 20:
            raise broken
        value += digit % 32 << shift
        shift += 5
        if digit < 32:
            numbers.append(value)
            value = shift = 0
    if shift:
        raise broken
    return numbers
