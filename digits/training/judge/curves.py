"""Random curves and figures that follow no plan: what a hand may draw, whatever it means."""

from collections.abc import Callable

import numpy as np

from digits.training.judge.shapes import Strokes, ellipse, line, smooth


def _harmonics(rng: np.random.Generator) -> Strokes:
    """A closed or open curve of two to six harmonics, whose sizes fall off slowly or quickly."""
    orders = np.arange(1, int(rng.integers(3, 8)))
    sizes = rng.normal(size=(2, len(orders))) / orders ** rng.uniform(0.3, 1.2)
    sizes[:, 1:] += 0.25 * np.sign(sizes[:, 1:])  # the first one alone is an ellipse, like a 0
    phases = rng.uniform(0, 2 * np.pi, size=(2, len(orders)))
    t = np.linspace(0, 2 * np.pi * (1 if rng.random() < 0.7 else rng.uniform(0.5, 0.9)), 120)
    return [_bounded((sizes[:, None] * np.sin(orders * t[:, None] + phases[:, None])).sum(axis=-1).T)]


def _orbit(rng: np.random.Generator) -> Strokes:
    """A curve that two turning motions or two swings of different frequency make."""
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.8, 2), 160)
    if rng.random() < 0.5:
        across, down = [(1, 3), (3, 1), (2, 3), (3, 2), (3, 4), (4, 3), (2, 5)][int(rng.integers(7))]
        return [np.stack([np.sin(across * t + rng.uniform(0, np.pi)), np.sin(down * t)], axis=-1)]
    size, turns = rng.uniform(0.4, 1.2), rng.choice([-5, -4, -3, -2, 3, 4, 5])
    return [_bounded(np.stack([np.cos(t) + size * np.cos(turns * t), np.sin(t) + size * np.sin(turns * t)], axis=-1))]


def _drift(rng: np.random.Generator) -> Strokes:
    """One to three lines whose curvature changes at random: lazily, as in a river, or nervously."""
    strokes = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        memory, spread = rng.uniform(0.85, 0.99), rng.uniform(0.1, 0.4)
        curvature = np.zeros(90)
        for step in range(1, len(curvature)):
            curvature[step] = memory * curvature[step - 1] + spread * np.sqrt(1 - memory**2) * rng.normal()
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(curvature)
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=-1), axis=0)
        strokes.append(_bounded(path) * rng.uniform(0.5, 1) + rng.uniform(-0.5, 0.5, 2))
    return strokes


def _arcs(rng: np.random.Generator) -> Strokes:
    """One line of four to eight arcs and straight parts, with corners between them or without."""
    heading, place, points = rng.uniform(0, 2 * np.pi), np.zeros(2), [np.zeros((1, 2))]
    for _ in range(rng.integers(4, 9)):
        turn = 0.0 if rng.random() < 0.3 else rng.uniform(0.4, 1.6 * np.pi) * rng.choice([-1, 1])
        steps = heading + np.linspace(0, turn, 16)
        path = np.cumsum(np.stack([np.cos(steps), np.sin(steps)], axis=-1), axis=0) * rng.uniform(0.02, 0.08) + place
        points.append(path)
        place, heading = path[-1], steps[-1] + (rng.uniform(-2.5, 2.5) if rng.random() < 0.5 else 0)
    return [_bounded(np.concatenate(points))]


def _circuit(rng: np.random.Generator) -> Strokes:
    """One or two lines that turn by right angles, or by 45 or 60 degrees, after steps of some lengths."""
    unit, strokes = rng.choice([np.pi / 2, np.pi / 2, np.pi / 4, np.pi / 3]), []
    for _ in range(rng.choice([1, 1, 2])):
        turns = rng.choice([-1, 1, 1, 2] if rng.random() < 0.5 else [-1, 1], size=int(rng.integers(5, 11)))
        headings = np.cumsum(turns) * unit
        lengths = rng.choice([0.5, 1.0, 2.0], size=len(headings))
        corners = np.cumsum(np.stack([np.cos(headings), np.sin(headings)], axis=-1) * lengths[:, None], axis=0)
        strokes.append(line(*map(tuple, _bounded(corners))) + rng.uniform(-0.4, 0.4, 2))
    return strokes


def _polygons(rng: np.random.Generator) -> Strokes:
    """Two or three irregular polygons, beside each other, in each other or overlapping."""
    strokes = []
    for _ in range(rng.choice([2, 2, 3])):
        count = int(rng.integers(3, 8))
        angles = (
            np.sort(rng.uniform(0, 2 * np.pi, count)) if rng.random() < 0.5 else np.arange(count) * 2 * np.pi / count
        )
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * rng.uniform(0.5, 1, (count, 1))
        corners = corners * rng.uniform(0.3, 1, 2) + rng.uniform(-0.6, 0.6, 2)
        strokes.append(line(*map(tuple, corners), tuple(corners[0])))
    return strokes


