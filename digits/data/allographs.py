"""Allographs: the different shapes in which people write each digit, generated at random as pen strokes for training.

MNIST's writers were Americans of the 1990s: few of their ones have a flag, and few of their nines have a small loop on
a long hook. These templates follow how digits are taught and written. They are not taken from any collection of
drawings.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from digits.ink import glyphs

Strokes = list[np.ndarray]

_POINTS = 24  # of an arc


def draw(digit: int, rng: Generator) -> Strokes:
    """Write a digit in one of its shapes, varied at random.

    Args:
        digit: 0 to 9.
        rng: the source of all randomness.

    Returns:
        Strokes, each float32 (n, 2), x and y, about 100 high; y grows downwards.
    """
    return _vary(_SHAPES[digit](rng), rng)


def examples(count: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Generate labelled images, as the Draw page passes them to a model.

    Args:
        count: the number of images; the digits alternate.
        rng: the source of all randomness.

    Returns:
        images: uint8 (count, 28, 28), 0 is paper and 255 is ink.
        labels: uint8 (count,).
    """
    labels = np.arange(count) % len(_SHAPES)
    shapes = [glyphs.fit_strokes(draw(int(label), rng), size=(1, 1)) for label in labels]
    return np.stack([shape.image for shape in shapes if shape]), labels.astype(np.uint8)


