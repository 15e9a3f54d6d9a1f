"""Runs: list, name, repeat, delete and compare the visitor's runs."""

import streamlit as st

from digits import trouble
from digits.errors import DigitsError, RunNotFound
from digits.runs import commands
from digits.runs.hyperparameters import PRESETS
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_LISTED
from digits.views import comparison, tables
from pages import _chosen, _comparison, _disagreements, _state, _widgets
from pages._chosen import key
from pages._widgets import STATES

MAX_IDS_IN_LINK = 20  # a visitor who chooses more is probably about to delete them
TICK_SECONDS = 2
DELETED = "deleted"  # a choice of the state filter that is not a state
COLUMNS = ("Name", "State", "Best validation accuracy", "Test accuracy", "Seconds", "Started", "Network", "Note")


def _show_all() -> None:
    st.session_state[key("state")] = st.session_state[key("network")] = ""


def _list_more() -> None:
    st.session_state[key("limit")] += RUNS_LISTED


def _filters() -> None:
    """Show the filters of the list."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
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
            ["", *PRESETS],
            format_func=lambda network: PRESETS[network].title if network else "Any",
            key=key("network"),
            persist_state="session",
            width=300,
            help="Lists only runs that train this network.",
        )


def _own_runs() -> tuple[list[Run], bool]:
    """Return the visitor's runs that pass the filters, newest first, and whether older runs were not searched."""
    state, network = st.session_state[key("state")], st.session_state[key("network")]
    limit = st.session_state.setdefault(key("limit"), RUNS_LISTED)
    found = _widgets.registry().list_runs(_widgets.visitor(), limit=limit + 1, deleted=state == DELETED)
    passing = [
        run
        for run in found[:limit]
        if state in ("", DELETED, run.state) and network in ("", run.hyperparameters.network)
    ]
    return passing, len(found) > limit


def _with_chosen(passing: list[Run]) -> list[Run]:
    """Put chosen runs that are filtered out or owned by others first; drop those that cannot be found."""
    known, found = {run.id: run for run in passing}, []
    for run_id in _chosen.ids():
        try:
            run = known.get(run_id) or _widgets.registry().get(run_id)
        except RunNotFound as error:
            _state.notify("runs", trouble.sentence(error))
            continue
        if run.deleted is None or run_id in known:
            commands.watch(_widgets.registry(), run, _widgets.visitor())
            found.append(run)
        else:
            _state.notify("runs", f"The run {run_id} has been deleted, so it is not shown.")
    _chosen.choose([run.id for run in found])
    return [*(run for run in found if run.id not in known), *passing]


def _table(runs: list[Run], names: dict[str, str]) -> None:
    """List the runs, one per row; selecting rows chooses runs."""
    run_ids, widget = [run.id for run in runs], key("table")
    rows = sorted(run_ids.index(run_id) for run_id in _chosen.ids())
    if sorted(_selected(widget)) != rows:  # a link, a filter or a deletion has changed them
        st.session_state[widget] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    table = tables.runs_table(runs, names, {state: STATES[state][0] for state in RunState}, _widgets.visitor())
    st.caption(f"{_chosen.count(runs).capitalize()}, the newest first")
    st.dataframe(
        table.assign(**{name: table[name] * 100 for name in tables.SHARES}),
        hide_index=True,
        column_order=COLUMNS if (table["Whose"] == "yours").all() else ("Whose", *COLUMNS),
        column_config={
            "Name": st.column_config.TextColumn(pinned=True, width=190),
            "Best validation accuracy": st.column_config.NumberColumn("Validation", format="%.2f %%", width="small"),
            "Test accuracy": st.column_config.NumberColumn("Test", format="%.2f %%", width="small"),
            "Seconds": st.column_config.NumberColumn(format="%.1f", width="small"),
            "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
        },
        key=widget,
        on_select=lambda: _choose([run_ids[row] for row in _selected(widget) if row < len(run_ids)]),
        selection_mode="multi-row",
        placeholder="–",
        alt=f"{_chosen.count(runs)}, one per row. Select rows to choose runs.",
    )
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


def _choose(run_ids: list[str]) -> None:
    """Choose the selected runs, and reset the pair of models to compare."""
    _chosen.choose(run_ids)
    st.session_state[key("a")], st.session_state[key("b")], st.session_state[key("hundred")] = "", "", 1


def _selected(widget: str) -> list[int]:
    state = st.session_state.get(widget)
    return list(state["selection"]["rows"]) if state else []


def _older() -> None:
    """Show the button that lists older runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"{RUNS_LISTED} more", icon=":material/expand_more:", on_click=_list_more, key=key("more"))
        st.caption(f"Only your newest {st.session_state[key('limit')]:,} runs are searched.")


def _nothing() -> None:
    """State why the list is empty, and what to do."""
    if st.session_state[key("state")] or st.session_state[key("network")]:
        st.info("No runs match these filters.", icon=":material/filter_alt_off:")
        st.button("Show all", on_click=_show_all, key=key("all"))
    else:
        st.info("You have no runs yet. Start one on the Train page; it will be listed here.", icon=":material/list:")
        st.page_link("train.py", label="Train", icon=":material/model_training:")


def _watch(states: dict[str, RunState]) -> None:
    """Rerun the whole page when the state of a run has changed."""
    if any(_widgets.registry().get(run_id).state != state for run_id, state in states.items()):
        st.rerun(scope="app")


head = _widgets.page_head(
    "runs",
    "Runs",
    "Every network you have trained. Select one to name, repeat or delete it; select two to five to compare them.",
)
try:
    _filters()
    passing, has_older = _own_runs()
    listed = _with_chosen(passing)
    names, by_id = tables.names(listed), {run.id: run for run in listed}
    if listed:
        _table(listed, names)
    else:
        _nothing()
    if has_older:
        _older()
    _chosen.messages()
    if chosen := [by_id[run_id] for run_id in _chosen.ids()]:
        _chosen.actions(chosen, names)
        if len(chosen) > comparison.MAX_RUNS:
            st.caption(f"Choose at most {comparison.MAX_RUNS} runs to compare them.")
        else:
            if len(chosen) > 1:
                _comparison.show(chosen, names)
            _disagreements.show(chosen, names)
    if active := {run.id: run.state for run in listed if not run.is_ended}:
        st.fragment(_watch, run_every=TICK_SECONDS)(active)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "runs")
_state.close_page("runs", **({} if len(_chosen.ids()) <= MAX_IDS_IN_LINK else {"chosen": ""}))
