"""Pictures: files and photographs with what is read drawn over them; they can be turned and cropped.

Several pictures at once are shown in a table.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from digits.errors import InvalidImage
from digits.ink import decoding
from digits.ink.crops import WHOLE, Crop
from digits.metrics import ANSWERS
from digits.models import answers, catalogue, uploads
from digits.models.reading import Reading, read_picture
from digits.models.uploads import Picture
from digits.settings import MAX_UPLOAD_BYTES
from digits.views import tables
from digits.views.markdown import escaped
from pages import _reading, _state, _uploads, _widgets

_VIEW_SIDE = 1024  # pixels of the picture on the page
_DECODED_SIDE = 2400  # pixels, at most, of a picture of which only a part is shown
_WIDTH, _HEIGHT = 560, 400  # pixels on the page, at most
_MANY = 12  # marks; where so many are found, cropping is offered

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
        if why := _uploads.refusal(file):
            kept[file.file_id] = Picture(file.file_id, file.name, b"", why)
        elif file.file_id not in kept:
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
        "reading": [outcome.reading for outcome in outcomes],
        "answer": [outcome.message or outcome.sentence for outcome in outcomes],
        "file": [outcome.name for outcome in outcomes],
    }
    read = sum(outcome.is_read for outcome in outcomes)
    st.markdown(
        f"**{read} of {len(files)} pictures read.** Choose a row to see its picture and the reasons for the answer."
    )
    table = st.dataframe(
        columns,
        hide_index=True,
        row_height=56,
        height=min(56 * len(files) + 38, 414),
        column_config={
            "picture": st.column_config.ImageColumn("picture", width=64),
            "reading": st.column_config.TextColumn("reading", width=80),
            "answer": st.column_config.TextColumn("answer", width=360),
            "file": st.column_config.TextColumn("file", width=140),
        },
        on_select="rerun",
        selection_mode="single-row-required",
        key=_key("table"),
        alt="; ".join(
            f"{outcome.name}: {outcome.reading} {outcome.message or outcome.sentence}" for outcome in outcomes
        ),
    )
    st.download_button(
        "Download as CSV",
        tables.outcomes_csv(outcomes),
        file_name="digits.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    rows = table.selection.rows
    return files[rows[0] if rows and rows[0] < len(files) else 0]


def read(file: Picture, model: catalogue.Model) -> Reading:
    """Show a picture with the digits found in it; return what the model reads in the part that is kept.

    Raises:
        InvalidImage: as `reading.read_picture`; the picture is still shown if it can be decoded.
    """
    if file.problem:
        raise InvalidImage(file.problem)
    data, crop = file.data, _crops().setdefault(file.id, WHOLE)
    view = _keep("view", (file.id, crop), lambda: _view(data, crop))
    place = st.container()
    try:
        with st.spinner("Finding the digits"):
            reading = _keep("reading", (file.id, crop, model.id), lambda: _read(data, model, crop))
    except InvalidImage:  # as where more marks are found than can be read, which cropping helps
        with place:
            _show(file, view, crop, {"digits": [], "chosen": 0, "offer": True})
        raise
    with place:
        _show(file, view, crop, _found(reading, model))
    if not reading.digits:
        st.warning(escaped(answers.NO_INK.remark), icon=":material/ink_eraser:")
    return reading


def _read(data: bytes, model: catalogue.Model, crop: Crop) -> Reading:
    ANSWERS.inc()
    return read_picture(data, model, crop)


def _view(data: bytes, crop: Crop) -> tuple[str, tuple[int, int]]:
    """Return a picture as kept by a crop, as a URL that contains it, and its width and height."""
    side = min(math.ceil(_VIEW_SIDE / crop.smaller_share), _DECODED_SIDE)
    part = crop.apply(decoding.load_preview(data, side=side))
    return _widgets.data_url(WHOLE.cut(part, side=_VIEW_SIDE), "jpeg"), part.size


def _found(reading: Reading, model: catalogue.Model) -> dict[str, Any]:
    """Return the buttons for the digits of a picture, and whether to offer cropping."""
    boxes = []
    for digit in reading.digits:
        (height, width), (x0, y0, x1, y1) = digit.glyph.size, digit.box
        boxes.append((x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height))
    return {
        "digits": _reading.buttons(reading, model, boxes),
        "chosen": _reading.chosen_digit(reading),
        "offer": bool(reading.doubtful) or len(boxes) > _MANY,
    }


def _show(file: Picture, view: tuple[str, tuple[int, int]], crop: Crop, found: dict[str, Any]) -> None:
    """Show the picture with a button over every digit, and the ways to turn and to crop it."""
    url, (width, height) = view
    key = _key(f"photo.{file.id}")

    def keep(changed: Crop) -> None:
        _crops()[file.id] = changed

    part = f"from {crop.left:.0f} to {crop.right:.0f}% across and from {crop.top:.0f} to {crop.bottom:.0f}% down"
    _widgets.ink_boxes(
        {
            "picture": url,
            "width": min(_WIDTH, round(_HEIGHT * width / height)),
            "alt": f"Your picture {file.name}{'' if crop.is_whole else f', the part {part}'}",
            "label": "Your picture with the digits found. Press one to see its details.",
            "crops": True,
            **found,
        },
        key=key,
        on_picked=lambda: _reading.pick(key),
        on_cropped=lambda: keep(crop.part(*st.session_state[key].cropped)),
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Turn by 90°", icon=":material/rotate_90_degrees_cw:", on_click=keep, args=(crop.turned(),))
        if not crop.is_whole:
            whole = Crop(crop.turns)
            st.button("Whole picture again", icon=":material/crop_free:", on_click=keep, args=(whole,))


def _crops() -> dict[str, Crop]:
    """Return what is kept of each picture, by the file's id."""
    return st.session_state.setdefault(_key("crops"), {})


def _read_all(files: list[Picture], model: catalogue.Model) -> list[uploads.Outcome]:
    """Read every picture once, and again after it is cropped or turned."""
    crops, known = _crops(), st.session_state.setdefault(_key("outcomes"), {})
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
