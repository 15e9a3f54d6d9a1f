"""Digits corrupted until they are none: joined in pairs, rotated, mirrored, ringed, struck out, overlaid."""

from collections.abc import Sequence

import numpy as np

from digits.data.drawings import Drawing
from digits.training.judge.shapes import Strokes, ellipse, line, quarter, smooth, vary

KINDS = ("pair", "lying", "mirrored", "ringed", "struck out", "heap")
_LYING = {"2": (1, 3), "3": (1, 2, 3), "4": (1, 2, 3), "5": (1, 3), "6": (1, 3), "7": (1, 2), "8": (1,), "9": (1, 3)}
_MIRRORED = "34679"  # mirrored, 2 and 5 become each other, and the others remain digits


def spoil(kind: str, drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Corrupt one or two of a writer's drawings.

    Args:
        kind: one of `KINDS`.
        drawings: of one writer, the digits among them; for a heap also any letters.
        rng: the source of all randomness.

    Returns:
        Strokes, each float32 (n, 2), in units of about 100 for a digit's height.
    """
    return _SPOILERS[kind](drawings, rng)


def _pair(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw two digits side by side, close enough to be mistaken for one."""
    first, second = (scaled(_any(drawings, "0123456789", rng), rng) for _ in range(2))
    right, left = np.concatenate(first)[:, 0].max(), np.concatenate(second)[:, 0].min()
    step = right - left + rng.uniform(-5, 40)
    return first + [stroke + np.array([step, rng.uniform(-12, 12)], np.float32) for stroke in second]


def _lying(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Rotate a digit by quarter turns that make it no digit."""
    drawing = _any(drawings, "".join(_LYING), rng)
    turns = int(rng.choice(_LYING[drawing.label]))
    return [quarter(stroke, turns) for stroke in scaled(drawing, rng)]


def _mirror(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    return [stroke * np.array([-1, 1], np.float32) for stroke in scaled(_any(drawings, _MIRRORED, rng), rng)]


def _ringed(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw a ring or a frame around a digit."""
    digit = scaled(_any(drawings, "0123456789", rng), rng)
    points = np.concatenate(digit)
    (x0, y0), (x1, y1) = points.min(axis=0) - rng.uniform(5, 40, 2), points.max(axis=0) + rng.uniform(5, 40, 2)
    if rng.random() < 0.6:
        return [
            *digit,
            ellipse((x0 + x1) / 2, (y0 + y1) / 2, 1.3 * (x1 - x0), 1.2 * (y1 - y0), start=rng.uniform(0, 6)),
        ]
    return [*digit, line((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0), step=3)]


def _struck_out(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw a zigzag, a scrawl, or two or three lines over a digit."""
    digit = scaled(_any(drawings, "023456789", rng), rng)
    points = np.concatenate(digit)
    low, high = points.min(axis=0), points.max(axis=0)
    if rng.random() < 0.5:
        corners = rng.uniform(low - 10, high + 10, size=(int(rng.integers(5, 9)), 2))
        return [*digit, smooth(corners) if rng.random() < 0.5 else line(*map(tuple, corners), step=3)]
    ends = [(rng.uniform(low - 15, (low + high) / 2), rng.uniform((low + high) / 2, high + 15)) for _ in range(3)]
    return [*digit, *(line(tuple(a), tuple(b), step=3) for a, b in ends[: int(rng.integers(2, 4))])]


def _heap(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw two or three characters on top of each other."""
    strokes = []
    for row in rng.integers(len(drawings), size=int(rng.integers(2, 4))):
        strokes += [stroke + rng.uniform(-35, 35, 2).astype(np.float32) for stroke in scaled(drawings[row], rng)]
    return strokes


def _any(drawings: Sequence[Drawing], labels: str, rng: np.random.Generator) -> Drawing:
    """Choose a drawing with one of the labels at random."""
    fitting = [drawing for drawing in drawings if drawing.label in labels]
    return fitting[int(rng.integers(len(fitting)))]


def scaled(drawing: Drawing, rng: np.random.Generator) -> Strokes:
    """Vary a drawing, centre it on the origin, and scale it to a height or width of about 100."""
    strokes = vary(drawing.strokes, rng)
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = 100 * rng.uniform(0.85, 1.15) / max(float((high - low).max()), 1.0)
    return [((stroke - (low + high) / 2) * size).astype(np.float32) for stroke in strokes]


_SPOILERS = {
    "pair": _pair,
    "lying": _lying,
    "mirrored": _mirror,
    "ringed": _ringed,
    "struck out": _struck_out,
    "heap": _heap,
}
