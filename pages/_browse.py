"""Browsing a data set: its samples of one class, by one person, in order or at random; the filters take one row."""

import random
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from digits.views import gallery
from pages import _state

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
        width=124 if name == "class" else 210,  # both fit into a phone's row
    )


def _shuffle() -> None:
    st.session_state[_key("shuffle")] = random.randrange(10_000)


def _in_order() -> None:
    st.session_state[_key("shuffle")] = None
