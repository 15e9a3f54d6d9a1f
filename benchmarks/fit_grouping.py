"""Fit the weights of `digits.ink.grouping` on writers who are kept out of training.

    DIGITS_DATA_DIR=… python -m benchmarks.fit_grouping

A conditional random field (J. Lafferty, A. McCallum, F. Pereira, ICML 2001): the probability of a division of strokes
into digits is proportional to exp(-cost), and the weights make the true divisions of the examples most likely.
The examples are single digits and letters of several strokes, which are one mark each, and numbers composed of the
digits of one writer. The command prints the weights to put into the module.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.sparse

from benchmarks.written_numbers import SPACINGS, compose
from digits.data import handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.ink import glyphs, grouping
from digits.models import catalogue
from digits.models.reading import mark_score
from digits.settings import Settings

SHARES = {"digits": 0.4, "letters": 0.1, "apart": 0.2, "touching": 0.25, "crossing": 0.05}  # of the sum of losses
COUNTS = {"letters": 1200, "apart": 500, "touching": 900, "crossing": 250}
MOST_DIGITS = 4  # in a number
MOST_DIVISIONS = 5000  # of one example; those with more are left out
DECAY = 0.00002  # of the weights' squares


class Example(NamedTuple):
    """Strokes, and the indices of the strokes of each digit or letter."""

    kind: str
    strokes: list[np.ndarray]
    groups: list[list[int]]


class Choice(NamedTuple):
    """Connected strokes, and every way to divide them.

    Attributes:
        kind: of its example.
        features: float64 (divisions, features), the sums over the pairs that are in one digit.
        confidences: float64 (candidates,), the recogniser's.
        members: bool (divisions, candidates).
        truth: the index of the right division.
    """

    kind: str
    features: np.ndarray
    confidences: np.ndarray
    members: np.ndarray
    truth: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    score = mark_score(catalogue.find(catalogue.DEFAULT_MODEL, settings))
    choices, lost = [], 0
    for example in examples(settings.data_dir, np.random.default_rng(options.seed)):
        found = list(consider(example, score))
        lost += None in found
        choices += [choice for choice in found if choice]
    weights, strange = fit(choices)
    print(f"{len(choices):,} choices; in {lost:,} examples the right division is not considered")
    print(f"_STRANGE = {strange:.4f}")
    print("_WEIGHTS =", np.round(-weights, 2).tolist())


def examples(data_dir: Path, rng: np.random.Generator) -> Iterator[Example]:
    """Yield digits and letters of several strokes, and numbers, by the development writers."""
    writers: dict[tuple, list[Drawing]] = {}
    letters = []
    for name in ("unipen", "pendigits"):
        for drawing in handwriting.load_strokes(data_dir, name, "development", None):
            if drawing.label in CLASS_NAMES:
                writers.setdefault((name, drawing.writer), []).append(drawing)
            elif drawing.label.isalpha() and len(drawing.label) == 1 and len(drawing.strokes) > 1:
                letters.append(drawing)
    for drawing in (drawing for row in writers.values() for drawing in row if len(drawing.strokes) > 1):
        yield Example("digits", drawing.strokes, [list(range(len(drawing.strokes)))])
    for index in rng.permutation(len(letters))[: COUNTS["letters"]].tolist():
        yield Example("letters", letters[index].strokes, [list(range(len(letters[index].strokes)))])
    rows = list(writers.values())
    for spacing in SPACINGS:
        for _ in range(COUNTS[spacing]):
            row = rows[rng.integers(len(rows))]
            chosen = rng.integers(len(row), size=int(rng.integers(2, MOST_DIGITS + 1)))
            number = compose([row[index] for index in chosen.tolist()], rng, spacing)
            yield Example(spacing, number.strokes, number.groups)


def consider(example: Example, score) -> Iterator[Choice | None]:
    """Yield a choice for each set of connected strokes that can be divided; None where the truth is no way to do so."""
    paths = grouping.paths_of(example.strokes)
    boxes = grouping.boxes_of(paths)
    features = grouping.pair_features(paths, boxes)
    pairs = grouping.near_pairs(features, boxes)
    truth = {tuple(group) for group in example.groups}
    for members in grouping.connected(range(len(paths)), pairs):
        candidates = grouping.candidates_of([[member] for member in members], pairs, boxes)
        if len(candidates) < 2:
            if candidates[0] not in truth:
                yield None
            continue
        ways = list(_divisions(members, candidates))
        right = [set(way) <= truth for way in ways]
        if len(ways) > MOST_DIVISIONS:
            continue
        if not any(right):
            yield None
            continue
        rows = {found: _features(found, features, pairs) for found in candidates}
        confidences = [_confidence([example.strokes[index] for index in found], score) for found in candidates]
        yield Choice(
            example.kind,
            np.array([sum(rows[found] for found in way) for way in ways]),
            np.array(confidences),
            np.array([[found in way for found in candidates] for way in ways]),
            right.index(True),
        )


def _divisions(members: Sequence[int], candidates: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    if not members:
        yield []
        return
    for candidate in candidates:
        if candidate[0] == members[0] and set(candidate) <= set(members):
            left = [member for member in members if member not in candidate]
            yield from ([candidate, *others] for others in _divisions(left, candidates))


def _features(found: tuple[int, ...], features: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    inside = [features[:, i, j] for i, j in pairs if i in found and j in found]
    return np.sum([np.zeros(len(features)), *inside], axis=0)


def _confidence(strokes: list[np.ndarray], score) -> float:
    return float(score(glyphs.fit_strokes(strokes, size=(1, 1)).image[None]).max())


def fit(choices: list[Choice]) -> tuple[np.ndarray, float]:
    """Return the cost of each feature, and the least confidence, that make the right divisions most likely."""
    counts = {kind: sum(choice.kind == kind for choice in choices) for kind in SHARES}
    importance = np.array([SHARES[choice.kind] / counts[choice.kind] for choice in choices])
    features = np.concatenate([choice.features for choice in choices])
    members = scipy.sparse.block_diag([choice.members.astype(float) for choice in choices], format="csr")
    confidences = np.concatenate([choice.confidences for choice in choices])
    sizes = np.array([len(choice.features) for choice in choices])
    firsts = np.cumsum(sizes) - sizes
    truths = firsts + [choice.truth for choice in choices]
    owner = np.repeat(np.arange(len(choices)), sizes)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, strange = parameters[:-1], float(np.exp(parameters[-1]))
        shares = strange + (1 - strange) * confidences
        costs = features @ weights - members @ np.log(shares)
        shifted = np.minimum.reduceat(costs, firsts)[owner] - costs
        likelihoods = np.exp(shifted)
        totals = np.add.reduceat(likelihoods, firsts)
        value = importance @ (np.log(totals) - shifted[truths]) + DECAY * weights @ weights
        pull = -importance[owner] * likelihoods / totals[owner]  # of each division's cost
        pull[truths] += importance
        of_strange = -(pull @ (members @ ((1 - confidences) / shares))) * strange
        return float(value), np.append(features.T @ pull + 2 * DECAY * weights, of_strange)

    start = np.append(np.zeros(features.shape[1]), np.log(0.03))
    bounds = [(None, None)] * features.shape[1] + [(np.log(0.002), np.log(0.3))]
    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000})
    return found.x[:-1], float(np.exp(found.x[-1]))


if __name__ == "__main__":
    main()
