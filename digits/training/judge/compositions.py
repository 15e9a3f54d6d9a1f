"""Random compositions and signs of other alphabets, from which a judge learns what all digits have in common."""

from collections.abc import Callable

import numpy as np

from digits.training.judge.shapes import Strokes, line, moved, piece, smooth


def _symmetric(rng: np.random.Generator) -> Strokes:
    """A closed, mirror-symmetric outline, round or with corners, sometimes with symmetric marks."""
    count = int(rng.integers(3, 7))
    side = np.stack([rng.uniform(0.15, 1, count), np.sort(rng.uniform(-1, 1, count))], axis=-1)
    ends = np.array([[0, -1 - rng.uniform(-0.5, 0.2)], [0, 1 + rng.uniform(-0.5, 0.2)]])
    half = np.concatenate([ends[:1], side, ends[1:]])
    half = smooth(half) if rng.random() < 0.5 else line(*map(tuple, half))
    strokes = [np.concatenate([half, half[::-1] * [-1, 1]])]
    for _ in range(rng.choice([0, 0, 1, 2])):
        mark = piece(rng, rng.uniform(0.05, 0.3)) + rng.uniform([0.1, -0.7], [0.6, 0.7])
        strokes += [mark, mark * [-1, 1]]
    return strokes if rng.random() < 0.6 else [stroke[:, ::-1] for stroke in strokes]


