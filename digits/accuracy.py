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
    """

    correct: int
    total: int
    independent: int | None = None

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
        """Return what a card says of it."""
        facts = {"correct": self.correct, "total": self.total}
        if self.independent is not None:
            facts["independent"] = self.independent
        interval = [round(bound, 4) for bound in self.interval]
        return facts | {"accuracy": round(self.share, 4), "interval_95": interval}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Accuracy":
        """Read `to_dict()`'s result back."""
        return cls(facts["correct"], facts["total"], facts.get("independent"))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.2%} ({self.correct:,} of {self.total:,}; 95 % interval {low:.2%} to {high:.2%})"


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> Accuracy:
    """Count the images whose most probable class is their label.

    Args:
        probabilities: float (n, classes).
        labels: integer (n,).
    """
    return Accuracy(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))
