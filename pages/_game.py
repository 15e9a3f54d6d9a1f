"""The game: ten digits, as fast as you can. It is played in the browser; the server only opens a friend's result."""

from functools import partial
from pathlib import Path

import streamlit as st

from digits.models import catalogue
from digits.models.judge import TEN_DIGITS
from digits.views import assets, games
from pages import _state

_COMPONENTS = Path(__file__).parent / "components"
_SCRIPTS = (
    "connection",
    "kept",
    "curves",
    "codec",
    "links",
    "game",
)  # one module: a component imports no files

_game = st.components.v2.component(
    "digits_game",
    html=(_COMPONENTS / "game.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "game.css").read_text(encoding="utf-8"),
    js=assets.component(
        "game", "\n".join((_COMPONENTS / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    ),
)

_key = partial(_state.key, "draw")


def is_possible(model: catalogue.Model) -> bool:
    """Return whether the model reads the ten digits that the game asks for."""
    return tuple(model.class_names) == tuple(TEN_DIGITS)


def show(model: catalogue.Model) -> None:
    """Have the game ready in the answer's place, hidden until it is begun or a link brings a friend's result."""
    if not is_possible(model):
        return
    link = st.session_state[_key("game")]
    friend = {"link": link, **games.parse(link).to_dict()} if link else None
    _game(data={"friend": friend, "model": model.id}, key=_key("play"), on_left_change=_leave)


def _leave() -> None:
    """Take the friend's result out of the page's address."""
    st.session_state[_key("game")] = ""
