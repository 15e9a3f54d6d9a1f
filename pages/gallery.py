"""Gallery: 100 test samples against what a model reads in them."""

import random

import streamlit as st

from digits.errors import DigitsError
from digits.views import gallery
from pages import _samples, _state, _widgets


def _key(name: str) -> str:
    return _state.key("gallery", name)


def _order(sort: str, shuffle: int | None = None) -> None:
    """Put the samples in the data set's order, in one drawn at random, or in that of confidence."""
    st.session_state[_key("sort")], st.session_state[_key("shuffle")] = sort, shuffle
    _first_hundred()


def _shuffle() -> None:
    _order("set", random.randrange(10_000))


def _first_hundred() -> None:
    st.session_state[_key("hundred")] = 1


def _filters(class_names: tuple[str, ...]) -> None:
    """Show what may be left out, and how the rest is ordered."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Show",
            ["all", "mistakes"],
            format_func={"all": "All", "mistakes": "Only mistakes"}.get,
            required=True,
            key=_key("show"),
            persist_state="session",
            on_change=_first_hundred,
        )
        _class_filter("class", "Class", "all classes", class_names)
        _class_filter("read", "Read as", "anything", class_names)
        st.button(
            "Shuffle", icon=":material/shuffle:", on_click=_shuffle, help="Show another hundred, drawn at random."
        )
        is_by_confidence = st.session_state[_key("sort")] == "confidence"
        st.button(
            "Surest first",
            icon=":material/trending_down:",
            on_click=_order,
            args=("confidence",),
            disabled=is_by_confidence,
            help="Begin with what the model was surest of, rightly or not.",
        )
        st.button(
            "In order",
            icon=":material/sort:",
            on_click=_order,
            args=("set",),
            disabled=st.session_state[_key("shuffle")] is None and not is_by_confidence,
            help="Back to the order of the data set.",
        )


def _class_filter(name: str, label: str, everything: str, class_names: tuple[str, ...]) -> None:
    """Let the visitor choose one class, or all of them."""
    if st.session_state[_key(name)] not in ("", *class_names):
        _state.notify("gallery", f"The link's `{name}` should be one of {', '.join(class_names)}; all are shown.")
        st.session_state[_key(name)] = ""
    st.selectbox(
        label,
        ["", *class_names],
        format_func=lambda chosen: chosen or everything,
        key=_key(name),
        persist_state="session",
        on_change=_first_hundred,
        width=140,
    )


def _choice(class_names: tuple[str, ...]) -> gallery.Choice:
    true, read = (st.session_state[_key(name)] for name in ("class", "read"))
    return gallery.Choice(
        hundred=st.session_state[_key("hundred")] - 1,
        shuffle=st.session_state[_key("shuffle")],
        only_mistakes=st.session_state[_key("show")] == "mistakes",
        class_index=class_names.index(true) if true else None,
        read_index=class_names.index(read) if read else None,
        surest_first=st.session_state[_key("sort")] == "confidence",
    )


head = _widgets.page_head(
    "gallery",
    "Gallery of test images",
    "What a model reads in images it has never seen. Mistakes have a dashed red frame and say "
    "*read ≠ true*. Press an image to see it large.",
)
try:
    model = _widgets.model_chooser("gallery")
    dataset = _widgets.test_set()
    probabilities = model.test_probabilities(dataset)
    labels, predicted = dataset.test.labels, probabilities.argmax(axis=1)
    _filters(dataset.class_names)
    page = gallery.choose(labels, probabilities, _choice(dataset.class_names))
    st.session_state[_key("hundred")] = page.hundred + 1
    right = int((labels[page.rows] == predicted[page.rows]).sum())
    if len(page.rows):
        of_all = f"{(labels == predicted).mean():.1%} of all {len(labels):,} read rightly"
        if st.session_state[_key("show")] == "mistakes":
            st.markdown(f"**{len(page.rows)} of {page.matching:,} mistakes**; {of_all}.")
        else:
            st.markdown(f"**{right} of these {len(page.rows)}**, {of_all}.")
        _samples.grid(
            dataset, predicted, page.rows, key=_key("grid"), on_picked=lambda row: _samples.pick("gallery", row)
        )
    else:
        st.info("No image matches: this model makes no such mistake. Choose another class, or show all.")
    if page.hundreds > 1:
        st.pagination(page.hundreds, key=_key("hundred"), persist_state="session")
    st.caption(dataset.description)
    _samples.show_picked("gallery", dataset, model, probabilities)
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "gallery")
_state.close_page("gallery")
