"""Identities: the names of models, both bundled models and models of runs."""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 40

# An identity is used as a folder name and as a link's parameter, so it contains only letters, digits, _ and -.
_TEXT = re.compile(r"(?P<name>[A-Za-z0-9_-]+?)(-(?P<best>best)|-at-(?P<step>0|[1-9][0-9]*))?")


class Weights(StrEnum):
    """Which of a run's weights a model has. A run's models are listed in this order."""

    BEST = "best"  # those with the highest validation accuracy
    LAST = "last"
    SAVED = "saved"  # a copy that the owner saved during training


@dataclass(frozen=True)
class ModelId:
    """The identity of a model; its `str()` is the name of its folder and its name in links.

    >>> str(ModelId("a1B2c3D4e5F6", Weights.SAVED, 300))
    'a1B2c3D4e5F6-at-300'

    Attributes:
        name: a bundled model's name, or a run's id.
        weights: `LAST` for a bundled model.
        step: the iteration of a saved copy; None for other weights.

    Raises:
        ValueError: a saved copy has no `step`, or other weights have one.
    """

    name: str
    weights: Weights = Weights.LAST
    step: int | None = None

    def __post_init__(self) -> None:
        if (self.weights is Weights.SAVED) != (self.step is not None):
            raise ValueError(f"A saved copy must have a `step`, other weights must not; received {self!r}.")

    @classmethod
    def parse(cls, text: str) -> "ModelId | None":
        """Return the identity with this `str()`, or None if the text cannot be an identity.

        >>> ModelId.parse("a1B2c3D4e5F6-best").weights
        <Weights.BEST: 'best'>
        """
        found = _TEXT.fullmatch(text) if len(text) <= MAX_CHARACTERS else None
        if found is None:
            return None
        if found["step"]:
            return cls(found["name"], Weights.SAVED, int(found["step"]))
        return cls(found["name"], Weights.BEST if found["best"] else Weights.LAST)

    def __str__(self) -> str:
        if self.weights is Weights.SAVED:
            return f"{self.name}-at-{self.step}"
        return f"{self.name}-best" if self.weights is Weights.BEST else self.name
