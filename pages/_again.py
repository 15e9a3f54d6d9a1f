"""A run once more: the same again, or its settings to begin another with."""

import streamlit as st

from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import Run
from digits.views import sharing
from pages import _widgets


def train_link(hyperparameters: Hyperparameters, run_id: str = "") -> dict[str, str]:
    """Return the parameters of the link that opens Train with these settings, and a run if one is named."""
    return sharing.query("train", hyperparameters.to_dict() | {"run": run_id})


def show(run: Run, *, key: str) -> None:
    """Show the two ways to a run like this one."""
    if st.button(
        "Run it again",
        icon=":material/replay:",
        key=key,
        help="Starts a run with the same settings and seed; what was turned is turned at the same iterations.",
    ):
        _repeat(run)
    st.page_link(
        "train.py",
        label="Fork",
        icon=":material/fork_right:",
        query_params=train_link(run.hyperparameters),
        help="Opens Train with these settings for you to change; nothing is started.",
    )


def _repeat(run: Run) -> None:
    """Start the same run once more and go to watch it."""
    registry = _widgets.registry()
    try:
        changes, owner = registry.changes(run.id), _widgets.visitor()
        new = commands.submit(registry, run.hyperparameters, owner, changes=changes, name=run.name)
    except DigitsError as error:
        st.error(str(error), icon=":material/error:")
    else:
        st.switch_page("train.py", query_params=train_link(run.hyperparameters, new))
