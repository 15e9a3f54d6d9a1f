"""Characters combined until they are none: overlaid, halved and joined, turned, in pieces, with strokes too many."""

from collections.abc import Callable, Sequence

import numpy as np

from digits.data.drawings import Drawing
from digits.training.judge.shapes import Strokes, ellipse, line, piece, quarter, smooth
from digits.training.judge.spoilt import scaled

_TURNED = "AEFGKRaefgkrt45"  # no character when it lies on its side
_MIRRORED = "FGJKRaefhrt"  # nor when mirrored


def mix(kind: str, drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Combine or corrupt some of a writer's drawings.

    Args:
        kind: a key of `MIXED`.
        drawings: of one writer, letters and digits among them, or of one script.
        rng: the source of all randomness.

    Returns:
        Strokes, each float32 (n, 2), in units of about 100 for a character's height.
    """
    return MIXED[kind](drawings, rng)


def _overlaid(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw one character over another, of another size, turned or not."""
    below, above = _some(drawings, rng), _some(drawings, rng)
    if rng.random() < 0.4:
        above = [quarter(stroke, int(rng.integers(1, 4))) for stroke in above]
    return below + [stroke * rng.uniform(0.5, 1.2) + _step(rng, 20) for stroke in above]


def _halves(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Join the left or upper half of one character and the other half of another."""
    axis, strokes = int(rng.integers(2)), []
    for sign in (-1, 1):
        for stroke in _some(drawings, rng):
            inside = sign * stroke[:, axis] >= -5
            cuts = np.flatnonzero(np.diff(inside.astype(int))) + 1
            strokes += [
                part for part, kept in zip(np.split(stroke, cuts), np.split(inside, cuts), strict=True) if kept[0]
            ]
    return strokes or _overlaid(drawings, rng)


def _word(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Write two to four characters side by side, or below each other."""
    way, place, strokes = np.array([1, 0] if rng.random() < 0.8 else [0, 1], np.float32), 0.0, []
    for _ in range(rng.choice([2, 2, 3, 4])):
        character = _some(drawings, rng)
        low = min(float((stroke @ way).min()) for stroke in character)
        character = [stroke + way * np.float32(place - low) for stroke in character]
        strokes += character
        place = max(float((stroke @ way).max()) for stroke in character) + rng.uniform(-8, 30)
    return strokes


def _turned(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Lay a character on its side, or mirror it."""
    is_mirrored = rng.random() < 0.5
    labels = _MIRRORED if is_mirrored else _TURNED
    fitting = [one for one in drawings if len(one.label) > 1 or one.label in labels]
    if not fitting:
        return _overlaid(drawings, rng)
    strokes = _some(fitting, rng)
    if is_mirrored:
        return [stroke * np.array([-1, 1], np.float32) for stroke in strokes]
    turns = int(rng.choice([1, 3]))
    return [quarter(stroke, turns) for stroke in strokes]


def _in_pieces(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Cut a character into three to six pieces, and move and turn each of them."""
    strokes = _some(drawings, rng)
    whole = sum(len(stroke) for stroke in strokes)
    count = rng.uniform(3, 6)
    parts = [min(len(stroke), max(1, round(len(stroke) / whole * count))) for stroke in strokes]
    pieces = [part for stroke, cuts in zip(strokes, parts, strict=True) for part in np.array_split(stroke, cuts)]
    moved = []
    for part in pieces:
        angle, middle = rng.normal() * 0.7, part.mean(axis=0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
        moved.append((part - middle) @ turn.T + middle + _step(rng, 45))
    return moved


def _burdened(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    """Draw two to five strokes too many on a character: lines, arcs, rings, or a line around it."""
    strokes = _some(drawings, rng)
    for _ in range(rng.integers(2, 6)):
        corners = rng.uniform(-75, 75, size=(int(rng.integers(2, 5)), 2))
        way = rng.integers(3)
        if way == 2:
            extra = piece(rng, rng.uniform(10, 40)) + rng.uniform(-60, 60, 2)
        else:
            extra = smooth(corners) if way else line(*map(tuple, corners), step=3)
        strokes.append(extra.astype(np.float32))
    if rng.random() < 0.3:
        strokes.append(ellipse(0, 0, *rng.uniform(110, 190, 2), start=rng.uniform(0, 6)).astype(np.float32))
    return strokes


def _some(drawings: Sequence[Drawing], rng: np.random.Generator) -> Strokes:
    return scaled(drawings[int(rng.integers(len(drawings)))], rng)


def _step(rng: np.random.Generator, size: float) -> np.ndarray:
    return (rng.normal(size=2) * size).astype(np.float32)


MIXED: dict[str, Callable[[Sequence[Drawing], np.random.Generator], Strokes]] = {
    "overlaid": _overlaid,
    "halves": _halves,
    "word": _word,
    "character turned": _turned,
    "in pieces": _in_pieces,
    "burdened": _burdened,
}
