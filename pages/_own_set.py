"""One set of drawings: its samples, what can be done with it, and for its owner the sheet to add to it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from digits import trouble
from digits.data import collected, faults, own
from digits.data.own import OwnSet
from digits.errors import DigitsError
from digits.runs.presets import PRESETS
from digits.runs.schema import SetRecord
from digits.store import open_store
from digits.training import own_sets
from digits.views.markdown import escaped
from pages import _again, _browse, _collect, _state, _widgets

NETWORK = "corrected"  # that "Train on it" offers, as Train does
_MOST_LETTERS = (collected.MAX_CLASS_NAME + 1) * collected.MAX_CLASSES  # of the names of all classes

_key = partial(_state.key, "data")


def attempt(command: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    """Carry out a command and return its result; if it is refused, the page says why, and the result is None."""
    try:
        return command(*arguments, **how)
    except DigitsError as error:
        st.session_state[_key("error")] = trouble.sentence(error)
        return None


def show_refusal() -> None:
    """Say why the last command was refused, if it was."""
    if error := st.session_state.pop(_key("error"), ""):
        st.error(escaped(error), icon=":material/error:")


def open_set(name: str) -> None:
    """Show a set; "" for the list of all."""
    st.session_state[_key("set")], st.session_state[_key("class")] = name, ""
    st.session_state[_key("by")], st.session_state[_key("shuffle")], st.session_state[_key("hundred")] = "", None, 1
    st.session_state.pop(_key("undo"), None)


def show(set_id: str) -> None:
    """Show a set.

    Raises:
        DatasetUnavailable: there is none.
    """
    record = _widgets.registry().get_set(set_id)
    is_mine = record.owner == _widgets.visitor()
    if record.deleted is not None:
        _deleted(record, is_mine=is_mine)
        return
    with st.container(horizontal=True, vertical_alignment="center", key=_key("commands")):
        st.header(escaped(record.name), anchor=False, width="content")
        _commands(record, is_mine=is_mine)
    if not is_mine:
        st.caption("A shared set belongs to the person who made it. You can look at it, train on it and copy it.")
    st.fragment(_contents)(set_id, is_mine=is_mine)


def _deleted(record: SetRecord, *, is_mine: bool) -> None:
    st.info(f"The set {escaped(record.name)} has been deleted.", icon=":material/delete:")
    if is_mine:
        st.button("Restore it", icon=":material/undo:", on_click=_restore, args=(record.id,), key=_key("restore"))


def _restore(set_id: str) -> None:
    attempt(own_sets.restore, _widgets.registry(), set_id, _widgets.visitor())
    st.session_state.pop(_key("deleted"), None)


def _commands(record: SetRecord, *, is_mine: bool) -> None:
    """Show what can be done with a set as a whole."""
    if is_mine:
        with st.popover("Name and classes", icon=":material/edit:"):
            _editor(record)
    st.download_button(
        "Export",
        lambda: own.find(_widgets.registry().get_set(record.id).dataset).to_json(),
        file_name=f"digits-set-{record.id}.json",
        mime="application/json",
        icon=":material/download:",
        key=_key("export"),
        on_click="ignore",
        help="The drawings as JSON, with their strokes. This page reads such a file again.",
    )
    st.button(
        "Make a copy",
        icon=":material/content_copy:",
        on_click=_copy,
        args=(record.id,),
        key=_key("copy"),
        help="Makes a set of your own with the same drawings, which you can then change.",
    )
    if is_mine:
        st.button("Delete", icon=":material/delete:", on_click=_delete, args=(record,), key=_key("delete"))


def _editor(record: SetRecord) -> None:
    """Show a set's name and its classes, to be changed."""
    classes = collected.write_classes(own.find(record.dataset).class_names)
    fields = (
        ("title", "Name", record.name, collected.MAX_TITLE, "", _rename),
        (
            "names",
            "Classes",
            classes,
            _MOST_LETTERS,
            "With spaces, or commas, between. One that has drawings stays.",
            _name_classes,
        ),
    )
    for name, label, value, most, hint, command in fields:
        key = _key(f"{name}.{record.id}.{record.version}")  # another version, another value
        st.session_state.setdefault(key, value)
        st.text_input(label, key=key, max_chars=most, help=hint or None, on_change=command, args=(record.id, key))
    st.caption("Press Enter to save.")


def _rename(set_id: str, key: str) -> None:
    title, store = st.session_state[key], open_store(_widgets.settings())
    attempt(own_sets.rename, _widgets.registry(), store, set_id, _widgets.visitor(), title)


