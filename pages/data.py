"""Data: what models learn from: sets of the visitor's own, drawn here or brought as a file, and those of Digits."""

from functools import partial

import streamlit as st

from digits.data import collected, sets
from digits.data.sets import DataSet
from digits.errors import DigitsError
from digits.store import open_store
from digits.training import own_sets
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _bring, _own_set, _state, _widgets

READY = {"Vowels": "a e i o u", "Tick and cross": "✓ ✗", "Digits": "0 1 2 3 4 5 6 7 8 9"}  # classes to begin with

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


def _new() -> None:
    st.header("New set", anchor=False)
    st.text_input("Name", key=_key("name"), max_chars=collected.MAX_TITLE, placeholder="My vowels")
    st.text_input(
        "Classes",
        key=_key("classes"),
        max_chars=(collected.MAX_CLASS_NAME + 1) * collected.MAX_CLASSES,
        placeholder="a e i o u",
        help="What is to be told apart, with spaces between: letters, words, any symbols that you can draw.",
    )
    with st.container(horizontal=True, gap="small"):
        for title, classes in READY.items():
            st.button(title, on_click=_fill, args=(title, classes), key=_key(f"ready.{title}"), type="tertiary")
    st.button("Start drawing", icon=":material/draw:", type="primary", on_click=_create, key=_key("create"))
    with st.expander("Or bring a file", icon=":material/upload_file:"):
        _bring.show()


def _fill(title: str, classes: str) -> None:
    st.session_state[_key("classes")] = classes
    st.session_state[_key("name")] = st.session_state.get(_key("name")) or title


def _create() -> None:
    names = st.session_state[_key("classes")].replace(",", " ").split()
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
    if st.session_state[_key("class")] not in dataset.class_names:
        st.session_state[_key("class")] = ""
    st.pills(
        "Class",
        ["", *dataset.class_names],
        format_func=lambda name: name or "All",
        key=_key("class"),
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    page = gallery.of_class(dataset.test.labels, dataset.class_names, st.session_state[_key("class")])
    tiles = [
        {
            "sample": int(row),
            "wrong": False,
            "caption": dataset.class_names[dataset.test.labels[row]],
            "note": f"(test image {row})",
        }
        for row in page
    ]
    data = {
        "sprite": _widgets.data_url(gallery.sprite(dataset.test.images[page])),
        "columns": gallery.COLUMNS,
        "tiles": tiles,
        "label": f"{len(tiles)} test images",
        "still": True,
    }
    _widgets.gallery_grid(data, key=_key("samples"), on_picked=lambda: None)
    st.caption(f"{len(page)} of {len(dataset.test):,} test images.")


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
    elif shown in sets.DATA_SETS:
        _declared(sets.find(shown))
    else:
        _own_set.show(shown)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "data")
_state.close_page("data")
