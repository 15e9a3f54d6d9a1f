"""Identities: which model a name means, one that comes with Digits or one of those that a run has left."""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 40

# An identity becomes a folder's name and a link's parameter, so it holds letters, digits, _ and - alone.
_TEXT = re.compile(r"(?P<name>[A-Za-z0-9_-]+?)(-(?P<best>best)|-at-(?P<step>0|[1-9][0-9]*))?")


class Weights(StrEnum):
    """Which of a run's weights a model has, in the order in which a run's models are listed."""

    BEST = "best"  # where the validation accuracy was highest
    LAST = "last"
    SAVED = "saved"  # a copy that its owner asked for while it trained


@dataclass(frozen=True)
class ModelId:
    """What a model is called: the name of its folder and its name in links.

    >>> str(ModelId("a1B2c3D4e5F6", Weights.SAVED, 300))
    'a1B2c3D4e5F6-at-300'

    Attributes:
        name: a bundled model's name, or a run's id.
        weights: `LAST` for a bundled model.
        step: the iteration that a saved copy is from; None for other weights.
    """

    name: str
    weights: Weights = Weights.LAST
    step: int | None = None

    def __post_init__(self) -> None:
        if (self.weights is Weights.SAVED) != (self.step is not None):
            raise ValueError(f"A saved copy has a `step`, other weights have none; received {self!r}.")

    @classmethod
    def parse(cls, text: str) -> "ModelId | None":
        """Read `str()`'s result back; None where a text can be no model's identity."""
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
