"""What is distilled: the designs of the networks, each task's teachers and models, and the time that each gets."""

import string
from collections.abc import Mapping
from dataclasses import dataclass

SEGMENTS = 64  # lines of a drawing at most; of UNIPEN's, one in a hundred has more, and loses points
CLASSES = 192  # outputs of every network here, so that one compilation serves all tasks; the spare ones are masked
DROPOUT, TEACHER_DROPOUT = 0.15, 0.4


@dataclass(frozen=True)
class Design:
    """A stack of 3×3 convolutions, each normalised over the batch, as `training.networks` builds it."""

    filters: tuple[int, ...]
    pooled: tuple[int, ...]
    hidden: int
    is_last_valid: bool = True
    rate: float = 3e-3
    dropout: float = DROPOUT


STUDENT = Design((32, 64, 64, 128, 128), (1, 3), 128)
JUDGE = Design((16, 32, 48, 48), (1, 2), 96)
TEACHER = Design((64, 64, 128, 128, 256, 256), (2, 4), 256, False, 2e-3, TEACHER_DROPOUT)


@dataclass(frozen=True)
class Decision:
    """A question that a model answers by the sum of some probabilities: is it one of these classes?

    Attributes:
        accepted: these classes, of one letter each.
        either: classes for which no answer is wrong.
    """

    accepted: str
    either: str = ""


@dataclass(frozen=True)
class Model:
    """A small network to make.

    Attributes:
        name: of its folder.
        design: its layers.
        seconds: its share of the time.
        class_of: its class of each of the task's; None for these as they are.
        iterations: at most; by default as many as anybody may train in the app.
        decisions: what its probabilities are also summed for.
    """

    name: str
    design: Design
    seconds: float
    class_of: Mapping[str, str] | None = None
    iterations: int = 20_000
    decisions: tuple[Decision, ...] = ()


def _folded(upper: str, lower: str, distinct: str = "") -> dict[str, str]:
    """Return the class of each character: small letters belong to their capitals, apart from distinct ones."""
    return {name: name for name in upper} | {name: name if name in distinct else name.upper() for name in lower}


_DISTINCT = "abdefghnqrt"
CHARACTERS = {name: name for name in string.digits} | _folded(string.ascii_uppercase, string.ascii_lowercase, _DISTINCT)
IS_DIGIT = Decision(string.digits + "OolSsZzbBGgq", "DIiQy")
IS_CHARACTER = Decision(string.digits + string.ascii_letters)
PLAN: dict[str, tuple[tuple[float, ...], tuple[Model, ...]]] = {  # seconds of each teacher; models, with theirs
    "digits": ((55, 55, 55), (Model("drawing", STUDENT, 135),)),
    "judge": (
        (50, 50),
        (Model("judge", JUDGE, 90, iterations=100_000, decisions=(IS_DIGIT, IS_CHARACTER)),),
    ),
    "characters": (
        (55, 55),
        (
            Model("capitals", STUDENT, 35, _folded(string.ascii_uppercase, "")),
            Model("characters", STUDENT, 40, CHARACTERS),
        ),
    ),
}
