"""Games: the result of "ten digits, as fast as you can" as a link holds it; `pages/components/game.js` writes it.

The text is the time in tenths of a second, and then for each digit, in the order played, its name, its mark and the
drawing as `ink.codec` encodes it; dots stand between: "214.4f1DgEA….7a1DAUk….0s" and so on.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.errors import InvalidImage
from digits.ink import codec

MAX_CHARACTERS = 6_000  # the browser keeps a link below 2,000, unless a drawing is a large scribble
MARKS = {"f": "first", "a": "again", "s": "skipped"}  # right at first try, right at a later one, or skipped

_TURN = re.compile(r"([0-9])([fas])([A-Za-z0-9_-]*)")


@dataclass(frozen=True)
class Turn:
    """One of the ten digits: its name, a value of `MARKS`, and its drawing, float32 (n, 2) each, empty if skipped."""

    name: str
    mark: str
    strokes: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Game:
    """A game that was played to its end.

    Attributes:
        seconds: from the first pen-down to the last pen-up, without the pauses between the digits.
        turns: one for each digit, in the order played.
    """

    seconds: float
    turns: tuple[Turn, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the game for the browser; a stroke is x, y, x, y, …"""
        turns = [
            {"name": turn.name, "mark": turn.mark, "strokes": [stroke.ravel().tolist() for stroke in turn.strokes]}
            for turn in self.turns
        ]
        return {"seconds": self.seconds, "turns": turns}


def parse(text: str) -> Game:
    """Return the game in a link's text.

    Raises:
        InvalidImage: the text is too long or no such game, or a drawing in it cannot be read.
    """
    broken = InvalidImage("This link's game cannot be read: it was cut or changed. Copy the whole link again.")
    if len(text) > MAX_CHARACTERS:
        raise broken
    time, *parts = text.split(".")
    found = [match for part in parts if (match := _TURN.fullmatch(part))]
    if not re.fullmatch(r"[0-9]{1,6}", time) or len(found) != len(parts):
        raise broken
    turns = tuple(_turn(*match.groups()) for match in found)
    if sorted(turn.name for turn in turns) != list("0123456789"):
        raise broken
    if any(turn.mark != "skipped" and not turn.strokes for turn in turns):
        raise broken
    return Game(int(time) / 10, turns)


def _turn(name: str, mark: str, ink: str) -> Turn:
    return Turn(name, MARKS[mark], tuple(codec.decode(ink)) if ink else ())
