"""Train: choose a network and its settings, start a run, watch it learn, take the result away."""

from datetime import datetime

import streamlit as st

from digits import catalogue, charts, jobs, sharing
from digits.errors import DigitsError, RunNotFound
from digits.evaluation import Accuracy
from digits.hyperparameters import KNOBS, LEARNING_RATES, PRESETS, Hyperparameters
from digits.runs import Run
from pages import _state, _widgets
from pages._widgets import STATES

TICK_SECONDS = 0.4
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
    st.caption(PRESETS[st.session_state[_key("network")]].explanation)
    for name in KNOBS:
        if name not in ("network", *MORE):
            _knob(name)
    with st.expander("More: batch size, optimizer, schedule, augmentation, patience, seed", icon=":material/tune:"):
        for name in MORE:
            _knob(name)
        st.button("Back to the preset", icon=":material/restart_alt:", on_click=_take_preset)


def _start() -> None:
    try:
        hyperparameters = Hyperparameters(**{name: st.session_state[_key(name)] for name in KNOBS})
        st.session_state[_key("run")] = jobs.submit(_widgets.registry(), hyperparameters, _widgets.visitor())
    except DigitsError as error:
        st.session_state[_key("error")] = str(error)


def _stop(run_id: str) -> None:
    try:
        jobs.stop(_widgets.registry(), run_id, _widgets.visitor())
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


def _controls(run: Run | None) -> None:
    """Show Start, or Stop while the visitor's own run is on."""
    is_mine = run is not None and run.owner == _widgets.visitor()
    if run is not None and is_mine and not run.is_ended:
        st.button(
            "Stop and keep the result",
            icon=":material/stop:",
            on_click=_stop,
            args=(run.id,),
            key=_key("stop"),
            width="stretch",
            help="Ends the run after the present iterations, tests what it has learned and saves it.",
        )
    else:
        st.button(
            "Start",
            icon=":material/play_arrow:",
            type="primary",
            on_click=_start,
            key=_key("start"),
            width="stretch",
            help="Hands these settings to the trainer. You may leave the page: the run goes on.",
        )
    if error := st.session_state.pop(_key("error"), ""):
        st.error(error, icon=":material/error:")


def _status(run_id: str) -> None:
    """Show how far the run is; when its state changes, draw the whole page anew."""
    registry = _widgets.registry()
    run = registry.get(run_id)
    wanted, done = run.hyperparameters.iterations, run.step
    label, icon, colour = STATES[run.state]
    st.badge(f"{label}: {PRESETS[run.hyperparameters.network].title}", icon=icon, color=colour)
    if run.state == "queued":
        ahead = registry.runs_ahead(run)
        st.progress(0.0, text="Next in line" if ahead == 0 else f"{ahead} before it in the queue")
        _trainer_notice()
    elif run.state == "running":
        last = registry.metrics(run_id, max_points=1)[-1:]
        if run.activity or not last:
            text = f"{run.activity or 'Preparing'} …"
        else:
            seconds = last[0]["seconds"]
            speed = done * run.hyperparameters.batch_size / seconds
            left = seconds * (wanted - done) / done
            text = f"{done:,} of {wanted:,} iterations, {speed:,.0f} images a second, {left:,.0f} s left"
        if run.stop_requested:
            text = f"Stopping … {text}"
        st.progress(done / wanted, text=text)
    elif run.state == "failed":
        st.error(run.reason, icon=":material/error:")
    elif run.reason:
        st.info(run.reason)
    else:
        st.progress(done / wanted, text=f"{done:,} of {wanted:,} iterations")
    if st.session_state.get(_key("seen")) != (run.id, run.state):
        st.session_state[_key("seen")] = (run.id, run.state)
        st.rerun(scope="app")


def _trainer_notice() -> None:
    """Say what the trainer is busy with while a run waits."""
    status = _widgets.registry().trainer_status()
    if status is None or status.age_seconds > 5:
        st.caption("The trainer is starting.")
    elif status.activity != "waiting for a run":
        st.caption(f"The trainer is {status.activity}.")


