"""The answer to a drawing or a picture: what is read, the confidence, and the steps from the ink to the network."""

from functools import partial

import numpy as np
import streamlit as st

from digits.ink import glyphs, stages
from digits.models import catalogue
from digits.models.reading import Reading
from digits.views import charts
from pages import _state, _widgets

_BOXES_WIDTH, _BOXES_HEIGHT = 560, 220  # pixels; the largest size of the ink with its boxes

_key = partial(_state.key, "draw")


def show(reading: Reading, model: catalogue.Model) -> glyphs.Glyph:
    """Show the reading of a digit, or of a number and one chosen digit; return the digit that is shown."""
    count, chosen = len(reading.digits), 0
    if count > 1:
        _number(reading)
        chosen = _choose_digit(reading, model)
    glyph, probabilities = reading.digits[chosen].glyph, reading.probabilities[chosen]
    is_digit = bool(reading.accepted[chosen])
    _one_digit(probabilities, model, place=None if count == 1 else chosen, is_digit=is_digit)
    above = st.container()
    _widgets.probability_chart(probabilities, model.class_names, key=_key("bars"), is_doubtful=not is_digit)
    with above:  # the browser takes longest over these pictures, so it gets the answer first
        _steps(glyph)
    return glyph


def _number(reading: Reading) -> None:
    """State what a number of several digits is read as."""
    text, count, doubtful = reading.text.replace("\n", ", "), len(reading.digits), reading.doubtful
    if doubtful == count:
        st.header("This does not look like a number", anchor=False)
        st.markdown(f"The closest match is {text} ({charts.percent(reading.confidence)}).")
        return
    st.header(f"The model reads {text}", anchor=False)
    st.markdown(f"**{charts.percent(reading.confidence)} sure** that all {count} digits are right.")
    if doubtful:
        verb = "does not look like a digit" if doubtful == 1 else "do not look like digits"
        st.warning(f"{doubtful} of these {count} {verb}.", icon=":material/help:")


def _pick() -> None:
    st.session_state[_key("digit")] = st.session_state[_key("boxes")].picked


def _choose_digit(reading: Reading, model: catalogue.Model) -> int:
    """Show the ink with a box around every digit and let the visitor press one; return its position."""
    count = len(reading.digits)
    chosen: int = st.session_state.get(_key("digit")) or 0
    if chosen not in range(count):
        chosen = 0
    outlined = stages.outline(reading.digits)
    width, height = outlined.size
    digits = []
    for place, box in enumerate(outlined.boxes):
        probabilities, is_digit = reading.probabilities[place], bool(reading.accepted[place])
        name, sure = model.class_names[probabilities.argmax()], charts.percent(probabilities.max())
        looks = "" if is_digit else ", but it does not look like a digit"
        label = f"Digit {place + 1} of {count}: read as {name}, {sure} sure{looks}"
        digits.append({"box": box, "text": name, "label": label, "doubtful": not is_digit})
    _widgets.ink_boxes(
        {
            "picture": _widgets.data_url(outlined.png),
            "width": min(_BOXES_WIDTH, round(_BOXES_HEIGHT * width / height)),
            "alt": f"The ink of {count} digits",
            "label": "The digits found. Press one to see its details.",
            "digits": digits,
            "chosen": chosen,
        },
        key=_key("boxes"),
        on_picked=_pick,
    )
    return chosen


def _one_digit(probabilities: np.ndarray, model: catalogue.Model, *, place: int | None, is_digit: bool) -> None:
    """State what one digit is read as; `place` is its position in a number, from 0, or None if it stands alone."""
    first, second = probabilities.argsort()[::-1][:2]
    names, shares = model.class_names, [charts.percent(probabilities[best]) for best in (first, second)]
    if place is None:
        st.header(f"The model reads {names[first]}" if is_digit else "This does not look like a digit", anchor=False)
    if is_digit:
        opening = "" if place is None else f"Digit {place + 1} is read as {names[first]}: "
        st.markdown(f"{opening}**{shares[0]} sure.** Its second guess is {names[second]}, at {shares[1]}.")
    else:
        opening = "" if place is None else f"Digit {place + 1} does not look like a digit. "
        st.markdown(f"{opening}The closest match is {names[first]} ({shares[0]}), then {names[second]} ({shares[1]}).")


def _steps(glyph: glyphs.Glyph) -> None:
    """Show the steps from the ink to the network's input."""
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall", key=_key("steps")):
            for stage in stages.show(glyph):
                # three stand side by side on a phone
                st.image(stage.png, caption=stage.caption, width=112, output_format="PNG", alt=stage.alt)
        st.caption(glyphs.describe(glyph))
