"""Shapes: ways of writing a digit that readers know from home and others do not."""

from collections.abc import Callable

import numpy as np

from digits.data.drawings import Drawing

_LONG_UPSTROKE = 0.3  # of the digit's height
_ASIDE = 0.08  # of the height: how far left of the stem an upstroke begins, at least


def is_slashed_zero(drawing: Drawing) -> bool:
    """Return whether it is a 0 with a slash of its own: a second stroke that is long and nearly straight."""
    if drawing.label != "0" or len(drawing.strokes) != 2:
        return False
    ring, slash = (stroke.astype(float) for stroke in drawing.strokes)
    low, high = ring.min(axis=0), ring.max(axis=0)
    length = np.hypot(*np.diff(slash, axis=0).T).sum()
    is_straight = np.hypot(*(slash[-1] - slash[0])) > 0.9 * length
    offset = np.abs((slash[0] + slash[-1]) / 2 - (low + high) / 2)  # a half of an outline lies aside
    return bool(is_straight and length > 0.27 * (high - low)[1] and (offset < 0.35 * (high - low)).all())


def is_european_one(drawing: Drawing) -> bool:
    """Return whether it is a 1 that begins with a long stroke from the lower left up to the top of its stem."""
    if drawing.label != "1" or not drawing.strokes:
        return False
    points = drawing.strokes[0].astype(float)
    height = np.ptp(np.concatenate(drawing.strokes)[:, 1])
    top = points[:, 1].argmin()
    rise, fall = points[: top + 1, 1].max() - points[top, 1], points[top:, 1].max() - points[top, 1]
    return bool(
        rise > _LONG_UPSTROKE * height and fall > 0.7 * height and points[top, 0] - points[0, 0] > _ASIDE * height
    )


RARE: dict[str, Callable[[Drawing], bool]] = {
    "0 with a slash": is_slashed_zero,
    "1 with a long upstroke": is_european_one,
}
