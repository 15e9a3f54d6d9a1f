"""Draw: read a digit or a number from the pen, a picture or the camera, and show what the model sees."""

from pathlib import Path

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.models import answers
from digits.views import sharing
from digits.views.markdown import escaped
from pages import _picture, _reading, _sheet, _state, _why, _widgets

SOURCES = {"Pen": ":material/stylus:", "Picture": ":material/image:", "Camera": ":material/photo_camera:"}
HINTS = {
    "Pen": answers.NOTHING_DRAWN.sentence,
    "Picture": "Choose a picture. The answer appears here.",
    "Camera": "Take a photograph. The answer appears here.",
}


def _pen_width() -> None:
    low, high, _ = sharing.PEN_WIDTHS
    st.slider(
        "Pen width",
        low,
        high,
        key=_state.key("draw", "pen"),
        persist_state="session",
        help="The width of the pen's line in pixels. It does not change the answer.",
    )


head = _widgets.page_head("draw", "Draw a digit", "Small neural networks read your handwriting here, as you write.")
_sheet.prepare()
source = st.segmented_control(
    "Input",
    list(SOURCES),
    format_func=lambda name: f"{SOURCES[name]} {name}",
    default="Pen",
    required=True,
    key=_state.key("draw", "source"),
    label_visibility="collapsed",
)
st.html(Path(__file__).parent / "components" / "draw.css")
tray = st.container()
desk = st.grid(2, min_column_width=320, gap="medium", key=_state.key("draw", "desk"))
paper = desk.cell(column_span="all" if source == "Pen" and _sheet.is_wide() else 1)
answer, knobs = desk.cell(row_span=2), desk.cell()  # on a phone, the answer comes directly below the paper
model = _widgets.chosen_model("draw")
try:
    reading = None
    if source == "Pen":
        with paper:
            reading = _sheet.show_canvas(model)
    else:
        with tray if source == "Picture" else paper:
            files = _picture.upload(source)
            file = _picture.choose(files, model) if files else None
        if file:
            with paper:
                reading = _picture.read(file, model)
    if reading and reading.digits:
        with answer:
            digit = _reading.show(reading, model, is_drawing=source == "Pen")
        _why.explain(digit, model)
        _why.compare_models(digit)
    elif source == "Pen" or not file:
        _reading.ask(paper if source == "Picture" else answer, HINTS[source])
except DigitsError as error:
    answer.error(escaped(trouble.sentence(error)), icon=":material/error:")
if source == "Pen":  # last, because nobody waits for it
    with paper:
        _sheet.tools()
    with knobs:
        _pen_width()
with knobs:
    _widgets.model_chooser("draw")
with st.container(horizontal=True):
    st.page_link("train.py", label="Train a network yourself", icon=":material/model_training:")
    st.page_link("gallery.py", label="Browse test images", icon=":material/grid_view:")
drawing = _sheet.link() if source == "Pen" else ""
_widgets.share(head, "draw", ink=drawing)
_state.close_page("draw", ink=drawing)
