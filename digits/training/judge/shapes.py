"""The building blocks of generated drawings, with random proportions."""

from itertools import pairwise

import numpy as np

Strokes = list[np.ndarray]


def vary(strokes: Strokes, rng: np.random.Generator, *, turn: float = 0.17, stretch: float = 0.15) -> Strokes:
    """Rotate, slant, stretch and distort strokes a little, as handwriting varies.

    Args:
        strokes: float (n, 2) each.
        rng: the source of all randomness.
        turn: the largest rotation in radians, either way.
        stretch: the largest change of the logarithm of width over height.

    Returns:
        float32 (n, 2) each.
    """
    points = np.concatenate(strokes)
    centre, side = points.mean(axis=0), max(float(np.ptp(points, axis=0).max()), 1.0)
    matrix = slanted(rng, turn=turn, shear=0.2, stretch=stretch)
    # The distortion is smooth over the paper, so strokes that meet still meet.
    waves = rng.normal(size=(4, 2)) * 0.012 * side
    ways, phases = rng.uniform(-9, 9, size=(4, 2)) / side, rng.uniform(0, 2 * np.pi, 4)
    varied = []
    for stroke in strokes:
        shaken = stroke - centre
        shaken = shaken + np.sin(shaken @ ways.T + phases) @ waves
        varied.append((shaken @ matrix.T + centre).astype(np.float32))
    return varied


def slanted(rng: np.random.Generator, *, turn: float, shear: float, stretch: float) -> np.ndarray:
    """Return a random matrix (2, 2) that rotates, slants and stretches points.

    Args:
        rng: the source of all randomness.
        turn: the largest rotation in radians, either way.
        shear: the largest slant, either way.
        stretch: the largest change of the logarithm of width over height.
    """
    angle, slant = rng.uniform(-turn, turn), rng.uniform(-shear, shear)
    aspect = np.exp(rng.uniform(-stretch, stretch) / 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[aspect, slant], [0, 1 / aspect]])


def line(*corners: tuple[float, float], step: float = 0.03) -> np.ndarray:
    """Join corners by straight lines, with a point about every `step`: float64 (n, 2)."""
    pieces = [np.array(corners[:1], dtype=float)]
    for start, end in pairwise(corners):
        count = max(1, int(np.hypot(end[0] - start[0], end[1] - start[1]) / step))
        pieces.append(np.linspace(start, end, count + 1)[1:])
    return np.concatenate(pieces)


def moved(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """Shift points (n, 2) by x and y."""
    return points + np.array([x, y])


def ellipse(x: float, y: float, width: float, height: float, *, start: float = 0.0, turns: float = 1.0) -> np.ndarray:
    """Draw an ellipse of 48 points around (x, y), from `start` in radians: float64 (48, 2)."""
    angles = np.linspace(start, start + 2 * np.pi * turns, 48)
    return np.stack([x + width / 2 * np.cos(angles), y + height / 2 * np.sin(angles)], axis=-1)


def smooth(corners: np.ndarray) -> np.ndarray:
    """Draw a curve through points (n, 2) (Catmull and Rom, 1974), with eight points per span."""
    padded = np.concatenate([corners[:1], corners, corners[-1:]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*pieces, corners[-1:]])


def quarter(points: np.ndarray, turns: int) -> np.ndarray:
    """Rotate points (n, 2) about the origin by a number of quarter turns."""
    for _ in range(turns):
        points = np.stack([-points[:, 1], points[:, 0]], axis=-1)
    return points


def piece(rng: np.random.Generator, size: float) -> np.ndarray:
    """Draw a small straight line, arc, ring or dot around the origin."""
    way = rng.uniform(0, 2 * np.pi)
    end = size * np.array([np.cos(way), np.sin(way)])
    return [
        lambda: line(tuple(-end), tuple(end)),
        lambda: ellipse(0, 0, 2 * size, 2 * size * rng.uniform(0.5, 1), start=way, turns=rng.uniform(0.25, 0.6)),
        lambda: ellipse(0, 0, 2 * size, 2 * size * rng.uniform(0.5, 1), start=way),
        lambda: np.zeros((1, 2)),
    ][int(rng.integers(4))]()
