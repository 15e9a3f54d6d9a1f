"""Grouping: which pen strokes of a line of writing form a digit.

Strokes that are near each other may belong together, whatever the order in which they were drawn. For each two, the
geometry of their paths is evidence for one digit or for two, in nats: the log of how much more likely one is. Every way
to divide the strokes into digits then has a cost: the evidence that it contradicts and, for each digit, -log of the
recogniser's confidence in it (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", 1998, section V). The cheapest is chosen. The confidence has a least value, `_STRANGE`, because people
also draw what is no digit. So a letter whose strokes touch stays one mark instead of two digits.

All lengths are in heights of the line: its tallest stroke is 1 high. `benchmarks/fit_grouping.py` fits the weights.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from digits.ink.pieces import LEANS

Confidence = Callable[[list[np.ndarray]], float]  # in [0, 1], that strokes are one digit
Pair = tuple[int, int]

MAX_QUESTIONS = 60  # to the recogniser, for one line; with more, as in a scribble, the evidence alone decides

_STEP = 1 / 40  # paths are compared at points so far apart...
_MOST_POINTS = 400  # ...or farther, where they are longer than this many steps
_REACH = 0.3  # strokes farther apart are two digits...
_BAR_REACH = 0.45  # ...but the bar of a 5 is often this far away...
_BAR = 0.5  # ...where a bar is lower than this; and strokes above each other may always be one digit
_NEAR = 0.1  # points of a path that are nearer to another run along it
_CLOSED = 0.05  # an end that is nearer to another stroke meets it
_WIDEST = 2.0  # a 5 with a long bar is this wide
_MOST_PARTS = 4  # none of the 10,515 digits of UNIPEN's training writers has more strokes
_MOST_UNITS = 14  # that are divided in every way; a number whose six digits touch has about ten
_STRANGE = 0.0180  # the least confidence: the share of marks that are no digit

# Nats for one digit, for each unit of each of `pair_features`.
_WEIGHTS = np.array([0.51, -5.31, -8.51, 2.57, -2.2, -3.23, 4.33, -1.49, 1.39, 2.14])


def group(strokes: Sequence[np.ndarray], confidence: Confidence | None, bias: float = 0.0) -> list[list[int]]:
    """Divide the strokes of one line into digits.

    Args:
        strokes: float32 (n, 2) each, x and y.
        confidence: the recogniser's; None if the geometry alone decides.
        bias: nats for one character, added to the evidence of each two strokes that are near: 0 for digits.

    Returns:
        Each digit's rising indices; the digits from left to right.
    """
    if len(strokes) < 2:
        return [[index] for index in range(len(strokes))]
    paths = paths_of(strokes)
    boxes = boxes_of(paths)
    features = pair_features(paths, boxes)
    bonds = {(i, j): bias + float(_WEIGHTS @ features[:, i, j]) for i, j in near_pairs(features, boxes)}
    surest = -math.log(_STRANGE)  # nats; what a question can change at most, for each digit
    links = {pair: evidence for pair, evidence in bonds.items() if evidence > -2 * surest}
    groups: list[list[int]] = []
    questions = 0
    for members in connected(range(len(paths)), links):
        units = connected(members, (pair for pair, evidence in links.items() if evidence > surest))
        candidates = candidates_of(units, links, boxes)
        questions += len(candidates)
        if questions > MAX_QUESTIONS or len(units) > _MOST_UNITS:
            groups += connected(members, (pair for pair, evidence in links.items() if evidence > 0))
        else:
            costs = {found: -_evidence(found, bonds) for found in candidates}
            if confidence and len(candidates) > 1:
                for found in candidates:
                    share = confidence([strokes[index] for index in found])
                    costs[found] -= math.log(_STRANGE + (1 - _STRANGE) * share)
            groups += _cheapest_division(members, costs)
    return sorted(groups, key=lambda members: (_box(boxes, members)[::2].sum(), members))


def paths_of(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return evenly spaced points along each stroke, float64 (m, 2), in heights of the line."""
    corner = np.min([stroke.min(axis=0) for stroke in strokes], axis=0)
    height = max(1.0, max(float(np.ptp(stroke[:, 1])) for stroke in strokes))
    scaled = [(stroke.astype(np.float64) - corner) / height for stroke in strokes]
    # how far along its path each point is
    along = [np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))]) for path in scaled]
    step = max(_STEP, sum(float(lengths[-1]) for lengths in along) / _MOST_POINTS)
    paths = []
    for path, lengths in zip(scaled, along, strict=True):
        places = np.linspace(0, lengths[-1], int(lengths[-1] / step) + 2)
        paths.append(np.stack([np.interp(places, lengths, path[:, axis]) for axis in (0, 1)], axis=1))
    return paths


def boxes_of(paths: list[np.ndarray]) -> np.ndarray:
    """Return x0, y0, x1, y1 of each path, float64 (n, 4)."""
    return np.array([(*path.min(axis=0), *path.max(axis=0)) for path in paths])


