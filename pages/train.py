"""Train: choose a network and its settings, start a run, watch it learn, download the result."""

from datetime import datetime
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits import trouble
from digits.errors import DigitsError, RunNotFound
from digits.runs import commands
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, PRESETS, Hyperparameters
from digits.runs.schema import Run
from digits.views.markdown import escaped
from digits.views.networks import EXPLANATIONS
from pages import _again, _curves, _learning, _result, _state, _transport, _widgets
from pages._widgets import STATES

TICK_SECONDS = 0.5
QUICK_TICK_SECONDS = 0.25  # for short runs, which would otherwise end before the second tick
QUICK_ITERATIONS = 2_000  # softmax regression takes one or two seconds for these
PICTURES_SECONDS = 1.0  # between updates of the curves and pictures, which cost the browser most
MORE = ("batch_size", "optimizer", "schedule", "augmentation", "patience", "seed")  # the settings in the expander

_key = partial(_state.key, "train")


def _apply_preset() -> None:
    """Set every setting to the chosen network's preset."""
    for name, value in PRESETS[st.session_state[_key("network")]].hyperparameters.to_dict().items():
        st.session_state[_key(name)] = value


def _knob(name: str) -> None:
    """Show one hyperparameter as declared in `KNOBS`, with its explanation."""
    knob, key = KNOBS[name], _key(name)
    value = st.session_state[key]
    if knob.scale == "log":
        rates = sorted({*LEARNING_RATES, value})
        st.select_slider(knob.label, rates, format_func="{:g}".format, key=key, persist_state="session")
    elif knob.scale == "choice":
        st.selectbox(knob.label, knob.choices, key=key, persist_state="session")
    elif knob.choices:
        st.select_slider(knob.label, sorted({*knob.choices, value}), key=key, persist_state="session")
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, key=key, persist_state="session")
    else:
        kind = type(value)
        low, high, step = kind(knob.low), kind(knob.high), kind(knob.step)
        st.slider(knob.label, low, high, step=step, key=key, persist_state="session")
    st.caption(knob.help)


def _settings_form() -> None:
    """Show the network and its settings."""
    st.selectbox(
        "Network",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key=_key("network"),
        on_change=_apply_preset,
        persist_state="session",
    )
    st.caption(EXPLANATIONS[st.session_state[_key("network")]])
    for name in KNOBS:
        if name not in ("network", *MORE):
            _knob(name)
    with st.expander("More: batch size, optimizer, schedule, augmentation, patience, seed", icon=":material/tune:"):
        for name in MORE:
            _knob(name)
        st.button("Back to the preset", icon=":material/restart_alt:", on_click=_apply_preset)


def _start() -> None:
    """Start a run with the settings, and wait briefly for the first point of its curves."""
    try:
        hyperparameters = Hyperparameters(**{name: st.session_state[_key(name)] for name in KNOBS})
        run_id = st.session_state[_key("run")] = commands.submit(
            _widgets.registry(), hyperparameters, _widgets.visitor()
        )
        _transport.wait_for(run_id, lambda now: now.step > 0 or now.is_ended)
    except DigitsError as error:
        st.session_state[_key("error")] = trouble.sentence(error)


def _find_run() -> Run | None:
    """Return the run that the link names, or None."""
    run_id = st.session_state[_key("run")]
    if not run_id:
        return None
    try:
        run = _widgets.registry().get(run_id)
    except RunNotFound as error:
        st.session_state[_key("run")] = ""
        _state.notify("train", trouble.sentence(error))
        return None
    commands.watch(_widgets.registry(), run, _widgets.visitor())
    return run


def _start_button(run: Run | None) -> None:
    """Show Start, which is disabled while the shown run is the visitor's own and active."""
    is_active = run is not None and run.is_waiting and run.owner == _widgets.visitor()
    st.button(
        "Start",
        icon=":material/play_arrow:",
        type="primary",
        on_click=_start,
        key=_key("start"),
        width="stretch",
        disabled=is_active,
        help="Starts a run with these settings. The run continues if you leave the page.",
    )
    if error := st.session_state.pop(_key("error"), ""):
        st.error(escaped(error), icon=":material/error:")


def _run_view(run: Run) -> None:
    """Show a run: its progress or result, its curves, and what it has learned."""
    is_mine = run.owner == _widgets.visitor()
    _transport.note(run)
    st.fragment(_transport.status, run_every=None if run.is_ended else _tick(run.hyperparameters))(run.id)
    if is_mine and not run.is_ended:
        st.fragment(_transport.live_knobs)(run)
    if run.has_model:
        _result.show(run)
    if run.is_ended:
        st.fragment(_curves.show)(run.id)
        st.fragment(_learning.show, run_every=_learning.REPLAY_SECONDS if _learning.is_playing() else None)(run)
    else:
        st.fragment(_pictures, run_every=PICTURES_SECONDS)(run)
    _result.again(run)
    started = datetime.fromtimestamp(run.created).astimezone()
    whose = "Your run" if is_mine else "A shared run, which you are watching"
    chosen = run.hyperparameters
    st.caption(
        f"{whose}, started {started:%d %B %Y, %H:%M %Z}: learning rate {chosen.learning_rate:g} ({chosen.schedule}), "
        f"{chosen.iterations:,} iterations, batch size {chosen.batch_size}, dropout {chosen.dropout:g}, "
        f"{chosen.optimizer}, seed {chosen.seed}. {escaped(run.data or '')}"
    )


def _tick(chosen: Hyperparameters) -> float:
    is_quick = chosen.network == "softmax" and chosen.iterations <= QUICK_ITERATIONS
    return QUICK_TICK_SECONDS if is_quick else TICK_SECONDS


def _pictures(run: Run) -> None:
    """Show the curves and what the network has learned; one fragment for both, as each costs a pass over the page."""
    _curves.show(run.id)
    _learning.show(run)


def _own_runs() -> None:
    """List the visitor's latest runs, so that they can be found without their links."""
    runs = _widgets.registry().list_runs(_widgets.visitor(), limit=5)
    if runs:
        st.markdown("Your latest runs")
    for run in runs:
        label, icon, _ = STATES[run.state]
        accuracy = run.test_accuracy if run.has_model else None
        result = f", test accuracy {accuracy.share:.2%}" if accuracy else ""
        st.page_link(
            "train.py",
            label=f"{PRESETS[run.hyperparameters.network].title}: {label.lower()}{result}",
            icon=icon,
            query_params=_again.train_link(run.hyperparameters, run.id),
        )


head = _widgets.page_head(
    "train",
    "Train a model",
    "Choose a network, adjust its settings, press Start, and watch it learn to read digits from thousands of examples.",
)
st.html(Path(__file__).parent / "components" / "train.css")
try:
    shown = _find_run()
    if shown is not None and _widgets.is_phone():  # the run comes before the settings of the next one
        view = st.container()
        form: DeltaGenerator = st.expander("Settings for the next run", icon=":material/tune:")
    else:
        form, view = st.columns([2, 3], gap="large")
    with form:
        _settings_form()
        _start_button(shown)
    with view:
        if shown is not None:
            with st.container(key=_key("watch")):
                _run_view(shown)
        else:
            st.info("The learning curves appear here once you press Start.", icon=":material/show_chart:")
            _curves.show_empty(st.session_state[_key("iterations")])
            st.caption(_widgets.test_set().description)
            _own_runs()
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "train")
_state.close_page("train")