def _silhouette(rng: np.random.Generator) -> Strokes:
    """A closed outline of five to nine sides, each straight, bulging, hollow or notched."""
    count = int(rng.integers(5, 10))
    angles = np.sort(np.arange(count) + rng.uniform(-0.4, 0.4, count)) * 2 * np.pi / count
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * rng.uniform(0.4, 1, (count, 1))
    corners, sides = corners * rng.uniform(0.5, 1, 2), []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        t, out = np.linspace(0, 1, 12)[:, None], np.array([end[1] - start[1], start[0] - end[0]])
        profile = [0 * t, 4 * t * (1 - t), np.minimum(1, 3 * np.minimum(t, 1 - t)), np.abs((3 * t) % 1 - 0.5)]
        sides.append(start * (1 - t) + end * t + profile[int(rng.integers(4))] * rng.uniform(-0.6, 0.6) * out)
    outline = np.concatenate([*sides, corners[:1]])
    return [outline] if rng.random() < 0.6 else [outline, *_chords(rng, outline)]


def _graph(rng: np.random.Generator) -> Strokes:
    """Four to six places, some with a ring or a dot, joined by straight or bent lines."""
    places = rng.uniform(-1, 1, size=(int(rng.integers(4, 7)), 2))
    strokes: Strokes = []
    for place in places[1:]:
        other = places[int(rng.integers(len(places)))]
        middle = (place + other) / 2 + rng.normal(size=2) * 0.25
        strokes.append(
            line(tuple(place), tuple(other)) if rng.random() < 0.6 else smooth(np.stack([place, middle, other]))
        )
    size = rng.uniform(0.1, 0.4)
    for place in places[rng.random(len(places)) < 0.4]:
        strokes.append(ellipse(place[0], place[1], size, size) if rng.random() < 0.6 else place[None])
    return strokes


def _blocks(rng: np.random.Generator) -> Strokes:
    """Two to four plain shapes, each touching the one before: boxes, wedges, discs, half discs and bars."""
    place, strokes = np.zeros(2), []
    for _ in range(rng.integers(2, 5)):
        wide, high = rng.uniform(0.2, 1.2, 2)
        half = ellipse(0, 0, 2 * wide, 2 * high, start=float(rng.choice([0, np.pi])), turns=0.5)
        shape = [
            line((-wide, -high), (wide, -high), (wide, high), (-wide, high), (-wide, -high)),
            line((-wide, high), (0, -high), (wide, high), (-wide, high)),
            ellipse(0, 0, 2 * wide, 2 * high),
            np.concatenate([half, half[:1]]),
            line((0, -high), (0, high)) if rng.random() < 0.5 else line((-wide, 0), (wide, 0)),
        ][int(rng.integers(5))]
        way = [np.array([0, 1]), np.array([0, 1]), np.array([1, 0])][int(rng.integers(3))]
        shape = shape - (shape * way).min(axis=0) + place * way + rng.uniform(-0.2, 0.2) * way[::-1]
        strokes.append(shape)
        place = shape.max(axis=0)
    return strokes


def _fan(rng: np.random.Generator) -> Strokes:
    """Three to seven lines, straight or bent, from one place or towards one line."""
    heading, spread, strokes = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 5), []
    slide = rng.uniform(-1, 1, 2) * rng.choice([0, 0, 1])
    for share in np.linspace(-0.5, 0.5, int(rng.integers(3, 8))):
        angle = heading + share * spread + rng.normal() * 0.08
        end = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.5, 1)
        bend = end / 2 + np.array([-end[1], end[0]]) * rng.uniform(-0.3, 0.3)
        strokes.append(smooth(np.stack([np.zeros(2), bend, end])) + slide * share)
    return strokes


def _chords(rng: np.random.Generator, outline: np.ndarray) -> Strokes:
    """One or two lines across an outline, or from it."""
    ends = outline[rng.integers(len(outline), size=(int(rng.integers(1, 3)), 2))]
    ends[:, 1] *= rng.choice([0.3, 1, 1.5], size=(len(ends), 1))
    return [line(tuple(start), tuple(end)) for start, end in ends]


def _bounded(points: np.ndarray) -> np.ndarray:
    """Centre points (n, 2), and scale them to lie within 1 of the origin."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - (low + high) / 2) * (2 / max(float((high - low).max()), 1e-6))


CURVES: dict[str, Callable[[np.random.Generator], Strokes]] = {
    "harmonics": _harmonics,
    "orbit": _orbit,
    "drift": _drift,
    "arcs": _arcs,
    "circuit": _circuit,
    "polygons": _polygons,
    "silhouette": _silhouette,
    "graph": _graph,
    "blocks": _blocks,
    "fan": _fan,
}
