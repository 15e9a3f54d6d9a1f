"""A sweep as it goes on, or as it ended: what it has found, its charts, its trials, and its buttons."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.runs.hyperparameters import KNOBS
from digits.runs.names import NETWORKS
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.runs.sweep_record import Sweep, SweepState
from digits.settings import HEARTBEAT_TIMEOUT_SECONDS
from digits.sweeps import commands
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import Plan
from digits.training import keeper
from digits.views import sharing, sweep_charts
from digits.views import sweeps as words
from digits.views.markdown import escaped
from pages import _again, _state, _widgets

TICK_SECONDS = 2.0
ROW_PIXELS = 36
HEIGHT = 300
STATES = {
    SweepState.RUNNING: ("Searching", ":material/play_arrow:", "blue"),
    SweepState.PAUSED: ("Paused", ":material/pause_circle:", "gray"),
    SweepState.STOPPED: ("Stopped", ":material/stop_circle:", "gray"),
    SweepState.FINISHED: ("Finished", ":material/check_circle:", "green"),
}

_key = partial(_state.key, "sweep")


def open_sweep(sweep_id: str) -> None:
    """Open a sweep, or the form if the id is empty."""
    st.session_state[_key("sweep")] = sweep_id


def show(sweep: Sweep) -> None:
    """Show a sweep; while it is not settled, it is drawn anew every other second."""
    st.button("All sweeps", icon=":material/arrow_back:", type="tertiary", on_click=open_sweep, args=("",))
    is_mine = sweep.owner == _widgets.visitor()
    if sweep.deleted is not None:
        _deleted(sweep, is_mine=is_mine)
        return
    stage = _stage(sweep, _widgets.registry().list_trials(sweep.id))
    st.session_state[_key("seen")] = stage
    run_every = None if stage[1] else TICK_SECONDS
    st.fragment(_summary, run_every=run_every)(sweep.id, is_mine=is_mine)
    st.fragment(_pictures, run_every=run_every)(sweep.id)
    if not is_mine:
        st.caption(
            "A shared sweep belongs to the person who started it. You can look at it, and search again yourself."
        )


def _stage(sweep: Sweep, trials: Sequence[Run]) -> tuple[SweepState, bool]:
    """Return a sweep's state, and whether nothing will change: a stopped one's last trials may still be saved."""
    return sweep.state, sweep.is_ended and all(run.is_ended for run in trials)


def _deleted(sweep: Sweep, *, is_mine: bool) -> None:
    st.info(f"{escaped(sweep.name)} has been deleted.", icon=":material/delete:")
    if is_mine:
        st.button("Undo", icon=":material/undo:", key=_key("undo"), on_click=_send, args=(commands.restore, sweep.id))
        st.caption("For one day you can restore it, with its trials.")


def _summary(sweep_id: str, *, is_mine: bool) -> None:
    """Show the state, what has been found, how far the sweep is, and its buttons; a new state reruns the page."""
    registry = _widgets.registry()
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    if st.session_state.get(_key("seen")) != _stage(sweep, trials):
        st.rerun(scope="app")
    plan = Plan.from_dict(sweep.plan)
    label, icon, colour = STATES[sweep.state]
    network = NETWORKS[plan.hyperparameters.network]
    st.markdown(f":{colour}-badge[{icon} {label}] **{escaped(sweep.name)}**, {network}")
    st.markdown(words.verdict(sweep, trials, commands.confirmation_of(registry, sweep)))
    if first := words.beginning(plan, trials):
        st.caption(first)
    if not sweep.is_ended:
        share, text = words.progress(sweep, trials)
        st.progress(share, text=text)
        _notice(sweep, trials)
    elif sweep.note and best_of(trials) is not None:
        st.info(escaped(sweep.note))
    _buttons(sweep, trials, is_mine=is_mine)


def _notice(sweep: Sweep, trials: Sequence[Run]) -> None:
    """Say why the sweep waits, if it does."""
    trainer = _widgets.registry().trainer_status()
    paused = [str(run.trial) for run in trials if run.state is RunState.PAUSED]
    if sweep.note:
        st.caption(f"Waiting: {escaped(sweep.note)}")
    elif paused and sweep.state is SweepState.RUNNING:
        st.caption(
            f"Paused trials: {', '.join(paused)}. The sweep ends when they do: open each, and resume or stop it."
        )
    elif why := keeper.describe_trouble():
        st.warning(escaped(why), icon=":material/build:")
    elif trainer is None or trainer.age_seconds > HEARTBEAT_TIMEOUT_SECONDS:
        st.caption("The trainer is starting.")
    elif sweep.state is SweepState.RUNNING and not any(run.is_waiting for run in trials) and trainer.activity:
        st.caption(f"The trainer is {trainer.activity}.")


def _buttons(sweep: Sweep, trials: Sequence[Run], *, is_mine: bool) -> None:
    """Show what the owner can do with the sweep, and what everybody can do with what it has found."""
    plan, best = Plan.from_dict(sweep.plan), best_of(trials)
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_mine:
            if sweep.state is SweepState.PAUSED:
                _button("Resume", "play_arrow", _resume, sweep, "Continues where it paused.")
            elif not sweep.is_ended:
                _button("Pause", "pause", commands.pause, sweep, "Pauses the trials too; nothing is lost.")
            if not sweep.is_ended:
                _button("Stop", "stop", commands.stop, sweep, "Ends the sweep and keeps everything.")
        if best is not None:
            st.page_link(
                "train.py",
                label="Use the best",
                icon=":material/model_training:",
                query_params=_again.train_link(best.hyperparameters),
                help="Opens Train with the best settings so far. Nothing starts yet.",
            )
        if sweep.confirmation and sweep.is_ended:
            st.page_link(
                "train.py",
                label="Open the final run",
                icon=":material/verified:",
                query_params={"run": sweep.confirmation},
                help="The run that trained the best settings once more.",
            )
        st.page_link(
            "sweep.py",
            label="Search again",
            icon=":material/fork_right:",
            query_params=sharing.of_plan(plan),
            help="Opens the form as it was for this sweep. Nothing starts yet.",
        )
        if is_mine:
            _rename(sweep)
        if is_mine and sweep.is_ended:
            _button("Delete", "delete", commands.delete, sweep, "Removes it and its trials. Can be undone.")
    if error := st.session_state.pop(_key("refused"), ""):
        st.error(escaped(error), icon=":material/error:")


def _rename(sweep: Sweep) -> None:
    """Let the owner name the sweep."""
    with st.popover("Rename", icon=":material/edit:", key=_key("rename")):
        widget = _key(f"name.{sweep.id}")
        st.session_state.setdefault(widget, sweep.name)
        st.text_input(
            "Name",
            key=widget,
            max_chars=commands.MAX_NAME,
            placeholder="Press Enter to save.",
            on_change=lambda: _send(commands.rename, sweep.id, st.session_state[widget]),
        )


def _button(
    label: str, icon: str, command: Callable[[Registry, str, str], None], sweep: Sweep, explanation: str
) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=_key(label.lower()),
        on_click=_send,
        args=(command, sweep.id),
        help=explanation,
    )


def _resume(registry: Registry, sweep_id: str, owner: str) -> None:
    commands.resume(registry, sweep_id, owner, address=_widgets.address())


def _send(command: Callable[..., None], sweep_id: str, *arguments: str) -> None:
    try:
        command(_widgets.registry(), sweep_id, _widgets.visitor(), *arguments)
    except DigitsError as error:
        st.session_state[_key("refused")] = trouble.sentence(error)


def _pictures(sweep_id: str) -> None:
    """Show the charts and the trials."""
    registry = _widgets.registry()
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    plan, points = Plan.from_dict(sweep.plan), registry.validation_curves(sweep_id)
    if not points:
        if not sweep.is_ended:
            st.skeleton(height=HEIGHT)
        _described(plan)
        return
    if best_of(trials) is not None:
        _settings(plan, trials)
    left, right = st.columns(2, gap="medium")
    with left:
        st.header("Validation curves", anchor=False)
        st.echarts_chart(
            sweep_charts.curves(trials, points),
            height=HEIGHT,
            key=_key("chart.curves"),
            alt=sweep_charts.describe_curves(trials, points),
        )
    with right:
        _time(trials)
    _importance(sweep)
    _table(plan, [run for run in trials if run.deleted is None])
    _described(plan)


def _described(plan: Plan) -> None:
    st.caption(f"Searched: {words.space_in_words(plan)}. The same in all trials: {words.fixed_in_words(plan)}.")


def _settings(plan: Plan, trials: Sequence[Run]) -> None:
    st.header("Settings and accuracy", anchor=False)
    st.echarts_chart(
        sweep_charts.parallel_coordinates(plan, trials),
        height=HEIGHT + 40,
        key=_key("chart.parallel"),
        alt=sweep_charts.describe_parallel(plan, trials),
    )


def _time(trials: Sequence[Run]) -> None:
    st.header("Time and accuracy", anchor=False)
    if best_of(trials) is None:
        st.caption("This compares the trials that have ended.")
        return
    st.echarts_chart(
        sweep_charts.time_and_accuracy(trials),
        height=HEIGHT,
        key=_key("chart.time"),
        alt=sweep_charts.describe_time(trials),
    )


def _importance(sweep: Sweep) -> None:
    st.header("What matters", anchor=False)
    importances = sweep.summary.get("importances")
    if not importances:
        st.caption("From six trials on, this shows how much each setting decides whether a trial is among the best.")
        return
    st.echarts_chart(
        sweep_charts.importance_bars(importances),
        height=30 * len(importances) + 10,
        key=_key("chart.importance"),
        alt=sweep_charts.describe_importances(importances),
    )
    st.caption(
        f"How much each setting decides whether a trial is among the best, within what was searched, from "
        f"{sweep.summary['of']} trials (PED-ANOVA). With few trials this is a rough guide."
    )


def _table(plan: Plan, trials: Sequence[Run]) -> None:
    """List the trials, the best first; pressing one opens its run on Train."""
    st.header("Trials", anchor=False)
    table = words.table(plan, trials)
    ids = list(table["Id"])
    st.dataframe(
        table.drop(columns="Id").assign(
            Trial=[[f"Trial {number}"] for number in table["Trial"]],
            Validation=table["Validation"] * 100,
        ),
        hide_index=True,
        column_config={
            "Trial": st.column_config.ButtonColumn(
                width=90, alignment="left", type="tertiary", on_click=_open_trial, args=(ids,), key=_key("pressed")
            ),
            "Validation": st.column_config.NumberColumn(format="%.2f%%", width=90),
            "State": st.column_config.TextColumn(width=130),
            "Seconds": st.column_config.NumberColumn(format="%.1f", width=80),
            **{
                KNOBS[one.name].label: st.column_config.NumberColumn(format="%g", width=110)
                for one in plan.space.axes
                if one.is_ordered
            },
        },
        key=_key("table"),
        row_height=ROW_PIXELS,
        height=37 + ROW_PIXELS * min(len(table), 10),
        placeholder="–",
        alt=f"{len(table)} trials, the best first. Press one to open it.",
    )
    if opened := st.session_state.pop(_key("opened"), ""):
        st.switch_page("train.py", query_params={"run": opened})


def _open_trial(ids: list[str]) -> None:
    row = st.session_state[_key("pressed")].row
    if row < len(ids):
        st.session_state[_key("opened")] = ids[row]
