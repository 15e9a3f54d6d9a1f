"""The chosen runs: their ids, their histories, and what a visitor can do with several at once."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.schema import Run, RunState
from digits.views import comparison, examples
from digits.views.markdown import escaped
from pages import _state, _widgets


def key(name: str) -> str:
    """Return the session key of one of the Runs page's values."""
    return _state.key("runs", name)


def ids() -> list[str]:
    """Return the chosen runs' ids, in the order in which they were chosen."""
    return [run_id for run_id in st.session_state[key("chosen")].split(".") if run_id]


def choose(run_ids: Sequence[str], *, compare: bool = False) -> None:
    """Remember which runs are chosen, and whether they are compared; reset the pair of models to compare."""
    st.session_state[key("chosen")], st.session_state[key("compare")] = ".".join(run_ids), compare
    st.session_state[key("a")], st.session_state[key("b")], st.session_state[key("hundred")] = "", "", 1


def count(runs: Sequence[Any]) -> str:
    """Return the number of runs in words, such as "2 runs"."""
    return "1 run" if len(runs) == 1 else f"{len(runs):,} runs"


def metrics(run_id: str) -> Sequence[dict[str, Any]]:
    """Return a run's progress as its curves show it; an example's is not in the registry."""
    return examples.history(run_id) if examples.find(run_id) else _widgets.registry().metrics(run_id)


def comparable(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that can be compared: those that have not failed."""
    return [run for run in runs if run.state is not RunState.FAILED]


def messages() -> None:
    """Show why the last command was refused, and how to undo a deletion."""
    if error := st.session_state.pop(key("error"), ""):
        st.error(escaped(error), icon=":material/error:")
    if deleted := st.session_state.get(key("deleted")):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"{count(deleted)} deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_restore, args=(deleted,), key=key("undo"))
            st.caption("For one day, you can also find and restore them under State: Deleted.")


def bar(runs: Sequence[Run], listed: int) -> None:
    """Show what can be done with the ticked runs, in a place that is always there, so that the list does not jump."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=key("bar")):
        if not runs:
            st.markdown(f"{count(range(listed))}, best first. Tick 2 to 5 to compare.", width="content")
            return
        st.markdown(f"**{len(runs):,}** selected", width="content")
        _compare(comparable(runs))
        end([run for run in runs if run.owner == _widgets.visitor()])
        if not _widgets.is_phone():  # where there is no room for it
            st.button("Clear", type="tertiary", on_click=choose, args=([],), key=key("clear"))


def _compare(runs: Sequence[Run]) -> None:
    is_possible = 2 <= len(runs) <= comparison.MAX_RUNS
    st.button(
        "Compare",
        icon=":material/compare_arrows:",
        type="primary",
        disabled=not is_possible,
        on_click=choose,
        args=([run.id for run in runs],),
        kwargs={"compare": True},
        key=key("compare.open"),
        help="Shows their curves, settings and disagreements."
        if is_possible
        else f"Tick 2 to {comparison.MAX_RUNS} runs that have not failed.",
    )


def end(mine: Sequence[Run], *, place: str = "") -> None:
    """Show Stop, Delete and Restore, each only if it applies to one of the visitor's runs.

    Args:
        place: keeps the keys of these buttons apart from those of others on the page.
    """
    active = [run.id for run in mine if not run.is_ended]
    deleted = [run.id for run in mine if run.deleted is not None]
    kept = [run.id for run in mine if run.deleted is None]
    for label, icon, command, run_ids, hint in (
        ("Stop", ":material/stop:", _stop, active, "Ends training and keeps the model."),
        (
            "Delete",
            ":material/delete:",
            _delete,
            [] if active else kept,
            "Removes runs and their models. Can be undone.",
        ),
        ("Restore", ":material/restore_from_trash:", _restore, deleted, "Puts deleted runs back into the list."),
    ):
        if run_ids:
            st.button(
                label,
                icon=icon,
                on_click=command,
                args=(run_ids,),
                key=key(place + label.lower()),
                help=hint,
            )


def _stop(run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        attempt(commands.stop, run_id, _widgets.visitor())


def _delete(run_ids: Sequence[str]) -> None:
    if attempt(commands.delete, run_ids, _widgets.visitor()):
        st.session_state[key("deleted")] = run_ids
        choose([])


def _restore(run_ids: Sequence[str]) -> None:
    if attempt(commands.restore, run_ids, _widgets.visitor()):
        st.session_state[key("deleted")], st.session_state[key("state")] = [], ""
        choose(run_ids)


def attempt(command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Carry out a command and return its result, or True; if it is refused, return None and let `messages` say why.

    The page is then drawn anew, even if the command was given in a dialog.
    """
    st.session_state[key("stale")] = True
    try:
        return command(_widgets.registry(), *arguments, **options) or True
    except DigitsError as error:
        st.session_state[key("error")] = trouble.sentence(error)
        return None
