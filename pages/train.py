"""Train: choose a network and its settings, start a run, watch it learn, take the result away."""

from datetime import datetime
from pathlib import Path

import streamlit as st

from digits.accuracy import Accuracy
from digits.errors import DigitsError, RunNotFound
from digits.runs import commands
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, PRESETS, Hyperparameters
from digits.runs.schema import Run
from digits.views import sharing
from digits.views.networks import EXPLANATIONS
from pages import _curves, _learning, _result, _state, _transport, _widgets
from pages._widgets import STATES

TICK_SECONDS = 0.5
QUICK_TICK_SECONDS = 0.25  # for a run that is over before the second look otherwise
QUICK_ITERATIONS = 2_000  # of softmax regression: one second, or two
PICTURES_SECONDS = 1.0  # between two drawings of all that costs the browser most
MORE = (
    "batch_size",
    "optimizer",
    "schedule",
    "augmentation",
    "patience",
    "seed",
)  # the settings that stand in the fold-out


def _key(name: str) -> str:
    return _state.key("train", name)


def _take_preset() -> None:
    """Move every setting to the chosen network's preset."""
    for name, value in PRESETS[st.session_state[_key("network")]].hyperparameters.to_dict().items():
        st.session_state[_key(name)] = value


def _knob(name: str) -> None:
    """Show one hyperparameter as its declaration says, with the sentence that explains it."""
    knob, key = KNOBS[name], _key(name)
    facts = {"key": key, "persist_state": "session"}
    value = st.session_state[key]
    if knob.scale == "log":
        st.select_slider(knob.label, sorted({*LEARNING_RATES, value}), format_func=lambda rate: f"{rate:g}", **facts)
    elif knob.scale == "choice":
        st.selectbox(knob.label, knob.choices, **facts)
    elif knob.choices:
        st.select_slider(knob.label, sorted({*knob.choices, value}), **facts)
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, **facts)
    else:
        kind = type(value)
        st.slider(knob.label, kind(knob.low), kind(knob.high), step=kind(knob.step), **facts)
    st.caption(knob.help)


def _settings_form() -> None:
    """Show the network and its settings."""
    st.selectbox(
        "Network",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key=_key("network"),
        on_change=_take_preset,
        persist_state="session",
    )
    st.caption(EXPLANATIONS[st.session_state[_key("network")]])
    for name in KNOBS:
        if name not in ("network", *MORE):
            _knob(name)
    with st.expander("More: batch size, optimizer, schedule, augmentation, patience, seed", icon=":material/tune:"):
        for name in MORE:
            _knob(name)
        st.button("Back to the preset", icon=":material/restart_alt:", on_click=_take_preset)


def _start() -> None:
    """Hand the settings in, and wait a moment for the first point of the curves."""
    try:
        hyperparameters = Hyperparameters(**{name: st.session_state[_key(name)] for name in KNOBS})
        run_id = st.session_state[_key("run")] = commands.submit(
            _widgets.registry(), hyperparameters, _widgets.visitor()
        )
        _transport.wait_for(run_id, lambda now: now.step > 0 or now.is_ended)
    except DigitsError as error:
        st.session_state[_key("error")] = str(error)


def _find_run() -> Run | None:
    """Return the run that the link names, if there is one."""
    run_id = st.session_state[_key("run")]
    if not run_id:
        return None
    try:
        return _widgets.registry().get(run_id)
    except RunNotFound as error:
        st.session_state[_key("run")] = ""
        _state.notify("train", str(error))
        return None


def _start_button(run: Run | None) -> None:
    """Show Start; while the visitor's own run is on, it waits."""
    is_on = run is not None and run.is_waiting and run.owner == _widgets.visitor()
    st.button(
        "Start",
        icon=":material/play_arrow:",
        type="primary",
        on_click=_start,
        key=_key("start"),
        width="stretch",
        disabled=is_on,
        help="Hands these settings to the trainer. You may leave the page: the run goes on.",
    )
    if error := st.session_state.pop(_key("error"), ""):
        st.error(error, icon=":material/error:")


def _run_view(run: Run) -> None:
    """Show a run: how it goes or what it has come to, its curves, and what it learns to see."""
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
        f"{whose}, begun {started:%d %B %Y, %H:%M %Z}: learning rate {chosen.learning_rate:g} ({chosen.schedule}), "
        f"{chosen.iterations:,} iterations of {chosen.batch_size}, dropout {chosen.dropout:g}, {chosen.optimizer}, "
        f"seed {chosen.seed}. {run.data}"
    )


def _tick(chosen: Hyperparameters) -> float:
    is_quick = chosen.network == "softmax" and chosen.iterations <= QUICK_ITERATIONS
    return QUICK_TICK_SECONDS if is_quick else TICK_SECONDS


def _pictures(run: Run) -> None:
    """Show the curves and what the network learns to see, in one: each fragment is a pass over the whole page."""
    _curves.show(run.id)
    _learning.show(run)


def _own_runs() -> None:
    """List the visitor's latest runs, so that a lost link loses nothing."""
    runs = _widgets.registry().list_runs(_widgets.visitor(), limit=5)
    if runs:
        st.markdown("Your latest runs")
    for run in runs:
        label, icon, _ = STATES[run.state]
        accuracy = f", {Accuracy(run.test_correct, run.test_total).share:.2%} of test images" if run.has_model else ""
        st.page_link(
            "train.py",
            label=f"{PRESETS[run.hyperparameters.network].title}: {label.lower()}{accuracy}",
            icon=icon,
            query_params=sharing.query("train", run.hyperparameters.to_dict() | {"run": run.id}),
        )


head = _widgets.page_head(
    "train",
    "Train a recogniser",
    "Choose a network, turn its knobs, press Start, and watch it learn to read digits from thousands of examples.",
)
st.html(Path(__file__).parent / "components" / "train.css")
try:
    shown = _find_run()
    is_phone = "Mobi" in st.context.headers.get("User-Agent", "")
    if shown is not None and is_phone:  # a run that is on comes before the knobs of the next
        view, form = st.container(), st.expander("Settings for the next run", icon=":material/tune:")
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
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "train")
_state.close_page("train")
