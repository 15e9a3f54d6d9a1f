"""The form of a sweep: what is searched over which values, how, and for how long."""

from functools import partial
from typing import Any

import streamlit as st

from digits import trouble
from digits.data import own, sets
from digits.errors import DigitsError
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.names import NETWORKS
from digits.runs.presets import PRESETS
from digits.sweeps import commands
from digits.sweeps.plan import DEFAULT_TRIALS, MOST_MINUTES, Plan, default_space
from digits.sweeps.space import SEARCHABLE, Axis, Space, axis, stops, usual
from digits.views import sweeps as words
from digits.views.markdown import escaped
from pages import _state, _widgets

FIXED = (*SEARCHABLE, "seed")  # what can be set for all trials, if it is not searched

_key = partial(_state.key, "sweep")


def chosen() -> Hyperparameters:
    """Return the settings that the trials share, those searched at their starting values."""
    return Hyperparameters(**{name: st.session_state[_key(name)] for name in KNOBS})


def space() -> Space:
    """Return the space on the screen: that of the link, or the usual one."""
    text = st.session_state[_key("space")]
    return Space.from_text(text) if text else default_space(chosen())


def plan() -> Plan:
    """Return what Start would do; raises `InvalidSweep`."""
    is_timed = st.session_state[_key("budget")] == "minutes"
    trials = commands.most_trials() if is_timed else min(st.session_state[_key("trials")], commands.most_trials())
    return Plan(
        chosen(),
        space(),
        st.session_state[_key("sampler")],
        st.session_state[_key("prune")],
        trials,
        st.session_state[_key("minutes")] if is_timed else 0,
    )


def show_what() -> None:
    """Show what is trained, and which settings are searched."""
    network, data = st.columns(2)
    with network:
        st.selectbox(
            "Network",
            list(PRESETS),
            format_func=NETWORKS.__getitem__,
            key=_key("network"),
            on_change=_apply_preset,
            persist_state="session",
        )
    titles = _data_titles()
    with data:
        st.selectbox("Data", list(titles), format_func=titles.__getitem__, key=_key("dataset"), persist_state="session")
    _searched()
    _fixed()


def show_how() -> None:
    """Show how the settings are searched and for how long, about how long that takes, and Start."""
    _method()
    _budget()
    if error := st.session_state.pop(_key("refused"), ""):
        st.error(escaped(error), icon=":material/error:")
    st.caption(words.estimate(plan(), _widgets.registry().paces()))
    st.button(
        "Start",
        icon=":material/play_arrow:",
        type="primary",
        key=_key("start"),
        on_click=_start,
        width="stretch",
        help="Starts the sweep. It goes on if you leave the page.",
    )


def _data_titles() -> dict[str, str]:
    """Return the titles of the data sets that can be chosen, by name: declared ones and the visitor's own."""
    titles = {name: declared.title for name, declared in sets.DATA_SETS.items()}
    for record in _widgets.registry().list_sets(_widgets.visitor()):
        if record.classes > 1 and record.drawings >= own.FEWEST * record.classes:
            titles[record.dataset] = record.name
    name = st.session_state[_key("dataset")]
    return titles if name in titles else titles | {name: sets.find(name).title}


def _apply_preset() -> None:
    """Begin the search at the chosen network's preset, with its usual space."""
    for name, value in PRESETS[st.session_state[_key("network")]].hyperparameters.to_dict().items():
        if name != "dataset":
            st.session_state[_key(name)] = value
    st.session_state[_key("space")] = ""


