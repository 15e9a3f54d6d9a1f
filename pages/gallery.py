"""Gallery: 100 test samples with a model's predictions."""

import random
from functools import partial

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.views import gallery
from pages import _samples, _state, _widgets

SHOWN = {"all": "All", "errors": "Errors", "correct": "Correct"}
SORTS = {"confidence": "Confidence", "suspect": "Suspect", "dataset": "Dataset", "random": "Random"}

_key = partial(_state.key, "gallery")


def _first_hundred() -> None:
    st.session_state[_key("hundred")] = 1


def _sort() -> None:
    """Give a random order its seed, so that the link repeats it."""
    is_random = st.session_state[_key("sort")] == "random"
    st.session_state[_key("shuffle")] = random.randrange(10_000) if is_random else None
    _first_hundred()


def _agree_on_order() -> None:
    """Let a link that has only a seed, as links from before, or only "random" show a random order."""
    sort, shuffle = st.session_state[_key("sort")], st.session_state[_key("shuffle")]
    if sort == "dataset" and shuffle is not None:
        st.session_state[_key("sort")] = "random"
    elif sort == "random" and shuffle is None:
        _sort()


def _show_all() -> None:
    st.session_state[_key("show")] = "all"
    st.session_state[_key("class")] = st.session_state[_key("read")] = st.session_state[_key("by")] = ""
    _first_hundred()


def _filters(class_names: tuple[str, ...], writers: tuple[str, ...]) -> None:
    """Show the filters and the sort order: in one row, or on a phone most of them in a popover."""
    st.segmented_control(
        "Show",
        list(SHOWN),
        format_func=SHOWN.__getitem__,
        required=True,
        key=_key("show"),
        persist_state="session",
        on_change=_first_hundred,
        label_visibility="collapsed" if _widgets.is_phone() else "visible",
    )
    if _widgets.is_phone():
        count = sum(bool(st.session_state[_key(name)]) for name in ("class", "read", "by"))
        popover = st.popover(f"Filter ({count})" if count else "Filter", icon=":material/tune:")
        with popover.container(horizontal=True, gap="small"):
            _more_filters(class_names, writers)
    else:
        _more_filters(class_names, writers)


def _more_filters(class_names: tuple[str, ...], writers: tuple[str, ...]) -> None:
    for name, label in (("class", "True"), ("read", "Predicted")):
        _filter(name, label, class_names)
    if writers:
        _filter("by", "Writer", writers)
    else:
        st.session_state[_key("by")] = ""
    with st.container(horizontal=True, vertical_alignment="bottom", width="content", gap="xsmall"):
        # A phone may need two rows for them, in which segments would lose their frame.
        choose = partial(st.pills, wrap=True) if _widgets.is_phone() else st.segmented_control
        choose(
            "Sort",
            list(SORTS),
            format_func=SORTS.__getitem__,
            required=True,
            key=_key("sort"),
            persist_state="session",
            on_change=_sort,
        )
        if st.session_state[_key("sort")] == "random":
            st.button("", icon=":material/shuffle:", on_click=_sort, key=_key("again"), help="Shuffle again")


def _filter(name: str, label: str, choices: tuple[str, ...]) -> None:
    """Let the visitor choose one class or writer, or all of them; typing searches the list."""
    if st.session_state[_key(name)] not in ("", *choices):
        _state.notify("gallery", f"The link's `{name}` should be one of {', '.join(choices)}; all are shown.")
        st.session_state[_key(name)] = ""
    st.selectbox(
        label,
        ["", *choices],
        format_func=lambda chosen: chosen or "Any",
        key=_key(name),
        persist_state="session",
        on_change=_first_hundred,
        width=80,
    )


def _choice(class_names: tuple[str, ...]) -> gallery.Choice:
    true, read = (st.session_state[_key(name)] for name in ("class", "read"))
    return gallery.Choice(
        hundred=st.session_state[_key("hundred")] - 1,
        shuffle=st.session_state[_key("shuffle")],
        correct={"all": None, "errors": False, "correct": True}[st.session_state[_key("show")]],
        class_index=class_names.index(true) if true else None,
        read_index=class_names.index(read) if read else None,
        surest_first=st.session_state[_key("sort")] == "confidence",
        suspects_first=st.session_state[_key("sort")] == "suspect",
        writer=st.session_state[_key("by")],
    )


def _follow(place: int) -> None:
    """Turn to the hundred of the sample that the dialog has moved to."""
    st.session_state[_key("hundred")] = place // gallery.SAMPLES + 1


def _count(page: gallery.Page, correct: int, share: float) -> str:
    """Return how many samples are shown, of how many, and the model's accuracy."""
    show, count = st.session_state[_key("show")], len(page.rows)
    if show == "all":
        said = f"All {count} correct" if correct == count else f"{correct} of these {count} correct"
    else:
        noun = ("error" if page.matching == 1 else "errors") if show == "errors" else "correct"
        first = page.hundred * gallery.SAMPLES + 1
        said = f"{page.matching:,} {noun}" + (
            f", {first:,} to {first + count - 1:,} shown" if page.hundreds > 1 else ""
        )
    return f"**{said}.** Test accuracy {share:.1%}."


def _nothing() -> None:
    """Say why there are no samples, and how to see some."""
    is_filtered = any(st.session_state[_key(name)] for name in ("class", "read", "by"))
    if is_filtered or st.session_state[_key("show")] == "correct":
        st.info("No images match these filters.", icon=":material/filter_alt_off:")
    else:
        st.info("This model makes no errors on these images.", icon=":material/check_circle:")
    st.button("Show all images", on_click=_show_all, key=_key("everything"))


def _show(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show the chosen hundred samples, and one enlarged."""
    probabilities = model.test_probabilities(dataset)
    labels, predicted = dataset.test.labels, probabilities.argmax(axis=1)
    page = gallery.choose(labels, probabilities, _choice(dataset.class_names), dataset.writers)
    st.session_state[_key("hundred")] = page.hundred + 1
    is_correct = labels == predicted
    if not len(page.rows):
        _nothing()
    else:
        row = st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=_key("count")
        )
        with row:
            said = _count(page, int(np.count_nonzero(is_correct[page.rows])), float(is_correct.mean()))
            st.markdown(said, width="content")
            _samples.pager("gallery", page, "above")
        _samples.grid(
            dataset, predicted, page.rows, key=_key("grid"), on_picked=lambda row: _samples.pick("gallery", row)
        )
        _samples.pager("gallery", page, "below")
    _widgets.data_caption(dataset)
    _samples.show_picked(
        "gallery",
        dataset,
        page.found,
        lambda row: _samples.show_reading("gallery", dataset, model, probabilities, row),
        on_moved=_follow,
    )


head = _widgets.page_head("gallery", "Gallery", "A model's predictions for unseen test images.")
try:
    _agree_on_order()
    above = st.container() if _widgets.is_phone() else None  # a phone has no room for the model beside the filters
    tools = st.container(horizontal=True, vertical_alignment="bottom", wrap=not above, key=_key("tools"))
    dataset = _widgets.test_set(_widgets.chosen_model("gallery").card.dataset)
    writers = tuple(sorted(set(dataset.writers) - {""}))
    with above or tools:
        model = _widgets.model_chooser("gallery", width="stretch" if above else 190 if writers else 328)
    with tools:
        _filters(dataset.class_names, writers)
    _show(model, dataset)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "gallery")
_state.close_page("gallery")
