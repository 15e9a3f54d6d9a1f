"""The answer to a drawing or a picture: what is read, the confidence, and the steps from the ink to the network."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from digits.ink import examples, glyphs, stages
from digits.models import answers, catalogue
from digits.models.reading import Reading
from digits.views import answer_card, assets, live
from pages import _game, _state, _widgets

EXAMPLES = ("7", "42", "1984")  # offered to a visitor whose sheet is empty

_COMPONENTS = Path(__file__).parent / "components"

_answer = st.components.v2.component(
    "digits_answer",
    html=(_COMPONENTS / "answer.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "answer.css").read_text(encoding="utf-8"),
    js=assets.component("answer", examples.script() + (_COMPONENTS / "answer.js").read_text(encoding="utf-8")),
)
_strip = st.components.v2.component(
    "digits_steps",
    html=(_COMPONENTS / "steps.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "steps.css").read_text(encoding="utf-8"),
    js=assets.component("steps", (_COMPONENTS / "steps.js").read_text(encoding="utf-8")),
)

_key = partial(_state.key, "draw")


def show(
    reading: Reading | None, model: catalogue.Model, *, hint: tuple[str, str], serial: int | None
) -> glyphs.Glyph | None:
    """Show the answer to a reading, or ask for ink; return the digit that is looked at, or None without one.

    Args:
        hint: a title and a sentence, for when there is nothing to read.
        serial: the number of the drawing that was read, or None if it is no drawing.
    """
    chosen = chosen_digit(reading) if reading else 0
    said = answer_card.card(reading, model.class_names, chosen=chosen) if reading else answer_card.NOTHING
    is_drawing = serial is not None
    data = said | {
        "names": model.class_names,
        "serial": serial,
        "hint": {"title": hint[0], "text": hint[1]},
        "chips": [text for text in EXAMPLES if is_drawing and set(text) <= set(model.class_names)],
        "game": "Ten digits, as fast as you can" if is_drawing and _game.is_possible(model) else "",
        "live": {"script": live.reader_path(), "model": model.id},
    }
    _answer(
        data=_widgets.no_tables(data),
        key=_key("card"),
        on_picked_change=partial(pick, _key("card")),
    )
    return reading.digits[chosen].glyph if reading and reading.digits else None


def steps(glyph: glyphs.Glyph | None, *, serial: int | None, is_painted: bool = False) -> None:
    """Show the steps from the ink to the network's input, or their empty frames.

    Args:
        serial: as for `show`.
        is_painted: whether the browser has painted them itself, and needs only the words.
    """
    pictures = []
    if glyph and is_painted:
        pictures = [{"picture": "", "alt": words} for words in stages.describe(glyph)]
    elif glyph:
        pictures = [{"picture": _widgets.data_url(stage.png), "alt": stage.alt} for stage in stages.show(glyph)]
    data = {
        "pictures": pictures,
        "captions": stages.CAPTIONS,
        "serial": serial,
    }
    _strip(data=_widgets.no_tables(data), key=_key("steps"))


def chosen_digit(reading: Reading) -> int:
    """Return the place of the digit that the visitor chose; the first one by default."""
    chosen: int = st.session_state.get(_key("digit")) or 0
    return chosen if chosen in range(len(reading.digits)) else 0


def pick(component: str) -> None:
    """Choose the digit that was pressed in a component."""
    st.session_state[_key("digit")] = st.session_state[component].picked


def buttons(reading: Reading, model: catalogue.Model, boxes: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """Describe a button for each digit, as `_widgets.ink_boxes` shows it.

    Args:
        boxes: left, top, width and height of each digit, as shares of the picture's width or height.
    """
    texts = answers.symbols(reading, model.class_names)
    return [
        {
            "box": box,
            "text": texts[place],
            "label": answers.label(reading, model.class_names, place),
            "doubtful": not reading.accepted[place],
        }
        for place, box in enumerate(boxes)
    ]
