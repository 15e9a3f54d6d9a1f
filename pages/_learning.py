"""Training replay: samples, first layer and confusion matrix at every validation, live or as a replay."""

from functools import partial

import numpy as np
import streamlit as st

from digits import trouble
from digits.data import sets
from digits.errors import DatasetError, StoreUnavailable
from digits.models import scores
from digits.runs.schema import Run
from digits.store import open_store
from digits.training import timeline
from digits.views import charts, weight_pictures
from digits.views.markdown import escaped
from pages import _curves, _own_drawing, _samples, _state, _widgets

VIEWS = {"samples": "Samples", "layer": "Weights", "confusion": "Confusion", "lines": "Progress lines"}
REPLAY_SECONDS = 0.6

_key = partial(_state.key, "train")


def is_playing() -> bool:
    """Return whether a replay is running; the page then reruns for the next snapshot."""
    return bool(st.session_state.get(_key("playing")))


def show(run: Run) -> None:
    """Show what the network had learned at one moment of its training."""
    view = st.segmented_control(
        "What to look at",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        default="samples",
        required=True,
        key=_key("view"),
        persist_state="session",
        label_visibility="collapsed",
    )
    if view == "lines":
        _curves.show_lines(run.id)
        return
    try:
        sets.find(run.hyperparameters.dataset)
    except DatasetError as error:
        why = escaped(trouble.sentence(error))
        st.info(f"What the network had learned cannot be shown. {why}", icon=":material/broken_image:")
        return
    store = open_store(_widgets.settings())
    try:
        steps = timeline.steps(store, run.id)
    except StoreUnavailable as error:
        st.warning(escaped(str(error)), icon=":material/cloud_off:")
        return
    if not steps:
        message = "No snapshots of this run were kept."
        if not run.is_ended:
            message = "What it has learned appears here at every validation."
        st.info(message, icon=":material/visibility:")
        return
    step = _moment(run, steps)
    snapshot = timeline.read(store, run.id, step)
    if snapshot is None:
        st.info("This moment is damaged and cannot be shown. Choose another.", icon=":material/broken_image:")
    elif view == "samples":
        _show_samples(run, snapshot)
    elif view == "layer":
        sprite = weight_pictures.layer_pictures(
            snapshot.kind, snapshot.pictures, sets.find(run.hyperparameters.dataset).class_names
        )
        st.image(sprite.png, width="content", output_format="PNG", alt=sprite.alt)
        st.caption(f"{sprite.alt}.")
    else:
        _show_confusion(run, snapshot)


def _moment(run: Run, steps: list[int]) -> int:
    """Let the visitor choose a moment or follow the newest one; return its iteration."""
    key = _key(f"moment.{run.id}")
    if is_playing():
        later = [step for step in steps if step > st.session_state[key]]
        st.session_state[key] = later[0] if later else steps[-1]
        st.session_state[_key("playing")] = bool(later)
    elif st.session_state.get(key) not in steps or st.session_state.get(_key("following"), True):
        st.session_state[key] = steps[-1]
    if len(steps) == 1:
        return steps[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Replay",
            icon=":material/replay:",
            key=_key("replay"),
            on_click=_play,
            args=(key, steps),
            help="Plays the training from the first snapshot to the last.",
        )
        st.select_slider(
            "Iteration",
            steps,
            format_func=lambda step: f"{step:,}",
            key=key,
            on_change=_choose,
            args=(key, steps),
            help="The snapshot to show. At the right end, it follows the run.",
        )
    return st.session_state[key]


def _play(key: str, steps: list[int]) -> None:
    st.session_state[key], st.session_state[_key("playing")], st.session_state[_key("following")] = steps[0], True, True


def _choose(key: str, steps: list[int]) -> None:
    st.session_state[_key("playing")] = False
    st.session_state[_key("following")] = st.session_state[key] == steps[-1]


def _show_samples(run: Run, snapshot: timeline.Snapshot) -> None:
    dataset = _widgets.test_set(run.hyperparameters.dataset)
    is_mine = run.owner == _widgets.visitor()
    _own_drawing.show(run.id, snapshot, dataset.class_names, is_mine=is_mine)
    rows = np.arange(min(len(snapshot.predicted), len(dataset.test)))
    correct = int((snapshot.predicted[rows] == dataset.test.labels[rows]).sum())
    st.markdown(f"**{correct} of these {len(rows)} are correct** after {snapshot.step:,} iterations.")
    _samples.grid(dataset, snapshot.predicted, rows, key=_key("samples"), on_picked=None)
    st.caption("For display only: the best checkpoint is chosen on validation images.")


def _show_confusion(run: Run, snapshot: timeline.Snapshot) -> None:
    names = sets.find(run.hyperparameters.dataset).class_names
    summary = scores.describe_confusion(snapshot.confusion, names)
    height = charts.confusion_height(len(names))
    with st.container(key=_key(f"matrix.{-(-len(names) // 16)}")):  # a matrix of many classes scrolls in it
        st.echarts_chart(
            charts.confusion_map(snapshot.confusion, names),
            height=height,
            key=_key("confusion"),
            alt=f"Confusion matrix of the validation images after {snapshot.step:,} iterations: {summary}",
        )
    st.caption(f"Validation images after {snapshot.step:,} iterations: {summary}")
