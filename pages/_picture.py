"""Pictures: files and photographs, which can be turned and cropped; several at once are shown in a table."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from digits.errors import InvalidImage
from digits.ink import decoding
from digits.ink.crops import WHOLE, Crop
from digits.models import catalogue, uploads
from digits.models.reading import Reading, read_picture
from digits.models.uploads import Picture
from digits.settings import MAX_UPLOAD_BYTES
from digits.views import charts
from digits.views.markdown import escaped
from pages import _state, _uploads, _widgets

_PREVIEW_SIDE = 800  # pixels
_PREVIEW_WIDTH, _PREVIEW_HEIGHT = 440, 300  # pixels on the page, at most

_key = partial(_state.key, "draw")


def upload(source: str) -> list[Picture]:
    """Let the visitor choose picture files or take a photograph; return at most `MAX_PICTURES` of them."""
    if source == "Camera":
        photograph = st.camera_input(
            "Photograph dark digits on light paper, or light ones on dark", key=_key("camera"), width=480
        )
        return _kept("camera", [photograph] if photograph else [])
    files = st.file_uploader(
        f"Up to {uploads.MAX_PICTURES} pictures of a digit or a number, dark on light or light on dark",
        type=["png", "jpg", "jpeg", "webp", "gif", "bmp", "heic", "heif"],
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        key=_key("file"),
    )
    if len(files) > uploads.MAX_PICTURES:
        st.warning(
            f"At most {uploads.MAX_PICTURES} pictures can be read at once; you chose {len(files)}. The first "
            f"{uploads.MAX_PICTURES} are below. Remove some to read the others.",
            icon=":material/filter_none:",
        )
    return _kept("files", files[: uploads.MAX_PICTURES])


def _kept(source: str, files: list[UploadedFile]) -> list[Picture]:
    """Return the pictures as they are kept, and release the uploaded files; those no longer chosen are forgotten."""
    kept: dict[str, Picture] = st.session_state.setdefault(_key(f"kept.{source}"), {})
    for gone in kept.keys() - {file.file_id for file in files}:
        del kept[gone]
    for file in files:
        if file.file_id not in kept:
            kept_bytes = sum(len(picture.data) for picture in kept.values())
            kept[file.file_id] = uploads.keep(file.file_id, file.name, file.getvalue(), kept_bytes=kept_bytes)
            _uploads.release(file)
    return [kept[file.file_id] for file in files]


def choose(files: list[Picture], model: catalogue.Model) -> Picture:
    """Return the only picture; for several, show a table and return the picture of the chosen row."""
    if len(files) == 1:
        return files[0]
    outcomes = _read_all(files, model)
    columns: dict[str, list[str | None]] = {
        "picture": [
            _widgets.data_url(outcome.thumbnail, "jpeg") if outcome.thumbnail else None for outcome in outcomes
        ],
        "file": [outcome.name for outcome in outcomes],
        "reading": [outcome.reading for outcome in outcomes],
        "sure": [charts.percent(outcome.confidence) if outcome.digits else "" for outcome in outcomes],
        "looks like a digit?": [outcome.looks for outcome in outcomes],
    }
    if any(outcome.message for outcome in outcomes):
        columns["problem"] = [outcome.message for outcome in outcomes]
    read = sum(not outcome.message for outcome in outcomes)
    st.markdown(
        f"**{read} of {len(files)} pictures read.** Choose a row to see its picture and the reasons for the answer."
    )
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
            "looks like a digit?": st.column_config.TextColumn(
                "digit?", width=70, help="Whether it looks like a digit"
            ),
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


def read(file: Picture, model: catalogue.Model, *, is_seen: bool) -> Reading:
    """Show a picture with its controls for turning and cropping; return what the model reads in the part that is kept.

    Args:
        is_seen: whether the page already shows the picture, as the camera does. It is then repeated only beside the
            controls.
    """
    if file.problem:
        raise InvalidImage(file.problem)
    crop = _adjust(file, is_seen=is_seen)
    with st.spinner("Finding the digits"):
        reading = _keep("reading", (file.id, crop, model.id), lambda: read_picture(file.data, model, crop))
    if not reading.digits:
        st.warning(uploads.NO_INK, icon=":material/ink_eraser:")
    return reading


def _adjust(file: Picture, *, is_seen: bool) -> Crop:
    """Show the picture with the crop's frame over it, and the controls for the frame below."""
    preview = _keep("preview", file.id, lambda: decoding.load_preview(file.data, side=_PREVIEW_SIDE))
    crops = st.session_state.setdefault(_key("crops"), {})
    crop = crops.get(file.id, WHOLE)
    across, down = _key(f"across.{file.id}"), _key(f"down.{file.id}")
    st.session_state.setdefault(across, (crop.left, crop.right))
    st.session_state.setdefault(down, (crop.top, crop.bottom))

    def turn() -> None:
        crops[file.id] = turned = crops.get(file.id, WHOLE).turned()
        st.session_state[across], st.session_state[down] = (turned.left, turned.right), (turned.top, turned.bottom)

    place = st.container()
    with st.expander("Turn or crop", icon=":material/crop_rotate:"):
        if is_seen:
            place = st.container()
        st.button("Turn by 90°", icon=":material/rotate_90_degrees_cw:", on_click=turn)
        sentence = "Everything outside is ignored."
        st.slider("Left and right edge", 0, 100, key=across, format="%d %%", help=sentence)
        st.slider("Top and bottom edge", 0, 100, key=down, format="%d %%", help=sentence)
    (left, right), (top, bottom) = st.session_state[across], st.session_state[down]
    crop = crops[file.id] = Crop(crop.turns, left, right, top, bottom)
    width, height = preview.size if crop.turns % 2 == 0 else preview.size[::-1]
    kept = "" if crop.is_whole else f", cropped to {left} to {right} % across and {top} to {bottom} % down"
    place.image(
        crop.frame(preview),
        width=min(_PREVIEW_WIDTH, round(_PREVIEW_HEIGHT * width / height)),
        alt=f"Your picture {file.name}{kept}",
    )
    return crop


def _read_all(files: list[Picture], model: catalogue.Model) -> list[uploads.Outcome]:
    """Read every picture once, and again after it is cropped or turned."""
    crops, known = st.session_state.get(_key("crops"), {}), st.session_state.setdefault(_key("outcomes"), {})
    wanted = {(file.id, crops.get(file.id, WHOLE), model.id): file for file in files}
    missing = [key for key in wanted if key not in known]
    if missing:
        progress = st.progress(0.0)
        for count, key in enumerate(missing):
            picture = wanted[key]
            progress.progress(count / len(missing), f"Reading {escaped(picture.name)}, {count + 1} of {len(missing)}")
            known[key] = uploads.read_kept(picture, model, key[1])
        progress.empty()
    for key in known.keys() - wanted.keys():
        del known[key]
    return [known[key] for key in wanted]


def _keep(name: str, key: Any, make: Callable[[], Any]) -> Any:
    """Return what `make` returns, calling it only when `key` has changed."""
    held = st.session_state.get(_key(name))
    if held is None or held[0] != key:
        held = st.session_state[_key(name)] = (key, make())
    return held[1]
