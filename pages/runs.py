"""Runs: list, open, name, repeat, delete and compare the visitor's runs."""

import pandas as pd
import streamlit as st

from digits import trouble
from digits.errors import DigitsError, RunNotFound
from digits.runs import commands
from digits.runs.names import NETWORKS
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_LISTED
from digits.views import examples, tables
from pages import _chosen, _comparison, _opened, _state, _widgets
from pages._chosen import key
from pages._widgets import STATES

MAX_IDS_IN_LINK = 20  # a visitor who chooses more is probably about to delete them
TICK_SECONDS = 2
ROW_PIXELS = 40
DELETED = "deleted"  # a choice of the state filter that is not a state
COLUMNS = ("Name", "Test accuracy", "State", "Best validation accuracy", "Seconds", "Started", "Network", "Note")


def _show_all() -> None:
    st.session_state[key("state")] = st.session_state[key("network")] = ""


def _list_more() -> None:
    st.session_state[key("limit")] += RUNS_LISTED


def _filters() -> None:
    """Show the filters of the list: in one row, or on a phone in a popover."""
    if _widgets.is_phone():
        used = sum(bool(st.session_state[key(name)]) for name in ("state", "network"))
        with st.popover(f"Filter ({used})" if used else "Filter", icon=":material/tune:"):
            _choices()
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _choices()


def _choices() -> None:
    st.selectbox(
        "State",
        ["", *(state.value for state in STATES), DELETED],
        format_func=lambda state: STATES[state][0] if state in STATES else state.capitalize() or "Any",
        key=key("state"),
        persist_state="session",
        width=160,
        help="Lists only runs in this state. Deleted ones can be restored for a day.",
    )
    st.selectbox(
        "Network",
        ["", *NETWORKS],
        format_func=lambda network: NETWORKS[network] if network else "Any",
        key=key("network"),
        persist_state="session",
        width=300,
        help="Lists only runs that train this network.",
    )


def _own_runs() -> tuple[list[Run], bool]:
    """Return the visitor's runs that pass the filters, and whether older runs were not searched."""
    state, network = st.session_state[key("state")], st.session_state[key("network")]
    limit = st.session_state.setdefault(key("limit"), RUNS_LISTED)
    found = _widgets.registry().list_runs(_widgets.visitor(), limit=limit + 1, deleted=state == DELETED)
    passing = [
        run
        for run in found[:limit]
        if state in ("", DELETED, run.state) and network in ("", run.hyperparameters.network)
    ]
    return tables.best_first(passing), len(found) > limit


def _is_filtered() -> bool:
    return bool(st.session_state[key("state")] or st.session_state[key("network")])


def _with_chosen(passing: list[Run]) -> list[Run]:
    """Put chosen runs that are filtered out or owned by others first; drop those that cannot be found."""
    known = {run.id: run for run in passing}
    opened = st.session_state[key("run")]
    found = {run_id: _find(run_id, known) for run_id in dict.fromkeys([*_chosen.ids(), *filter(None, [opened])])}
    chosen = [run_id for run_id in _chosen.ids() if found[run_id]]
    if chosen != _chosen.ids():
        st.session_state[key("chosen")] = ".".join(chosen)
    if opened and not found[opened]:
        _opened.close()
    return [*(run for run in found.values() if run and run.id not in known), *passing]


def _find(run_id: str, known: dict[str, Run]) -> Run | None:
    """Return a run; if it cannot be found or is deleted, give a notice and return None."""
    try:
        run = known.get(run_id) or examples.find(run_id) or _widgets.registry().get(run_id)
    except RunNotFound as error:
        _state.notify("runs", trouble.sentence(error))
        return None
    if run.deleted is not None and run_id not in known:
        _state.notify("runs", f"The run {run_id} has been deleted, so it is not shown.")
        return None
    if run.owner != examples.OWNER:
        commands.watch(_widgets.registry(), run, _widgets.visitor())
    return run


def _table(runs: list[Run], table: pd.DataFrame) -> None:
    """List the runs, one per row; ticking rows chooses runs, pressing a name opens its run."""
    run_ids, widget = [run.id for run in runs], key("table")
    rows = sorted(run_ids.index(run_id) for run_id in _chosen.ids())
    if sorted(_selected(widget)) != rows:  # a link, a filter or a deletion
        st.session_state[widget] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    is_phone = _widgets.is_phone()
    st.dataframe(
        table.assign(
            Name=[[name] for name in table["Name"]],  # as text, a name that looks like a list would be a menu
            **{name: table[name] * 100 for name in tables.SHARES},
        ),
        hide_index=True,
        column_order=COLUMNS if table["Whose"].nunique() == 1 else (*COLUMNS[:2], "Whose", *COLUMNS[2:]),
        column_config={
            "Name": st.column_config.ButtonColumn(
                width=164 if is_phone else 220,
                alignment="left",
                type="tertiary",
                on_click=_open,
                args=(run_ids,),
                key=key("pressed"),
            ),
            "Best validation accuracy": st.column_config.NumberColumn("Validation", format="%.2f%%", width=90),
            "Test accuracy": st.column_config.NumberColumn("Test", format="%.2f%%", width=64 if is_phone else 75),
            "Whose": st.column_config.TextColumn(width=80),
            "State": st.column_config.TextColumn(width=90),
            "Seconds": st.column_config.NumberColumn(format="%.1f", width=80),
            "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
        },
        key=widget,
        on_select=lambda: _on_select(widget, run_ids),
        selection_mode="multi-row",
        row_height=ROW_PIXELS,
        height=37 + ROW_PIXELS * min(len(runs), 10),  # with the header; the browser must not guess it before it draws
        placeholder="–",
        alt=f"{_chosen.count(runs)}, one per row. Tick rows to choose runs; press a name to open it.",
    )


