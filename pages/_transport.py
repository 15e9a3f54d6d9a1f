"""The transport bar of a run: how far it is, the buttons that command it, and the knobs that turn while it trains."""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from digits.accuracy import Accuracy
from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, LIVE_KNOBS, PRESETS, value_at
from digits.runs.schema import Run, RunState
from pages import _state, _widgets
from pages._widgets import STATES

PATIENCE_SECONDS = 0.5  # a button waits so long for the trainer, so that its own press shows what came of it
STEP_ITERATIONS = 10


def _key(name: str) -> str:
    return _state.key("train", name)


def note(run: Run) -> None:
    """Remember what the whole page, which is being drawn, shows of the run."""
    st.session_state[_key("is_whole")] = True
    st.session_state[_key("seen")] = _stage(run)
    st.session_state[_key("turns")] = len(_widgets.registry().changes(run.id))


def _stage(run: Run) -> tuple[str, RunState, bool]:
    return run.id, run.state, run.step > 0


def status(run_id: str) -> None:
    """Show how far the run is, with its buttons; when its state changes or it begins, draw the whole page anew."""
    run = _widgets.registry().get(run_id)
    pace = _pace(run) if run.state == RunState.RUNNING else 0.0
    is_tick = not st.session_state.pop(_key("is_whole"), False)
    if is_tick and pace and not run.test_total and _seconds_left(run, pace) < PATIENCE_SECONDS:
        # What everybody waits for is not to miss this tick.
        run = wait_for(run_id, lambda now: now.test_total or now.state != RunState.RUNNING)
    if st.session_state.get(_key("seen")) != _stage(run):
        st.rerun(scope="app")
    label, icon, colour = STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"{label}: {PRESETS[run.hyperparameters.network].title}", icon=icon, color=colour)
        if run.val_accuracy is not None:
            st.caption(
                f"{run.val_accuracy:.1%} of validation images, {run.best_val_accuracy:.1%} at best", width="content"
            )
    _progress(run, pace)
    if run.test_total and not run.has_model:  # what it has come to is known before all its files are written
        st.metric("Test accuracy", f"{Accuracy(run.test_correct, run.test_total).share:.2%}")
    if run.owner == _widgets.visitor() and not run.is_ended:
        _buttons(run)
    if error := st.session_state.pop(_key("refused"), ""):
        st.error(error, icon=":material/error:")


def _progress(run: Run, pace: float) -> None:
    wanted, done = run.hyperparameters.iterations, run.step
    text = f"{done:,} of {wanted:,} iterations"
    if run.state == RunState.QUEUED:
        ahead = _widgets.registry().runs_ahead(run)
        st.progress(done / wanted, text="Next in line" if ahead == 0 else f"{ahead} before it in the queue")
        _trainer_notice()
        return
    if run.state == RunState.RUNNING:
        if run.activity or not pace:
            text = f"{run.activity or 'Preparing'} …"
        else:
            speed, left = run.hyperparameters.batch_size / pace, _seconds_left(run, pace)
            text += f", {speed:,.0f} images a second, {left:,.0f} s left"
        if run.stop_requested:
            text = f"Stopping … {text}"
    if run.state == RunState.FAILED:
        st.error(run.reason, icon=":material/error:")
        return
    st.progress(done / wanted, text=text)
    if run.reason:
        st.info(run.reason)


def _pace(run: Run) -> float:
    """Return the seconds that an iteration has taken lately; 0 before there is a measure."""
    rows = _widgets.registry().history(run.id, last=12)
    if not rows:
        return 0.0
    first = rows[0] if len(rows) > 1 else {"step": 0, "seconds": 0.0}
    return (rows[-1]["seconds"] - first["seconds"]) / (rows[-1]["step"] - first["step"])


def _seconds_left(run: Run, pace: float) -> float:
    return pace * (run.hyperparameters.iterations - run.step)


def _trainer_notice() -> None:
    """Say what the trainer is busy with while a run waits."""
    trainer = _widgets.registry().trainer_status()
    if trainer is None or trainer.age_seconds > 5:
        st.caption("The trainer is starting.")
    elif trainer.activity != "waiting for a run":
        st.caption(f"The trainer is {trainer.activity}.")


