"""Draw: a digit or a number from the pen, a picture or the camera, read at once, with what the model saw."""

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits import catalogue, images, segmentation, sharing, strokes
from digits.errors import DigitsError
from pages import _reading, _state, _widgets

SHEETS = {"square": (280, 280), "wide": (640, 240)}  # width and height in pixels; the square fits the narrowest phone
WIDE_ON_A_PHONE = (344, 200)
PAPER, INK = "#ffffff", "#1b2733"  # the same in both themes: the canvas is a sheet of paper
SOURCES = {"Pen": ":material/stylus:", "Picture": ":material/image:", "Camera": ":material/photo_camera:"}
HINTS = {
    "Pen": "Draw a digit on the sheet, anywhere and at any size. The answer appears here after every stroke.",
    "Picture": "Choose a picture. The answer appears here.",
    "Camera": "Take a photograph. The answer appears here.",
}


def _key(name: str) -> str:
    return _state.key("draw", name)


def _sheet_size() -> tuple[int, int]:
    sheet = st.session_state[_key("sheet")]
    is_phone = "Mobi" in st.context.headers.get("User-Agent", "")
    return WIDE_ON_A_PHONE if sheet == "wide" and is_phone else SHEETS[sheet]


def _replace_drawing(drawn: list[np.ndarray]) -> None:
    """Put other strokes on the canvas, shrunk where they would not fit; it takes them only under a new key."""
    width, height = _sheet_size()
    reach = np.max([stroke.max(axis=0) for stroke in drawn], axis=0) if drawn else np.ones(2)
    scale = min(1.0, width / reach[0], height / reach[1])
    drawn = [stroke * np.float32(scale) for stroke in drawn] if scale < 1 else drawn
    st.session_state[_key("strokes")] = st.session_state[_key("initial")] = drawn
    st.session_state[_key("initial_json")] = strokes.to_canvas(drawn, st.session_state[_key("pen")], INK)
    st.session_state[_key("canvas")] = st.session_state.get(_key("canvas"), 0) + 1


def _undo() -> None:
    _replace_drawing(st.session_state[_key("strokes")][:-1])


def _change_sheet() -> None:
    st.session_state[_key("sheet")] = "wide" if st.session_state[_key("is_wide")] else "square"
    _replace_drawing(st.session_state[_key("strokes")])


def _prepare_canvas() -> None:
    """Put a shared link's drawing on the canvas, once; begin with an empty sheet."""
    st.session_state[_key("is_wide")] = st.session_state[_key("sheet")] == "wide"
    if ink := st.session_state.pop(_key("ink"), ""):
        _replace_drawing(strokes.decode_strokes(ink))
    elif _key("strokes") not in st.session_state:
        _replace_drawing([])


def _canvas() -> list[segmentation.Part]:
    """Show the canvas with Undo and Clear, and return the digits drawn on it."""
    pen, (width, height) = st.session_state[_key("pen")], _sheet_size()
    st.space(16)  # the canvas shows a toolbar of its own above its corner while the pen is over it
    result = st_canvas(
        stroke_width=pen,
        stroke_color=INK,
        background_color=PAPER,
        initial_drawing=st.session_state[_key("initial_json")],
        width=width,
        height=height,
        key=_key(f"canvas.{st.session_state[_key('canvas')]}"),
    )
    if result.json_data is not None:
        st.session_state[_key("strokes")] = strokes.parse_canvas(result.json_data)
    elif st.session_state[_key("strokes")] is not st.session_state[_key("initial")]:
        _replace_drawing(st.session_state[_key("strokes")])  # back from another page, where the canvas was forgotten
        st.rerun()
    drawn = st.session_state[_key("strokes")]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Undo", icon=":material/undo:", on_click=_undo, disabled=not drawn, width=132)
        st.button(
            "Clear",
            icon=":material/delete:",
            on_click=_replace_drawing,
            args=([],),
            disabled=not drawn,
            width=132,
        )
        st.toggle(
            "Wide sheet",
            key=_key("is_wide"),
            on_change=_change_sheet,
            help="Room for a number of several digits, which is read as a whole.",
        )
    # Gaps alone tell strokes apart as well as with the model's help, and sooner; letters then stay whole.
    return segmentation.find_parts(drawn, size=(height, width), pen_width=pen)


def _picture(source: str, model: catalogue.Model) -> list[segmentation.Part]:
    """Take a picture file or a photograph and return the digits found in it."""
    if source == "Camera":
        file = st.camera_input("Photograph dark digits on light paper, or light ones on dark", key=_key("camera"))
    else:
        file = st.file_uploader(
            "A picture of a digit or a number, dark on light or light on dark",
            type=["png", "jpg", "jpeg", "webp", "gif", "bmp"],
            key=_key("file"),
        )
    if file is None:
        return []
    with st.spinner("Looking for the ink"):
        ink = images.find_ink(images.load_picture(file.getvalue()))
        parts = segmentation.find_parts_in_ink(ink, score=model.probabilities)
    if not parts:
        st.warning("No ink was found in this picture. Use darker ink, more light, or come closer.")
    return parts


def _pen_width() -> None:
    low, high, _ = sharing.PEN_WIDTHS
    st.slider(
        "Pen width",
        low,
        high,
        key=_key("pen"),
        persist_state="session",
        help="How thick the pen draws, in pixels. The answer does not depend on it.",
    )


head = _widgets.page_head("draw", "Draw a digit", "Small neural networks read your handwriting here, as you write.")
_prepare_canvas()
source = st.segmented_control(
    "Where the digit comes from",
    list(SOURCES),
    format_func=lambda name: f"{SOURCES[name]} {name}",
    default="Pen",
    required=True,
    key=_key("source"),
    label_visibility="collapsed",
)
is_wide_pen = source == "Pen" and _sheet_size() == SHEETS["wide"]
paper, answer = (st.container(), st.container()) if is_wide_pen else st.columns([2, 3], gap="large")
left, right = st.columns([2, 3], gap="large")
with left:
    _pen_width()
with right:
    model = _widgets.model_chooser("draw")
with st.container(horizontal=True):
    st.page_link("train.py", label="Train a network yourself", icon=":material/model_training:")
    st.page_link("gallery.py", label="See what it makes of test images", icon=":material/grid_view:")
try:
    with paper:
        found = _canvas() if source == "Pen" else _picture(source, model)
    with answer:
        if found:
            _reading.show(found, model)
        else:
            st.info(HINTS[source], icon=":material/draw:")
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "draw", ink=strokes.encode_strokes(st.session_state[_key("strokes")]) if source == "Pen" else "")
_state.close_page("draw", ink="")