def _searched() -> None:
    """Show what is searched, each with its range or its choices. The space is the truth; the widgets follow it."""
    searched = {one.name: one for one in space().axes}
    st.session_state[_key("searched")] = list(searched)
    st.pills(
        "Search",
        SEARCHABLE,
        format_func=lambda name: KNOBS[name].label,
        selection_mode="multi",
        key=_key("searched"),
        on_change=_choose,
        wrap=True,
        help="The settings that differ between the trials. Few at a time are searched best.",
    )
    for one in searched.values():
        knob, key = KNOBS[one.name], _key(f"values.{one.name}")
        how: dict[str, Any] = {"key": key, "on_change": _change, "args": (one.name,)}
        if one.is_ordered:
            st.session_state[key] = span = (one.values[0], one.values[-1])
            st.select_slider(  # `value` makes it a range
                knob.label, stops(one.name), span, format_func=words.value_in_words, help=knob.help, **how
            )
        else:
            st.session_state[key] = list(one.values)
            st.pills(knob.label, stops(one.name), selection_mode="multi", help=knob.help, **how)


def _choose() -> None:
    """Search what is chosen: what was searched keeps its values, what is new gets its usual ones."""
    before = {one.name: one for one in space().axes}
    names = st.session_state[_key("searched")]
    _set_space(lambda: [before.get(name) or usual(name, chosen()) for name in names])


def _change(name: str) -> None:
    """Take the new values of one setting."""
    values = st.session_state[_key(f"values.{name}")]
    _set_space(lambda: [axis(name, values) if one.name == name else one for one in space().axes])


def _set_space(make: Any) -> None:
    """Set the space to some axes; if they cannot be, it stays as it was and the page says why."""
    try:
        axes: list[Axis] = make()
        found = Space.from_dict(Space(tuple(axes)).to_dict())
    except DigitsError as error:
        st.session_state[_key("refused")] = trouble.sentence(error)
    else:
        st.session_state[_key("space")] = found.to_text()


def _fixed() -> None:
    """Show the settings that all trials share."""
    searched = {one.name for one in space().axes}
    with st.expander("Fixed settings", icon=":material/tune:"):
        for name in FIXED:
            if name not in searched:
                _knob(name)
    st.caption(f"The same in all trials: {words.fixed_in_words(plan())}.")


def _knob(name: str) -> None:
    knob, value = KNOBS[name], st.session_state[_key(name)]
    how: dict[str, Any] = {"key": _key(name), "persist_state": "session", "help": knob.help}
    if name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, **how)
    elif knob.scale == "choice":
        st.selectbox(knob.label, knob.choices, **how)
    else:
        st.select_slider(knob.label, sorted({*stops(name), value}), format_func=words.value_in_words, **how)


def _method() -> None:
    """Show how the next settings are chosen, and what becomes of trials that fall behind."""
    for label, name, titles, explained in (
        ("Sampler", "sampler", words.SAMPLERS, words.SAMPLERS_EXPLAINED),
        ("Pruning", "prune", words.PRUNERS, words.PRUNERS_EXPLAINED),
    ):
        st.segmented_control(
            label,
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            key=_key(name),
            persist_state="session",
        )
        st.caption(explained[st.session_state[_key(name)]])


def _budget() -> None:
    """Show for how long the sweep goes on."""
    kind, amount = st.columns((1, 1.3), vertical_alignment="bottom")
    with kind:
        st.segmented_control(
            "Budget",
            ["trials", "minutes"],
            format_func=str.capitalize,
            required=True,
            key=_key("budget"),
            persist_state="session",
        )
    most = commands.most_trials()
    with amount:
        if st.session_state[_key("budget")] == "minutes":
            _number("minutes", 1, MOST_MINUTES)
        else:
            st.session_state[_key("trials")] = min(st.session_state.get(_key("trials"), DEFAULT_TRIALS), most)
            _number("trials", 1, most)


def _number(name: str, low: int, high: int) -> None:
    label = name.capitalize()
    st.number_input(label, low, high, step=1, key=_key(name), persist_state="session", label_visibility="collapsed")


def _start() -> None:
    try:
        st.session_state[_key("sweep")] = commands.submit(
            _widgets.registry(), plan(), _widgets.visitor(), address=_widgets.address()
        )
    except DigitsError as error:
        st.session_state[_key("refused")] = trouble.sentence(error)
