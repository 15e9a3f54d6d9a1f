"""Every hyperparameter, declared once with its default, range, scale, unit and explanation.

Validation, the page's sliders, the command line's options and the README's table all use these declarations.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digits.errors import InvalidHyperparameter


@dataclass(frozen=True)
class Knob:
    """The declaration of one hyperparameter: everything about it except its value.

    Attributes:
        label: its name on the page.
        help: what it does, in a sentence or two.
        low, high: the range of a number, both ends included.
        step: the step of a linear slider; 0 if there is none.
        choices: for text, all allowed values; for a number, the stops of its slider.
        pattern: for text, what other values look like, as a regular expression; empty if there are none.
        scale: "linear", "log" or "choice".
        unit: what the number counts.
    """

    label: str
    help: str
    low: float = 0
    high: float = 0
    step: float = 0
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    scale: str = "linear"
    unit: str = ""


# A version of a set that a visitor made, alone or added to MNIST; see `digits.data.own` and `digits.data.joined`.
OWN_SET = "own-[0-9a-f]{16}-[1-9][0-9]{0,3}(-mnist)?"
VALIDATIONS = 25  # about this many in a run
LIVE_KNOBS = ("learning_rate", "dropout")  # hyperparameters that may change while a run trains

_DECADE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
LEARNING_RATES = (*(float(f"{digit}e{power}") for power in range(-5, 0) for digit in _DECADE), 1.0)


def _knob(default: Any, **facts: Any) -> Any:
    return field(default=default, metadata={"knob": Knob(**facts)})


@dataclass(frozen=True)
class Hyperparameters:
    """The settings of a training run; with the data and the software versions they determine the result.

        Hyperparameters(network="corrected", learning_rate=1e-3, optimizer="adam")

    Raises:
        InvalidHyperparameter: on construction, if a value has the wrong type or is outside its range.
    """

    network: str = _knob(
        "softmax",
        label="Network",
        help="The network to train, from one layer of weights to a convolutional network.",
        choices=("softmax", "published", "corrected", "convolutional", "drawing"),
        scale="choice",
    )
    dataset: str = _knob(
        "mnist",
        label="Data",
        help="What the network learns to read: the digits of MNIST, the capitals A-Z, the small letters a-z, letters "
        "of either case, digits and letters together, what others have made for "
        "networks of this size, or a set of your own from the Data page; one of digits can be added to MNIST.",
        choices=(
            *("mnist", "capitals", "small-letters", "letters", "characters"),
            *("fashion-mnist", "kuzushiji-mnist", "emnist-balanced"),
        ),
        pattern=OWN_SET,
        scale="choice",
    )
    own_share: float = _knob(
        0.1,  # reads three of UNIPEN's development writers as well as 0.5 does, and MNIST 0.8 points better
        label="Own set's share",
        help="How much of each batch comes from your own set where it is added to MNIST; the rest comes from MNIST. "
        "Other data have no use for it.",
        low=0.05,
        high=0.95,
        step=0.05,
    )
    learning_rate: float = _knob(
        0.5,
        label="Learning rate",
        help="How far each iteration moves the weights. Too small is slow, too large never converges.",
        low=1e-5,
        high=1.0,
        choices=LEARNING_RATES,
        scale="log",
    )
    iterations: int = _knob(
        1000,
        label="Iterations",
        help="How many batches the network learns from, one update of the weights for each.",
        low=100,
        high=20_000,
        step=100,
        unit="batches",
    )
    dropout: float = _knob(
        0.0,
        label="Dropout",
        help="The share of the units before the output layer set to zero at random in each training iteration, "
        "so that the network does not rely on single units.",
        low=0.0,
        high=0.9,
        step=0.05,
    )
    batch_size: int = _knob(
        100,
        label="Batch size",
        help="How many images each iteration learns from in one update of the weights.",
        low=1,
        high=1000,
        choices=(10, 20, 32, 50, 64, 100, 128, 200, 256, 512, 1000),
        unit="images",
    )
    optimizer: str = _knob(
        "sgd",
        label="Optimizer",
        help="The rule that turns a gradient into an update: plain steps (sgd), steps that gather speed (momentum), "
        "or a separate step size for every weight (adam).",
        choices=("sgd", "momentum", "adam"),
        scale="choice",
    )
    schedule: str = _knob(
        "constant",
        label="Schedule",
        help="Whether the learning rate stays as set (constant) or falls smoothly to zero by the end (cosine).",
        choices=("constant", "cosine"),
        scale="choice",
    )
    augmentation: str = _knob(
        "none",
        label="Augmentation",
        help="Whether each training image is distorted at random every time it is used (drawing): slanted, moved, "
        "thickened, bent, with gaps. Training is slower, but the network reads drawings better.",
        choices=("none", "drawing"),
        scale="choice",
    )
    patience: int = _knob(
        0,
        label="Patience",
        help="Early stopping: the run ends after this many validations in a row without a new best accuracy. "
        "A run has about 25; 0 turns early stopping off.",
        low=0,
        high=25,
        step=1,
        unit="validations",
    )
    seed: int = _knob(
        0,
        label="Seed",
        help="The seed of the random number generators: the same seed and settings give the same run again.",
        low=0,
        high=2**31 - 1,
        step=1,
    )

    def __post_init__(self) -> None:
        for name in KNOBS:
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON types, in the order of declaration."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Hyperparameters":
        """Build from the result of `to_dict()`; raises `InvalidHyperparameter` for unknown names."""
        unknown = sorted(set(values) - set(KNOBS))
        if unknown:
            raise InvalidHyperparameter(
                f"Hyperparameters are {', '.join(KNOBS)}; received the unknown `{unknown[0]}`. Remove or rename it."
            )
        return cls(**values)

    @property
    def point_size(self) -> int:
        """How many iterations one point of the learning curves averages."""
        return 50 if self.network == "softmax" else 10

    @property
    def validation_interval(self) -> int:
        """The number of iterations between validations."""
        return max(1, math.ceil(self.iterations / VALIDATIONS / self.point_size)) * self.point_size

    def next_validation(self, step: int) -> int:
        """Return the step of the next validation after `step` iterations."""
        interval = self.validation_interval
        return min(self.iterations, self.point_size if step < self.point_size else step - step % interval + interval)

    def learning_rate_at(self, step: int, rate: float | None = None) -> float:
        """Return the learning rate of iteration `step`, which counts from 0.

        Args:
            rate: the current learning rate before the schedule; None for the one that the run started with.
        """
        rate = self.learning_rate if rate is None else rate
        if self.schedule == "constant":
            return rate
        return rate * 0.5 * (1 + math.cos(math.pi * step / self.iterations))


KNOBS: dict[str, Knob] = {item.name: item.metadata["knob"] for item in dataclasses.fields(Hyperparameters)}
_TYPES: dict[str, type] = {item.name: item.type for item in dataclasses.fields(Hyperparameters)}  # type: ignore[misc]


def check(name: str, value: Any) -> Any:
    """Return `value` converted to the type of hyperparameter `name`, or raise `InvalidHyperparameter`.

    Text is accepted too, from a link or a command line:

        check("learning_rate", "0.5")  # 0.5
    """
    knob, kind = KNOBS[name], _TYPES[name]
    if kind is str:
        is_other = bool(knob.pattern) and isinstance(value, str) and re.fullmatch(knob.pattern, value)
        if value not in knob.choices and not is_other:
            raise InvalidHyperparameter(
                f"`{name}` must be one of {', '.join(knob.choices)}; received {str(value)[:60]!r}. Choose one of these."
            )
        return value
    span = f"[{knob.low:g}, {knob.high:.10g}]{' ' + knob.unit if knob.unit else ''}"
    try:
        number = kind(value) if isinstance(value, str) else value
        is_valid = not isinstance(number, bool) and math.isfinite(number) and kind(number) == number
    except (TypeError, ValueError, OverflowError):
        is_valid = False
    if not is_valid:
        noun = "whole number" if kind is int else "number"
        raise InvalidHyperparameter(f"`{name}` must be a {noun} in {span}; received {str(value)[:60]!r}. Enter one.")
    if not knob.low <= number <= knob.high:
        raise InvalidHyperparameter(f"`{name}` must lie in {span}; received {number:g}. Choose a value inside.")
    return kind(number)


def as_markdown() -> str:
    """Return the declarations as a Markdown table, for the README."""
    lines = ["| name | default | range | what it does |", "|---|---|---|---|"]
    for item in dataclasses.fields(Hyperparameters):
        knob = KNOBS[item.name]
        span = ", ".join(knob.choices) if item.type is str else f"{knob.low:g} to {knob.high:.10g}"
        scale = ", logarithmic" if knob.scale == "log" else ""
        unit = f" {knob.unit}" if knob.unit else ""
        lines.append(f"| `{item.name}` | {item.default} | {span}{unit}{scale} | {knob.help} |")
    return "\n".join(lines)
