"""Repeating a run, or starting another from its settings."""

import streamlit as st

from digits.errors import DigitsError
from digits.runs import commands, names
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import Run
from digits.views import sharing
from pages import _widgets


def train_link(hyperparameters: Hyperparameters, run_id: str = "") -> dict[str, str]:
    """Return the parameters of the link that opens Train with these settings and, if given, this run."""
    return sharing.query("train", hyperparameters.to_dict() | {"run": run_id})


def show(run: Run, *, key: str) -> None:
    """Show the button that repeats a run and the link that opens its settings."""
    if st.button(
        "Rerun",
        icon=":material/replay:",
        key=key,
        help="Starts a run with the same settings and seed. Changes are made at the same iterations.",
    ):
        _repeat(run)
    edit(run)


def edit(run: Run) -> None:
    """Show the link that opens a run's settings on Train, where they can be changed."""
    st.page_link(
        "train.py",
        label="Edit and rerun",
        icon=":material/fork_right:",
        query_params=train_link(run.hyperparameters),
        help="Opens Train with these settings, which you can then change. Nothing starts yet.",
    )


def _repeat(run: Run) -> None:
    """Start the same run again and open it on Train."""
    registry = _widgets.registry()
    try:
        changes, owner = registry.changes(run.id), _widgets.visitor()
        new = commands.submit(
            registry, run.hyperparameters, owner, changes=changes, name="" if names.is_given(run.name) else run.name
        )
    except DigitsError as error:
        _widgets.show_error(error)
    else:
        st.switch_page("train.py", query_params=train_link(run.hyperparameters, new))
