"""McNemar's test: whether two models that read the same images differ by more than chance."""

from dataclasses import dataclass

import numpy as np

SIGNIFICANT = 0.05  # a difference that chance makes more rarely than this is taken for one


@dataclass(frozen=True)
class Duel:
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


def duel(labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> Duel:
    """Count the images that one model alone reads rightly.

    Args:
        labels, a, b: integer (n,), each image's class and the classes that the two models read.
    """
    return Duel(int(((a == labels) & (b != labels)).sum()), int(((a != labels) & (b == labels)).sum()), len(labels))


def in_words(found: Duel, a: str = "A", b: str = "B") -> str:
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


def p_in_figures(p: float) -> str:
    """Return a p-value with two digits, as "p = 0.012"; a tiny one as "p < 0.000001"."""
    return f"p = {p:.2g}" if p >= 1e-4 else f"p = {p:.6f}" if p >= 1e-6 else "p < 0.000001"


def _rounded(number: float) -> int:
    """Return a number with two digits that count: 1,234 is 1,200."""
    return int(float(f"{number:.1e}"))
