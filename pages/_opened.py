"""One run of the list, opened in a drawer: its figures, its name and note, and what can be done with it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.names import NETWORKS
from digits.runs.schema import Run
from digits.views import examples, tables
from digits.views.markdown import escaped
from pages import _again, _chosen, _taught, _widgets
from pages._chosen import key
from pages._widgets import STATES


def show(run: Run, name: str) -> None:
    """Show a run in a drawer beside the list, until it is closed."""

    @st.dialog(escaped(name), on_dismiss=close, width="small", position="right")
    def drawer() -> None:
        if st.session_state.pop(key("stale"), False):
            st.rerun()  # the list behind has changed
        try:
            _run(run)
        except DigitsError as error:
            _widgets.show_error(error)

    drawer()


def close() -> None:
    """Close the drawer."""
    st.session_state[key("run")] = ""


def _run(run: Run) -> None:
    is_mine = run.owner == _widgets.visitor()
    _figures(run)
    if run.parent:
        _taught.say_parent(run)
    if run.deleted is None:
        _links(run)
    if is_mine and run.deleted is None:
        _texts(run)
    with st.container(horizontal=True):
        if is_mine:
            _chosen.end([run], place="opened.")
        st.download_button(
            "History as CSV",
            lambda: tables.history_csv(_history(run)),
            file_name=f"digits-history-{run.id}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=key("history"),
            on_click="ignore",
            help="Loss and accuracy at every recorded iteration, at full precision, for a spreadsheet.",
        )
    if run.owner == examples.OWNER:
        st.caption("An example that comes with Digits. Its model is the bundled one.")
    elif not is_mine:
        st.caption(
            "A shared run belongs to the person who started it. You can view it, rerun it and edit its settings."
        )


def _history(run: Run) -> list[dict[str, Any]]:
    return list(examples.history(run.id)) if examples.find(run.id) else _widgets.registry().history(run.id)


def _figures(run: Run) -> None:
    """Show a run's state and results."""
    label, icon, colour = STATES[run.state]
    title = NETWORKS[run.hyperparameters.network]
    st.markdown(f":{colour}-badge[{icon} {label}] {title}")
    measured = run.test_accuracy if run.has_model else None
    test, validation = st.columns(2)
    with test:
        st.metric("Test accuracy", f"{measured.share:.2%}" if measured else "–")
        if measured:
            low, high = measured.interval
            st.caption(f"95% CI {low * 100:.2f} to {high:.2%}")
    best = run.best_val_accuracy
    validation.metric("Best validation", f"{best:.2%}" if best is not None else "–")
    started = f"{datetime.fromtimestamp(run.created).astimezone():%d %B %Y}"
    st.caption(f"{run.step:,} of {run.hyperparameters.iterations:,} iterations, {run.seconds:,.1f} s. {started}.")
    if run.reason:
        st.caption(escaped(run.reason))


def _links(run: Run) -> None:
    """Show where a run can be opened, used, repeated and compared."""
    is_example = run.owner == examples.OWNER
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_example:
            link = {"model": run.id}
            st.page_link("draw.py", label="Draw with it", icon=":material/draw:", query_params=link)
            _again.edit(run)
        else:
            hint = "Shows its curves, its result and its controls on Train."
            if st.button("Open", icon=":material/model_training:", type="primary", key=key("open"), help=hint):
                st.switch_page("train.py", query_params=_again.train_link(run.hyperparameters, run.id))
            _again.show(run, key=key("again"))
    if run.has_model:
        st.button(
            "Compare with a bundled model",
            icon=":material/compare_arrows:",
            on_click=_compare,
            args=(run.id,),
            key=key("compare.bundled"),
        )


def _compare(run_id: str) -> None:
    _chosen.choose([run_id], compare=True)
    close()
    st.session_state[key("stale")] = True


def _texts(run: Run) -> None:
    """Let the visitor name their run and add a note to it."""
    for label, value, command, hint in (
        ("Name", run.name, commands.rename, "Press Enter to save."),
        ("Note", run.note, commands.annotate, "What you wanted to find out."),
    ):
        widget = key(f"{label.lower()}.{run.id}")
        st.session_state.setdefault(widget, value)
        st.text_input(
            label,
            key=widget,
            max_chars=commands.MAX_TEXT[label.lower()],
            placeholder=hint,
            on_change=_save,
            args=(command, run.id, widget),
        )


def _save(command: Callable[..., None], run_id: str, widget: str) -> None:
    _chosen.attempt(command, run_id, _widgets.visitor(), st.session_state[widget])
