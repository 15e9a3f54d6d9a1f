"""Train: choose a network and its settings, start a run, watch it learn, use the result."""

from datetime import datetime
from functools import partial

import streamlit as st

from digits import trouble
from digits.data import sets
from digits.errors import DatasetError, DigitsError, RunNotFound
from digits.runs import commands
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.names import NETWORKS
from digits.runs.schema import Run
from digits.views import diagnosis, sharing
from digits.views.markdown import escaped
from pages import _again, _challenges, _curves, _learning, _result, _settings, _state, _taught, _transport, _widgets
from pages._widgets import STATES

TICK_SECONDS = 0.5
QUICK_TICK_SECONDS = 0.25  # for short runs, which would otherwise end before the second tick
QUICK_ITERATIONS = 2_000  # softmax regression takes one or two seconds for these
PICTURES_SECONDS = 1.0  # between updates of the curves and pictures, which cost the browser most
NARROW_AND_WIDE = (1, 2.6)  # the columns: what is set or pressed, and what is seen

_key = partial(_state.key, "train")


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


def _new_run() -> None:
    """Show the page before a run: networks, Start, settings, and what can be done with them."""
    _settings.show_networks()
    left, right = st.columns(NARROW_AND_WIDE, gap="large")
    with left:
        _settings.show_start()
        _settings.show_sliders()
    with right:
        _settings.show_diagram()
        _challenges.show_all()
        _search()
        _own_runs()
        _widgets.data_caption(_widgets.test_set(st.session_state[_key("dataset")]))
    with st.container(key=_key("unseen")):
        _curves.show_empty(st.session_state[_key("iterations")])


def _show_run(run: Run) -> None:
    """Show a run: its progress and controls or its result at the left, its curves and what it has learned beside it."""
    is_mine = run.owner == _widgets.visitor()
    _transport.note(run)
    st.fragment(_banner, run_every=None if run.is_ended else 2 * PICTURES_SECONDS)(run.id, is_mine=is_mine)
    with st.container(key=_key("halves")):
        left, right = st.columns(NARROW_AND_WIDE, gap="large")
    with left:
        st.fragment(_transport.status, run_every=None if run.is_ended else _tick(run.hyperparameters))(run.id)
        if run.parent:
            _taught.say_parent(run)
        if run.has_model:
            if run.parent:
                _taught.show(run)
            _result.show(run)
        later = st.container(key=_key("later"))  # on a phone, below the curves
    with right:
        if run.is_ended:
            with st.container():  # with the same places as `_pictures`
                st.fragment(_curves.show)(run.id)
                st.fragment(_learning.show, run_every=_learning.REPLAY_SECONDS if _learning.is_playing() else None)(run)
        else:
            st.fragment(_pictures, run_every=PICTURES_SECONDS)(run)
    with later:
        if is_mine and not run.is_ended:
            st.fragment(_transport.live_knobs)(run)
        else:
            _next_run(run)
        _facts(run, is_mine=is_mine)


def _next_run(run: Run) -> None:
    """Show how to repeat the run, and the settings of a new one."""
    _result.again(run)
    with st.expander("New run", icon=":material/add:"):
        _settings.show_networks()
        _settings.show_start()
        _settings.show_sliders()


def _facts(run: Run, *, is_mine: bool) -> None:
    started = datetime.fromtimestamp(run.created).astimezone()
    whose = "Your run" if is_mine else "A shared run, which you are watching"
    chosen = run.hyperparameters
    st.caption(
        f"{whose}, started {started:%d %B %Y, %H:%M %Z}: learning rate {chosen.learning_rate:g} ({chosen.schedule}), "
        f"{chosen.iterations:,} iterations, batch size {chosen.batch_size}, dropout {chosen.dropout:g}, "
        f"{chosen.optimizer}, seed {chosen.seed}. {escaped(run.data or '')}"
    )
    if run.sweep:
        label = f"Trial {run.trial} of a sweep" if run.trial else "The best settings of a sweep"
        st.page_link("sweep.py", label=label, icon=":material/manage_search:", query_params={"sweep": run.sweep})


def _banner(run_id: str, *, is_mine: bool) -> None:
    """Say so if the run has diverged or its network guesses, why probably, and offer better settings in one press."""
    registry = _widgets.registry()
    run = registry.get(run_id)
    try:
        classes = len(sets.find(run.hyperparameters.dataset).class_names)
    except DatasetError:  # `_learning` says so
        return
    found = diagnosis.diagnose(run, registry.metrics(run_id), registry.changes(run_id), classes=classes)
    if found is None:
        return
    with st.container(key=_key("diagnosis")):
        st.warning(f"**{found.headline}** {found.reason}", icon=":material/trending_flat:")
        if is_mine or run.is_ended:
            is_pressed = st.button(
                f"Try a learning rate of {found.better.learning_rate:g}",
                icon=":material/healing:",
                type="primary",
                key=_key("better"),
                on_click=_try,
                args=(run, found.better),
            )
            if is_pressed:  # another run is shown now
                st.rerun(scope="app")


def _try(run: Run, better: Hyperparameters) -> None:
    """Start a run with better settings; a run of the visitor's own that still trains is stopped."""
    if not run.is_ended:
        _transport.send(commands.stop, lambda now: now.stop_requested, run.id)
    for name, value in better.to_dict().items():
        st.session_state[_key(name)] = value
    _settings.start(better)


def _tick(chosen: Hyperparameters) -> float:
    is_quick = chosen.network == "softmax" and chosen.iterations <= QUICK_ITERATIONS
    return QUICK_TICK_SECONDS if is_quick else TICK_SECONDS


def _pictures(run: Run) -> None:
    """Show the curves and what the network has learned; one fragment for both, as each costs a pass over the page.

    Each has its place, also when the run has ended, so that a control that is being pressed is not replaced.
    """
    with st.container():
        _curves.show(run.id)
    with st.container():
        _learning.show(run)


def _search() -> None:
    """Show the link to the search for better settings than those on the screen."""
    st.page_link(
        "sweep.py",
        label="Find better settings",
        icon=":material/manage_search:",
        query_params=sharing.query("sweep", {name: st.session_state[_key(name)] for name in KNOBS}),
        help="Opens Sweep, which trains this network with many settings. Nothing starts yet.",
    )


def _own_runs() -> None:
    """List the visitor's latest runs, so that they can be found without their links."""
    runs = _widgets.registry().list_runs(_widgets.visitor(), limit=5, with_trials=False)
    if runs:
        st.markdown("**Your latest runs**")
    for run in runs:
        label, icon, _ = STATES[run.state]
        accuracy = run.test_accuracy if run.has_model else None
        result = f", test accuracy {accuracy.share:.2%}" if accuracy else ""
        name = run.name or NETWORKS[run.hyperparameters.network]
        st.page_link(
            "train.py",
            label=f"{escaped(name)}: {label.lower()}{result}",
            icon=icon,
            query_params=_again.train_link(run.hyperparameters, run.id),
        )


head = _widgets.page_head("train", "Train a model")
try:
    shown = _find_run()
    _settings.require_data()
    _challenges.show_chosen()
    if shown is None:
        _new_run()
    else:
        with st.container(key=_key("watch")):
            _show_run(shown)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "train")
_state.close_page("train")
