"""Draw: read a digit or a number from the pen, a picture or the camera, and show what the model sees."""

import contextlib

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.ink import glyphs
from digits.models import answers, catalogue
from digits.models.reading import Reading
from digits.views.markdown import escaped
from pages import _alphabet, _game, _picture, _reading, _sheet, _state, _teach, _why, _widgets

SOURCES = {"Pen": ":material/stylus:", "Picture": ":material/image:", "Camera": ":material/photo_camera:"}
HINTS = {
    "Pen": (
        "Draw a digit or a number",
        "Small neural networks read your handwriting. Or have a number drawn:",
    ),
    "Picture": ("Choose a picture", "The answer appears here."),
    "Camera": ("Take a photograph", "The answer appears here."),
}


def _title() -> str:
    """Return what the page asks for, in the word of the chosen model's classes."""
    with contextlib.suppress(DigitsError):  # which `chosen_model` shows
        model = catalogue.find(st.session_state[_state.key("draw", "model")], _widgets.settings())
        return f"Draw a {answers.noun_of(model.class_names)}"
    return "Draw a digit"


head = _widgets.page_head("draw", _title).container(horizontal=True, vertical_alignment="center")
_sheet.prepare()
with st.container() if _widgets.is_phone() else head:
    source = st.segmented_control(
        "Input",
        list(SOURCES),
        format_func=lambda name: f"{SOURCES[name]} {name}",
        default="Pen",
        required=True,
        key=_state.key("draw", "source"),
        label_visibility="collapsed",
    )
is_pen = source == "Pen"
tray = st.container()
desk = st.grid(2, min_column_width=320, gap=("small", "medium"), key=_state.key("draw", "desk"))
paper, answer, knobs, strip = desk.cell(), desk.cell(), desk.cell(), desk.cell()
model = _widgets.chosen_model("draw")


def _hint(model: catalogue.Model) -> tuple[str, str]:
    """Return what an empty sheet says to be drawn, or what the other inputs ask for."""
    noun = answers.noun_of(model.class_names)
    if not is_pen or noun == "digit":
        return HINTS[source]
    return f"Draw a {noun}, or several in a row", "Small neural networks read your handwriting."


def read() -> None:
    """Read what is on the sheet or in the picture, and show all that depends on it."""
    glyph: glyphs.Glyph | None = None
    reading: Reading | None = None
    try:
        if is_pen:
            reading = _sheet.show(model)
        else:
            with tray if source == "Picture" else paper:
                files = _picture.upload(source)
                file = _picture.choose(files, model) if files else None
            with paper:
                reading = _picture.read(file, model) if file else None
        with answer:
            glyph = _reading.show(reading, model, hint=_hint(model), serial=_sheet.serial() if is_pen else None)
    except DigitsError as error:
        answer.error(escaped(trouble.sentence(error)), icon=":material/error:")
    if is_pen:
        with answer if _widgets.is_phone() else strip:  # below the answer, without moving the sheet's tools
            _teach.show(reading, model, serial=_sheet.serial())
    with strip:
        _reading.steps(glyph, serial=_sheet.serial() if is_pen else None, is_painted=is_pen and _sheet.is_painted())
    with why:
        _why.show(glyph, model)
    drawing = _sheet.link() if is_pen else ""
    _widgets.share(head, "draw", ink=drawing)
    _state.close_page("draw", ink=drawing)


why = st.container()
if is_pen:
    with paper, _sheet.canvas():
        st.fragment(read)()  # a stroke runs this alone
else:
    read()
if is_pen:
    with answer:
        _game.show(model)
with knobs:  # after the answer, which then appears sooner
    if is_pen:
        _sheet.tools()
    _alphabet.show(model)
    _widgets.model_chooser("draw")
_teach.dialog(model)
st.markdown(
    "Small neural networks read your drawing: in your browser while you write, and on the server when you lift the pen."
)
with st.container(horizontal=True, key=_state.key("draw", "links")):
    st.page_link("train.py", label="Train a network yourself", icon=":material/model_training:")
    st.page_link("gallery.py", label="Browse test images", icon=":material/grid_view:")
