"""The controls of a run: its progress, its buttons, and the hyperparameters that can be changed while it trains."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from digits import trouble
from digits.errors import DigitsError
from digits.runs import commands
from digits.runs.changes import value_at
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, LIVE_KNOBS
from digits.runs.names import NETWORKS
from digits.runs.schema import Run, RunState
from digits.settings import HEARTBEAT_TIMEOUT_SECONDS
from digits.training import keeper
from digits.views import networks
from digits.views.markdown import escaped
from pages import _state, _widgets
from pages._widgets import STATES

MAX_WAIT_SECONDS = 0.5  # a button waits this long for the trainer, so that the rerun already shows the result
STEP_ITERATIONS = 10

_key = partial(_state.key, "train")


def note(run: Run) -> None:
    """Remember which state of the run the whole page is about to show."""
    st.session_state[_key("is_whole")] = True
    st.session_state[_key("seen")] = _stage(run)
    st.session_state[_key("changes")] = len(_widgets.registry().changes(run.id))


def _stage(run: Run) -> tuple[str, RunState, bool]:
    return run.id, run.state, run.step > 0


def status(run_id: str) -> None:
    """Show the run's progress and buttons; rerun the whole page when its state changes or training begins."""
    run = _widgets.registry().get(run_id)
    pace = _pace(run) if run.state == RunState.RUNNING else 0.0
    is_tick = not st.session_state.pop(_key("is_whole"), False)
    if is_tick and pace and not run.test_total and _seconds_left(run, pace) < MAX_WAIT_SECONDS:
        # The test accuracy is about to arrive: wait for it, so that this tick shows it.
        run = wait_for(run_id, lambda now: now.test_total or now.state != RunState.RUNNING)
    if st.session_state.get(_key("seen")) != _stage(run):
        st.rerun(scope="app")
    # Each part has its place, so that a part that comes or goes does not replace a button that is being pressed.
    figures, progress, buttons, refusal = (st.container() for _ in range(4))
    with figures:
        _figures(run)
    with progress:
        _progress(run, pace)
    if run.owner == _widgets.visitor() and not run.is_ended:
        with buttons:
            _buttons(run)
    if error := st.session_state.pop(_key("refused"), ""):
        refusal.error(escaped(error), icon=":material/error:")


def _figures(run: Run) -> None:
    label, icon, colour = STATES[run.state]
    st.badge(f"{label}: {NETWORKS[run.hyperparameters.network]}", icon=icon, color=colour)
    if run.test_accuracy and not run.has_model:  # the accuracy is known before all files are written
        st.metric("Test accuracy", f"{run.test_accuracy.share:.2%}")
    elif run.val_accuracy is not None and not run.is_ended:
        st.metric(
            "Validation accuracy",
            f"{run.val_accuracy:.1%}",
            help=f"Of 5,000 images that it does not learn from; at best {run.best_val_accuracy:.1%} so far.",
        )


def _progress(run: Run, pace: float) -> None:
    wanted, done = run.hyperparameters.iterations, run.step
    text = f"{done:,} of {wanted:,} iterations"
    if run.state == RunState.QUEUED:
        st.progress(done / wanted, text=_waiting(run))
        _trainer_notice()
        return
    is_silent = False
    if run.state == RunState.RUNNING:
        is_silent = _trainer_notice(is_training=True)
        if is_silent:
            text = f"{text}, waiting for the trainer"
        elif run.activity or not pace:
            text = f"{run.activity or 'Preparing'} …"
        else:
            speed, left = run.hyperparameters.batch_size / pace, _seconds_left(run, pace)
            text += f", {speed:,.0f} images a second, {left:,.0f} s left"
        if run.stop_requested:
            text = f"Stopping … {text}"
    if run.state == RunState.FAILED:
        st.error(escaped(run.reason), icon=":material/error:")
        return
    if run.state == RunState.STOPPED:
        st.caption(f"Stopped after {text}.")
    elif not run.is_ended:
        st.progress(done / wanted, text=text)
    if run.reason:
        st.info(escaped(run.reason))
    if run.attempts and not run.is_ended:
        times = "once" if run.attempts == 1 else f"{run.attempts} times"
        st.info(f"The trainer ended {times} during this run, probably because memory ran out. It goes on all the same.")


def _waiting(run: Run) -> str:
    """Return about how long a queued run waits, in words."""
    registry = _widgets.registry()
    ahead = registry.runs_before(run)
    if not ahead:
        return "Next in the queue"
    paces = registry.paces()
    total = sum(networks.seconds(other.hyperparameters, paces, done=other.step) for other in ahead)
    runs = "1 run" if len(ahead) == 1 else f"{len(ahead)} runs"
    return f"Starts in about {networks.duration(total)}, after {runs}"


def _pace(run: Run) -> float:
    """Return the recent seconds per iteration; 0 before anything is measured."""
    rows = _widgets.registry().history(run.id, last=12)
    if not rows:
        return 0.0
    first = rows[0] if len(rows) > 1 else {"step": 0, "seconds": 0.0}
    return (rows[-1]["seconds"] - first["seconds"]) / (rows[-1]["step"] - first["step"])


def _seconds_left(run: Run, pace: float) -> float:
    return pace * (run.hyperparameters.iterations - run.step)


