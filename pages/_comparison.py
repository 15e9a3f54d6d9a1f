"""A comparison of the chosen runs: their curves in one chart, their settings in one table, their disagreements."""

from collections.abc import Sequence

import streamlit as st

from digits.runs.schema import Run
from digits.views import comparison, curves, sharing, tables
from pages import _chosen, _disagreements, _widgets
from pages._chosen import key

TICK_SECONDS = 2


def show(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Show the curves, the settings and the disagreements of up to five runs; one run is compared with bundled models.

    Args:
        names: what each run is called, by its id.
    """
    st.button("All runs", icon=":material/arrow_back:", on_click=_back, key=key("back"))
    left_out = len(runs) - len(_chosen.comparable(runs))
    runs = _chosen.comparable(runs)[: comparison.MAX_RUNS]
    if left_out:
        st.caption(f"{_chosen.count(range(left_out))} that failed {'is' if left_out == 1 else 'are'} left out.")
    if len(runs) < 2:
        _disagreements.show(runs, names)
        return
    chart, settings, disagreements = st.tabs(sharing.COMPARISON_TABS, key=key("tab"), on_change="rerun")
    if chart.open:
        with chart:
            is_active = not all(run.is_ended for run in runs)
            st.fragment(_curves, run_every=TICK_SECONDS if is_active else None)({run.id: names[run.id] for run in runs})
    if settings.open:
        with settings:
            _settings(runs, names)
    if disagreements.open:
        with disagreements:
            _disagreements.show(runs, names)


def _back() -> None:
    st.session_state[key("compare")] = False


def _curves(names: dict[str, str]) -> None:
    """Show one measure of all runs in one chart."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Measure",
            list(curves.MEASURES),
            format_func={"val_accuracy": "Accuracy", "val_loss": "Loss", "loss": "Training loss"}.__getitem__,
            required=True,
            key=key("measure"),
            persist_state="session",
            label_visibility="collapsed",
            help="Accuracy and loss are those of validation.",
        )
        is_log = st.toggle(
            "Logarithmic",
            key=key("log"),
            persist_state="session",
            help="Shows small values in more detail. For accuracy, it shows the error, 1 - accuracy.",
        )
    measure = st.session_state[key("measure")]
    histories = {name: _chosen.metrics(run_id) for run_id, name in names.items()}
    st.echarts_chart(
        curves.comparison_chart(histories, measure, is_log=is_log),
        height=340 + curves.legend_height(len(histories)),
        key=key("chart"),
        alt=curves.describe_comparison(histories, measure, is_log=is_log),
    )


def _settings(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Show the settings in a table; those in which the runs differ come first, in bold."""
    registry = _widgets.registry()
    titles = {run.id: tables.as_text(names[run.id]) for run in runs}  # the table has a button for its CSV
    table, is_differing = comparison.settings_table(
        {titles[run.id]: run for run in runs}, {titles[run.id]: registry.changes(run.id) for run in runs}
    )
    is_phone = _widgets.is_phone()
    said = "Differences are in bold." if any(is_differing) else "The settings are the same."
    st.caption(said)
    st.dataframe(
        table.style.apply(
            lambda row: ["font-weight: bold" if is_differing[row.name] else "color: gray"] * len(row), axis="columns"
        ),
        hide_index=True,
        height="content",
        column_config={
            "Setting": st.column_config.TextColumn(pinned=True, width=110 if is_phone else 150),
            **{titles[run.id]: st.column_config.TextColumn(width=105) for run in runs if is_phone},
        },
        alt=f"The settings of {len(runs)} runs side by side, {sum(is_differing)} of {len(table)} different",
        key=key("settings"),
    )
