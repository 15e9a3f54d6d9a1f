"""Pictures: files and photographs, turned and cropped; several at once in a table."""

import base64
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from digits.ink import pictures
from digits.ink.crops import WHOLE, Crop
from digits.models import catalogue, uploads
from digits.models.reading import Reading, read_picture
from digits.settings import MAX_UPLOAD_BYTES
from digits.views import charts
from pages import _state

_PREVIEW_SIDE = 800  # pixels
_PREVIEW_WIDTH, _PREVIEW_HEIGHT = 440, 300  # on the page, at most


def _key(name: str) -> str:
    return _state.key("draw", name)


def bring(source: str) -> list[UploadedFile]:
    """Let the visitor choose picture files or take a photograph; return them, none or at most `MAX_PICTURES`."""
    if source == "Camera":
        photograph = st.camera_input(
            "Photograph dark digits on light paper, or light ones on dark", key=_key("camera"), width=480
        )
        return [photograph] if photograph else []
    files = st.file_uploader(
        f"A picture of a digit or a number, dark on light or light on dark; or up to {uploads.MAX_PICTURES} at once",
        type=["png", "jpg", "jpeg", "webp", "gif", "bmp"],
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        key=_key("file"),
    )
    if len(files) > uploads.MAX_PICTURES:
        st.warning(
            f"At most {uploads.MAX_PICTURES} pictures are read at once; these are {len(files)}. The first "
            f"{uploads.MAX_PICTURES} are below; take some away to read the others.",
            icon=":material/filter_none:",
        )
    return files[: uploads.MAX_PICTURES]


def choose(files: list[UploadedFile], model: catalogue.Model) -> UploadedFile:
    """Return the only picture; of several, show a table and return the one whose row is chosen."""
    if len(files) == 1:
        return files[0]
    outcomes = _read_all(files, model)
    columns = {
        "picture": [_data_url(outcome.thumbnail) for outcome in outcomes],
        "file": [outcome.name for outcome in outcomes],
        "reading": [outcome.reading for outcome in outcomes],
        "sure": [charts.percent(outcome.confidence) if outcome.digits else "" for outcome in outcomes],
        "looks like a digit?": [outcome.looks for outcome in outcomes],
        "what is wrong": [outcome.message for outcome in outcomes],
    }
    if not any(columns["what is wrong"]):
        del columns["what is wrong"]
    read = sum(not outcome.message for outcome in outcomes)
    st.markdown(f"**{read} of {len(files)} pictures read.** Choose a row to see that picture and why it is read so.")
    table = st.dataframe(
        columns,
        hide_index=True,
        row_height=56,
        height=min(56 * len(files) + 38, 414),
        column_config={
            "picture": st.column_config.ImageColumn("", width=64),
            "file": st.column_config.TextColumn("file", width=140),
            "reading": st.column_config.TextColumn("reading", width=80),
            "sure": st.column_config.TextColumn("sure", width=70),
            "looks like a digit?": st.column_config.TextColumn("digit?", width=70, help="Whether it looks like one"),
        },
        on_select="rerun",
        selection_mode="single-row-required",
        key=_key("table"),
        alt="; ".join(f"{outcome.name}: {outcome.message or outcome.reading}" for outcome in outcomes),
    )
    st.download_button(
        "Download as CSV",
        uploads.to_csv(outcomes),
        file_name="digits.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    rows = table.selection.rows
    return files[rows[0] if rows and rows[0] < len(files) else 0]


def read(file: UploadedFile, model: catalogue.Model, *, is_seen: bool) -> Reading:
    """Show a picture with what turns and crops it, and return what the model reads in the part that is kept.

    Where it `is_seen` already, as below the camera, it is shown again only beside the controls.
    """
    crop = _adjust(file, is_seen=is_seen)
    with st.spinner("Looking for the ink"):
        reading = _keep("reading", (file.file_id, crop, model.id), lambda: read_picture(file.getvalue(), model, crop))
    if not reading.digits:
        st.warning(uploads.NO_INK, icon=":material/ink_eraser:")
    return reading


def _adjust(file: UploadedFile, *, is_seen: bool) -> Crop:
    """Show the picture with the crop's frame over it, and below it the controls that move the frame."""
    preview = _keep("preview", file.file_id, lambda: pictures.load_preview(file.getvalue(), side=_PREVIEW_SIDE))
    crops = st.session_state.setdefault(_key("crops"), {})
    crop = crops.get(file.file_id, WHOLE)
    across, down = _key(f"across.{file.file_id}"), _key(f"down.{file.file_id}")
    st.session_state.setdefault(across, (crop.left, crop.right))
    st.session_state.setdefault(down, (crop.top, crop.bottom))

    def turn() -> None:
        crops[file.file_id] = turned = crops.get(file.file_id, WHOLE).turned()
        st.session_state[across], st.session_state[down] = (turned.left, turned.right), (turned.top, turned.bottom)

    place = st.container()
    with st.expander("Turn or crop", icon=":material/crop_rotate:"):
        if is_seen:
            place = st.container()
        st.button("Turn by 90°", icon=":material/rotate_90_degrees_cw:", on_click=turn)
        sentence = "What lies outside is not looked at."
        left, right = st.slider("Left and right edge", 0, 100, key=across, format="%d %%", help=sentence)
        top, bottom = st.slider("Top and bottom edge", 0, 100, key=down, format="%d %%", help=sentence)
    crop = crops[file.file_id] = Crop(crop.turns, left, right, top, bottom)
    width, height = preview.size if crop.turns % 2 == 0 else preview.size[::-1]
    kept = "" if crop.is_whole else f"; only {left} to {right} % across and {top} to {bottom} % down are looked at"
    place.image(
        crop.frame(preview),
        width=min(_PREVIEW_WIDTH, round(_PREVIEW_HEIGHT * width / height)),
        alt=f"Your picture {file.name}{kept}",
    )
    return crop


def _read_all(files: list[UploadedFile], model: catalogue.Model) -> list[uploads.Outcome]:
    """Read every picture once; one that has been cropped or turned since is read anew."""
    crops, known = st.session_state.get(_key("crops"), {}), st.session_state.setdefault(_key("outcomes"), {})
    wanted = {(file.file_id, crops.get(file.file_id, WHOLE), model.id): file for file in files}
    missing = [key for key in wanted if key not in known]
    progress = st.progress(0.0) if missing else None
    for count, key in enumerate(missing):
        progress.progress(count / len(missing), f"Reading {wanted[key].name}, {count + 1} of {len(missing)}")
        known[key] = uploads.read(wanted[key].name, wanted[key].getvalue(), model, key[1])
    if progress:
        progress.empty()
    for key in known.keys() - wanted.keys():
        del known[key]
    return [known[key] for key in wanted]


def _keep(name: str, key: Any, make: Callable[[], Any]) -> Any:
    """Return what is slow to make, made once for as long as the same is asked for."""
    held = st.session_state.get(_key(name))
    if held is None or held[0] != key:
        held = st.session_state[_key(name)] = (key, make())
    return held[1]


def _data_url(jpeg: bytes) -> str | None:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}" if jpeg else None
