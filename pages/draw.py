"""Draw: a digit from the pen, a picture or the camera, read at once, with what the model saw."""

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits import catalogue, gallery, images, sharing, strokes
from digits.errors import DigitsError
from pages import _state, _widgets

SIDE = 280  # canvas pixels; fits the narrowest phone
PAPER, INK = "#ffffff", "#1b2733"  # the same in both themes: the canvas is a sheet of paper
SOURCES = {"Pen": ":material/stylus:", "Picture": ":material/image:", "Camera": ":material/photo_camera:"}

_key = lambda name: _state.key("draw", name)  # noqa: E731


def _replace_drawing(drawn: list[np.ndarray]) -> None:
    """Put other strokes on the canvas; the component takes them only under a new key."""
    st.session_state[_key("strokes")] = drawn
    st.session_state[_key("initial")] = drawn
    st.session_state[_key("canvas")] = st.session_state.get(_key("canvas"), 0) + 1


def _undo() -> None:
    _replace_drawing(st.session_state[_key("strokes")][:-1])


def _take_link() -> None:
    """Put a shared link's drawing on the canvas, once."""
    if ink := st.session_state.pop(_key("ink"), ""):
        _replace_drawing(strokes.decode_strokes(ink))
    st.session_state.setdefault(_key("strokes"), [])


def _canvas() -> images.Glyph | None:
    """Show the canvas with its pen, Undo and Clear, and return the glyph drawn on it."""
    low, high, _ = sharing.PEN_WIDTHS
    pen = st.session_state[_key("pen")]
    result = st_canvas(
        stroke_width=pen,
        stroke_color=INK,
        background_color=PAPER,
        initial_drawing=strokes.to_canvas(st.session_state.get(_key("initial"), []), pen, INK),
        width=SIDE,
        height=SIDE,
        key=_key(f"canvas.{st.session_state.get(_key('canvas'), 0)}"),
    )
    if result.json_data is not None:
        st.session_state[_key("strokes")] = strokes.parse_canvas(result.json_data)
    drawn = st.session_state[_key("strokes")]
    with st.container(horizontal=True, width=SIDE):
        st.button("Undo", icon=":material/undo:", on_click=_undo, disabled=not drawn, width="stretch")
        st.button(
            "Clear",
            icon=":material/delete:",
            on_click=_replace_drawing,
            args=([],),
            disabled=not drawn,
            width="stretch",
        )
    st.slider(
        "Pen width",
        low,
        high,
        key=_key("pen"),
        persist_state="session",
        width=SIDE,
        help="How thick the pen draws, in pixels. The answer does not depend on it.",
    )
    return images.fit_strokes(drawn, size=(SIDE, SIDE), pen_width=pen)


def _picture(source: str) -> images.Glyph | None:
    """Take a picture file or a photograph and return the glyph found in it."""
    if source == "Camera":
        file = st.camera_input("Photograph a dark digit on light paper, or a light one on dark", key=_key("camera"))
    else:
        file = st.file_uploader(
            "A picture of one digit, dark on light or light on dark",
            type=["png", "jpg", "jpeg", "webp", "gif", "bmp"],
            key=_key("file"),
        )
    if file is None:
        return None
    with st.spinner("Looking for the ink"):
        glyph = images.fit(images.find_ink(images.load_picture(file.getvalue())))
    if glyph is None:
        st.warning("No ink was found in this picture. Use darker ink, more light, or come closer.")
    return glyph


def _answer(glyph: images.Glyph | None, model: catalogue.Model, source: str) -> None:
    """Show what the model reads and what it saw."""
    if glyph is None:
        hints = {
            "Pen": "Draw a digit on the sheet, anywhere and at any size. The answer appears here after every stroke.",
            "Picture": "Choose a picture. The answer appears here.",
            "Camera": "Take a photograph. The answer appears here.",
        }
        st.info(hints[source], icon=":material/arrow_back:")
        return
    probabilities = model.recogniser.probabilities(glyph.image[np.newaxis])[0]
    first, second = probabilities.argsort()[::-1][:2]
    names = model.class_names
    reading, seen = st.columns([3, 2], gap="medium")
    with reading:
        st.metric(
            "The model reads", names[first], f"{probabilities[first]:.1%} sure", delta_color="off", delta_arrow="off"
        )
        st.caption(f"Its second guess is {names[second]}, at {probabilities[second]:.1%}.")
    with seen:
        st.image(
            gallery.enlarged(glyph.image, factor=5),
            width=140,
            alt="The drawing as 28 by 28 grey pixels, fitted and centred as the model receives it",
        )
        st.caption(f"What the model saw, 28×28. {images.describe(glyph)}")
    _widgets.probability_chart(probabilities, names, key=_key("bars"))


head = _widgets.page_head(
    "draw",
    "Draw a digit",
    "Small neural networks read your handwriting here. Draw below, **Train** a network yourself, "
    "or see in the **Gallery** how it does on test images.",
)
_take_link()
paper, answer = st.columns([2, 3], gap="large")
with paper:
    source = st.segmented_control(
        "Where the digit comes from",
        list(SOURCES),
        format_func=lambda name: f"{SOURCES[name]} {name}",
        default="Pen",
        required=True,
        key=_key("source"),
        label_visibility="collapsed",
    )
    try:
        glyph = _canvas() if source == "Pen" else _picture(source)
    except DigitsError as error:
        st.error(str(error), icon=":material/error:")
        glyph = None
    model = _widgets.model_chooser("draw")
with answer:
    _answer(glyph, model, source)
_widgets.share(head, "draw", ink=strokes.encode_strokes(st.session_state[_key("strokes")]) if source == "Pen" else "")
_state.close_page("draw", ink="")
