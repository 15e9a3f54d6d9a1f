"""Faults: what a visitor should know about drawings before a network learns from them."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from digits.data import own
from digits.data.collected import Sample

_ALIKE = 0.6  # of two classes' drawings, the share whose nearest other one is of their own; half would be chance
_FEW_ALIKE = 5  # drawings of a class, below which nothing is said of its likeness


def find(samples: Iterable[Sample], class_names: tuple[str, ...]) -> list[str]:
    """Return what is wrong with drawings as something to learn from, each with what to do; none if they are fine."""
    samples = list(samples)
    counts = Counter(sample.label for sample in samples)
    said = []
    if len(class_names) == 1:
        said.append(f"There is one class, {class_names[0]}; a network needs two to tell apart. Add another one.")
    few = [f"{name} ({counts[name]})" for name in class_names if counts[name] < own.FEWEST]
    if few:
        said.append(
            f"A network needs {own.FEWEST} drawings of each class; there are fewer of {', '.join(few)}. Add some."
        )
    most, least = max(counts.values()), min(counts.values())
    if most > 5 * least and not few:
        said.append(
            f"There are {most:,} drawings of {counts.most_common(1)[0][0]} and {least:,} of "
            f"{counts.most_common()[-1][0]}: a network will favour the first. Add some of the other."
        )
    writers = {sample.writer for sample in samples}
    if len(writers) == 1 and len(samples) >= 20:
        who = next(iter(writers)) or "one person, as far as is known"
        said.append(
            f"All are by {who}. A network learns this hand, and may misread others'. Let somebody else draw some too."
        )
    said += [
        f"{one} and {other} look alike: even on these drawings they are hard to tell apart. Check the labels, or make "
        "them one class."
        for one, other in _look_alike(samples, class_names)
    ]
    return said


def _look_alike(samples: list[Sample], class_names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the pairs of classes whose drawings are as near to the other class's as to their own."""
    chosen = {name: [sample for sample in samples if sample.label == name][:40] for name in class_names}
    names = [name for name in class_names if len(chosen[name]) >= _FEW_ALIKE]
    pixels = (
        np.stack([_small(sample.glyph) for name in names for sample in chosen[name]]) if names else np.zeros((0, 1))
    )
    labels = np.repeat(np.arange(len(names)), [len(chosen[name]) for name in names])
    pairs = []
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            rows = np.flatnonzero((labels == one) | (labels == other))
            if _right(pixels[rows], labels[rows]) <= _ALIKE:
                pairs.append((names[one], names[other]))
    return pairs


def _right(pixels: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the drawings whose nearest other one is of their own class."""
    squares = (pixels**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * pixels @ pixels.T
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


def _small(image: np.ndarray) -> np.ndarray:
    return image.reshape(14, 2, 14, 2).mean(axis=(1, 3), dtype=np.float32).ravel()
