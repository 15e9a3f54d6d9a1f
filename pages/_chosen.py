"""The chosen runs: their ids, and what a visitor can do with them."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.schema import Run
from digits.views import tables
from digits.views.markdown import escaped
from pages import _again, _state, _widgets


def key(name: str) -> str:
    """Return the session key of one of the Runs page's values."""
    return _state.key("runs", name)


def ids() -> list[str]:
    """Return the chosen runs' ids, in the order in which they were chosen."""
    return [run_id for run_id in st.session_state[key("chosen")].split(".") if run_id]


def choose(run_ids: Sequence[str]) -> None:
    """Remember which runs are chosen."""
    st.session_state[key("chosen")] = ".".join(run_ids)


def count(runs: Sequence[Any]) -> str:
    """Return the number of runs in words, such as "2 runs"."""
    return "1 run" if len(runs) == 1 else f"{len(runs):,} runs"


def messages() -> None:
    """Show why the last command was refused, and how to undo a deletion."""
    if error := st.session_state.pop(key("error"), ""):
        st.error(escaped(error), icon=":material/error:")
    if deleted := st.session_state.get(key("deleted")):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"{count(deleted)} deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_restore, args=(deleted,), key=key("undo"))
            st.caption("For one day, you can also find and restore them under State: Deleted.")


def actions(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Show what the visitor can do with the chosen runs; other owners' runs cannot be changed.

    Args:
        names: what each run is called, by its id.
    """
    mine = [run for run in runs if run.owner == _widgets.visitor()]
    with st.container(border=True):
        if len(runs) > 1:
            st.text(f"{count(runs)} chosen: {', '.join(names[run.id] for run in runs)}")
        elif mine and runs[0].deleted is None:
            _texts(runs[0], names[runs[0].id])
        else:
            st.text(names[runs[0].id])
        with st.container(horizontal=True, vertical_alignment="center"):
            if len(runs) == 1:
                _repeat(runs[0])
            _end(mine, is_plural=len(runs) > 1)
        if len(mine) < len(runs):
            st.caption("A shared run belongs to the person who started it. You can view it, repeat it and fork it.")


def _texts(run: Run, name: str) -> None:
    """Let the visitor name their run and add a note to it."""
    for place, label, value, hint, command, sentence in zip(
        st.columns([2, 3]),
        ("Name", "Note"),
        (run.name, run.note),
        (name, "What you wanted to find out"),
        (commands.rename, commands.annotate),
        ("The run's name. Press Enter to save it.", "Anything you want to remember. Press Enter to save it."),
        strict=True,
    ):
        widget = key(f"{label.lower()}.{run.id}")
        st.session_state.setdefault(widget, value)
        place.text_input(
            label,
            key=widget,
            max_chars=commands.MAX_TEXT[label.lower()],
            placeholder=hint,
            on_change=lambda command=command, widget=widget: _try(
                command, run.id, _widgets.visitor(), st.session_state[widget]
            ),
            help=sentence,
        )


def _repeat(run: Run) -> None:
    """Show the links from a run to the Train page, and its history as a file."""
    st.page_link(
        "train.py",
        label="Open on Train",
        icon=":material/model_training:",
        query_params=_again.train_link(run.hyperparameters, run.id),
        help="Shows its curves, its result and its controls.",
    )
    _again.show(run, key=key("again"))
    st.download_button(
        "History as CSV",
        lambda: tables.history_csv(_widgets.registry().history(run.id)),
        file_name=f"digits-history-{run.id}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=key("history"),
        on_click="ignore",
        help="Loss and accuracy at every recorded iteration, at full precision, for a spreadsheet.",
    )


def _end(mine: Sequence[Run], *, is_plural: bool) -> None:
    """Show Stop, Delete and Restore, each only if it applies to one of the runs."""
    active = [run.id for run in mine if not run.is_ended]
    deleted = [run.id for run in mine if run.deleted is not None]
    kept = [run.id for run in mine if run.deleted is None]
    if active:
        st.button(
            f"Stop {count(active)}" if is_plural else "Stop",
            icon=":material/stop:",
            on_click=_stop,
            args=(active,),
            key=key("stop"),
            help="Ends training and keeps the model.",
        )
    if kept:
        st.button(
            f"Delete {count(kept)}" if is_plural else "Delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(kept,),
            key=key("delete"),
            disabled=bool(active),
            help="Only runs that have ended can be deleted."
            if active
            else "Removes runs and their models. You can undo this.",
        )
    if deleted:
        st.button(
            f"Restore {count(deleted)}" if is_plural else "Restore",
            icon=":material/restore_from_trash:",
            on_click=_restore,
            args=(deleted,),
            key=key("restore"),
            help="Puts deleted runs back into the list.",
        )


def _stop(run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        _try(commands.stop, run_id, _widgets.visitor())


def _delete(run_ids: Sequence[str]) -> None:
    if _try(commands.delete, run_ids, _widgets.visitor()):
        st.session_state[key("deleted")] = run_ids
        choose([])


def _restore(run_ids: Sequence[str]) -> None:
    if _try(commands.restore, run_ids, _widgets.visitor()):
        st.session_state[key("deleted")], st.session_state[key("state")] = [], ""
        choose(run_ids)


def _try(command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Carry out a command and return its result, or True; if it is refused, return None and let `messages` say why."""
    try:
        return command(_widgets.registry(), *arguments, **options) or True
    except DigitsError as error:
        st.session_state[key("error")] = trouble.sentence(error)
        return None
