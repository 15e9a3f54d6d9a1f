"""Sweep: search for better settings of a network, watch the search, use what it finds."""

from functools import partial

import streamlit as st

from digits import trouble
from digits.errors import DigitsError, SweepNotFound
from digits.runs.sweep_record import Sweep
from digits.sweeps.plan import Plan
from digits.views.markdown import escaped
from digits.views.sweeps import space_in_words
from pages import _state, _sweep_form, _sweep_view, _widgets

_key = partial(_state.key, "sweep")


def _find() -> Sweep | None:
    """Return the sweep that the link names, or None."""
    sweep_id = st.session_state[_key("sweep")]
    if not sweep_id:
        return None
    try:
        return _widgets.registry().get_sweep(sweep_id)
    except SweepNotFound as error:
        st.session_state[_key("sweep")] = ""
        _state.notify("sweep", trouble.sentence(error))
        return None


def _own() -> None:
    """List the visitor's sweeps, and say what a sweep is to somebody who has none."""
    st.header("Your sweeps", anchor=False)
    found = _widgets.registry().list_sweeps(_widgets.visitor())
    for sweep in found:
        label, icon, _ = _sweep_view.STATES[sweep.state]
        with st.container(gap=None):
            st.button(
                f"{escaped(sweep.name)}: {label.lower()}",
                icon=icon,
                type="tertiary",
                key=_key(f"open.{sweep.id}"),
                on_click=_sweep_view.open_sweep,
                args=(sweep.id,),
            )
            st.caption(escaped(space_in_words(Plan.from_dict(sweep.plan))))
    if not found:
        st.caption(
            "You have none yet. A sweep trains the network many times, each time with other settings, and prunes "
            "those that fall behind. Every trial is a run like any other: open it, draw with it, compare it."
        )


head = _widgets.page_head("sweep", "Find better settings", "Search for the settings with which a network reads best.")
try:
    shown = _find()
    if shown is None:
        left, right = st.columns((1.3, 1), gap="large")
        with left:
            _sweep_form.show_what()
        with right:
            _sweep_form.show_how()
            _own()
    else:
        _sweep_view.show(shown)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "sweep")
_state.close_page("sweep")
