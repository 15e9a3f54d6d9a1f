"""A comparison of the chosen runs: their curves in one chart, their settings in one table."""

from collections.abc import Sequence

import streamlit as st

from digits.runs.schema import Run
from digits.views import comparison, curves
from pages import _widgets
from pages._chosen import key

TICK_SECONDS = 2


def show(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Show the curves and the settings of two to five runs.

    Args:
        names: what each run is called, by its id.
    """
    st.header("Comparison", anchor=False)
    is_active = not all(run.is_ended for run in runs)
    st.fragment(_curves, run_every=TICK_SECONDS if is_active else None)({run.id: names[run.id] for run in runs})
    _settings(runs, names)


def _curves(names: dict[str, str]) -> None:
    """Show one measure of all runs in one chart."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Measure",
            list(curves.MEASURES),
            format_func=curves.MEASURES.__getitem__,
            required=True,
            key=key("measure"),
            persist_state="session",
            label_visibility="collapsed",
            wrap=True,
        )
        is_log = st.toggle(
            "Logarithmic",
            key=key("log"),
            persist_state="session",
            help="Shows small values in more detail. For accuracy, it shows the error, 1 - accuracy.",
        )
    measure = st.session_state[key("measure")]
    histories = {name: _widgets.registry().metrics(run_id) for run_id, name in names.items()}
    st.echarts_chart(
        curves.comparison_chart(histories, measure, is_log=is_log),
        height=280 + curves.legend_height(len(histories)),
        key=key("chart"),
        alt=curves.describe_comparison(histories, measure, is_log=is_log),
    )


def _settings(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Show the settings in a table that marks those in which the runs differ."""
    registry = _widgets.registry()
    table = comparison.settings_table(
        {names[run.id]: run for run in runs}, {names[run.id]: registry.changes(run.id) for run in runs}
    )
    is_differing = table["Setting"].str.startswith(comparison.DIFFERS)
    st.subheader("Settings", anchor=False)
    count = f"{is_differing.sum()} of {len(table)} settings differ" if is_differing.any() else "No settings differ"
    st.caption(f"{count}, marked {comparison.DIFFERS}." if is_differing.any() else f"{count}.")
    st.dataframe(
        table.style.apply(
            lambda row: ["font-weight: bold" if is_differing[row.name] else "color: gray"] * len(row), axis="columns"
        ),
        hide_index=True,
        height="content",
        column_config={"Setting": st.column_config.TextColumn(pinned=True, width=150)},
        alt=f"The settings of {len(runs)} runs side by side: {count.lower()}",
    )
