"""Gallery: 100 test samples with a model's predictions."""

import random
from functools import partial

import streamlit as st

from digits.errors import DigitsError
from digits.views import gallery
from pages import _samples, _state, _widgets

_key = partial(_state.key, "gallery")


def _order(sort: str, shuffle: int | None = None) -> None:
    """Sort the samples in the data set's order, at random, or by confidence."""
    st.session_state[_key("sort")], st.session_state[_key("shuffle")] = sort, shuffle
    _first_hundred()


def _shuffle() -> None:
    _order("set", random.randrange(10_000))


def _first_hundred() -> None:
    st.session_state[_key("hundred")] = 1


def _filters(class_names: tuple[str, ...]) -> None:
    """Show the filters and the sort order."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Show",
            ["all", "mistakes"],
            format_func={"all": "All", "mistakes": "Only mistakes"}.__getitem__,
            required=True,
            key=_key("show"),
            persist_state="session",
            on_change=_first_hundred,
        )
        _class_filter("class", "Class", "all classes", class_names)
        _class_filter("read", "Read as", "anything", class_names)
        st.button("Shuffle", icon=":material/shuffle:", on_click=_shuffle, help="Shows another hundred at random.")
        is_by_confidence = st.session_state[_key("sort")] == "confidence"
        st.button(
            "Surest first",
            icon=":material/trending_down:",
            on_click=_order,
            args=("confidence",),
            disabled=is_by_confidence,
            help="Starts with the most confident predictions, correct or not.",
        )
        st.button(
            "In order",
            icon=":material/sort:",
            on_click=_order,
            args=("set",),
            disabled=st.session_state[_key("shuffle")] is None and not is_by_confidence,
            help="Sorts by the order of the data set.",
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
    "A model's predictions for images it was not trained on. Mistakes have a dashed red frame and are labelled "
    "*predicted ≠ true*. Press an image to enlarge it.",
)
try:
    model = _widgets.model_chooser("gallery")
    dataset = _widgets.test_set()
    probabilities = model.test_probabilities(dataset)
    labels, predicted = dataset.test.labels, probabilities.argmax(axis=1)
    _filters(dataset.class_names)
    page = gallery.choose(labels, probabilities, _choice(dataset.class_names))
    st.session_state[_key("hundred")] = page.hundred + 1
    correct = int((labels[page.rows] == predicted[page.rows]).sum())
    if len(page.rows):
        of_all = f"Of all {len(labels):,} images, {(labels == predicted).mean():.1%} are correct"
        if st.session_state[_key("show")] == "mistakes":
            st.markdown(f"**{len(page.rows)} of {page.matching:,} mistakes.** {of_all}.")
        else:
            st.markdown(f"**{correct} of these {len(page.rows)} are correct.** {of_all}.")
        _samples.grid(
            dataset, predicted, page.rows, key=_key("grid"), on_picked=lambda row: _samples.pick("gallery", row)
        )
    else:
        st.info("No images match these filters. Choose another class, or show all.")
    if page.hundreds > 1:
        st.pagination(page.hundreds, key=_key("hundred"), persist_state="session")
    st.caption(dataset.description)
    _samples.show_picked("gallery", dataset, model, probabilities)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "gallery")
_state.close_page("gallery")
