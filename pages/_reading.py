"""The answer to a drawing or a picture: what is read, the confidence, and the steps from the ink to the network."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from digits.ink import glyphs, stages
from digits.models import answers, catalogue
from digits.models.answers import Tone
from digits.models.reading import Reading
from digits.views.markdown import escaped
from pages import _state, _widgets

_BOXES_WIDTH, _BOXES_HEIGHT = 560, 220  # pixels; the largest size of the ink with its boxes
_ICONS = {Tone.HESITANT: "help", Tone.PARTIAL: "help", Tone.UNFINISHED: "stylus", Tone.REFUSED: "block"}

_key = partial(_state.key, "draw")


def show(reading: Reading, model: catalogue.Model, *, is_drawing: bool) -> glyphs.Glyph:
    """Show the answer to a reading, and one chosen digit; return the digit that is shown.

    Args:
        is_drawing: whether the digits of a number are shown here as buttons, because no picture shows them.
    """
    _say(answers.answer(reading, model.class_names, is_drawing=is_drawing))
    chosen = chosen_digit(reading)
    if len(reading.digits) > 1:
        if is_drawing:
            _number(reading, model)
        st.markdown(answers.describe(reading, model.class_names, chosen))
    glyph, probabilities = reading.digits[chosen].glyph, reading.probabilities[chosen]
    above = st.container()
    is_doubtful = not reading.accepted[chosen]
    _widgets.probability_chart(probabilities, model.class_names, key=_key("bars"), is_doubtful=is_doubtful)
    with above:  # the browser takes longest over these pictures, so it gets the answer first
        _steps(glyph)
    return glyph


def ask(answer: Any, hint: str) -> None:
    """Ask for a drawing or a picture where the answer will appear."""
    with answer.container(key=_key("said")):
        st.info(escaped(hint), icon=":material/draw:")


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


def _say(answer: answers.Answer) -> None:
    """State an answer in a place that keeps its height, so that what is below does not move between strokes."""
    with st.container(key=_key("said"), gap="xsmall"):
        soft = answer.tone is Tone.UNFINISHED
        st.header(f":gray[{answer.headline}]" if soft else answer.headline, anchor=False)
        icon = f":material/{_ICONS[answer.tone]}: " if answer.tone in _ICONS else ""
        st.markdown(icon + answer.sentence)


def _number(reading: Reading, model: catalogue.Model) -> None:
    """Show the ink with a box around every digit, which can be pressed."""
    outlined = stages.outline(reading.digits)
    width, height = outlined.size
    _widgets.ink_boxes(
        {
            "picture": _widgets.data_url(outlined.png),
            "width": min(_BOXES_WIDTH, round(_BOXES_HEIGHT * width / height)),
            "alt": f"The ink of {len(reading.digits)} digits",
            "label": "The digits found. Press one to see its details.",
            "digits": buttons(reading, model, outlined.boxes),
            "chosen": chosen_digit(reading),
        },
        key=_key("boxes"),
        on_picked=partial(pick, _key("boxes")),
    )


def _steps(glyph: glyphs.Glyph) -> None:
    """Show the steps from the ink to the network's input."""
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall", key=_key("steps")):
            for stage in stages.show(glyph):
                # three stand side by side on a phone
                st.image(stage.png, caption=stage.caption, width=112, output_format="PNG", alt=stage.alt)
        st.caption(glyphs.describe(glyph))
