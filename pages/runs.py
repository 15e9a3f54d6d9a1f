"""Runs: every run of the visitor, to name, repeat, delete and compare."""

import streamlit as st

from digits.errors import DigitsError, RunNotFound
from digits.runs.hyperparameters import PRESETS
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_LISTED
from digits.views import comparison, tables
from pages import _chosen, _comparison, _duel, _state, _widgets
from pages._chosen import key
from pages._widgets import STATES

MOST_IN_LINK = 20  # whoever chooses more is about to delete them
TICK_SECONDS = 2
DELETED = "deleted"  # the one choice of the filter that is no state
COLUMNS = ("Name", "State", "Best validation accuracy", "Test accuracy", "Seconds", "Started", "Network", "Note")


def _show_all() -> None:
    st.session_state[key("state")] = st.session_state[key("network")] = ""


def _list_more() -> None:
    st.session_state[key("limit")] += RUNS_LISTED


def _filters() -> None:
    """Show what may be left out of the list."""
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
    """Return the visitor's runs that pass the filters, the newest first, and whether older ones were not looked at."""
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
    """Put first the chosen runs that a filter hides or that others own; what cannot be found is no longer chosen."""
    known, found = {run.id: run for run in passing}, []
    for run_id in _chosen.ids():
        try:
            run = known.get(run_id) or _widgets.registry().get(run_id)
        except RunNotFound as error:
            _state.notify("runs", str(error))
            continue
        if run.deleted is None or run_id in known:
            found.append(run)
        else:
            _state.notify("runs", f"The run {run_id} has been deleted, so it is not shown.")
    _chosen.choose([run.id for run in found])
    return [*(run for run in found if run.id not in known), *passing]


def _table(runs: list[Run], names: dict[str, str]) -> None:
    """List the runs, one a row; marking rows chooses them."""
    run_ids, widget = [run.id for run in runs], key("table")
    rows = sorted(run_ids.index(run_id) for run_id in _chosen.ids())
    if sorted(_marked(widget)) != rows:  # a link, a filter or a deletion has moved them
        st.session_state[widget] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    table = tables.runs_table(runs, names, {state: words for state, (words, *_) in STATES.items()}, _widgets.visitor())
    st.caption(f"{_chosen.count(runs).capitalize()}, the newest first")
    percent = {"format": "%.2f %%", "width": "small"}
    st.dataframe(
        table.assign(**{name: table[name] * 100 for name in tables.SHARES}),
        hide_index=True,
        column_order=COLUMNS if (table["Whose"] == "yours").all() else ("Whose", *COLUMNS),
        column_config={
            "Name": st.column_config.TextColumn(pinned=True, width=190),
            "Best validation accuracy": st.column_config.NumberColumn("Validation", **percent),
            "Test accuracy": st.column_config.NumberColumn("Test", **percent),
            "Seconds": st.column_config.NumberColumn(format="%.1f", width="small"),
            "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
        },
        key=widget,
        on_select=lambda: _take([run_ids[row] for row in _marked(widget) if row < len(run_ids)]),
        selection_mode="multi-row",
        placeholder="–",
        alt=f"{_chosen.count(runs)}, one a row. Mark rows to choose them.",
    )
    st.download_button(
        "List as CSV",
        lambda: table.to_csv(index=False),
        file_name="digits-runs.csv",
        mime="text/csv",
        icon=":material/download:",
        key=key("csv"),
        on_click="ignore",
        help="The runs listed here with all their settings, with every digit, for a spreadsheet.",
    )


def _take(run_ids: list[str]) -> None:
    """Choose the marked runs; the pair of models is then chosen anew from them."""
    _chosen.choose(run_ids)
    st.session_state[key("a")], st.session_state[key("b")], st.session_state[key("hundred")] = "", "", 1


def _marked(widget: str) -> list[int]:
    state = st.session_state.get(widget)
    return list(state["selection"]["rows"]) if state else []


def _older() -> None:
    """Show the way to runs older than those listed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"{RUNS_LISTED} more", icon=":material/expand_more:", on_click=_list_more, key=key("more"))
        st.caption(f"Of your runs the newest {st.session_state[key('limit')]:,} are looked through.")


def _nothing() -> None:
    """Say why the list is empty, and what to do."""
    if st.session_state[key("state")] or st.session_state[key("network")]:
        st.info("None of your runs is like that.", icon=":material/filter_alt_off:")
        st.button("Show all", on_click=_show_all, key=key("all"))
    else:
        st.info("You have no runs yet. Start one on the Train page, and it is listed here.", icon=":material/list:")
        st.page_link("train.py", label="Train", icon=":material/model_training:")


def _watch(states: dict[str, RunState]) -> None:
    """Draw the whole page anew once a run's state is no longer what it was."""
    if any(_widgets.registry().get(run_id).state != state for run_id, state in states.items()):
        st.rerun(scope="app")


head = _widgets.page_head(
    "runs",
    "Runs",
    "Every network you have trained. Mark one to name it, repeat it or delete it; mark two to five to compare them.",
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
        if len(chosen) > comparison.MOST:
            st.caption(f"Choose at most {comparison.MOST} runs to compare them.")
        else:
            if len(chosen) > 1:
                _comparison.show(chosen, names)
            _duel.show(chosen, names)
    if going := {run.id: run.state for run in listed if not run.is_ended}:
        st.fragment(_watch, run_every=TICK_SECONDS)(going)
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "runs")
_state.close_page("runs", **({} if len(_chosen.ids()) <= MOST_IN_LINK else {"chosen": ""}))
