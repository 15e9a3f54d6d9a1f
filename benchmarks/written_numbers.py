"""Numbers composed of one writer's digits, as the writer might have put them side by side on the sheet.

The digits keep their relative sizes and stand on a baseline. Each is moved towards the one before it until the shortest
distance between their pen paths is the one that was drawn at random. So a digit may stand below the arm of its
neighbour, as in handwriting.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digits.data.drawings import Drawing

CANVAS = (220, 700)  # height and width
HEIGHTS = (60.0, 150.0)  # pixels of the writer's usual digit, less if the number would not fit
PEN_WIDTHS = (4.0, 16.0)
# The shortest distance between the pen paths of neighbours: (least, most) shares of the height, and of the pen's width.
SPACINGS = {
    "apart": ((0.04, 0.5), (1.0, 1.0)),  # there is paper between the ink
    "touching": ((0.0, 0.0), (0.0, 1.0)),  # the ink touches, the paths do not cross
    "crossing": ((-0.1, 0.0), (0.0, 0.0)),  # the paths cross
}
WOBBLE = 0.06  # of the height, up or down
SIZES = (0.9, 1.1)  # of one digit, relative to its size among the writer's
OVERLAP = 0.4  # of the narrower digit's width; no neighbour goes further below another's arm
USUAL_HEIGHT = 300.0  # of a digit in the files of handwriting
STEP = 0.02  # of the height; how finely paths are compared


class Number(NamedTuple):
    """A number on the canvas.

    Attributes:
        text: its digits.
        strokes: in the order in which they were drawn, float32 (n, 2) each.
        groups: for each digit the rising indices of its strokes.
        pen_width: in canvas pixels.
    """

    text: str
    strokes: list[np.ndarray]
    groups: list[list[int]]
    pen_width: float


def compose(drawings: Sequence[Drawing], rng: np.random.Generator, spacing: str, *, is_late: bool = False) -> Number:
    """Compose a number from digits of one writer, from left to right.

    Args:
        spacing: a key of `SPACINGS`.
        is_late: whether all strokes after a digit's first are drawn at the end, as late bars are.
    """
    height, pen_width = float(rng.uniform(*HEIGHTS)), float(rng.uniform(*PEN_WIDTHS))
    shares, pens = SPACINGS[spacing]
    placed: list[list[np.ndarray]] = []
    for drawing in drawings:
        digit = _standing(drawing.strokes, rng)
        distance = float(rng.uniform(*shares) + rng.uniform(*pens) * pen_width / height)
        if placed:
            digit = _moved(digit, _start(placed[-1], digit, distance))
        placed.append(digit)
    low = np.min([stroke.min(axis=0) for digit in placed for stroke in digit], axis=0)
    high = np.max([stroke.max(axis=0) for digit in placed for stroke in digit], axis=0)
    room = np.array(CANVAS[::-1]) - 2 * pen_width
    scale = min(height, *(room / np.maximum(high - low, 0.01)).tolist())
    pen_width *= scale / height  # a number that is drawn smaller stays as far apart
    corner = (np.array(CANVAS[::-1]) - (high - low) * scale) / 2
    owners = [(owner, place) for owner, digit in enumerate(placed) for place in range(len(digit))]
    if is_late:
        owners.sort(key=lambda item: item[1] > 0)
    strokes = [((placed[owner][place] - low) * scale + corner).astype(np.float32) for owner, place in owners]
    groups = [[index for index, (owner, _) in enumerate(owners) if owner == digit] for digit in range(len(placed))]
    return Number("".join(drawing.label for drawing in drawings), strokes, groups, pen_width)


def _standing(strokes: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return a digit in units of the usual height, on the baseline y = 0, beginning at x = 0."""
    points = np.concatenate(strokes)
    foot = np.array([points[:, 0].min(), points[:, 1].max()])
    size = rng.uniform(*SIZES) / USUAL_HEIGHT
    return [(stroke - foot) * size + [0, rng.uniform(-WOBBLE, WOBBLE)] for stroke in strokes]


def _moved(digit: list[np.ndarray], right: float) -> list[np.ndarray]:
    return [stroke + np.array([right, 0.0]) for stroke in digit]


def _start(before: list[np.ndarray], digit: list[np.ndarray], distance: float) -> float:
    """Return how far right the digit goes, so that the shortest distance of the paths is `distance`.

    A negative distance moves it so far beyond the place where the paths meet.
    """
    left, right = dense(before), dense(digit)
    ends = left[:, 0].max(), right[:, 0].max()
    least = ends[0] - OVERLAP * min(np.ptp(left[:, 0]), ends[1])
    low, high = float(left[:, 0].min() - ends[1]), float(ends[0] + max(distance, 0) + STEP)
    for _ in range(12):  # by halving; farther right than `high` is always far enough
        middle = (low + high) / 2
        gaps = left[:, None] - right[None] - [middle, 0]
        if np.hypot(gaps[..., 0], gaps[..., 1]).min() < max(distance, STEP):
            low = middle
        else:
            high = middle
    return max(high + min(distance, 0), least)


def dense(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Return points along the strokes, at most `STEP` apart, float64 (n, 2)."""
    points = [np.asarray(stroke[:1], float) for stroke in strokes]
    for stroke in strokes:
        for start, end in zip(stroke[:-1].astype(float), stroke[1:].astype(float), strict=True):
            count = int(np.hypot(*(end - start)) / STEP) + 1
            points.append(start + (end - start) * np.arange(1, count + 1)[:, None] / count)
    return np.concatenate(points)
