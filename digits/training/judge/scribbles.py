"""Drawings that are not digits, generated from a seed as strokes: dots, dashes, scribbles, faces and other kinds."""

from collections.abc import Callable

import numpy as np

from digits.training.judge import held_out
from digits.training.judge.compositions import COMPOSITIONS, SIGNS
from digits.training.judge.curves import CURVES
from digits.training.judge.shapes import Strokes, ellipse, line, piece, quarter, smooth, vary

_SIDE = 200.0  # canvas pixels; `drawings.place` changes size and position anyway


def draw(kind: str, rng: np.random.Generator) -> Strokes:
    """Draw one example of a kind, with random proportions, slant and unsteadiness.

    Args:
        kind: a key of `FITTED` or `HELD_OUT`, or "empty".
        rng: the source of all randomness.

    Returns:
        Strokes, each float32 (n, 2), x and y in canvas pixels, y grows downwards; no strokes for "empty".
    """
    if kind == "empty":
        return []
    strokes = _KINDS[kind](rng)
    if kind in AS_DRAWN:
        return [stroke.astype(np.float32) for stroke in strokes]
    return vary([stroke * _SIDE for stroke in strokes], rng, turn=_TURN.get(kind, 0.25))


def _dot(rng: np.random.Generator) -> Strokes:
    """A click, or a hand that trembled while clicking; sometimes two or three of them."""
    dots = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        count = int(rng.integers(1, 6))
        dots.append(rng.uniform(30, 250, size=2) + rng.normal(size=(count, 2)).cumsum(axis=0) * rng.uniform(0, 1.2))
    return dots[:1] if rng.random() < 0.6 else dots


def _dash(rng: np.random.Generator) -> Strokes:
    """A line within 25 degrees of horizontal, straight or slightly bent."""
    angle, bend = rng.uniform(-0.43, 0.43), rng.uniform(-0.08, 0.08)
    along = np.linspace(0, 1, 30)
    across = bend * np.sin(np.pi * along)
    x, y = along * np.cos(angle) - across * np.sin(angle), along * np.sin(angle) + across * np.cos(angle)
    return [np.stack([x, y], axis=-1)]


def _dashes(rng: np.random.Generator) -> Strokes:
    """Two to four horizontal lines below each other, as in = and ≡."""
    return [
        line((rng.uniform(0, 0.15), y), (rng.uniform(0.85, 1), y + rng.uniform(-0.08, 0.08)))
        for y in np.arange(rng.integers(2, 5)) * rng.uniform(0.25, 0.45)
    ]


def _bars(rng: np.random.Generator) -> Strokes:
    """Three to five vertical lines side by side, as in a tally."""
    return [line((x, rng.uniform(0, 0.1)), (x + rng.uniform(-0.1, 0.1), 1)) for x in np.arange(rng.integers(3, 6)) / 4]


def _zigzag(rng: np.random.Generator) -> Strokes:
    """Five to eleven lines back and forth, horizontally or vertically."""
    count = int(rng.integers(5, 12))
    along = np.arange(count + 1) / count
    across = (np.arange(count + 1) % 2) * rng.uniform(0.3, 0.9) + rng.normal(size=count + 1) * 0.05
    corners = np.stack([along, across] if rng.random() < 0.6 else [across, along], axis=-1)
    return [line(*map(tuple, corners))]


def _scribble(rng: np.random.Generator) -> Strokes:
    """A smooth, random line that crosses itself many times."""
    points = int(rng.integers(10, 26))
    return [smooth(rng.uniform(size=(points, 2)) * [1, rng.uniform(0.6, 1)])]


def _tangle(rng: np.random.Generator) -> Strokes:
    """Two to five short, random lines on top of each other."""
    return [smooth(rng.uniform(size=(int(rng.integers(4, 9)), 2))) for _ in range(rng.integers(2, 6))]


def _grid(rng: np.random.Generator) -> Strokes:
    """Horizontal and vertical lines that cross: #, a fence, squared paper."""
    down, across = rng.integers(2, 5, size=2)
    low, high = rng.uniform(0, 0.25), 1 - rng.uniform(0, 0.25)
    return [line((x, 0), (x, 1)) for x in np.linspace(low, high, down)] + [
        line((0, y), (1, y)) for y in np.linspace(low, high, across)
    ]


def _cross(rng: np.random.Generator) -> Strokes:
    """+, × or an asterisk."""
    count = int(rng.choice([2, 2, 3, 4]))
    angles = rng.uniform(0, np.pi) + np.arange(count) * np.pi / count
    return [line((-np.cos(a), -np.sin(a)), (np.cos(a), np.sin(a))) for a in angles]


def _spring(rng: np.random.Generator) -> Strokes:
    """Three to six loops that move to the right or down."""
    turns = int(rng.integers(3, 7))
    angle = np.linspace(0, 2 * np.pi * turns, 16 * turns)
    along = angle / angle[-1] * rng.uniform(0.8, 2) * (turns / 3)
    loops = np.stack([along + 0.35 * np.cos(angle), 0.5 * np.sin(angle)], axis=-1)
    return [loops if rng.random() < 0.7 else loops[:, ::-1]]


