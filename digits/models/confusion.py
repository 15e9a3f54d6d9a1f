"""Confusion: which classes a model takes for which, and how well it reads each class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def matrix(labels: np.ndarray, predicted: np.ndarray, class_count: int) -> np.ndarray:
    """Count how often images of each class are read as each class.

    Args:
        labels, predicted: integer (n,), n >= 1, each image's class and the class a model read, in [0, class_count).

    Returns:
        int64 (class_count, class_count): a row for what the images are, a column for what was read.
    """
    from sklearn.metrics import confusion_matrix  # 0.6 s and 63 MB, which only who looks at a model pays for

    return confusion_matrix(labels, predicted, labels=np.arange(class_count))


def scores(labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
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


def describe(counts: np.ndarray, class_names: Sequence[str]) -> str:
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
