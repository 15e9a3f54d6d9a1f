"""games: a result in a link is read as it was written, and a hostile one is refused."""

import numpy as np
import pytest

from digits.errors import InvalidImage
from digits.ink import codec
from digits.views import games

INK = codec.encode([np.float32([[0, 0], [30, 0], [10, 60]]), np.float32([[5, 30], [25, 30]])])
TEXT = ".".join(["2145", *(f"{digit}f{INK}" for digit in "31405926"), f"7a{INK}", "8s"])


def test_a_game_is_read():
    """Time, order, marks and drawings come back."""
    game = games.parse(TEXT)
    assert game.seconds == 214.5
    assert "".join(turn.name for turn in game.turns) == "3140592678"
    assert [turn.mark for turn in game.turns] == [*["first"] * 8, "again", "skipped"]
    assert game.turns[0].strokes[0].tolist() == [[0, 0], [30, 0], [10, 60]]
    assert game.turns[-1].strokes == ()


def test_a_browser_is_given_plain_numbers():
    """A stroke is x, y, x, y, …"""
    given = games.parse(TEXT).to_dict()
    assert given["seconds"] == 214.5
    assert given["turns"][0]["strokes"][1] == [5, 30, 25, 30]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2145",
        TEXT.replace("2145", "-1"),
        TEXT.replace("2145", "21.45"),
        TEXT.replace("2145", "1234567"),
        TEXT.replace("2145", "٢"),
        TEXT.replace(".8s", ""),
        TEXT.replace(".8s", ".7s"),
        TEXT.replace(".8s", ".8f"),
        TEXT.replace(".8s", ".8x"),
        TEXT.replace(".8s", ".8s!"),
        TEXT.replace(INK, INK[:-1], 1),
        TEXT + "A" * 6000,
        "<script>alert(1)</script>",
    ],
)
def test_a_hostile_game_is_refused(text):
    """What was cut or changed is refused with what to do."""
    with pytest.raises(InvalidImage, match="Copy the whole link again"):
        games.parse(text)
