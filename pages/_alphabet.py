"""The alphabet: whether the Draw page reads digits, letters or both; each has a model that comes with Digits."""

from functools import partial

import streamlit as st

from digits.models import catalogue
from pages import _state

_TITLES = {"mnist": "Digits", "capitals": "Letters", "characters": "Both"}  # by the data set of a model

_key = partial(_state.key, "draw")


def show(model: catalogue.Model) -> None:
    """Let the visitor choose what is read; nothing is marked while a model reads something else."""
    st.session_state[_key("alphabet")] = model.card.dataset if model.card.dataset in _TITLES else None
    st.segmented_control(
        "Read",
        list(_TITLES),
        format_func=_TITLES.__getitem__,
        key=_key("alphabet"),
        on_change=_choose,
        label_visibility="collapsed",
    )


def _choose() -> None:
    """Read with the model of the chosen alphabet; pressing the marked one again changes nothing."""
    if chosen := st.session_state[_key("alphabet")]:
        best = {model.card.dataset: model.id for model in catalogue.bundled()}  # the last of each is the best
        st.session_state[_key("model")] = best[chosen]
