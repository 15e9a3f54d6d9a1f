"""The sheet: a canvas with Undo and Clear; its strokes survive reruns, visits to other pages and a reload."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits.ink import canvas, codec
from digits.metrics import ANSWERS
from digits.models import catalogue
from digits.models.reading import Reading, read_strokes
from pages import _state, _widgets

SHEETS = {"square": (280, 280), "wide": (640, 240)}  # width and height in pixels; the square fits the narrowest phone
WIDE_ON_A_PHONE = (344, 200)
PAPER, INK = "#ffffff", "#1b2733"  # the same in both themes

_without_toolbar = st.components.v2.component(
    "digits_sheet",
    html="<span hidden></span>",
    js=(Path(__file__).parent / "components" / "sheet.js").read_text(encoding="utf-8"),
)

_key = partial(_state.key, "draw")


def is_wide() -> bool:
    """Return whether the sheet is too wide to stand beside the answer."""
    return _size() == SHEETS["wide"]


def link() -> str:
    """Return the drawing as text for a link; "" for an empty sheet."""
    drawn = st.session_state[_key("strokes")]
    return codec.encode(drawn) if drawn else ""


def prepare() -> None:
    """Put the link's drawing on the canvas if there is a new one; the first sheet is otherwise empty."""
    st.session_state[_key("is_wide")] = st.session_state[_key("sheet")] == "wide"
    if ink := st.session_state.pop(_key("ink"), ""):
        _replace_drawing(codec.decode(ink))
    elif _key("strokes") not in st.session_state:
        _replace_drawing([])


def show_canvas(model: catalogue.Model) -> Reading:
    """Show the canvas and return what the model reads in its drawing."""
    pen, (width, height) = st.session_state[_key("pen")], _size()
    drawn = st.session_state[_key("strokes")]
    if _name() not in st.session_state and drawn is not st.session_state[_key("initial")]:
        _replace_drawing(drawn)  # the canvas lost its drawing while another page or source was shown
    result = st_canvas(
        stroke_width=pen,
        stroke_color=INK,
        background_color=PAPER,
        initial_drawing=st.session_state[_key("initial_json")],
        width=width,
        height=height,
        key=_name(),
    )
    st.session_state[_key("strokes")] = drawn = canvas.parse(result.json_data)
    ANSWERS.inc(bool(drawn))
    return read_strokes(drawn, model, size=(height, width), pen_width=pen)


def tools() -> None:
    """Show Undo, Clear and the choice of a sheet; call this after the answer, which then appears sooner."""
    is_blank = not st.session_state[_key("strokes")]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("Undo", icon=":material/undo:", on_click=_undo, disabled=is_blank)
        st.button("Clear", icon=":material/delete:", on_click=_replace_drawing, args=([],), disabled=is_blank)
        st.toggle(
            "Wide sheet",
            key=_key("is_wide"),
            on_change=_change_sheet,
            help="Gives room for a number with several digits.",
            width="content",
        )
        _without_toolbar(
            data={"canvas": f"st-key-{_name().replace('.', '-')}"},
            key=_key("toolbar"),
            width="content",
            height="content",
        )


def _name() -> str:
    """Return the canvas's key, which changes whenever a drawing is put on the canvas."""
    return _key(f"canvas.{st.session_state[_key('canvas')]}")


def _size() -> tuple[int, int]:
    sheet = st.session_state[_key("sheet")]
    return WIDE_ON_A_PHONE if sheet == "wide" and _widgets.is_phone() else SHEETS[sheet]


def _replace_drawing(drawn: list[np.ndarray]) -> None:
    """Replace the strokes on the canvas, shrunk if they would not fit; the canvas accepts them only under a new key."""
    room = np.array(_size()) - st.session_state[_key("pen")] / 2
    reach = np.max([stroke.max(axis=0) for stroke in drawn], axis=0) if drawn else np.ones(2)
    scale = min(1.0, *(room / reach).tolist())
    drawn = [stroke * np.float32(scale) for stroke in drawn] if scale < 1 else drawn
    st.session_state[_key("strokes")] = st.session_state[_key("initial")] = drawn
    st.session_state[_key("initial_json")] = canvas.build(drawn, st.session_state[_key("pen")], INK)
    st.session_state[_key("canvas")] = st.session_state.get(_key("canvas"), 0) + 1


def _undo() -> None:
    _replace_drawing(st.session_state[_key("strokes")][:-1])


def _change_sheet() -> None:
    st.session_state[_key("sheet")] = "wide" if st.session_state[_key("is_wide")] else "square"
    _replace_drawing(st.session_state[_key("strokes")])
