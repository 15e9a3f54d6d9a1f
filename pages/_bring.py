"""Bringing drawings in a file: what it holds is shown and counted before it becomes a set."""

from functools import partial
from pathlib import PurePosixPath

import numpy as np
import streamlit as st

from digits.data import arrivals, collected
from digits.data.arrivals import Arrival
from digits.errors import DigitsError
from digits.quotas import Quotas
from digits.store import open_store
from digits.training import own_sets
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _own_set, _state, _uploads, _widgets

_MEGABYTES = arrivals.MAX_FILE_BYTES // 2**20
_EACH = 5  # drawings of a class in the preview

_key = partial(_state.key, "data")


def show() -> None:
    """Let the visitor choose a file, look over what it holds, and make a set of it."""
    attempt = st.session_state.setdefault(_key("attempt"), 0)
    file = st.file_uploader(
        f"A zip with a folder of pictures for each class, a CSV with a label and 784 pixels in each row, or a set's "
        f"export as JSON; at most {_MEGABYTES} MB",
        type=["zip", "csv", "json"],
        max_upload_size=_MEGABYTES,
        key=_key(f"file.{attempt}"),
    )
    if file is None:
        st.session_state.pop(_key("arrival"), None)
        return
    if why := _uploads.refusal(file):
        st.error(escaped(why), icon=":material/error:")
        return
    known = st.session_state.get(_key("arrival"))
    if known is None or known[0] != file.file_id:
        try:
            known = (file.file_id, file.name, _read(file.name, file.getvalue()))
        except DigitsError as error:
            _widgets.show_error(error)
            return
        st.session_state[_key("arrival")] = known
        _uploads.release(file)
    _preview(known[2])
    st.button(
        "Take it",
        icon=":material/check:",
        type="primary",
        on_click=_take,
        args=(known[1], known[2]),
        key=_key("take"),
        help="Makes a set of your own of these drawings.",
    )


def _read(name: str, content: bytes) -> Arrival:
    place = st.empty()
    found = arrivals.read(
        name,
        content,
        most=Quotas.from_environment().drawings_per_set,
        tell=lambda done, total: place.progress(done / total, f"Reading {done:,} of {total:,} pictures"),
    )
    place.empty()
    return found


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
    made = _own_set.attempt(own_sets.create, _widgets.registry(), store, owner, title, found.class_names, found.samples)
    if made is not None:
        st.session_state.pop(_key("arrival"), None)
        st.session_state[_key("attempt")] += 1  # a new key empties the uploader
        _own_set.open_set(made.id)
