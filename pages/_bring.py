"""Bringing drawings in files: what they hold is shown, labelled and counted before it becomes a set."""

from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from digits import trouble
from digits.data import arrivals, collected, pairs, photographs
from digits.data.arrivals import Arrival
from digits.data.photographs import Row
from digits.errors import DigitsError, InvalidSet
from digits.quotas import Quotas
from digits.store import open_store
from digits.training import own_sets
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _own_set, _state, _uploads, _widgets

_MEGABYTES = arrivals.MAX_FILE_BYTES // 2**20
_EACH = 5  # drawings of a class in the preview
_TILE = 42  # pixels of a sample that is to be labelled

_key = partial(_state.key, "data")


def show() -> None:
    """Let the visitor choose files, look over what they hold, and make a set of it."""
    attempt = st.session_state.setdefault(_key("attempt"), 0)
    files = st.file_uploader(
        "A zip with a folder of pictures for each class; a CSV with a label and 784 pixels in each row; a set's export "
        "as JSON; two IDX files, of images and of labels; or photographs of your writing, to be cut into samples. At "
        f"most {_MEGABYTES} MB each",
        accept_multiple_files=True,
        max_upload_size=_MEGABYTES,
        key=_key(f"file.{attempt}"),
    )
    if not files:
        st.session_state.pop(_key("arrival"), None)
        return
    if why := next(filter(None, map(_uploads.refusal, files)), ""):
        st.error(escaped(why), icon=":material/error:")
        return
    ids, known = tuple(file.file_id for file in files), st.session_state.get(_key("arrival"))
    if known is None or known[0] != ids:
        known = (ids, files[0].name, _attempt(files))
        st.session_state[_key("arrival")] = known
    held = known[2]
    if isinstance(held, str):
        st.error(escaped(held), icon=":material/error:")
        return
    try:
        found = held if isinstance(held, Arrival) else _label(held)
    except DigitsError as error:
        _widgets.show_error(error)
        return
    if found is None:
        return
    _preview(found)
    st.button(
        "Take it",
        icon=":material/check:",
        type="primary",
        on_click=_take,
        args=(known[1], found),
        key=_key("take"),
        help="Makes a set of your own of these drawings.",
    )


def _attempt(files: Sequence[UploadedFile]) -> Arrival | list[Row] | str:
    """Read files, or return why they cannot be taken, so that they are not read again with each rerun of the page."""
    try:
        return _open(files)
    except DigitsError as error:
        return trouble.sentence(error)  # the error itself would keep the files' bytes


def _open(files: Sequence[UploadedFile]) -> Arrival | list[Row]:
    """Read files, and release them; photographs become rows of samples, which have no labels yet."""
    if all(PurePosixPath(file.name.lower()).suffix in photographs.ENDINGS for file in files):
        return _cut(files)
    if all(pairs.is_one(file.getvalue()) for file in files):
        found = pairs.read([file.getvalue() for file in files], most=Quotas.from_environment().drawings_per_set)
    elif len(files) == 1:
        found = _read(files[0].name, files[0].getvalue())
    else:
        raise InvalidSet(
            "Bring one zip, CSV or JSON, two IDX files, or photographs; these files are of several kinds. Remove some."
        )
    for file in files:
        _uploads.release(file)
    return found


def _cut(files: Sequence[UploadedFile]) -> list[Row]:
    """Cut photographs into rows; those that were cut before are kept, as one more may be chosen."""
    if len(files) > photographs.MOST:
        raise InvalidSet(
            f"At most {photographs.MOST} photographs are cut at once; these are {len(files)}. Remove some."
        )
    known: dict[str, list[Row]] = st.session_state.setdefault(_key("cut"), {})
    for file in files:
        if file.file_id not in known:
            with st.spinner("Finding the drawings"):
                known[file.file_id] = photographs.cut(file.getvalue())
            _uploads.release(file)
    st.session_state[_key("cut")] = {file.file_id: known[file.file_id] for file in files}
    return [row for file in files for row in known[file.file_id]]


def _label(rows: list[Row]) -> Arrival | None:
    """Show the samples row by row, each with a field for its labels; return what they are, None before the first."""
    count, attempt = sum(len(row.images) for row in rows), st.session_state[_key("attempt")]
    st.markdown(f"**{count:,} samples** are found. What does each row say?")
    st.caption("One label for a whole row, or one for each sample with spaces between; - leaves a sample out.")
    texts = []
    with st.container(gap="xsmall"):
        for number, row in enumerate(rows, start=1):
            columns = min(len(row.images), 2 * gallery.COLUMNS)
            _widgets.picture(
                gallery.sprite(row.images, columns=columns),
                alt=f"Row {number}, {len(row.images)} samples",
                width=min(_TILE * columns, 560),
            )
            texts.append(
                st.text_input(
                    f"Row {number}", key=_key(f"row.{attempt}.{number}"), max_chars=500, label_visibility="collapsed"
                )
            )
    return photographs.label(rows, texts) if any(map(str.strip, texts)) else None


def _read(name: str, content: bytes) -> Arrival:
    place = st.empty()
    try:
        return arrivals.read(
            name,
            content,
            most=Quotas.from_environment().drawings_per_set,
            tell=lambda done, total: place.progress(done / total, f"Reading {done:,} of {total:,} pictures"),
        )
    finally:
        place.empty()


def _preview(found: Arrival) -> None:
    """Show what a file holds: counts, samples of each class, and what is wrong with it."""
    counts = ", ".join(f"{escaped(name)} ({count:,})" for name, count in found.counts.items())
    st.markdown(f"**{len(found.samples):,} drawings** of {len(found.class_names)} classes: {counts}")
    shown = [
        sample
        for name in found.class_names
        for sample in [sample for sample in found.samples if sample.label == name][:_EACH]
    ][: 10 * gallery.COLUMNS]
    _widgets.picture(
        gallery.sprite(np.stack([sample.glyph for sample in shown]), factor=2),
        alt=f"{len(shown)} of the drawings, some of each class",
    )
    for reason, count in found.left_out.items():
        st.caption(f":material/block: Left out: {count:,}, {escaped(reason)}")
    for warning in found.warnings:
        st.warning(escaped(warning), icon=":material/info:")


def _take(name: str, found: Arrival) -> None:
    title = " ".join(PurePosixPath(name).stem.split())[: collected.MAX_TITLE] or "Set from a file"
    store, owner = open_store(_widgets.settings()), _widgets.visitor()
    what = (title, found.class_names, found.samples)
    made = _own_set.attempt(own_sets.create, _widgets.registry(), store, owner, *what, address=_widgets.address())
    if made is not None:
        for name in ("arrival", "cut"):
            st.session_state.pop(_key(name), None)
        st.session_state[_key("attempt")] += 1  # a new key empties the uploader
        _own_set.open_set(made.id)