def _mirrored(rng: np.random.Generator) -> Strokes:
    """One to three open lines, and their mirror images beside or below them."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        stroke = _path(rng, int(rng.integers(2, 5))) * [0.5, 1] + [0.5 + rng.uniform(-0.2, 0.3), 0]
        strokes += [stroke, stroke * [-1, 1]]
    return strokes if rng.random() < 0.6 else [stroke[:, ::-1] for stroke in strokes]


def _turned(rng: np.random.Generator) -> Strokes:
    """One or two lines, repeated around a centre three to six times."""
    folds = int(rng.integers(3, 7))
    strokes = []
    for _ in range(rng.integers(1, 3)):
        stroke = _path(rng, int(rng.integers(2, 4))) * 0.4 + [rng.uniform(0.3, 0.9), 0]
        for angle in np.arange(folds) * 2 * np.pi / folds:
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            strokes.append(stroke @ turn.T)
    return strokes


def _pillow(rng: np.random.Generator) -> Strokes:
    """Three to five corners joined by arcs that bulge outwards or inwards, like shields and pillows."""
    count = int(rng.integers(3, 6))
    angles = (np.arange(count) + rng.uniform(-0.2, 0.2, count)) * 2 * np.pi / count + rng.uniform(0, 6)
    corners = np.stack([np.cos(angles) * rng.uniform(0.6, 1), np.sin(angles)], axis=-1)
    bulges = rng.uniform(0.15, 0.5, count) * rng.choice([-1, 1], size=count if rng.random() < 0.5 else 1)
    sides = []
    for start, end, bulge in zip(corners, np.roll(corners, -1, axis=0), np.broadcast_to(bulges, count), strict=True):
        t = np.linspace(0, 1, 16)[:, None]
        out = np.array([end[1] - start[1], start[0] - end[0]]) * bulge
        sides.append(start * (1 - t) + end * t + 4 * t * (1 - t) * out)
    strokes = [np.concatenate(sides)]
    return strokes if rng.random() < 0.6 else [*strokes, *_marks(rng, 0.5)]


def _lattice(rng: np.random.Generator) -> Strokes:
    """An invented sign: two to five short paths between the points of a coarse grid."""
    grid = np.stack(np.meshgrid(np.linspace(-0.7, 0.7, 3), np.linspace(-1, 1, int(rng.integers(2, 5)))), -1)
    points = grid.reshape(-1, 2)
    strokes = []
    for _ in range(rng.integers(2, 6)):
        corners = points[rng.permutation(len(points))[: int(rng.integers(2, 4))]]
        strokes.append(smooth(corners) if rng.random() < 0.4 else line(*map(tuple, corners)))
    return strokes


def _ladder(rng: np.random.Generator) -> Strokes:
    """One to three long lines with two to six short ones across them or at their ends: combs, antennas, runes."""
    long = [
        line((x, -1), (x + rng.uniform(-0.2, 0.2), 1)) for x in np.arange(rng.integers(1, 4)) * rng.uniform(0.3, 0.6)
    ]
    short = []
    for _ in range(rng.integers(2, 7)):
        start, tilt, reach = rng.uniform([-0.6, -1], [0.1, 1]), rng.uniform(-0.6, 0.6), rng.uniform(0.3, 1)
        short.append(line(tuple(start), (start[0] + reach * np.cos(tilt), start[1] + reach * np.sin(tilt))))
    strokes = long + short
    return strokes if rng.random() < 0.6 else [stroke[:, ::-1] for stroke in strokes]


def _chain(rng: np.random.Generator) -> Strokes:
    """Three to six rings, arcs, corners and lines, each starting near the end of the previous one."""
    place, strokes = np.zeros(2), []
    for _ in range(rng.integers(3, 7)):
        stroke = piece(rng, rng.uniform(0.2, 0.6)) if rng.random() < 0.6 else _path(rng, 3) * 0.5
        stroke = stroke - stroke[0] + place
        strokes.append(stroke)
        place = stroke[rng.integers(len(stroke))]
    return strokes


def _decorated(rng: np.random.Generator) -> Strokes:
    """A closed outline, round, square or irregular, with one to four marks attached to it or beside it."""
    angle = np.linspace(0, 2 * np.pi, 64)
    power = rng.choice([0.5, 1.0, 1.0, 1.6])  # from a rounded square through an ellipse to a diamond with concave sides
    x, y = np.cos(angle), np.sin(angle)
    body = np.stack([np.sign(x) * np.abs(x) ** power * rng.uniform(0.4, 1.2), np.sign(y) * np.abs(y) ** power], axis=-1)
    strokes = [body]
    for _ in range(rng.integers(1, 5)):
        rim = body[rng.integers(len(body))]
        mark = _path(rng, 3) * 0.4 if rng.random() < 0.6 else piece(rng, rng.uniform(0.15, 0.4))
        strokes.append(mark - mark[0] + rim * rng.uniform(0.9, 1.3))
    return strokes


def _wander(rng: np.random.Generator) -> Strokes:
    """One long line, round or with corners, through six to nine points; it is simpler than a scribble."""
    count = int(rng.integers(6, 10))
    corners = rng.uniform(-1, 1, size=(count, 2))
    return [smooth(corners) if rng.random() < 0.6 else line(*map(tuple, corners))]


def _strips(rng: np.random.Generator) -> Strokes:
    """Two to four similar lines side by side or below each other: stripes, brackets, waves, scales."""
    stroke, step = _path(rng, int(rng.integers(2, 6))) * [1, 0.3], rng.uniform(0.25, 0.6)
    strokes = [moved(stroke, 0, step * row) for row in range(int(rng.integers(2, 5)))]
    return strokes if rng.random() < 0.5 else [stroke[:, ::-1] for stroke in strokes]


def _path(rng: np.random.Generator, count: int) -> np.ndarray:
    """A line through `count` points within 1 of the origin, round or with corners."""
    corners = rng.uniform(-1, 1, size=(count, 2))
    return smooth(corners) if rng.random() < 0.5 else line(*map(tuple, corners))


def _marks(rng: np.random.Generator, reach: float) -> Strokes:
    return [piece(rng, rng.uniform(0.05, 0.3)) + rng.uniform(-reach, reach, 2) for _ in range(rng.integers(1, 4))]


def _signs() -> dict[str, list[list[tuple[float, float]]]]:
    """Signs of other alphabets and of the keyboard that look like no digit, as strokes of corners."""
    return {
        "gamma": [[(0.8, 0), (0, 0), (0, 1)]],
        "theta": [
            [(0, 0.5), (0.15, 0.1), (0.5, 0), (0.85, 0.1), (1, 0.5), (0.85, 0.9), (0.5, 1), (0.15, 0.9), (0, 0.5)],
            [(0.2, 0.5), (0.8, 0.5)],
        ],
        "xi": [[(0, 0), (1, 0)], [(0.2, 0.5), (0.8, 0.5)], [(0, 1), (1, 1)]],
        "pi": [[(0, 0), (1, 0)], [(0.25, 0), (0.25, 1)], [(0.75, 0), (0.75, 1)]],
        "sigma": [[(0.9, 0), (0, 0), (0.5, 0.5), (0, 1), (0.9, 1)]],
        "psi": [[(0, 0), (0.1, 0.5), (0.5, 0.6), (0.9, 0.5), (1, 0)], [(0.5, -0.1), (0.5, 1)]],
        "omega": [[(0, 1), (0.3, 1), (0.1, 0.5), (0.3, 0), (0.7, 0), (0.9, 0.5), (0.7, 1), (1, 1)]],
        "zhe": [[(0.5, 0), (0.5, 1)], [(0, 0), (0.5, 0.5), (0, 1)], [(1, 0), (0.5, 0.5), (1, 1)]],
        "ya": [[(1, 1), (1, 0), (0.3, 0), (0, 0.25), (0.3, 0.5), (1, 0.5)], [(0.5, 0.5), (0, 1)]],
        "yu": [
            [(0, 0), (0, 1)],
            [(0, 0.5), (0.4, 0.5)],
            [(0.4, 0.5), (0.5, 0.1), (0.8, 0), (1, 0.5), (0.8, 1), (0.5, 0.9), (0.4, 0.5)],
        ],
        "wood": [[(0, 0.35), (1, 0.35)], [(0.5, 0), (0.5, 1)], [(0.5, 0.35), (0, 0.9)], [(0.5, 0.35), (1, 0.9)]],
        "big": [[(0, 0.35), (1, 0.35)], [(0.5, 0), (0.5, 0.4), (0, 1)], [(0.5, 0.4), (1, 1)]],
        "day": [[(0, 0), (0, 1)], [(0, 0), (0.8, 0), (0.8, 1)], [(0, 0.5), (0.8, 0.5)], [(0, 1), (0.8, 1)]],
        "middle": [[(0, 0.2), (1, 0.2), (1, 0.6), (0, 0.6), (0, 0.2)], [(0.5, 0), (0.5, 1)]],
        "question": [[(0, 0.2), (0.2, 0), (0.6, 0), (0.8, 0.2), (0.4, 0.5), (0.4, 0.7)], [(0.4, 0.95), (0.42, 1)]],
        "percent": [
            [(1, 0), (0, 1)],
            [(0.2, 0), (0.35, 0.15), (0.2, 0.3), (0.05, 0.15), (0.2, 0)],
            [(0.8, 0.7), (0.95, 0.85), (0.8, 1), (0.65, 0.85), (0.8, 0.7)],
        ],
        "euro": [[(1, 0.1), (0.5, 0), (0.15, 0.5), (0.5, 1), (1, 0.9)], [(0, 0.4), (0.7, 0.4)], [(0, 0.6), (0.7, 0.6)]],
        "pound": [[(0.9, 0.2), (0.6, 0), (0.4, 0.2), (0.4, 0.8), (0, 1), (1, 1)], [(0.1, 0.5), (0.8, 0.5)]],
        "yen": [
            [(0, 0), (0.5, 0.5), (1, 0)],
            [(0.5, 0.5), (0.5, 1)],
            [(0.1, 0.6), (0.9, 0.6)],
            [(0.1, 0.8), (0.9, 0.8)],
        ],
        "tick": [[(0, 0.6), (0.3, 1), (1, 0)]],
        "less": [[(1, 0), (0, 0.5), (1, 1)]],
        "more": [[(0, 0), (1, 0.5), (0, 1)]],
        "caret": [[(0, 1), (0.5, 0), (1, 1)]],
        "divided": [[(0, 0.5), (1, 0.5)], [(0.5, 0.1), (0.51, 0.12)], [(0.5, 0.9), (0.51, 0.92)]],
        "root": [[(0, 0.6), (0.15, 0.5), (0.35, 1), (0.5, 0), (1.2, 0)]],
        "at once": [[(0.5, 0), (0.5, 0.7)], [(0.2, 0), (0.2, 0.7)], [(0.5, 0.95), (0.51, 1)], [(0.2, 0.95), (0.21, 1)]],
        "bracket": [[(0.5, 0), (0, 0), (0, 1), (0.5, 1)]],
        "brackets": [[(0.3, 0), (0, 0), (0, 1), (0.3, 1)], [(0.7, 0), (1, 0), (1, 1), (0.7, 1)]],
        "endless": [
            [(0.5, 0.5), (0.2, 0.2), (0, 0.5), (0.2, 0.8), (0.5, 0.5), (0.8, 0.2), (1, 0.5), (0.8, 0.8), (0.5, 0.5)]
        ],
        "lightning": [[(0.7, 0), (0.1, 0.55), (0.6, 0.5), (0.2, 1)]],
        "paragraph": [
            [(0.8, 0), (0.3, 0), (0, 0.25), (0.3, 0.5), (0.5, 0.5)],
            [(0.5, 0), (0.5, 1)],
            [(0.8, 0), (0.8, 1)],
        ],
        "stairs": [[(0, 1), (0, 0.66), (0.33, 0.66), (0.33, 0.33), (0.66, 0.33), (0.66, 0), (1, 0)]],
    }


def _drawer_of(corners: list[list[tuple[float, float]]]) -> Callable[[np.random.Generator], Strokes]:
    def draw(rng: np.random.Generator) -> Strokes:
        """Draw the sign with its corners shifted at random, rounded or not, wide or narrow."""
        wide, is_round = np.exp(rng.uniform(-0.4, 0.2)), rng.random() < 0.4
        strokes = []
        for path in corners:
            varied = (np.array(path) + rng.normal(size=(len(path), 2)) * 0.035) * [wide, 1]
            strokes.append(smooth(varied) if is_round and len(varied) > 2 else line(*map(tuple, varied)))
        return strokes

    return draw


COMPOSITIONS: dict[str, Callable[[np.random.Generator], Strokes]] = {
    "symmetric": _symmetric,
    "mirror images": _mirrored,
    "turned": _turned,
    "pillow": _pillow,
    "lattice": _lattice,
    "comb": _ladder,
    "chain": _chain,
    "decorated": _decorated,
    "wander": _wander,
    "strips": _strips,
}
SIGNS = {f"sign {name}": _drawer_of(corners) for name, corners in _signs().items()}
