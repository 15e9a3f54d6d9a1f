"""Browsing a data set: its samples of one class, by one person, in order or at random, a hundred on a page."""

import random
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import streamlit as st

from digits.views import gallery
from pages import _samples, _state, _widgets

_key = partial(_state.key, "data")


def show(class_names: Sequence[str], labels: Sequence[str], writers: Sequence[str]) -> np.ndarray:
    """Show the filters, and return the rows of the samples that they leave, int (n,).

    Args:
        class_names: in their order.
        labels: the name of each sample's class.
        writers: who wrote each, "" if that is unknown; empty if none is known.
    """
    people = sorted(set(writers) - {""})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=_key("filters")):
        _choose("class", "Class", list(class_names), labels)
        if people:
            _choose("by", "Writer", people, writers)
        else:
            st.session_state[_key("by")] = ""
        st.button(
            "Random",
            icon=":material/shuffle:",
            on_click=_shuffle,
            key=_key("random"),
            help="Shows samples in a random order, another one each time.",
        )
        if st.session_state[_key("shuffle")] is not None:
            st.button("In order", icon=":material/sort:", on_click=_in_order, key=_key("order"))
    return gallery.browse(
        labels,
        writers or [""] * len(labels),
        label=st.session_state[_key("class")],
        writer=st.session_state[_key("by")],
        shuffle=st.session_state[_key("shuffle")],
    )


def _choose(name: str, label: str, choices: list[str], found: Sequence[str]) -> None:
    """Let the visitor choose one class or one writer, or all; typing searches the list."""
    if st.session_state[_key(name)] not in ("", *choices):
        st.session_state[_key(name)] = ""
    counts = {choice: sum(one == choice for one in found) for choice in choices}
    st.selectbox(
        label,
        ["", *choices],
        format_func=lambda choice: f"{choice} ({counts[choice]:,})" if choice else f"All ({len(found):,})",
        key=_key(name),
        persist_state="session",
        on_change=_first_hundred,
        width=124 if name == "class" else 210,  # both fit into a phone's row
    )


def _first_hundred() -> None:
    st.session_state[_key("hundred")] = 1


def _shuffle() -> None:
    st.session_state[_key("shuffle")] = random.randrange(10_000)
    _first_hundred()


def _in_order() -> None:
    st.session_state[_key("shuffle")] = None
    _first_hundred()


def turn_to(rows: np.ndarray) -> gallery.Page:
    """Return the page of some samples that the visitor has turned to."""
    page = gallery.turn_to(rows, st.session_state[_key("hundred")] - 1)
    st.session_state[_key("hundred")] = page.hundred + 1
    return page


def show_page(
    page: gallery.Page,
    images: np.ndarray,
    captions: Sequence[str],
    notes: Sequence[str],
    *,
    noun: str,
    hint: str = "",
    on_picked: Callable[[int], None] | None = None,
) -> None:
    """Show the samples of a page, with the page numbers above and below them.

    Args:
        page: what `turn_to` returned.
        images: uint8 (n, 28, 28), of the page's samples.
        captions, notes: of each of them; only a screen reader and a hint tell the note.
        noun: what they are, in the plural.
        hint: a sentence after the count.
        on_picked: gets the place of a pressed sample on the page; None if there is nothing to press.
    """
    key, count = _key("samples"), len(page.rows)
    first = page.hundred * gallery.SAMPLES + 1
    span = f", {first:,} to {first + count - 1:,} shown" if page.hundreds > 1 else ""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=_key("count")
    ):
        st.markdown(f"**{page.matching:,} {noun if page.matching > 1 else noun[:-1]}**{span}. {hint}", width="content")
        _samples.pager("data", page, "above")
    if not count:
        return
    data = {
        "sprite": _widgets.data_url(gallery.sprite(images)),
        "columns": gallery.COLUMNS,
        "tiles": [
            {"sample": place, "wrong": False, "caption": caption, "note": f"({note})"}
            for place, (caption, note) in enumerate(zip(captions, notes, strict=True))
        ],
        "label": f"{count} {noun}",
        "still": on_picked is None,
        "page": page.hundred,
    }
    report = (lambda: on_picked(int(st.session_state[key].picked))) if on_picked else (lambda: None)
    _widgets.gallery_grid(data, key=key, on_picked=report)
    _samples.pager("data", page, "below")