def vary(strokes: Strokes, rng: Generator) -> Strokes:
    """Slant, stretch, turn and shake strokes a little, as the same hand does from one time to the next."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    height = max(float((high - low).max()), 1.0)
    slant, turn, stretch = rng.normal(0, 0.12), rng.normal(0, 0.06), np.exp(rng.normal(0, 0.15))
    return _moved([(stroke - low) / height for stroke in strokes], rng, slant, turn, stretch)


def _vary(strokes: Strokes, rng: Generator) -> Strokes:
    """Slant, stretch, turn and shake strokes of unit height."""
    return _moved(strokes, rng, rng.normal(0.1, 0.15), rng.normal(0, 0.07), np.exp(rng.normal(0, 0.15)))


def _moved(strokes: Strokes, rng: Generator, slant: float, turn: float, stretch: float) -> Strokes:
    matrix = np.array([[stretch, -slant], [0, 1]]) @ np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    waves = [(rng.normal(0, 0.012, 2), rng.uniform(4, 14, 2), rng.uniform(0, 6.3, 2)) for _ in range(2)]
    written = []
    for stroke in strokes:
        points = stroke @ matrix.T
        for size, frequency, phase in waves:
            points = points + size * np.sin(points[:, ::-1] * frequency + phase)
        written.append((points * 100).astype(np.float32))
    return written


def _arc(centre: tuple[float, float], radii: tuple[float, float], start: float, end: float) -> np.ndarray:
    """Return points of an ellipse between two angles in degrees, clockwise on the page, 0 to the right."""
    angles = np.radians(np.linspace(start, end, _POINTS))
    return np.stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)], axis=1)


def _curve(*corners: tuple[float, float]) -> np.ndarray:
    """Return a smooth line through all corners (E. Catmull, R. Rom, "A class of local interpolating splines", 1974)."""
    points = np.array([corners[0], *corners, corners[-1]], dtype=np.float64)
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*spans, points[-1:]])


def _line(*corners: tuple[float, float]) -> np.ndarray:
    return np.concatenate([np.linspace(a, b, 12) for a, b in pairwise(corners)])


def _zero(rng: Generator) -> Strokes:
    start, width = rng.uniform(-130, -50), rng.uniform(0.22, 0.45)
    ring = _arc((0, 0.5), (width, 0.5), start, start - 360 + rng.uniform(-25, 20))
    if rng.random() >= 0.3:
        return [ring]
    # A slash from the lower left to the upper right, which may end within the ring or reach far beyond it.
    reach, rise = width * rng.uniform(0.6, 1.5), rng.uniform(0.2, 0.62)
    middle = rng.normal(0.5, 0.05)
    slash = _line((-reach, middle + rise), (reach, middle - rise))
    return [ring, slash] if rng.random() < 0.8 else [np.concatenate([ring, slash[::-1]])]


def _one(rng: Generator) -> Strokes:
    stem = [(0.0, 0.0), (rng.normal(0, 0.04), 1.0)]
    strokes = [_line(*stem)]
    if rng.random() < 0.85:  # a flag; it is steep, where the bar of a 7 is horizontal
        length = rng.uniform(0.15, 0.6) if rng.random() < 0.5 else rng.uniform(0.6, 1.1)
        angle = np.radians(rng.uniform(28, 72) if length < 0.6 else rng.uniform(42, 78))
        tip = (-length * np.cos(angle), length * np.sin(angle))
        bend = 0.02 + 0.05 * length  # a long flag is often curved
        middle = (tip[0] / 2 + rng.normal(0, bend), tip[1] / 2 + rng.normal(0, bend))
        strokes = [np.concatenate([_curve(tip, middle, stem[0]), _line(*stem)])]
    if rng.random() < 0.3:
        half = rng.uniform(0.12, 0.35)
        strokes.append(_line((-half, 1.0), (half, 1.0 + rng.normal(0, 0.03))))
    return strokes


def _two(rng: Generator) -> Strokes:
    width, belly = rng.uniform(0.25, 0.38), rng.uniform(0.2, 0.34)
    top = [(-width, belly + rng.uniform(-0.05, 0.1)), (-width * 0.7, 0.05), (0.05, 0.0), (width, belly * 0.8)]
    if rng.random() < 0.25:  # the head begins with a curl
        top = [(-width * rng.uniform(0.1, 0.6), belly * rng.uniform(0.8, 1.1)), (-width, belly), *top[1:]]
    if rng.random() < 0.45:  # a loop at the foot, small or large
        high, reach = rng.uniform(0.7, 0.88), width * rng.uniform(-0.3, 0.4)
        loop = [(-width * 0.6, 0.88), (-width, 0.97), (-width * 0.95, high), (reach, high + 0.05), (width * 1.1, 1.0)]
        return [_curve(*top, (width * 0.4, 0.55), *loop)]
    foot = (-width, rng.uniform(0.92, 1.0))
    return [
        np.concatenate([_curve(*top, (width * 0.4, 0.55), foot), _line(foot, (width * rng.uniform(0.8, 1.4), 1.0))])
    ]


def _three(rng: Generator) -> Strokes:
    waist, upper, lower = rng.uniform(0.38, 0.5), rng.uniform(0.2, 0.34), rng.uniform(0.25, 0.42)
    end = (-lower * rng.uniform(0.7, 1.1), rng.uniform(0.85, 0.97))
    bowl = [(rng.uniform(-0.1, 0.08), waist), (lower, (1 + waist) / 2), (lower * 0.3, 0.99), end]
    if rng.random() < 0.25:  # a flat top
        roof = _line((-upper, 0.0), (upper, 0.0), (rng.uniform(-0.1, 0.05), waist))
        return [np.concatenate([roof, _curve(*bowl)])]
    return [_curve((-upper, rng.uniform(0.03, 0.15)), (0.0, 0.0), (upper, waist / 2), *bowl)]


def _four(rng: Generator) -> Strokes:
    level, left = rng.uniform(0.5, 0.72), -rng.uniform(0.3, 0.5)
    stem_x, right = rng.uniform(0.05, 0.22), rng.uniform(0.25, 0.5)
    if rng.random() < 0.5:  # open: an L and a separate stem
        corner = [(left + rng.uniform(0, 0.15), 0.02), (left, level), (right, level + rng.normal(0, 0.03))]
        return [_line(*corner), _line((stem_x, rng.uniform(0.0, 0.35)), (stem_x + rng.normal(0, 0.04), 1.0))]
    corner = [(stem_x, 0.0), (left, level), (right, level + rng.normal(0, 0.03))]
    if rng.random() < 0.5:
        return [_line(*corner), _line((stem_x, rng.uniform(0.0, 0.3)), (stem_x, 1.0))]
    return [_line((stem_x, 1.0), *corner)]


def _five(rng: Generator) -> Strokes:
    left, right, shoulder = -rng.uniform(0.18, 0.32), rng.uniform(0.2, 0.42), rng.uniform(0.36, 0.5)
    end = (left * rng.uniform(0.9, 1.4), rng.uniform(0.88, 0.98))
    bowl = _curve((left, shoulder), (0.02, shoulder - 0.06), (right * 0.95, 0.68), (0.05, 1.0), end)
    bar = _line((left + rng.normal(0, 0.05), rng.normal(0, 0.03)), (right, rng.normal(0, 0.04)))
    if rng.random() < 0.5:
        return [np.concatenate([_line((left, 0.0), (left, shoulder)), bowl]), bar]
    return [np.concatenate([bar[::-1], _line((left, 0.0), (left, shoulder)), bowl])]


def _six(rng: Generator) -> Strokes:
    size, width = rng.uniform(0.3, 0.62), rng.uniform(0.13, 0.34)
    start = (rng.uniform(0.0, 0.35), rng.uniform(0.0, 0.12))
    neck = [start, (-width * rng.uniform(0.2, 0.6), 0.2)] if rng.random() < 0.8 else [start, (-width * 0.5, 0.02)]
    loop = _arc((0, 1 - size / 2), (width, size / 2), 180, -180 - rng.uniform(-40, 60))
    return [np.concatenate([_curve(*neck, (-width, 1 - size / 2)), loop])]


def _seven(rng: Generator) -> Strokes:
    left, right = -rng.uniform(0.25, 0.42), rng.uniform(0.2, 0.4)
    foot = (rng.uniform(-0.28, 0.05), 1.0)
    bend = (right * 0.55 + foot[0] * 0.45 + rng.normal(0, 0.03), 0.45)
    bar = [(left, rng.normal(0.02, 0.03)), (right, 0.0)]
    if rng.random() < 0.3:
        bar = [(left - 0.02, rng.uniform(0.08, 0.22)), *bar]  # a serif
    strokes = [np.concatenate([_line(*bar), _curve((right, 0.0), bend, foot)])]
    if rng.random() < 0.4:
        half = rng.uniform(0.12, 0.25)
        strokes.append(_line((bend[0] - half, bend[1] + 0.03), (bend[0] + half, bend[1] - rng.uniform(-0.03, 0.08))))
    return strokes


def _eight(rng: Generator) -> Strokes:
    waist, upper, lower = rng.uniform(0.38, 0.52), rng.uniform(0.15, 0.3), rng.uniform(0.2, 0.36)
    if rng.random() < 0.35:  # two rings
        rings = ((waist / 2, upper, waist / 2), ((1 + waist) / 2, lower, (1 - waist) / 2))
        return [_arc((0, y), (width, height), -90, 270 + rng.uniform(-10, 20)) for y, width, height in rings]
    direction = rng.choice([-1, 1])
    return [
        _curve(
            (direction * upper * 0.8, rng.uniform(0.05, 0.15)),
            (0.0, 0.0),
            (-direction * upper, waist / 2),
            (0.0, waist),
            (direction * lower, (1 + waist) / 2),
            (0.0, 1.0),
            (-direction * lower, (1 + waist) / 2),
            (0.0, waist),
            (direction * upper * rng.uniform(0.8, 1.1), waist / 2 - rng.uniform(-0.05, 0.1)),
        )
    ]


def _nine(rng: Generator) -> Strokes:
    size, width = rng.uniform(0.2, 0.58), rng.uniform(0.12, 0.32)
    start = rng.uniform(-60, 0)
    loop = _arc((0, size / 2), (width, size / 2), start, -360 - rng.uniform(-20, 15))
    from_ = tuple(loop[-1])
    shape = rng.random()
    if shape < 0.45:
        tail = _line(from_, (width * rng.uniform(0.3, 1.1), 1.0))
    elif shape < 0.75:  # a hook to the left
        tail = _curve(
            from_, (width, 0.65), (width * 0.2, 0.97), (-width * rng.uniform(0.5, 1.6), rng.uniform(0.82, 0.98))
        )
    else:
        tail = _curve(from_, (width * 0.95, 0.6), (rng.uniform(-0.3, 0.05), 1.0))
    return [np.concatenate([loop, tail])]


_SHAPES: tuple[Callable[[Generator], Strokes], ...] = (
    _zero,
    _one,
    _two,
    _three,
    _four,
    _five,
    _six,
    _seven,
    _eight,
    _nine,
)
