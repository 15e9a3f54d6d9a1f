"""Scores: the confusion matrix, precision and recall of each class, and whether two models differ significantly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SIGNIFICANT = 0.05  # a difference with a p-value below this is significant


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, class_count: int) -> np.ndarray:
    """Count how many images of each class were predicted as each class.

    Args:
        labels, predicted: integer (n,), n >= 1, each image's class and the predicted class, in [0, class_count).

    Returns:
        int64 (class_count, class_count): rows are true classes, columns are predicted classes.

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), 2)
        array([[1, 0],
               [1, 1]])
    """
    pairs = labels.astype(np.int64) * class_count + predicted
    return np.bincount(pairs, minlength=class_count * class_count).reshape(class_count, class_count)


def per_class(labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
    """Compute precision, recall and F1 of each class; the precision of a class that was never predicted is 0.

    Args:
        labels, predicted: integer (n,), n >= 1.
        class_names: the names of the classes.

    Returns:
        A row for each class name, with `precision`, `recall` and `F1` in [0, 1] and `support`, its number of images.
    """
    counts = confusion_matrix(labels, predicted, len(class_names))
    correct, support = np.diag(counts), counts.sum(axis=1)
    precision, recall, f1 = (
        correct / np.maximum(1, of) for of in (counts.sum(axis=0), support, (counts.sum(axis=0) + support) / 2)
    )
    return pd.DataFrame({"precision": precision, "recall": recall, "F1": f1, "support": support}, list(class_names))


def shades(counts: np.ndarray) -> np.ndarray:
    """Return how deeply to colour each cell of misclassified images.

    The largest error is 1, whatever the counts on the diagonal. The square root keeps single images visible beside it.

    Args:
        counts: int (classes, classes), a confusion matrix.

    Returns:
        float (classes, classes) in [0, 1], 0 on the diagonal.
    """
    errors = counts * ~np.eye(len(counts), dtype=bool)
    return np.sqrt(errors / max(1, errors.max()))


def most_frequent_errors(counts: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    """Return the true class, the predicted class and the count of the most frequent errors, the most frequent first.

    Args:
        counts: int (classes, classes), a confusion matrix.
        most: how many at most.
    """
    errors = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-errors, axis=None, kind="stable")[:most]
    pairs = zip(*(places.tolist() for places in np.unravel_index(order, errors.shape)), strict=True)
    return [(true, read, int(errors[true, read])) for true, read in pairs if errors[true, read]]


def describe_confusion(counts: np.ndarray, class_names: Sequence[str]) -> str:
    """Describe a confusion matrix in a sentence: the number of correct images, and the most frequent mistakes."""
    worst = [
        f"{class_names[true]} read as {class_names[read]} ({count:,}×)"
        for true, read, count in most_frequent_errors(counts, 3)
    ]
    correct = f"{np.trace(counts):,} of {counts.sum():,} images are read correctly"
    return (
        f"{correct}; the most frequent mistakes: {', '.join(worst)}." if worst else f"{correct}; there are no mistakes."
    )


@dataclass(frozen=True)
class McNemar:
    """The result of two models, A and B, on the same images.

    Attributes:
        only_a, only_b: the number of images that only A, or only B, classified correctly.
        total: the number of images.
    """

    only_a: int
    only_b: int
    total: int

    @property
    def p_value(self) -> float:
        """The probability of at least so large a difference if neither model is better, in [0, 1].

        Under that hypothesis each image that only one model classified correctly is a fair coin toss (Q. McNemar,
        Psychometrika 12, 1947). The binomial test is exact for any number of images; no approximation is used.
        """
        from scipy.special import bdtr  # takes time to import, so only on demand

        tosses = self.only_a + self.only_b
        return min(1.0, 2 * float(bdtr(min(self.only_a, self.only_b), tosses, 0.5))) if tosses else 1.0


def mcnemar(labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> McNemar:
    """Count the images that only one of two models classified correctly.

    Args:
        labels, a, b: integer (n,), each image's class and the two models' predicted classes.

    Example:
        >>> mcnemar(np.array([0, 1, 2]), np.array([0, 1, 9]), np.array([0, 9, 9]))
        McNemar(only_a=1, only_b=0, total=3)
    """
    return McNemar(int(((a == labels) & (b != labels)).sum()), int(((a != labels) & (b == labels)).sum()), len(labels))


def describe_mcnemar(found: McNemar, a: str = "A", b: str = "B") -> str:
    """Describe McNemar's test for models named `a` and `b`: where only one is right, and which is better."""
    if not found.only_a + found.only_b:
        return f"{a} and {b} are right on the same images."
    p = found.p_value
    counts = f"Only {a} is right on {found.only_a:,} images, only {b} on {found.only_b:,}."
    verdict = "Not significant" if p >= SIGNIFICANT else f"{a if found.only_a > found.only_b else b} is better"
    return f"{counts} {verdict} (McNemar, {format_p_value(p)})."


def format_p_value(p: float) -> str:
    """Format a p-value with two digits, such as "p = 0.012", or "p < 0.000001" for a tiny one."""
    return f"p = {p:.2g}" if p >= 1e-4 else f"p = {p:.6f}" if p >= 1e-6 else "p < 0.000001"