def _trainer_notice(*, is_training: bool = False) -> bool:
    """State what the trainer is doing while a run waits, and why it does not train, if it does not.

    Returns:
        Whether nothing has been heard of the trainer for so long that the run's figures are out of date.
    """
    trainer = _widgets.registry().trainer_status()
    age = trainer.age_seconds if trainer else 0.0
    is_silent = age > HEARTBEAT_TIMEOUT_SECONDS
    if why := keeper.describe_trouble():
        st.warning(escaped(why), icon=":material/build:")
    elif is_silent and is_training:
        st.warning(
            f"The trainer has not answered for {age:,.0f} seconds. If it does not, another one takes "
            "over, and the run goes on from its last checkpoint.",
            icon=":material/build:",
        )
    elif trainer is None or age > 5:
        st.caption("The trainer is starting.")
    elif not is_training and trainer.activity != "waiting for a run":
        st.caption(f"The trainer is {trainer.activity}.")
    return is_silent


def _buttons(run: Run) -> None:
    """Show the buttons, always in the same places; those that do not apply now are disabled."""
    is_paused, is_running = run.state == RunState.PAUSED, run.state == RunState.RUNNING
    is_stopping = run.stop_requested
    has_stepped = lambda now: now.step > run.step and now.state == RunState.PAUSED  # noqa: E731
    with st.container(horizontal=True, gap="small"):
        if is_paused:
            _button("resume", lambda now: now.state == RunState.RUNNING, run)
        else:
            _button("pause", lambda now: now.state == RunState.PAUSED, run, disabled=is_stopping)
        _button("stop", lambda now: now.stop_requested, run, disabled=is_stopping)
        with st.popover("", icon=":material/more_horiz:", help="Step and save", key=_key("others")):
            _button("step", has_stepped, run, STEP_ITERATIONS, disabled=not is_paused)
            _button("step_validation", has_stepped, run, disabled=not is_paused)
            _button("save", lambda now: bool(now.activity), run, disabled=not is_running)
            if not is_paused:
                st.caption("Steps are for a paused run.")


def _from_here(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that says from which address it comes."""
    return lambda *given: command(*given, address=_widgets.address())


# The buttons: label, icon, command and explanation.
_BUTTONS: dict[str, tuple[str, str, Callable[..., None], str]] = {
    "resume": ("Resume", "play_arrow", _from_here(commands.resume), "Continues exactly where it stopped."),
    "pause": ("Pause", "pause", commands.pause, "Interrupts training; nothing is lost."),
    "stop": ("Stop", "stop", commands.stop, "Ends the run, tests its model and keeps it."),
    "step": (
        f"Step {STEP_ITERATIONS}",
        "skip_next",
        _from_here(commands.step),
        f"Trains for {STEP_ITERATIONS} iterations and pauses again.",
    ),
    "step_validation": (
        "Step to validation",
        "fast_forward",
        _from_here(commands.step),
        "Trains until the next validation and pauses again.",
    ),
    "save": ("Save checkpoint", "save", commands.save_now, "Saves a copy of the weights; training continues."),
}


def _button(name: str, is_done: Callable[[Run], bool], run: Run, *arguments: Any, disabled: bool = False) -> None:
    label, icon, command, explanation = _BUTTONS[name]
    st.button(
        label,
        icon=f":material/{icon}:",
        key=_key(name),
        on_click=send,
        args=(command, is_done, run.id, *arguments),
        disabled=disabled,
        help=explanation,
    )


def send(command: Callable[..., None], is_done: Callable[[Run], bool], run_id: str, *arguments: Any) -> None:
    """Send a command and wait briefly for its effect."""
    try:
        command(_widgets.registry(), run_id, _widgets.visitor(), *arguments)
        wait_for(run_id, is_done)
    except DigitsError as error:
        st.session_state[_key("refused")] = trouble.sentence(error)


def wait_for(run_id: str, is_done: Callable[[Run], Any]) -> Run:
    """Wait briefly for the trainer, so that the rerun already shows the effect; return the run."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while not is_done(run := _widgets.registry().get(run_id)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return run


def live_knobs(run: Run) -> None:
    """Show the hyperparameters that the owner can change during the run; a change reruns the whole page."""
    changes = _widgets.registry().changes(run.id)
    if len(changes) != st.session_state[_key("changes")]:
        st.rerun(scope="app")
    for name in LIVE_KNOBS:
        knob, key = KNOBS[name], _key(f"live.{name}.{run.id}")
        pending = [change.value for change in changes if change.name == name and change.step is None]
        current = pending[-1] if pending else value_at(run.hyperparameters, changes, name, run.step)
        st.session_state.setdefault(key, current)
        how: dict[str, Any] = {"key": key, "on_change": _change, "args": (run.id, name)}
        if knob.scale == "log":
            rates = sorted({*LEARNING_RATES, st.session_state[key]})
            schedule = " With a cosine schedule it continues to fall from the new value."
            st.select_slider(
                knob.label,
                rates,
                format_func="{:g}".format,
                help=f"{_LIVE_HELP}{schedule * (run.hyperparameters.schedule == 'cosine')}",
                **how,
            )
        elif run.hyperparameters.network != "published":  # whose dropout is not connected
            st.slider(knob.label, knob.low, knob.high, step=knob.step, help=_LIVE_HELP, **how)


_LIVE_HELP = "Takes effect within a few iterations, is marked by a line in the curves, and is recorded with the run."


def _change(run_id: str, name: str) -> None:
    value = st.session_state[_key(f"live.{name}.{run_id}")]
    is_applied = lambda now: all(change.step is not None for change in _widgets.registry().changes(now.id))  # noqa: E731
    send(commands.turn, is_applied, run_id, name, value)
