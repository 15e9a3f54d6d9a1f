"""Repeating a run, or starting another from its settings."""

from collections.abc import Callable

import streamlit as st

from digits.errors import DigitsError
from digits.runs import commands, names
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import Run
from digits.store import open_store
from digits.training import again, teaching
from digits.views import sharing
from pages import _widgets


def train_link(hyperparameters: Hyperparameters, run_id: str = "") -> dict[str, str]:
    """Return the parameters of the link that opens Train with these settings and, if given, this run."""
    return sharing.query("train", hyperparameters.to_dict() | {"run": run_id})


def show(run: Run, *, key: str) -> None:
    """Show the button that repeats a run and the link that opens its settings; a failed run can go on."""
    step = again.last_step(open_store(_widgets.settings()), run) if run.owner == _widgets.visitor() else 0
    if step and st.button(
        f"Start again from iteration {step:,}",
        icon=":material/resume:",
        type="primary",
        key=f"{key}.continue",
        help="Starts a run that goes on from this run's last checkpoint. Nothing before it is trained again.",
    ):
        _go_on(run)
    if st.button(
        "Rerun",
        icon=":material/replay:",
        key=key,
        help="Starts a run with the same settings and seed. Changes are made at the same iterations.",
    ):
        _repeat(run)
    if not run.parent:  # its settings alone would train another network
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


def _go_on(run: Run) -> None:
    """Start a failed run again from its last checkpoint."""
    store, owner = open_store(_widgets.settings()), _widgets.visitor()
    _open(run, lambda: again.start(_widgets.registry(), store, run, owner, address=_widgets.address()))


def _repeat(run: Run) -> None:
    """Start the same run again from its first iteration."""
    registry, owner = _widgets.registry(), _widgets.visitor()
    if run.parent:
        store = open_store(_widgets.settings())
        _open(run, lambda: teaching.repeat(registry, store, run, owner, address=_widgets.address()))
        return
    changes = registry.changes(run.id)
    chosen, address = run.hyperparameters, _widgets.address()
    name = "" if names.is_given(run.name) else run.name
    _open(run, lambda: commands.submit(registry, chosen, owner, changes=changes, name=name, address=address))


def _open(run: Run, start: Callable[[], str]) -> None:
    """Start a run with the settings of `run`, and open it on Train."""
    try:
        new = start()
    except (DigitsError, OSError) as error:
        _widgets.show_error(error)
    else:
        st.switch_page("train.py", query_params={"run": new} if run.parent else train_link(run.hyperparameters, new))
