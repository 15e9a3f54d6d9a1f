"""Scores: which classes a model confuses, how well it reads each class, and whether two models differ by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SIGNIFICANT = 0.05  # a difference that chance makes more rarely than this is taken for one


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, class_count: int) -> np.ndarray:
    """Count how often images of each class are read as each class.

    Args:
        labels, predicted: integer (n,), n >= 1, each image's class and the class a model read, in [0, class_count).

    Returns:
        int64 (class_count, class_count): a row for what the images are, a column for what was read.
    """
    from sklearn import metrics  # 0.6 s and 63 MB, which only who looks at a model pays for

    return metrics.confusion_matrix(labels, predicted, labels=np.arange(class_count))


def per_class(labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
    """Tell how well each class is read; where a class was never read, its precision counts as 0.

    Args:
        labels, predicted: integer (n,), n >= 1.

    Returns:
        A row for each class, named after it, with `precision`, `recall` and `F1` in [0, 1] and `support`, its images.
    """
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.arange(len(class_names))
    columns = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    return pd.DataFrame(dict(zip(("precision", "recall", "F1", "support"), columns, strict=True)), list(class_names))


def shades(counts: np.ndarray) -> np.ndarray:
    """Return how deeply to colour each mistake, float (classes, classes) in [0, 1]; what was read rightly stays 0.

    The largest mistake is 1, whatever the counts on the diagonal. The root keeps single images visible beside it.
    """
    errors = counts * ~np.eye(len(counts), dtype=bool)
    return np.sqrt(errors / max(1, errors.max()))


def describe_confusion(counts: np.ndarray, class_names: Sequence[str]) -> str:
    """Return in a sentence how many images were read rightly, and the mistakes made most often."""
    errors = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-errors, axis=None, kind="stable")[:3]
    worst = [
        f"{class_names[true]} read as {class_names[read]} ({errors[true, read]:,}×)"
        for true, read in zip(*np.unravel_index(order, errors.shape), strict=True)
        if errors[true, read]
    ]
    told = f"{np.trace(counts):,} of {counts.sum():,} images are read rightly"
    return f"{told}; the most frequent mistakes: {', '.join(worst)}." if worst else f"{told}; there is no mistake."


@dataclass(frozen=True)
class McNemar:
    """Two models, A and B, on the same images.

    Attributes:
        only_a, only_b: how many images one alone reads rightly.
        total: how many images there are.
    """

    only_a: int
    only_b: int
    total: int

    @property
    def p_value(self) -> float:
        """How likely chance makes so large a difference where neither model is better, in [0, 1].

        Then each image that one alone reads rightly is a toss of a coin (Q. McNemar, Psychometrika 12, 1947). Counted
        exactly, however many there are, so that no approximation has to be good enough.
        """
        from scipy.special import bdtr  # here, because only who compares two models needs it

        tosses = self.only_a + self.only_b
        return min(1.0, 2 * float(bdtr(min(self.only_a, self.only_b), tosses, 0.5))) if tosses else 1.0


def mcnemar(labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> McNemar:
    """Count the images that one model alone reads rightly.

    Args:
        labels, a, b: integer (n,), each image's class and the classes that the two models read.
    """
    return McNemar(int(((a == labels) & (b != labels)).sum()), int(((a != labels) & (b == labels)).sum()), len(labels))


def describe_mcnemar(found: McNemar, a: str = "A", b: str = "B") -> str:
    """Return what a duel between models named `a` and `b` has shown, for who knows no statistics."""
    if not found.only_a + found.only_b:
        return f"Of the {found.total:,} images, {a} and {b} read the very same ones rightly: nothing tells them apart."
    counts = f"Of the {found.total:,} images, {a} alone reads {found.only_a:,} rightly and {b} alone {found.only_b:,}."
    p = found.p_value
    if p >= SIGNIFICANT:
        rate = f"1 time in {1 / p:.0f}" if p < 0.5 else "more often than every second time"
        return f"{counts} Were neither better, chance would make such a difference {rate}: it could well be chance."
    better = a if found.only_a > found.only_b else b
    rate = f"1 time in {_rounded(1 / p):,}" if p > 1e-6 else "less than 1 time in a million"
    return f"{counts} Were neither better, chance would make so large a difference {rate}: {better} is better."


def format_p_value(p: float) -> str:
    """Return a p-value with two digits, as "p = 0.012"; a tiny one as "p < 0.000001"."""
    return f"p = {p:.2g}" if p >= 1e-4 else f"p = {p:.6f}" if p >= 1e-6 else "p < 0.000001"


def _rounded(number: float) -> int:
    """Return a number with two digits that count: 1,234 is 1,200."""
    return int(float(f"{number:.1e}"))
