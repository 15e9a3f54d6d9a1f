"""A run that has learned from its owner's corrections: what they changed, and whether to keep the new model."""

from functools import partial

import streamlit as st

from digits.errors import DigitsError, ModelNotFound
from digits.models import catalogue
from digits.runs import commands
from digits.runs.schema import Run
from digits.views import lessons
from digits.views.markdown import escaped
from pages import _state, _widgets

_key = partial(_state.key, "train")


def say_parent(run: Run) -> None:
    """Say which model a run began with."""
    title = escaped(lessons.parent_title(run.parent, _widgets.settings()))
    whose = "your" if run.owner == _widgets.visitor() else "its owner's"
    st.caption(f"It began as **{title}** and learns from {whose} corrections, mixed with what it knew.")


def show(run: Run) -> None:
    """Show what the lesson changed, and let the owner discard the new model; to draw with it is to keep it."""
    try:
        changed = catalogue.find(run.id, _widgets.settings()).card.taught
    except ModelNotFound:  # the result says so
        return
    with st.container(border=True, key=_key("taught")):
        if changed:
            st.markdown(lessons.table(changed))
        if verdict := lessons.verdict(changed):
            st.warning(escaped(verdict), icon=":material/trending_down:")
        with st.container(horizontal=True, vertical_alignment="center"):
            link = {"model": run.parent}
            st.page_link("draw.py", label="Draw with the model before", icon=":material/draw:", query_params=link)
            if run.owner == _widgets.visitor() and run.deleted is None:
                _discard(run)


def _discard(run: Run) -> None:
    if st.button(
        "Discard",
        icon=":material/delete:",
        key=_key("discard"),
        help="Removes this run and its model. The model before stays as it is.",
    ):
        try:
            commands.delete(_widgets.registry(), [run.id], _widgets.visitor())
        except DigitsError as error:
            _widgets.show_error(error)
        else:
            st.switch_page("draw.py", query_params={"model": run.parent})
