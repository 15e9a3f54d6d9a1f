"""The space of a sweep: which hyperparameters are searched, and over which of their declared values.

Every axis is a row of values in order: the stops of a knob's slider, or its choices. The stops of the learning rate
and the batch size are spaced logarithmically, so every sampler may draw them evenly.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from digits.errors import InvalidSweep
from digits.runs.hyperparameters import KNOBS, Hyperparameters, check

SEARCHABLE = ("learning_rate", "batch_size", "dropout", "iterations", "optimizer", "schedule", "augmentation")
DEFAULT = ("learning_rate", "batch_size", "dropout")
_REACH = {"learning_rate": 10, "batch_size": 4, "iterations": 2}  # a default range goes so many times down and up
_MOST_DROPOUT = 0.7


@dataclass(frozen=True)
class Axis:
    """One searched hyperparameter.

    Attributes:
        name: one of `SEARCHABLE`.
        values: what it may be, in order: neighbouring stops of its knob, or some of its choices.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def is_ordered(self) -> bool:
        """Whether it is a number, whose neighbouring values are alike."""
        return KNOBS[self.name].scale != "choice"

    def nearest(self, value: Any) -> Any:
        """Return the value of the axis that is nearest to a number."""
        return min(self.values, key=lambda own: abs(own - value))

    def spread(self, count: int) -> tuple[Any, ...]:
        """Return `count` of its values, spread evenly from the first to the last."""
        if count >= len(self.values):
            return self.values
        return tuple(self.values[round(i * (len(self.values) - 1) / max(1, count - 1))] for i in range(count))


def stops(name: str) -> tuple[Any, ...]:
    """Return all values that a hyperparameter may have in a sweep, in order."""
    knob = KNOBS[name]
    if knob.choices:
        return knob.choices
    count = round((knob.high - knob.low) / knob.step)
    return tuple(check(name, round(knob.low + i * knob.step, 10)) for i in range(count + 1))


def axis(name: str, chosen: Sequence[Any]) -> Axis:
    """Return the axis of a hyperparameter.

        axis("learning_rate", [1e-4, 1e-2])  # from the lowest to the highest
        axis("optimizer", ["sgd", "adam"])  # each of them

    Args:
        chosen: the lowest and the highest value of a number, which are moved to the nearest stops; or the choices.

    Raises:
        InvalidSweep, InvalidHyperparameter: the hyperparameter is not searched, or its values are not allowed.
    """
    if name not in SEARCHABLE:
        raise InvalidSweep(f"A sweep may search {', '.join(SEARCHABLE)}; received {name[:60]!r}. Choose some of these.")
    values = [check(name, value) for value in chosen]
    if KNOBS[name].scale == "choice":
        found = Axis(name, tuple(value for value in stops(name) if value in values))
    else:
        if len(values) != 2 or values[0] > values[1]:
            raise InvalidSweep(f"The range of `{name}` must be its lowest and its highest value; received {values}.")
        everything = Axis(name, stops(name))
        low, high = (everything.values.index(everything.nearest(value)) for value in values)
        found = Axis(name, everything.values[low : high + 1])
    if len(found.values) < 2:
        raise InvalidSweep(f"A sweep needs two or more values of `{name}`; received one. Widen it, or leave it out.")
    return found


def usual(name: str, chosen: Hyperparameters) -> Axis:
    """Return the usual axis of a hyperparameter, around its chosen value."""
    if KNOBS[name].scale == "choice":
        return axis(name, stops(name))
    if name == "dropout":
        return axis(name, (0.0, _MOST_DROPOUT))
    value, reach, (low, *_, high) = getattr(chosen, name), _REACH[name], stops(name)
    kind = type(value)
    return axis(name, (max(low, kind(value / reach)), min(high, kind(value * reach))))


@dataclass(frozen=True)
class Space:
    """All searched hyperparameters, in the order of `SEARCHABLE`."""

    axes: tuple[Axis, ...]

    @classmethod
    def from_dict(cls, values: Mapping[str, Sequence[Any]]) -> "Space":
        """Return the space of ranges and choices by name, as `axis` takes them; raises `InvalidSweep`."""
        if not values:
            raise InvalidSweep("A sweep needs a hyperparameter to search; none is chosen. Choose one or more.")
        found = {name: axis(name, chosen) for name, chosen in values.items()}
        return cls(tuple(found[name] for name in SEARCHABLE if name in found))

    def to_dict(self) -> dict[str, list[Any]]:
        """Return what `from_dict` takes, as JSON types."""
        return {one.name: [one.values[0], one.values[-1]] if one.is_ordered else list(one.values) for one in self.axes}

    @classmethod
    def from_text(cls, text: str) -> "Space":
        """Return the space in a link, such as "learning_rate..0.0001..0.01...optimizer..sgd..adam"."""
        parts = [part.split("..") for part in text.split("...") if part]
        return cls.from_dict({name: chosen for name, *chosen in parts})

    def to_text(self) -> str:
        """Return the text that `from_text` takes, which has no character that a link would have to escape."""
        parts = [
            (name, *(f"{v:.10g}" if isinstance(v, float) else str(v) for v in values))
            for name, values in self.to_dict().items()
        ]
        return "...".join("..".join(part) for part in parts)

    @cached_property
    def size(self) -> int:
        """How many settings there are."""
        return math.prod(len(one.values) for one in self.axes)

    def grid(self, most: int) -> dict[str, tuple[Any, ...]]:
        """Return an even grid of about `most` settings: all choices, and as many values of the numbers as fit.

        It has at least two values of every number, so it can have more than `most` settings.
        """
        counts = {one.name: 2 if one.is_ordered else len(one.values) for one in self.axes}
        is_growing = True
        while is_growing:
            is_growing = False
            for one in self.axes:
                larger = counts | {one.name: counts[one.name] + 1}
                if counts[one.name] < len(one.values) and math.prod(larger.values()) <= most:
                    counts, is_growing = larger, True
        return {one.name: one.spread(counts[one.name]) for one in self.axes}

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether settings lie in the space; others than the searched ones do not matter."""
        return all(values[one.name] in one.values for one in self.axes)

    def settings(self) -> Iterator[dict[str, Any]]:
        """Yield all settings in order."""
        for values in itertools.product(*(one.values for one in self.axes)):
            yield {one.name: value for one, value in zip(self.axes, values, strict=True)}