def _name_classes(set_id: str, key: str) -> None:
    names, store = collected.parse_classes(st.session_state[key]), open_store(_widgets.settings())
    attempt(own_sets.name_classes, _widgets.registry(), store, set_id, _widgets.visitor(), names)


def _copy(set_id: str) -> None:
    store = open_store(_widgets.settings())
    how = {"address": _widgets.address()}
    if copied := attempt(own_sets.copy, _widgets.registry(), store, set_id, _widgets.visitor(), **how):
        open_set(copied.id)


def _delete(record: SetRecord) -> None:
    attempt(own_sets.delete, _widgets.registry(), record.id, _widgets.visitor())
    st.session_state[_key("deleted")] = (record.id, record.name)
    open_set("")


def _contents(set_id: str, *, is_mine: bool) -> None:
    """Show a set's drawings, and the sheet to add to them."""
    show_refusal()
    found = own.find(_widgets.registry().get_set(set_id).dataset)
    if is_mine:
        found = _collect.receive(found)
        left, right = st.columns((1, 1.4), gap="large")
        with left:
            _collect.show(found)
            st.text_input(
                "Who is drawing?",
                key=_key("writer"),
                max_chars=40,
                placeholder="optional",
                help="With drawings by three people or more, a model is tested on one whose hand it has never seen.",
            )
    else:
        right = st.container()
    with right:
        _train(found)
        if found.samples:
            _drawings(found, is_mine=is_mine)
    _state.close_page("data")  # the class may have changed


def _train(found: OwnSet) -> None:
    """Show how many drawings there are, and the link to Train if they suffice."""
    st.markdown(f"**{len(found.samples):,} drawings** of {len(found.class_names)} classes")
    if why := found.why_not():
        st.caption(escaped(why))
        return
    if st.button("Train on it", icon=":material/model_training:", type="primary", key=_key("train")):
        chosen = replace(PRESETS[NETWORK].hyperparameters, dataset=found.name)
        st.switch_page("train.py", query_params=_again.train_link(chosen))
    for warning in _warnings(found.name):
        st.caption(f":material/info: {escaped(warning)}")


@st.cache_data(max_entries=64, show_spinner=False)
def _warnings(name: str) -> list[str]:
    """Return what a visitor should know of a version of a set, which never changes; to compare classes takes long."""
    found = own.find(name)
    return faults.find(found.samples, found.class_names)


def _drawings(found: OwnSet, *, is_mine: bool) -> None:
    """Show drawings, the newest first, by class and by writer; the owner removes one by pressing it."""
    newest = found.samples[::-1]
    rows = _browse.show(found.class_names, [sample.label for sample in newest], [sample.writer for sample in newest])
    _removed(found)
    if not len(rows):
        st.info("No drawing matches these filters.", icon=":material/filter_alt_off:")
        return
    page = _browse.turn_to(rows)
    shown = [newest[row] for row in page.rows]
    ids = [sample.id for sample in shown]
    _browse.show_page(
        page,
        np.stack([sample.glyph for sample in shown]),
        [sample.label for sample in shown],
        [f"drawing {row + 1}{', by ' + newest[row].writer if newest[row].writer else ''}" for row in page.rows],
        noun="drawings",
        hint="Press one to remove it." if is_mine else "",
        on_picked=(lambda place: _remove(found.set_id, ids[place])) if is_mine else None,
    )


def _remove(set_id: str, sample_id: str) -> None:
    store, owner = open_store(_widgets.settings()), _widgets.visitor()
    present = own_sets.read(_widgets.registry(), store, set_id)
    gone = [sample for sample in present.samples if sample.id == sample_id]
    if gone and attempt(own_sets.add, _widgets.registry(), store, set_id, owner, [], [sample_id]):
        st.session_state[_key("undo")] = (set_id, gone[0])


def _removed(found: OwnSet) -> None:
    """Offer to bring back the drawing that was removed last."""
    set_id, sample = st.session_state.get(_key("undo"), ("", None))
    if sample is not None and set_id == found.set_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"A drawing of {escaped(sample.label)} has been removed.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_bring_back, key=_key("bring.back"))


def _bring_back() -> None:
    set_id, sample = st.session_state.pop(_key("undo"))
    store = open_store(_widgets.settings())
    attempt(own_sets.add, _widgets.registry(), store, set_id, _widgets.visitor(), [sample])