def _buttons(run: Run) -> None:
    """Show the commands, always in the same places; what makes no sense now is greyed."""
    is_paused, is_running = run.state == RunState.PAUSED, run.state == RunState.RUNNING
    is_stopping = run.stop_requested
    with st.container(horizontal=True, gap="small"):
        if is_paused:
            _button("resume", "Resume", "play_arrow", commands.resume, lambda now: now.state == RunState.RUNNING, run)
        else:
            has_paused = lambda now: now.state == RunState.PAUSED  # noqa: E731
            _button("pause", "Pause", "pause", commands.pause, has_paused, run, is_off=is_stopping)
        _button(
            "step",
            f"Step {STEP_ITERATIONS}",
            "skip_next",
            commands.step,
            lambda now: now.step > run.step and now.state == RunState.PAUSED,
            run,
            STEP_ITERATIONS,
            is_off=not is_paused,
        )
        _button(
            "step_validation",
            "To validation",
            "fast_forward",
            commands.step,
            lambda now: now.step > run.step and now.state == RunState.PAUSED,
            run,
            is_off=not is_paused,
        )
        _button(
            "save", "Save now", "save", commands.save_now, lambda now: bool(now.activity), run, is_off=not is_running
        )
        _button("stop", "Stop and keep", "stop", commands.stop, lambda now: now.stop_requested, run, is_off=is_stopping)
    st.caption(
        "Pause puts the run aside with all it has learned; Resume goes on as if it had never paused. While it is "
        f"paused, Step {STEP_ITERATIONS} does so many iterations and To validation goes to the next look at the "
        "validation images. Save now keeps a copy of the present weights. Stop and keep ends the run and tests it."
    )


def _button(
    name: str,
    label: str,
    icon: str,
    command: Callable[..., None],
    is_done: Callable[[Run], bool],
    run: Run,
    *arguments: Any,
    is_off: bool = False,
) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=_key(name),
        on_click=_give,
        args=(command, is_done, run.id, *arguments),
        disabled=is_off,
    )


def _give(command: Callable[..., None], is_done: Callable[[Run], bool], run_id: str, *arguments: Any) -> None:
    """Give a command and wait a moment for what comes of it."""
    try:
        command(_widgets.registry(), run_id, _widgets.visitor(), *arguments)
        wait_for(run_id, is_done)
    except DigitsError as error:
        st.session_state[_key("refused")] = str(error)


def wait_for(run_id: str, is_done: Callable[[Run], Any]) -> Run:
    """Wait a moment for the trainer, so that what is drawn next already shows what came of it; return the run."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_done(run := _widgets.registry().get(run_id)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return run


def live_knobs(run: Run) -> None:
    """Show the knobs that the owner may turn while the run trains or is paused; a turn draws the whole page anew."""
    changes = _widgets.registry().changes(run.id)
    if len(changes) != st.session_state[_key("turns")]:
        st.rerun(scope="app")
    st.markdown("**Turn while it trains**")
    for column, name in zip(st.columns(len(LIVE_KNOBS), gap="medium"), LIVE_KNOBS, strict=True):
        knob, key = KNOBS[name], _key(f"live.{name}.{run.id}")
        asked = [change.value for change in changes if change.name == name and change.step is None]
        present = asked[-1] if asked else value_at(run.hyperparameters, changes, name, run.step)
        st.session_state.setdefault(key, present)
        facts = {"key": key, "on_change": _turn, "args": (run.id, name)}
        is_idle = name == "dropout" and run.hyperparameters.network == "published"
        with column:
            if knob.scale == "log":
                stops = sorted({*LEARNING_RATES, st.session_state[key]})
                st.select_slider(f"{knob.label} now", stops, format_func=lambda rate: f"{rate:g}", **facts)
            else:
                st.slider(f"{knob.label} now", knob.low, knob.high, step=knob.step, disabled=is_idle, **facts)
    st.caption(
        "Takes effect with the next iterations, draws an upright line on the curves and stays in the run's record."
        + (" With a cosine schedule the learning rate goes on falling from the new value." * _is_cosine(run))
        + (" Dropout is not connected in the published network." * (run.hyperparameters.network == "published"))
    )


def _is_cosine(run: Run) -> bool:
    return run.hyperparameters.schedule == "cosine"


def _turn(run_id: str, name: str) -> None:
    value = st.session_state[_key(f"live.{name}.{run_id}")]
    waiting = lambda now: not any(change.step is None for change in _widgets.registry().changes(now.id))  # noqa: E731
    _give(commands.turn, waiting, run_id, name, value)