def _box(rng: np.random.Generator) -> Strokes:
    """A rectangle, sometimes with a diagonal, a cross or a roof: a window, an envelope, a house."""
    width, height = rng.uniform(0.6, 1, size=2)
    sides = [line((0, 0), (width, 0), (width, height), (0, height), (0, 0))]
    extras = {
        "bare": [],
        "diagonal": [line((0, 0), (width, height))],
        "crossed": [line((0, 0), (width, height)), line((width, 0), (0, height))],
        "window": [line((width / 2, 0), (width / 2, height)), line((0, height / 2), (width, height / 2))],
        "house": [line((0, 0), (width / 2, -0.45), (width, 0))],
    }
    return sides + extras[str(rng.choice(list(extras)))]


def _triangle(rng: np.random.Generator) -> Strokes:
    """A triangle that points up or down."""
    a, b, c = (0.5 + rng.uniform(-0.3, 0.3), 0.0), (1.0, rng.uniform(0.7, 1)), (0.0, rng.uniform(0.7, 1))
    return [line(a, b, c, a) * [1, rng.choice([1, -1])]]


def _arrow(rng: np.random.Generator) -> Strokes:
    """An arrow that points left, right, up or down."""
    head = rng.uniform(0.2, 0.4)
    shaft, tip = line((0, 0), (1, 0)), line((1 - head, -head * 0.8), (1, 0), (1 - head, head * 0.8))
    turns = int(rng.integers(4))
    return [quarter(part, turns) for part in (shaft, tip)]


def _flower(rng: np.random.Generator) -> Strokes:
    """Four to seven petals in one stroke, sometimes with a stalk."""
    petals = int(rng.integers(4, 8))
    angle = np.linspace(0, 2 * np.pi, 24 * petals)
    radius = 0.5 * (1 + rng.uniform(0.4, 0.9) * np.cos(petals * angle))
    flower = [np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)]
    return [*flower, line((0, 0.3), (0, 1.6))] if rng.random() < 0.4 else flower


def _person(rng: np.random.Generator) -> Strokes:
    """A stick figure."""
    head, arms = rng.uniform(0.25, 0.4), rng.uniform(0.2, 0.4)
    return [
        ellipse(0, head / 2, head, head),
        line((0, head), (0, 0.8)),
        line((-arms, rng.uniform(0.4, 0.6)), (0, 0.5), (arms, rng.uniform(0.4, 0.6))),
        line((-arms, 1.2), (0, 0.8), (arms, 1.2)),
    ]


def _blob(rng: np.random.Generator) -> Strokes:
    """A closed line, wavier than any 0, sometimes with a line or two inside."""
    angle = np.linspace(0, 2 * np.pi, 96)
    waves = int(rng.integers(3, 10))
    radius = 1 + rng.uniform(0.18 if waves < 5 else 0.1, 0.4) * np.cos(waves * angle + rng.uniform(0, 6))
    radius += rng.uniform(0, 0.2) * np.cos(int(rng.integers(3, 8)) * angle + rng.uniform(0, 6))
    blob = np.stack([rng.uniform(0.6, 1.4) * radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return [blob] if rng.random() < 0.7 else [blob, *_inside(rng)]


def _filled(rng: np.random.Generator) -> Strokes:
    """An area filled by a pen moving back and forth, in the shape of a disc, an egg or a block."""
    lines = int(rng.integers(14, 30))
    y = np.linspace(-1, 1, lines)
    half = np.abs(1 - np.abs(y) ** rng.choice([2, 4, 12])) ** 0.5 * (1 + 0.08 * rng.normal(size=lines))
    x = half * np.where(np.arange(lines) % 2, 1, -1)
    shape = np.stack([rng.uniform(0.5, 1.2) * x, y], axis=-1)
    return [line(*map(tuple, shape if rng.random() < 0.5 else shape[:, ::-1]))]


def _target(rng: np.random.Generator) -> Strokes:
    """A ring with something inside: another ring, dots, spokes, a sign."""
    ring = ellipse(0, 0, rng.uniform(1.6, 2.2), rng.uniform(1.6, 2.2), start=rng.uniform(0, 6))
    return [ring, *_inside(rng)]


def _inside(rng: np.random.Generator) -> Strokes:
    """One to four small marks within 0.7 of the origin."""
    return [
        piece(rng, rng.uniform(0.05, 0.45)) + rng.uniform(-0.45, 0.45, size=2) for _ in range(int(rng.integers(1, 5)))
    ]


def _doodle(rng: np.random.Generator) -> Strokes:
    """Four to eight lines, arcs, rings and dots in random places."""
    count = int(rng.integers(4, 9))
    return [piece(rng, rng.uniform(0.15, 0.7)) + rng.uniform(-0.8, 0.8, size=2) for _ in range(count)]


NAMED: dict[str, Callable[[np.random.Generator], Strokes]] = {
    "dot": _dot,
    "dash": _dash,
    "dashes": _dashes,
    "bars": _bars,
    "zigzag": _zigzag,
    "scribble": _scribble,
    "tangle": _tangle,
    "grid": _grid,
    "cross": _cross,
    "spring": _spring,
    "box": _box,
    "triangle": _triangle,
    "arrow": _arrow,
    "flower": _flower,
    "person": _person,
    "blob": _blob,
    "filled": _filled,
    "target": _target,
    "doodle": _doodle,
}
FITTED = NAMED | COMPOSITIONS | CURVES | SIGNS
HELD_OUT = held_out.FIRST | held_out.SECOND | held_out.THIRD  # never fitted on
AS_DRAWN = {"dot"}  # `drawings.place` would enlarge a click to a stroke
_KINDS = FITTED | HELD_OUT

_TURN = {"dash": 0.0, "bars": 0.15, "dashes": 0.2}
