"""How well a model does: counts, shares and the interval that a share is known within."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_Z95 = 1.959964  # standard normal quantile for a two-sided 95 % interval


@dataclass(frozen=True)
class Accuracy:
    """So many right out of so many.

    Attributes:
        correct, total: counts.
        independent: how many of `total` are independent, when some are variants of others; None for all of them.
        refused: how many of `total` do not look like a digit; they count as they are read. None where nobody asked.
        data: what it was measured on, in a phrase, where that is not said elsewhere.
    """

    correct: int
    total: int
    independent: int | None = None
    refused: int | None = None
    data: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.total or self.total == 0:
            raise ValueError(
                f"`correct` must lie in [0, total], `total` be at least 1; received {self.correct:,} of {self.total:,}."
            )
        if self.independent is not None and self.independent < 1:
            raise ValueError(f"`independent` must be at least 1; received {self.independent:,}.")

    @property
    def share(self) -> float:
        """The accuracy in [0, 1]."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share in [0, 1], by Wilson's score (Wilson, 1927), sound near 0 and 1 too."""
        share, total, z = self.share, self.independent or self.total, _Z95
        centre = (share + z * z / (2 * total)) / (1 + z * z / total)
        reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
        return max(0.0, centre - reach), min(1.0, centre + reach)

    def to_dict(self) -> dict[str, Any]:
        """Return what a card says of it, its share and interval included."""
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
        counts = f"{self.correct:,} of {self.total:,}; 95 % interval {low:.2%} to {high:.2%}"
        return f"{self.share:.2%} ({counts})" + (f"; {self.refused:,} refused" if self.refused is not None else "")


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> Accuracy:
    """Count the images whose most probable class is their label.

    Args:
        probabilities: float (n, classes).
        labels: integer (n,).
    """
    return Accuracy(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))
