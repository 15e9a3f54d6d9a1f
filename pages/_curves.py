"""The learning curves of a run, with what can be done to see them better."""

import streamlit as st

from digits.views import curves
from pages import _state, _widgets

SMOOTHING = 0.9  # a training point then is the mean of about the last ten


def _key(name: str) -> str:
    return _state.key("train", name)


def show_empty(iterations: int) -> None:
    """Show where the accuracy will appear; the browser then has all that draws curves before there is one."""
    st.echarts_chart(
        curves.learning_curve([], "accuracy", "Accuracy", iterations),
        height=260,
        key=_key("chart.empty"),
        alt=curves.describe_curve([], "accuracy"),
    )


def show(run_id: str) -> None:
    """Show the learning curves and, folded away, the tutorials' progress lines."""
    registry = _widgets.registry()
    run, rows, changes = registry.get(run_id), registry.metrics(run_id), registry.changes(run_id)
    if run.is_ended and not rows:  # it was brought as a file without one, or taken out of the queue
        st.info("There is no history of its training.", icon=":material/show_chart:")
        return
    with st.container(horizontal=True):
        is_smooth = st.toggle(
            "Smooth",
            key=_key("smooth"),
            persist_state="session",
            help="Draws the training curve as a moving average. Validation is never smoothed.",
        )
        is_logarithmic = st.toggle(
            "Logarithmic loss",
            key=_key("logarithmic"),
            persist_state="session",
            help="Counts the loss in powers of ten, which shows what still happens when it is small.",
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
        st.caption(f"Turned on the way: {'; '.join(map(curves.describe_change, changes))}.")
    with st.expander("Progress lines", icon=":material/notes:", key=_key("lines"), on_change="rerun") as lines:
        if lines.open:
            text = curves.progress_lines(registry.progress_rows(run_id))
            st.code(text or "None yet.", language=None, height=240)
