"""The plan of a sweep: what is searched, by which method, and for how long."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from digits.errors import InvalidSweep
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.sweeps.space import DEFAULT, Space, usual

SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("halving", "hyperband", "none")
MOST_TRIALS, MOST_MINUTES = 500, 24 * 60
DEFAULT_TRIALS, DEFAULT_MINUTES = 20, 10


@dataclass(frozen=True)
class Plan:
    """What a sweep does; it never changes.

    Attributes:
        hyperparameters: the settings that are not searched, and where the search begins. Their seed is that of every
            trial and of the sampler.
        space: what is searched.
        sampler: how the next trial's settings are chosen: "grid" tries an even grid in random order, "random" draws
            each, "tpe" draws where the better trials have been (Bergstra et al., 2011).
        pruner: what becomes of trials that fall behind: "halving" gives up two of three at a ninth and at a third of
            the iterations (successive halving, Li et al., 2018), "hyperband" spares some of them (Li et al., 2017),
            "none" trains each to its end.
        trials: how many there are at most.
        minutes: after how many no other trial begins; 0 for any.

    Raises:
        InvalidSweep: on construction, if a value is not allowed.
    """

    hyperparameters: Hyperparameters
    space: Space
    sampler: str = "tpe"
    pruner: str = "halving"
    trials: int = DEFAULT_TRIALS
    minutes: int = 0

    def __post_init__(self) -> None:
        for name, value, allowed in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if value not in allowed:
                raise InvalidSweep(f"The {name} must be one of {', '.join(allowed)}; received {str(value)[:60]!r}.")
        for name, number, low, high in (
            ("trials", self.trials, 1, MOST_TRIALS),
            ("minutes", self.minutes, 0, MOST_MINUTES),
        ):
            if not isinstance(number, int) or not low <= number <= high:
                raise InvalidSweep(
                    f"`{name}` must be a whole number in [{low}, {high}]; received {str(number)[:60]!r}."
                )

    @property
    def most(self) -> int:
        """How many trials there can be: no settings are tried twice."""
        size = math.prod(map(len, self.grid.values())) if self.sampler == "grid" else self.space.size
        return min(self.trials, size)

    @property
    def grid(self) -> dict[str, tuple[Any, ...]]:
        """The values of each searched hyperparameter in a grid."""
        return self.space.grid(self.trials)

    @property
    def most_iterations(self) -> int:
        """The iterations of the longest trial."""
        return max(
            (one.values[-1] for one in self.space.axes if one.name == "iterations"),
            default=self.hyperparameters.iterations,
        )

    @property
    def most_images(self) -> Hyperparameters:
        """The settings of the trial that learns from the most images."""
        largest = {one.name: one.values[-1] for one in self.space.axes if one.name in ("iterations", "batch_size")}
        return dataclasses.replace(self.hyperparameters, **largest)

    @property
    def fresh_seed(self) -> int:
        """A seed that no trial has."""
        return (self.hyperparameters.seed + 1) % 2**31

    def at(self, settings: Mapping[str, Any]) -> Hyperparameters:
        """Return a trial's hyperparameters from those of its settings that are searched."""
        return dataclasses.replace(self.hyperparameters, **settings)

    def searched(self, hyperparameters: Hyperparameters) -> dict[str, Any]:
        """Return those of a trial's hyperparameters that are searched."""
        return {one.name: getattr(hyperparameters, one.name) for one in self.space.axes}

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "hyperparameters": self.hyperparameters.to_dict(),
            "space": self.space.to_dict(),
            "sampler": self.sampler,
            "pruner": self.pruner,
            "trials": self.trials,
            "minutes": self.minutes,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Plan":
        """Build from the result of `to_dict()`."""
        return cls(
            **dict(values)
            | {
                "hyperparameters": Hyperparameters.from_dict(values["hyperparameters"]),
                "space": Space.from_dict(values["space"]),
            }
        )


def default_space(chosen: Hyperparameters) -> Space:
    """Return the usual space around some settings."""
    names = [name for name in DEFAULT if name != "dropout" or chosen.network != "published"]  # not connected there
    return Space(tuple(usual(name, chosen) for name in names))


def default_plan(network: str) -> Plan:
    """Return the usual plan for a network."""
    chosen = PRESETS[network].hyperparameters
    return Plan(chosen, default_space(chosen))
