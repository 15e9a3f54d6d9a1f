"""Encode strokes as a short string for a URL, and decode it."""

from collections.abc import Iterable, Sequence

import numpy as np

from digits.errors import InvalidImage
from digits.ink.strokes import MAX_COORDINATE, check, simplify

MAX_CHARACTERS = 10_000
CHARACTERS_WANTED = 2_000  # some mail programs and proxies cut longer addresses

_GRID = 0.5  # pixels; coordinates in a link are multiples of this
_TOLERANCE = 0.7  # pixels; simplifying moves a line by at most this much
_VERSION = "1"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # base64url: needs no escaping in a URL
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def encode(strokes: Sequence[np.ndarray]) -> str:
    """Encode strokes as a short string that needs no escaping in a URL.

    Points are rounded to half a pixel, simplified, and written as differences, in variable-length numbers of 5 bits a
    character. An ordinary digit takes 50 to 200 characters. A drawing longer than `CHARACTERS_WANTED` is simplified
    further. Encoding a decoded drawing gives the same string.

    Args:
        strokes: float32 (n, 2) each, x and y in canvas pixels.

    Returns:
        The string, of letters, digits, "-" and "_".

    Raises:
        InvalidImage: as in `strokes.check`.

    Example:
        >>> decode(encode([np.array([[10, 20], [30, 40]])]))
        [array([[10., 20.], [30., 40.]], dtype=float32)]
    """
    checked = check(strokes)
    tolerance = _TOLERANCE
    while True:
        text = _VERSION + "".join(_encode_all(checked, tolerance))
        if len(text) <= CHARACTERS_WANTED or tolerance > MAX_COORDINATE:
            return text
        tolerance *= 3


def decode(text: str) -> list[np.ndarray]:
    """Decode the strokes in a string that `encode` wrote.

    Returns:
        Strokes, each float32 (n, 2), within about a pixel of the encoded ones.

    Raises:
        InvalidImage: the string is too long, truncated, or not such a string.
    """
    broken = InvalidImage("This link's drawing cannot be read: it was cut or changed. Copy the whole link again.")
    if not isinstance(text, str) or not text.startswith(_VERSION) or len(text) > MAX_CHARACTERS:
        raise broken
    numbers = _read_numbers(text[len(_VERSION) :], broken)
    strokes, position, place = [], np.zeros(2), 0
    while place < len(numbers):
        count = numbers[place]
        deltas = numbers[place + 1 : place + 1 + 2 * count]
        if count < 1 or len(deltas) < 2 * count:
            raise broken
        signed = [(value >> 1) ^ -(value & 1) for value in deltas]
        points = position + np.cumsum(np.array(signed, dtype=np.float64).reshape(count, 2), axis=0)
        position = points[-1]
        strokes.append((points * _GRID).astype(np.float32))
        place += 1 + 2 * count
    return check(strokes)


def _encode_all(strokes: list[np.ndarray], tolerance: float) -> Iterable[str]:
    position = np.zeros(2, dtype=np.int64)
    for stroke in strokes:
        on_grid = np.rint(stroke.astype(np.float64) / _GRID)
        points = simplify(on_grid, tolerance / _GRID).astype(np.int64)
        deltas = np.diff(points, axis=0, prepend=position[None])
        position = points[-1]
        yield _write_number(len(points))
        for value in deltas.ravel().tolist():
            yield _write_number(
                value << 1 if value >= 0 else (-value << 1) - 1
            )  # zigzag encoding: a small number of either sign is short


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
