"""The sheet: a canvas for the pen, and a component that keeps its strokes in the browser.

The canvas takes the pen. The component below it shows the strokes, undoes and repeats them at once, and sends them when
the pen has rested (`delivery.js`). It keeps them while the server is away, and while another page is shown.
"""

import secrets
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits.ink import codec, examples, strokes
from digits.models import catalogue
from digits.models.reading import Reading
from digits.views import assets, confirmation, sharing
from pages import _state

HEIGHT, WIDTH = confirmation.SIZE
INK = "#1b2733"  # on white paper, in both themes

_COMPONENTS = Path(__file__).parent / "components"
_SCRIPTS = (
    "connection",
    "kept",
    "curves",
    "codec",
    "sheet",
    "delivery",
    "writing",
    "pictures",
)  # one module: a component has no files of its own to import


def _text(name: str) -> str:
    return (_COMPONENTS / f"{name}.js").read_text(encoding="utf-8")


_paper = st.components.v2.component(
    "digits_sheet",
    html=(_COMPONENTS / "sheet.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "sheet.css").read_text(encoding="utf-8"),
    js=assets.component("sheet", examples.script() + "\n".join(map(_text, _SCRIPTS))),
)
_buttons = st.components.v2.component(
    "digits_sheet_tools",
    html=(_COMPONENTS / "tools.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "tools.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "tools.js").read_text(encoding="utf-8"),
)

_key = partial(_state.key, "draw")


def link() -> str:
    """Return the drawing as text for a link; "" for an empty sheet."""
    drawn = st.session_state[_key("strokes")]
    return codec.encode(drawn) if drawn else ""


def serial() -> int:
    """Return the number of the drawing that was read last; the browser counts them."""
    return int(st.session_state[_key("serial")])


def is_painted() -> bool:
    """Return whether the browser reads by itself, and has painted the steps of the drawing that has just arrived."""
    return st.session_state.get(_key("painted"), False)


def prepare() -> None:
    """Put the link's drawing on the sheet if there is a new one; the first sheet is otherwise empty."""
    if ink := st.session_state.pop(_key("ink"), ""):
        _give(codec.decode(ink))
    elif _key("strokes") not in st.session_state:
        _give([])


def canvas() -> Any:
    """Show the canvas for the pen; return the container in which `show` lays the component below it."""
    place = st.container(key=_key("sheet"))
    with place:
        st_canvas(
            stroke_width=st.session_state[_key("pen")],
            stroke_color=INK,
            update_streamlit=False,
            width=WIDTH,
            height=HEIGHT,
            key=_key("canvas"),
        )
    return place


def show(model: catalogue.Model) -> Reading:
    """Show the sheet's component and return what the model reads on it.

    Raises:
        InvalidImage: as in `strokes.check`.
    """
    known = st.session_state.get(_key("paper"), {}).get("drawing")
    is_new = _receive(known)  # so that the component hears of its arrival
    sent = _paper(data=_data(model), key=_key("paper"), on_drawing_change=lambda: None).drawing
    is_new |= _receive(sent)  # after a restart of the server, it is known only now
    st.session_state[_key("painted")] = is_new and isinstance(sent, dict) and sent.get("reads") is True
    return confirmation.read(st.session_state[_key("strokes")], model, st.session_state[_key("width")])


def tools() -> None:
    """Show Undo, Redo, Clear and the pen's width."""
    low, high, _ = sharing.PEN_WIDTHS
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=_key("tools")):
        _buttons(data={}, key=_key("buttons"), width="content", height="content")
        with st.popover("Pen", icon=":material/line_weight:", help="The width of the pen"):
            st.slider(
                "Pen width",
                low,
                high,
                key=_key("pen"),
                persist_state="session",
                help="The width of the next lines, in pixels. It does not change the answer.",
            )


def _data(model: catalogue.Model) -> dict[str, Any]:
    """Return what the component needs: the drawing that it was given, which of its own have come, and what to ask."""
    return {
        "given": {
            "token": st.session_state[_key("token")],
            "strokes": [stroke.ravel().tolist() for stroke in st.session_state[_key("given")]],
        },
        "received": st.session_state[_key("serial")],
        "model": model.id,
        "chosen": st.session_state.get(_key("digit")) or 0,
        "isAwaited": bool(st.session_state.get(_key("tab"))),  # what is open below must be computed anew
        "pen": st.session_state[_key("pen")],
        "ink": INK,
        "size": (WIDTH, HEIGHT),
        "canvas": _class("canvas"),
        "sources": _class("source"),
        "chooser": _class("file"),
    }


def _class(name: str) -> str:
    """Return the CSS class by which the browser finds one of the page's widgets."""
    return f"st-key-{_key(name).replace('.', '-')}"


def _receive(sent: Any) -> bool:
    """Take over a drawing that the browser sent; one made on a sheet that has since been replaced is out of date.

    Returns:
        whether it is a new one.
    """
    if not isinstance(sent, dict) or sent.get("token") != st.session_state[_key("token")]:
        return False
    number, drawn, widths = sent.get("serial"), sent.get("strokes"), sent.get("widths")
    if not isinstance(number, int) or not isinstance(drawn, list) or number <= st.session_state[_key("serial")]:
        return False
    st.session_state[_key("serial")] = number
    st.session_state[_key("strokes")] = strokes.parse(drawn)
    st.session_state[_key("width")] = confirmation.pen_width(widths, st.session_state[_key("width")])
    return True


def _give(drawn: list[np.ndarray]) -> None:
    """Put a drawing on the sheet, shrunk if it would not fit; the browser recognises it by its token."""
    room = np.array([WIDTH, HEIGHT]) - st.session_state[_key("pen")] / 2
    reach = np.max([stroke.max(axis=0) for stroke in drawn], axis=0) if drawn else np.ones(2)
    scale = min(1.0, *(room / np.maximum(reach, 1)).tolist())
    drawn = [stroke * np.float32(scale) for stroke in drawn] if scale < 1 else drawn
    st.session_state[_key("strokes")] = st.session_state[_key("given")] = drawn
    st.session_state[_key("width")] = st.session_state[_key("pen")]
    st.session_state[_key("token")] = secrets.token_hex(4)
    st.session_state.setdefault(_key("serial"), 0)