def _curves(run_id: str) -> None:
    """Show the learning curves and, folded away, the tutorials' progress lines."""
    registry = _widgets.registry()
    run, rows = registry.get(run_id), registry.metrics(run_id)
    for name, title in (("accuracy", "Accuracy"), ("loss", "Loss (cross-entropy)")):
        st.echarts_chart(
            charts.learning_curve(rows, name, title, run.hyperparameters.iterations),
            height=260,
            key=_key(f"chart.{name}"),
            alt=charts.describe_curve(rows, name),
        )
    with st.expander("Progress lines", icon=":material/notes:", key=_key("lines"), on_change="rerun") as lines:
        if lines.open:
            st.code(charts.progress_lines(registry.progress_rows(run_id)) or "None yet.", language=None, height=240)


def _result(run: Run) -> None:
    """Show what a run has come to, and what can be taken away."""
    model, measured = catalogue.find(run.id, _widgets.settings()), Accuracy(run.test_correct, run.test_total)
    low, high = measured.interval
    preset = PRESETS[run.hyperparameters.network]
    figures = [("Test accuracy", f"{measured.share:.2%}")]
    if model.drawn_accuracy:
        figures.append(("Drawn digits", f"{model.drawn_accuracy.share:.1%}"))
    if preset.published:
        figures.append(("Published", preset.published))
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    st.caption(
        f"{measured.correct:,} of {measured.total:,} test images, looked at once, at the end. "
        f"Another {measured.total:,} such images would give between {low:.2%} and {high:.2%}, 95 times in 100. "
        f"Trained in {model.card['seconds']:.1f} s."
    )
    with st.container(horizontal=True):
        st.page_link("draw.py", label="Draw with it", icon=":material/draw:", query_params={"model": run.id})
        st.page_link("gallery.py", label="See its gallery", icon=":material/grid_view:", query_params={"model": run.id})
    with st.container(horizontal=True):
        for file, label, explanation in (
            (catalogue.KERAS_FILE, ".keras", "The model for Keras, scaling included: it takes images of 0 to 255."),
            (catalogue.TFLITE_FILE, ".tflite", "The model for LiteRT, on phones and small computers."),
            (catalogue.TEXT_FILE, "Text (weights.txt, const.txt)", "Every layer's weights and biases as text, zipped."),
        ):
            path = model.folder / file
            st.download_button(
                label,
                path.read_bytes,
                file_name=f"digits-{run.hyperparameters.network}-{run.id}-{file}",
                icon=":material/download:",
                help=explanation,
                key=_key(f"download.{file}"),
                on_click="ignore",
            )


def _run_view(run: Run) -> None:
    """Show a run: its result once there is one, and its curves."""
    started = datetime.fromtimestamp(run.created).astimezone()
    whose = "Your run" if run.owner == _widgets.visitor() else "A shared run, which you are watching"
    chosen = run.hyperparameters
    st.caption(
        f"{whose}, begun {started:%d %B %Y, %H:%M %Z}: learning rate {chosen.learning_rate:g} ({chosen.schedule}), "
        f"{chosen.iterations:,} iterations of {chosen.batch_size}, dropout {chosen.dropout:g}, {chosen.optimizer}, "
        f"seed {chosen.seed}. {run.data}"
    )
    if run.has_model:
        _result(run)
    st.fragment(_curves, run_every=None if run.is_ended else TICK_SECONDS)(run.id)


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
left, right = st.columns([2, 3], gap="large")
try:
    shown = _find_run()
    with left:
        _settings_form()
        _controls(shown)
        if shown is not None:
            st.fragment(_status, run_every=None if shown.is_ended else TICK_SECONDS)(shown.id)
    with right:
        if shown is not None:
            _run_view(shown)
        else:
            st.info("The learning curves appear here once you press Start.", icon=":material/show_chart:")
            st.caption(_widgets.test_set().description)
            _own_runs()
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "train")
_state.close_page("train")
