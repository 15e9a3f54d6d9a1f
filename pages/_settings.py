"""The settings of the next run: the network as cards, its layers drawn, the sliders, and Start."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from digits import trouble
from digits.data import joined, own, sets
from digits.errors import DatasetError, DigitsError
from digits.models import catalogue
from digits.runs import commands
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES, Hyperparameters
from digits.runs.names import NETWORKS
from digits.runs.presets import PRESETS
from digits.store import open_store
from digits.training import timeline
from digits.views import diagrams
from digits.views import networks as words
from digits.views.markdown import escaped
from pages import _own_drawing, _state, _transport, _widgets

VISIBLE = ("learning_rate", "iterations", "dropout")  # the settings beside the card; the others are in the expander
MORE = tuple(name for name in KNOBS if name not in ("network", "dataset", "own_share", *VISIBLE))

_key = partial(_state.key, "train")


def chosen() -> Hyperparameters:
    """Return the settings on the screen; raises `InvalidHyperparameter`."""
    return Hyperparameters(**{name: st.session_state[_key(name)] for name in KNOBS})


def show_networks() -> None:
    """Show the networks as cards, each with what it is, its usual accuracy and its time on this machine."""
    st.radio(
        "Network",
        list(PRESETS),
        format_func=lambda name: f"**{NETWORKS[name]}**",
        captions=_captions(_widgets.registry().paces()),
        key=_key("network"),
        on_change=apply_preset,
        persist_state="session",
        horizontal=True,
        label_visibility="collapsed",
        width="stretch",
    )


def _captions(paces: dict[str, float]) -> list[str]:
    data = st.session_state[_key("dataset")]
    usual = {
        # A run in the app has no teachers.
        model.card.network: f"{'up to ' if model.card.is_distilled else ''}{model.test_accuracy.share:.1%}"
        for model in catalogue.bundled()
        if model.card.dataset == data
    }
    captions = []
    for name, preset in PRESETS.items():
        accuracy = f"{usual[name]} · " if name in usual else ""
        lasting = words.duration(words.seconds(preset.hyperparameters, paces))
        captions.append(f"{words.SUMMARIES[name]}  \n **{accuracy}{lasting}**")
    return captions


def apply_preset() -> None:
    """Set every setting but those of the data to the chosen network's preset."""
    for name, value in PRESETS[st.session_state[_key("network")]].hyperparameters.to_dict().items():
        if name not in ("dataset", "own_share"):
            st.session_state[_key(name)] = value


def show_sliders() -> None:
    """Show the settings that matter most, and the others in an expander."""
    knob, titles = KNOBS["dataset"], _data_titles()
    st.selectbox(
        knob.label,
        list(titles),
        format_func=titles.__getitem__,
        key=_key("dataset"),
        persist_state="session",
        help=knob.help,
    )
    _mixed_with_mnist()
    for name in VISIBLE:
        _knob(name)
    with st.expander("More settings", icon=":material/tune:"):
        for name in MORE:
            _knob(name)
        st.button("Back to the preset", icon=":material/restart_alt:", on_click=apply_preset)


def _mixed_with_mnist() -> None:
    """Show how much of each batch comes from a set that is added to MNIST, or why none can be."""
    chosen = st.session_state[_key("dataset")]
    if joined.is_name(chosen):
        _knob("own_share")
    elif own.is_name(chosen) and not joined.is_possible(own.find(chosen)):
        st.caption(
            "Trained alone: only sets of digits can be added to MNIST. A network would tell other classes from MNIST's "
            "by their ink."
        )


def _data_titles() -> dict[str, str]:
    """Return the titles of the data sets that can be chosen, by name: declared ones and the visitor's own.

    A set of digits can be chosen with MNIST, too.
    """
    titles = {name: declared.title for name, declared in sets.DATA_SETS.items()}
    for record in _widgets.registry().list_sets(_widgets.visitor()):
        if record.classes > 1 and record.drawings >= own.FEWEST * record.classes:
            titles[record.dataset] = record.name
    alone = joined.own_name(st.session_state[_key("dataset")])
    titles.setdefault(alone, sets.find(alone).title)
    for name in filter(own.is_name, list(titles)):
        if joined.is_possible(own.find(name)):
            titles[joined.name_of(name)] = f"{titles[name]} + MNIST"
    return titles


def require_data() -> None:
    """Choose MNIST, with a notice, if the link's or the session's own set is gone or has too few drawings."""
    chosen = st.session_state[_key("dataset")]
    if own.is_name(joined.own_name(chosen)):
        try:
            _widgets.test_set(chosen)
        except DatasetError as error:
            _state.notify("train", f"{trouble.sentence(error)} MNIST is chosen in its place.")
            st.session_state[_key("dataset")] = sets.MNIST


def _knob(name: str) -> None:
    """Show one hyperparameter as declared in `KNOBS`; its explanation appears on hover and focus."""
    knob, key = KNOBS[name], _key(name)
    value = st.session_state[key]
    common: dict[str, Any] = {"key": key, "persist_state": "session", "help": knob.help}
    if knob.scale == "log":
        rates = sorted({*LEARNING_RATES, value})
        st.select_slider(knob.label, rates, format_func="{:g}".format, **common)
    elif knob.scale == "choice":
        st.selectbox(knob.label, knob.choices, **common)
    elif knob.choices:
        st.select_slider(knob.label, sorted({*knob.choices, value}), **common)
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, **common)
    else:
        kind = type(value)
        low, high, step = kind(knob.low), kind(knob.high), kind(knob.step)
        st.slider(knob.label, low, high, step=step, format="localized" if kind is int else None, **common)


def show_diagram() -> None:
    """Draw the chosen network's layers, with a sentence on what is special about it."""
    network, classes = st.session_state[_key("network")], len(sets.find(st.session_state[_key("dataset")]).class_names)
    with st.container(key=_key("diagram"), gap="small"):
        _widgets.drawing(diagrams.drawing(network, st.session_state[_key("dropout")], classes), key=_key("layers"))
        st.caption(f"{diagrams.parameters(network, classes):,} parameters. {words.EXPLANATIONS[network]}")


def show_start() -> None:
    """Show Start, which a phone keeps at the bottom of the screen."""
    with st.container(key=_key("pinned")):
        st.button(
            "Start",
            icon=":material/play_arrow:",
            type="primary",
            on_click=start,
            key=_key("start"),
            width="stretch",
            help="Starts a run with these settings. The run continues if you leave the page.",
        )
    if error := st.session_state.pop(_key("error"), ""):
        st.error(escaped(error), icon=":material/error:")


def start(settings: Hyperparameters | None = None) -> None:
    """Start a run with `settings`, or those on the screen, and wait briefly for the first point of its curves."""
    try:
        run_id = commands.submit(
            _widgets.registry(), settings or chosen(), _widgets.visitor(), address=_widgets.address()
        )
        st.session_state[_key("run")] = run_id
        _keep_drawing(run_id, _own_drawing.image())
        _transport.wait_for(run_id, lambda now: now.step > 0 or now.is_ended)
    except DigitsError as error:
        st.session_state[_key("error")] = trouble.sentence(error)


def _keep_drawing(run_id: str, image: np.ndarray | None) -> None:
    """Give a run the visitor's drawing, so that it can be watched; without room on the disk the run does without."""
    if image is None:
        return
    try:
        timeline.write_drawing(open_store(_widgets.settings()), run_id, image)
    except OSError:
        _state.notify("train", "Your drawing could not be kept with the run; everything else works.")
