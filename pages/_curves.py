"""The learning curves of a run, with switches for smoothing and a logarithmic scale."""

from functools import partial

import streamlit as st

from digits.views import curves
from pages import _state, _widgets

SMOOTHING = 0.9  # averages about the last ten training points

_key = partial(_state.key, "train")


def show_empty(iterations: int) -> None:
    """Show an empty chart, so that the browser loads the chart library before there is a curve."""
    st.echarts_chart(
        curves.learning_curve([], "accuracy", "Accuracy", iterations),
        height=260,
        key=_key("chart.empty"),
        alt=curves.describe_curve([], "accuracy"),
    )


def show(run_id: str) -> None:
    """Show the learning curves and, in an expander, the progress as lines of text."""
    registry = _widgets.registry()
    run, rows, changes = registry.get(run_id), registry.metrics(run_id), registry.changes(run_id)
    if run.is_ended and not rows:  # imported without its history, or stopped while it was queued
        st.info("This run has no training history.", icon=":material/show_chart:")
        return
    with st.container(horizontal=True):
        is_smooth = st.toggle(
            "Smooth",
            key=_key("smooth"),
            persist_state="session",
            help="Shows the training curve as a moving average. The validation curve is never smoothed.",
        )
        is_logarithmic = st.toggle(
            "Logarithmic loss",
            key=_key("logarithmic"),
            persist_state="session",
            help="Shows the loss on a logarithmic scale, where small changes of a small loss are visible.",
        )
    for name, title in (("accuracy", "Accuracy"), ("loss", "Loss (cross-entropy)")):
        st.echarts_chart(
            curves.learning_curve(
                rows,
                name,
                title,
                run.hyperparameters.iterations,
                changes=changes,
                best_step=run.best_step,
                smoothing=SMOOTHING if is_smooth else 0.0,
                is_logarithmic=is_logarithmic and name == "loss",
            ),
            height=260,
            key=_key(f"chart.{name}"),
            alt=curves.describe_curve(rows, name, changes=changes, best_step=run.best_step),
        )
    if changes:
        st.caption(f"Changed while training: {'; '.join(map(curves.describe_change, changes))}.")
    with st.expander("Progress lines", icon=":material/notes:", key=_key("lines"), on_change="rerun") as lines:
        if lines.open:
            text = curves.progress_lines(registry.progress_rows(run_id))
            st.code(text or "None yet.", language=None, height=240)
