"""Data: what models learn from: sets of the visitor's own, drawn here or brought as a file, and those of Digits."""

import string
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from digits.data import collected, sets, strangers
from digits.data.sets import DataSet
from digits.errors import DigitsError
from digits.ink import glyphs
from digits.quotas import Quotas
from digits.runs import retention
from digits.store import open_store
from digits.training import own_sets
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _bring, _browse, _own_set, _state, _widgets

READY = {"Vowels": "a e i o u", "Tick and cross": "✓ ✗", "Digits": "0 1 2 3 4 5 6 7 8 9"}  # classes to begin with

_STRANGERS = "strangers"  # in a link, beside the names of data sets

_key = partial(_state.key, "data")


def _messages() -> None:
    """Show why the last command was refused, and how to undo a deletion."""
    _own_set.show_refusal()
    set_id, name = st.session_state.get(_key("deleted"), ("", ""))
    if set_id:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"The set {escaped(name)} has been deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_undo, args=(set_id,), key=_key("undo.delete"))


def _undo(set_id: str) -> None:
    _own_set.attempt(own_sets.restore, _widgets.registry(), set_id, _widgets.visitor())
    st.session_state.pop(_key("deleted"), None)


def _overview() -> None:
    """Show how to make a set, the visitor's sets, and those of Digits."""
    left, right = st.columns((1, 1.4), gap="large")
    with left:
        _new()
    with right:
        _own()
        st.header("With Digits", anchor=False)
        for name, declared in sets.DATA_SETS.items():
            _entry(name, declared.title, f"{len(declared.class_names)} classes: {' '.join(declared.class_names)}")
        _entry(
            _STRANGERS, "Strangers' drawings", "Digits and letters to measure on, by people from whom nothing learned"
        )


def _new() -> None:
    st.header("New set", anchor=False)
    st.text_input("Name", key=_key("name"), max_chars=collected.MAX_TITLE, placeholder="My vowels")
    st.text_input(
        "Classes",
        key=_key("classes"),
        max_chars=(collected.MAX_CLASS_NAME + 1) * collected.MAX_CLASSES,
        placeholder="a e i o u",
        help="What is to be told apart, with spaces or commas between: letters, words, any symbols that you can draw.",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("For example", width="content")
        for title, classes in READY.items():
            st.button(title, on_click=_fill, args=(title, classes), key=_key(f"ready.{title}"), type="tertiary")
    st.button("Start drawing", icon=":material/draw:", type="primary", on_click=_create, key=_key("create"))
    with st.expander("Or bring a file", icon=":material/upload_file:"):
        _bring.show()


def _fill(title: str, classes: str) -> None:
    st.session_state[_key("classes")] = classes
    st.session_state[_key("name")] = st.session_state.get(_key("name")) or title


def _create() -> None:
    names = collected.parse_classes(st.session_state[_key("classes")])
    title = st.session_state[_key("name")].strip() or " ".join(names)[: collected.MAX_TITLE]
    store, owner = open_store(_widgets.settings()), _widgets.visitor()
    if made := _own_set.attempt(own_sets.create, _widgets.registry(), store, owner, title or "New set", names):
        st.session_state[_key("name")] = st.session_state[_key("classes")] = ""
        _own_set.open_set(made.id)


def _own() -> None:
    st.header("Yours", anchor=False)
    records = _widgets.registry().list_sets(_widgets.visitor())
    for record in records:
        _entry(record.id, record.name, f"{record.drawings:,} drawings of {record.classes} classes")
    if not records:
        st.caption("You have no set yet. Name one, say what is to be told apart, and draw five of each.")
    if megabytes := Quotas.from_environment().set_megabytes:
        st.caption(
            f"While all visitors' sets take more than {retention.SETS_PART * megabytes:,.0f} MB, the oldest sets of "
            "whoever holds the most are deleted; you can restore yours for a day."
        )
    if deleted := _widgets.registry().list_sets(_widgets.visitor(), deleted=True):
        with st.expander("Deleted", icon=":material/delete:"):
            for record in deleted:
                _entry(record.id, record.name, "Open it to restore it.")


def _entry(name: str, title: str, caption: str) -> None:
    with st.container(gap=None):
        st.button(
            escaped(title),
            icon=":material/category:",
            type="tertiary",
            on_click=_own_set.open_set,
            args=(name,),
            key=_key(f"open.{name}"),
        )
        st.caption(escaped(caption))


def _declared(declared: DataSet) -> None:
    """Show a data set of Digits: what it is, whose, and samples by class."""
    st.header(declared.title, anchor=False)
    st.caption(f"From {escaped(declared.origin)}")
    link = {"dataset": declared.name}
    st.page_link("train.py", label="Train on it", icon=":material/model_training:", query_params=link)
    dataset = _widgets.test_set(declared.name)
    st.markdown(escaped(dataset.description))
    labels = [dataset.class_names[label] for label in dataset.test.labels]
    _samples(dataset.test.images, dataset.class_names, labels, dataset.writers, "test images")


def _strangers() -> None:
    """Show the people on whose drawings every model is measured."""
    st.header("Strangers' drawings", anchor=False)
    st.caption(
        "Digits and letters by people from whom no model that comes with Digits learned, and on whom nothing was "
        "tuned: a sample of UNIPEN (I. Guyon et al., ICPR 1994; CC BY 4.0). Models are measured on them."
    )
    images, labels, writers = _drawn_by_strangers()
    _samples(images, tuple(dict.fromkeys(labels)), labels, writers, "drawings")


@st.cache_resource(show_spinner="Drawing what they wrote")
def _drawn_by_strangers() -> tuple[np.ndarray, list[str], list[str]]:
    """Return the images uint8 (n, 28, 28) of the sample of strangers, with their labels and writers."""
    names = (*"0123456789", *string.ascii_uppercase, *string.ascii_lowercase)
    drawings = strangers.load_sample({name: name for name in names}).drawings
    images = np.stack([glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings])
    return images, [drawing.label for drawing in drawings], [str(drawing.writer or "") for drawing in drawings]


def _samples(
    images: np.ndarray, class_names: Sequence[str], labels: Sequence[str], writers: Sequence[str], noun: str
) -> None:
    """Show the filters, and the images that they leave, a hundred on a page."""
    found = _browse.show(class_names, labels, writers)
    if not len(found):
        st.info("Nothing matches these filters.", icon=":material/filter_alt_off:")
        return
    is_ordered = st.session_state[_key("shuffle")] is None
    page = _browse.turn_to(gallery.in_turns(labels, found) if is_ordered else found)
    rows = page.rows.tolist()
    notes = [f"sample {row}{', by ' + writers[row] if writers and writers[row] else ''}" for row in rows]
    _browse.show_page(page, images[page.rows], [labels[row] for row in rows], notes, noun=noun)


head = _widgets.page_head(
    "data", "Data", "What models learn from. Make a set of your own, or look at those that come with Digits."
)
try:
    shown = st.session_state[_key("set")]
    if shown:
        st.button("All sets", icon=":material/arrow_back:", type="tertiary", on_click=_own_set.open_set, args=("",))
    _messages()
    if not shown:
        _overview()
    elif shown == _STRANGERS:
        _strangers()
    elif shown in sets.DATA_SETS:
        _declared(sets.find(shown))
    else:
        _own_set.show(shown)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "data")
_state.close_page("data")
