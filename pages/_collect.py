"""Collecting drawings for a set: the sheet that asks for one class after another, and what it sends."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from digits import trouble
from digits.data import collected, own
from digits.data.collected import Sample
from digits.data.own import OwnSet
from digits.errors import DigitsError, InvalidSet
from digits.store import open_store
from digits.training import own_sets
from digits.views import assets
from pages import _state, _widgets

INK = "#1b2733"  # on white paper, in both themes
_MOST_AT_ONCE = 500  # drawings that a browser sends

_COMPONENTS = Path(__file__).parent / "components"
_key = partial(_state.key, "data")


def _text(name: str) -> str:
    return (_COMPONENTS / name).read_text(encoding="utf-8")


_desk = st.components.v2.component(
    "digits_collect",
    html=_text("collect.html"),
    css=_text("collect.css"),
    js=assets.component("collect", "\n".join(map(_text, ("connection.js", "curves.js", "collect.js")))),
)


def receive(found: OwnSet) -> OwnSet:
    """Add what the browser has sent to a set; return its last version. Call this before `show`."""
    sent = st.session_state.get(_key("collect"), {}).get("batch")
    st.session_state[_key("problem")] = ""
    if not isinstance(sent, dict) or sent.get("set") != found.set_id or not isinstance(sent.get("token"), str):
        return found
    if sent["token"] == st.session_state.get(_key("received")):
        return found
    try:
        samples, removed = _samples(sent.get("added"), found), sent.get("removed")
        gone = [str(name)[:40] for name in removed[:_MOST_AT_ONCE]] if isinstance(removed, list) else []
        store = open_store(_widgets.settings())
        owner, address = _widgets.visitor(), _widgets.address()
        record = own_sets.add(_widgets.registry(), store, found.set_id, owner, samples, gone, address=address)
    except DigitsError as error:  # the browser keeps them, and sends them again
        st.session_state[_key("problem")] = trouble.sentence(error)
        return found
    st.session_state[_key("received")] = sent["token"]
    return own.find(record.dataset)


def show(found: OwnSet) -> None:
    """Show the sheet."""
    _desk(
        data={
            "set": found.set_id,
            "classes": found.class_names,
            "counts": found.counts,
            "received": st.session_state.get(_key("received"), ""),
            "problem": st.session_state[_key("problem")],
            "ink": INK,
        },
        key=_key("collect"),
        on_batch_change=lambda: None,
    )


def _samples(rows: Any, found: OwnSet) -> list[Sample]:
    """Return the drawings that a browser sent; one that is none is left out, as it would be refused again and again."""
    writer, samples = st.session_state.get(_key("writer"), ""), []
    for row in rows[:_MOST_AT_ONCE] if isinstance(rows, list) else []:
        try:
            drawn = [[*zip(flat[::2], flat[1::2], strict=True)] for flat in row["strokes"]]
            samples.append(collected.read_row({**row, "strokes": drawn, "writer": writer}, found.class_names))
        except (InvalidSet, TypeError, ValueError, LookupError):
            continue
    return samples