def _on_select(widget: str, run_ids: list[str]) -> None:
    """Choose the ticked runs."""
    _chosen.choose([run_ids[row] for row in _selected(widget) if row < len(run_ids)])


def _open(run_ids: list[str]) -> None:
    """Open the run whose name was pressed."""
    row = st.session_state[key("pressed")].row
    if row < len(run_ids):
        st.session_state[key("run")] = run_ids[row]


def _selected(widget: str) -> list[int]:
    state = st.session_state.get(widget)
    return list(state["selection"]["rows"]) if state else []


def _below(table: pd.DataFrame, *, has_older: bool) -> None:
    """Show the buttons below the list: older runs, and the list as a file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "List as CSV",
            lambda: table.to_csv(index=False),
            file_name="digits-runs.csv",
            mime="text/csv",
            icon=":material/download:",
            key=key("csv"),
            on_click="ignore",
            help="The listed runs with all their settings, at full precision, for a spreadsheet.",
        )
        st.page_link("sweep.py", label="Your sweeps", icon=":material/manage_search:")
        if has_older:
            st.button(f"{RUNS_LISTED} more", icon=":material/expand_more:", on_click=_list_more, key=key("more"))
            st.caption(f"Only your newest {st.session_state[key('limit')]:,} runs are searched.")


def _none_matches() -> None:
    st.info("No runs match these filters.", icon=":material/filter_alt_off:")
    st.button("Show all", on_click=_show_all, key=key("all"))


def _no_runs() -> None:
    """Say where runs come from, and offer to compare the examples."""
    st.info("You have no runs yet. These two come with Digits, as examples.", icon=":material/list:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Compare the examples",
            icon=":material/compare_arrows:",
            type="primary",
            on_click=_chosen.choose,
            args=([run.id for run in examples.runs()],),
            kwargs={"compare": True},
            key=key("examples"),
        )
        st.page_link("train.py", label="Train a model", icon=":material/model_training:")


def _watch(states: dict[str, RunState]) -> None:
    """Rerun the whole page when the state of a run has changed."""
    if any(_widgets.registry().get(run_id).state != state for run_id, state in states.items()):
        st.rerun(scope="app")


def _list(passing: list[Run], *, has_older: bool) -> list[Run]:
    """Show the list with its filters and the bar; return the listed runs."""
    is_empty = not passing and not _is_filtered()
    listed = _with_chosen(examples.runs() if is_empty else passing)
    names, by_id = tables.names(listed), {run.id: run for run in listed}
    if is_empty:
        _no_runs()
    else:
        _filters()
    _chosen.messages()
    if listed:
        _chosen.bar([by_id[run_id] for run_id in _chosen.ids()], len(listed))
        table = tables.runs_table(listed, names, {state: STATES[state][0] for state in RunState}, _widgets.visitor())
        _table(listed, table)
        _below(table, has_older=has_older)
    else:
        _none_matches()
    if opened := by_id.get(st.session_state[key("run")]):
        _opened.show(opened, names[opened.id])
    return listed


def _compare(passing: list[Run]) -> list[Run]:
    """Show the chosen runs beside each other; return them."""
    by_id = {run.id: run for run in _with_chosen(passing)}
    chosen = [by_id[run_id] for run_id in _chosen.ids()]
    if chosen:
        _comparison.show(chosen, tables.names(chosen))
    return chosen


head = _widgets.page_head("runs", "Runs", "Every network that you have trained. Press one to open it.")
try:
    st.session_state.pop(key("stale"), None)
    passing, has_older = _own_runs()
    shown = _compare(passing) if st.session_state[key("compare")] and _chosen.ids() else []
    if not shown:
        st.session_state[key("compare")] = False
        shown = _list(passing, has_older=has_older)
    if active := {run.id: run.state for run in shown if not run.is_ended}:
        st.fragment(_watch, run_every=TICK_SECONDS)(active)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "runs")
_state.close_page("runs", **({} if len(_chosen.ids()) <= MAX_IDS_IN_LINK else {"chosen": ""}))
