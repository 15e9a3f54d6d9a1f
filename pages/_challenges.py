"""Guided challenges: five links, and the one that the visitor has taken up."""

from functools import partial

import numpy as np
import streamlit as st

from digits.data import datasets, sets
from digits.runs.schema import Run
from digits.store import Store, open_store
from digits.training import timeline
from digits.views.challenges import CHALLENGES
from pages import _state, _widgets

_LATEST = 5  # runs whose last snapshot is looked at

_key = partial(_state.key, "train")


def show_all() -> None:
    """List the challenges, each as a link to the settings that it begins with."""
    st.markdown("**Challenges** that check themselves.")
    with st.container(horizontal=True, gap="small", key=_key("challenges")):
        for name, challenge in CHALLENGES.items():
            st.page_link(
                "train.py",
                label=challenge.title,
                icon=":material/flag:",
                help=challenge.task,
                query_params={"challenge": name} | {key: str(value) for key, value in challenge.settings.items()},
            )


def show_chosen() -> None:
    """Show the challenge that the link names, how far the visitor is, and what there is to learn once it is met."""
    name = st.session_state[_key("challenge")]
    if not name:
        return
    challenge = CHALLENGES[name]
    found = _widgets.registry().list_runs(_widgets.visitor())
    runs = [run for run in found if run.hyperparameters.dataset == sets.MNIST]
    result = challenge.check(runs, _samples_right(runs) if name == "hundred" else {})
    with st.container(border=True, key=_key("challenge.card"), horizontal=True, vertical_alignment="center"):
        with st.container(gap="xsmall"):
            icon = ":material/emoji_events:" if result.is_met else ":material/flag:"
            st.markdown(f"{icon} **{challenge.title}.** {challenge.lesson if result.is_met else challenge.task}")
            st.caption(f"Met. {result.sentence}" if result.is_met else result.sentence)
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=_key("challenge.leave"),
            help="Leave the challenge",
            on_click=_leave,
        )


def _leave() -> None:
    st.session_state[_key("challenge")] = ""


def _samples_right(runs: list[Run]) -> dict[str, int]:
    """Return how many of the 100 samples each of the latest runs reads rightly at its last snapshot."""
    store, dataset = open_store(_widgets.settings()), _widgets.test_set(sets.MNIST)
    found = ((run.id, _right_in(store, run.id, dataset)) for run in runs[:_LATEST])
    return {run_id: right for run_id, right in found if right is not None}


def _right_in(store: Store, run_id: str, dataset: datasets.Dataset) -> int | None:
    steps = timeline.steps(store, run_id)
    snapshot = timeline.read(store, run_id, steps[-1]) if steps else None
    if snapshot is None:
        return None
    rows = np.arange(min(len(snapshot.predicted), len(dataset.test)))
    return int((snapshot.predicted[rows] == dataset.test.labels[rows]).sum())