def pair_features(paths: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    """Return what is known of each two strokes, float64 (features, n, n), symmetric.

    Args:
        paths: float64 (m, 2) each, in heights of the line.
        boxes: float64 (n, 4), x0, y0, x1, y1 of each path.
    """
    counts = np.array([len(path) for path in paths])
    firsts = np.cumsum(counts) - counts
    points = np.concatenate(paths)
    x, y = points.T
    squares = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    near = np.sqrt(np.minimum.reduceat(squares, firsts, axis=1))  # (points, n): each point's distance to each stroke
    distance = np.minimum.reduceat(near, firsts, axis=0)
    beside = np.add.reduceat(near < _NEAR, firsts, axis=0) / counts[:, None]
    farther_end = np.maximum(near[firsts], near[firsts + counts - 1])
    is_shorter = counts[:, None] < counts  # of two strokes, the shorter one says how far they run along each other
    leaning = [path[:, :1] + path[:, 1:] * np.array(LEANS) for path in paths]  # each (m, leans)
    gap = _gaps(np.array([lean.min(axis=0) for lean in leaning]), np.array([lean.max(axis=0) for lean in leaning]))
    x0, y0, x1, y1 = boxes.T
    narrower = np.maximum(0.1, np.minimum(x1 - x0, (x1 - x0)[:, None]))
    return np.stack(
        [
            np.ones_like(distance),
            np.sqrt(distance),
            np.clip(gap.max(axis=2), -0.5, 0),  # across the straight cut, upright or slanted, that separates them most
            np.minimum(np.minimum(farther_end, farther_end.T), 0.6),  # small if both ends of a stroke are at the other
            np.where(is_shorter, beside, beside.T),
            np.minimum(_STEP * np.minimum(counts, counts[:, None]), 2),  # how long the shorter path is
            np.maximum(y1, y1[:, None]) - np.minimum(y0, y0[:, None]),  # how high both are together
            np.maximum(x1, x1[:, None]) - np.minimum(x0, x0[:, None]),  # how wide
            np.clip(-_gaps(x0, x1) / narrower, -1, 1),  # the share of the narrower that is above or below the other
            np.minimum(farther_end, farther_end.T)
            < _CLOSED,  # as in B, D, P, where both ends of a stroke meet the other
        ]
    )


def near_pairs(features: np.ndarray, boxes: np.ndarray) -> list[Pair]:
    """Return the pairs of strokes that are near enough to be parts of one digit.

    Args:
        features: as `pair_features` returns them.
        boxes: as for `pair_features`.
    """
    height = boxes[:, 3] - boxes[:, 1]
    distance, between = features[1] ** 2, _gaps(boxes[:, 0], boxes[:, 2])
    is_bar = np.minimum(height, height[:, None]) < _BAR
    is_near = (distance <= _REACH) | (between <= 0) | (is_bar & (distance <= _BAR_REACH))
    return [(i, j) for i, j in np.argwhere(np.triu(is_near, 1)).tolist()]


def _gaps(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """Return the gaps between each two intervals, (n, n, …) for (n, …); negative where they overlap."""
    return np.maximum(lows[:, None] - highs, lows - highs[:, None])


def connected(members: Iterable[int], pairs: Iterable[Pair]) -> list[list[int]]:
    """Return the sets of members that pairs connect, each in rising order."""
    owner = {member: [member] for member in members}
    for i, j in pairs:
        if i in owner and j in owner and owner[i] is not owner[j]:
            owner[i].extend(owner[j])
            for member in owner[j]:
                owner[member] = owner[i]
    return [sorted(found) for member, found in owner.items() if found[0] == member]


def candidates_of(units: Sequence[Sequence[int]], pairs: Iterable[Pair], boxes: np.ndarray) -> list[tuple[int, ...]]:
    """Return the sets of connected units that may be one digit, as the rising indices of their strokes.

    There are a few more than `MAX_QUESTIONS` if there are many.
    """
    unit_of = {member: tuple(unit) for unit in units for member in unit}
    friends: dict[int, set[int]] = {member: set() for member in unit_of}
    for i, j in pairs:
        if i in friends and j in friends:
            friends[i].add(j)
            friends[j].add(i)
    found = sorted(set(unit_of.values()))
    seen = set(found)
    parts = dict.fromkeys(found, 1)  # how many units each consists of
    for known in found:  # grows while it is read
        if parts[known] == _MOST_PARTS or len(found) > MAX_QUESTIONS:
            continue
        for other in sorted(set().union(*(friends[index] for index in known)).difference(known)):
            larger = tuple(sorted({*known, *unit_of[other]}))
            if larger not in seen and _width(boxes, larger) <= _WIDEST:
                seen.add(larger)
                found.append(larger)
                parts[larger] = parts[known] + 1
    return found


def _evidence(members: tuple[int, ...], bonds: dict[Pair, float]) -> float:
    return sum(bonds.get(pair, 0.0) for pair in itertools.combinations(members, 2))


def _cheapest_division(members: list[int], costs: dict[tuple[int, ...], float]) -> list[list[int]]:
    """Divide members into sets with the smallest sum of costs, by dynamic programming over what is still undivided."""
    starting: dict[int, list[tuple[int, ...]]] = {member: [] for member in members}
    for candidate in costs:
        starting[candidate[0]].append(candidate)
    best: dict[tuple[int, ...], tuple[float, list[list[int]]]] = {(): (0.0, [])}

    def divide(left: tuple[int, ...]) -> tuple[float, list[list[int]]]:
        if left not in best:
            options = []
            for candidate in starting[left[0]]:
                if set(candidate) <= set(left):
                    cost, others = divide(tuple(member for member in left if member not in candidate))
                    options.append((cost + costs[candidate], [list(candidate), *others]))
            best[left] = min(options, key=lambda option: option[0])
        return best[left]

    return divide(tuple(members))[1]


def _box(boxes: np.ndarray, members: Sequence[int]) -> np.ndarray:
    """Return x0, y0, x1, y1 of several strokes together."""
    chosen = boxes[list(members)]
    return np.concatenate([chosen[:, :2].min(axis=0), chosen[:, 2:].max(axis=0)])


def _width(boxes: np.ndarray, members: Sequence[int]) -> float:
    """Return the width of several strokes over their height, or over the line's if that is larger."""
    x0, y0, x1, y1 = _box(boxes, members)
    return float((x1 - x0) / max(1.0, y1 - y0))
