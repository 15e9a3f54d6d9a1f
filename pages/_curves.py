"""The learning curves of a run, side by side, with switches for what they show."""

from functools import partial

import streamlit as st

from digits.views import curves
from pages import _state, _widgets

SMOOTHING = 0.9  # averages about the last ten training points
HEIGHT = 240
# What the curves show. It is kept while the run goes on; the chart's own legend and zoom would be lost at every update.
SWITCHES = {
    "training": "Training",
    "validation": "Validation",
    "smooth": "Smooth",
    "log": "Log loss",
    "recent": "Zoom: last third",
}
_SHOWN = ["training", "validation"]

_key = partial(_state.key, "train")


def show_empty(iterations: int) -> None:
    """Show an empty chart, so that the browser loads the chart library before there is a curve."""
    st.echarts_chart(
        curves.learning_curve([], "accuracy", "Accuracy", iterations),
        height=HEIGHT,
        key=_key("chart.empty"),
        alt=curves.describe_curve([], "accuracy"),
    )


def show(run_id: str) -> None:
    """Show accuracy and loss beside each other."""
    registry = _widgets.registry()
    run, rows, changes = registry.get(run_id), registry.metrics(run_id), registry.changes(run_id)
    if run.is_ended and not rows:  # imported without its history, or stopped while it was queued
        st.info("This run has no training history.", icon=":material/show_chart:")
        return
    places = st.columns(2, gap="medium")
    chosen = st.pills(
        "Curves",
        list(SWITCHES),
        format_func=SWITCHES.__getitem__,
        selection_mode="multi",
        default=_SHOWN,
        key=_key("curves"),
        persist_state="session",
        label_visibility="collapsed",
    )
    for place, (name, title) in zip(places, (("accuracy", "Accuracy"), ("loss", "Loss")), strict=True):
        place.echarts_chart(
            curves.learning_curve(
                rows,
                name,
                title,
                run.hyperparameters.iterations,
                changes=changes,
                best_step=run.best_step,
                smoothing=SMOOTHING if "smooth" in chosen else 0.0,
                is_logarithmic="log" in chosen and name == "loss",
                shown=chosen,
                is_recent="recent" in chosen,
            ),
            height=HEIGHT,
            key=_key(f"chart.{name}"),
            alt=curves.describe_curve(rows, name, changes=changes, best_step=run.best_step),
        )
    if changes:
        st.caption(f"Changed while training: {'; '.join(map(curves.describe_change, changes))}.")


def show_lines(run_id: str) -> None:
    """Show the progress as lines of text."""
    text = curves.progress_lines(_widgets.registry().progress_rows(run_id))
    st.code(text or "None yet.", language=None, height=300)
