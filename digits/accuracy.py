"""Accuracy: counts of correct predictions, their share, and its confidence interval."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_Z95 = 1.959964  # standard normal quantile for a two-sided 95% interval


@dataclass(frozen=True)
class Accuracy:
    """The number of correct predictions among a number of images.

    >>> print(Accuracy(9159, 10_000))
    91.59% (9,159 of 10,000; 95% interval 91.03% to 92.12%)

    Attributes:
        correct: the number of correct predictions, in [0, `total`].
        total: the number of images, at least 1.
        independent: how many of the images are independent, if some are variants of others; None for all of them.
        refused: how many of the images do not look like a digit; they count as they are read. None if not examined.
        data: a phrase that names the data, if it is not stated elsewhere.

    Raises:
        ValueError: a count is out of range.
    """

    correct: int
    total: int
    independent: int | None = None
    refused: int | None = None
    data: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.total or self.total == 0:
            raise ValueError(
                "`correct` must lie in [0, total] and `total` must be at least 1; "
                f"received {self.correct:,} of {self.total:,}."
            )
        if self.independent is not None and self.independent < 1:
            raise ValueError(f"`independent` must be at least 1; received {self.independent:,}.")

    @property
    def share(self) -> float:
        """The accuracy in [0, 1]."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% confidence interval of the share, in [0, 1]: Wilson's score interval (Wilson, 1927).

        It is also reliable for shares near 0 and 1.
        """
        share, total, z = self.share, self.independent or self.total, _Z95
        centre = (share + z * z / (2 * total)) / (1 + z * z / total)
        reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
        return max(0.0, centre - reach), min(1.0, centre + reach)

    def to_dict(self) -> dict[str, Any]:
        """Return what a card states: the counts, the share and the interval, in JSON's types."""
        facts: dict[str, Any] = {"correct": self.correct, "total": self.total}
        if self.independent is not None:
            facts["independent"] = self.independent
        interval = [round(bound, 4) for bound in self.interval]
        facts |= {"accuracy": round(self.share, 4), "interval_95": interval}
        if self.refused is not None:
            facts["refused"] = self.refused
        return facts if self.data is None else facts | {"data": self.data}

    def __str__(self) -> str:
        low, high = self.interval
        counts = f"{self.correct:,} of {self.total:,}; 95% interval {low:.2%} to {high:.2%}"
        return f"{self.share:.2%} ({counts})" + (f"; {self.refused:,} refused" if self.refused is not None else "")


def percent(share: float) -> str:
    """Format a share in [0, 1] as a percentage that never rounds to certainty.

    Example:
        >>> percent(0.99996), percent(0.5)
        ('>99.9%', '50.0%')
    """
    if share >= 0.9995:
        return ">99.9%"
    return f"{share:.1%}" if share >= 0.0005 else "<0.1%"


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> Accuracy:
    """Return the accuracy of some predictions. One is correct if the most probable class is the label.

    >>> accuracy(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 1]))
    Accuracy(correct=1, total=2, independent=None, refused=None, data=None)

    Args:
        probabilities: float (n, classes), n >= 1.
        labels: integer (n,).
    """
    return Accuracy(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))
