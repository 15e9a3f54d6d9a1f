"""Gallery: 100 test samples against what a model reads in them."""

import base64
import random

import numpy as np
import streamlit as st

from digits import catalogue, datasets, gallery
from digits.errors import DigitsError
from pages import _state, _widgets

ALL = "all classes"


def _key(name: str) -> str:
    return _state.key("gallery", name)


def _shuffle() -> None:
    st.session_state[_key("shuffle")] = random.randrange(10_000)
    st.session_state[_key("hundred")] = 1


def _unshuffle() -> None:
    st.session_state[_key("shuffle")] = None
    st.session_state[_key("hundred")] = 1


def _first_hundred() -> None:
    st.session_state[_key("hundred")] = 1


def _pick() -> None:
    st.session_state[_key("sample")] = int(st.session_state[_key("grid")].picked)


def _put_back() -> None:
    st.session_state[_key("sample")] = None


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
        if st.session_state[_key("class")] not in ("", *class_names):
            _state.notify("gallery", f"The link's `class` should be one of {', '.join(class_names)}; all are shown.")
            st.session_state[_key("class")] = ""
        st.selectbox(
            "Class",
            ["", *class_names],
            format_func=lambda name: name or ALL,
            key=_key("class"),
            persist_state="session",
            on_change=_first_hundred,
            width=160,
        )
        is_shuffled = st.session_state[_key("shuffle")] is not None
        st.button(
            "Shuffle", icon=":material/shuffle:", on_click=_shuffle, help="Show another hundred, drawn at random."
        )
        st.button(
            "In order",
            icon=":material/sort:",
            on_click=_unshuffle,
            disabled=not is_shuffled,
            help="Back to the order of the data set.",
        )


def _choice(class_names: tuple[str, ...]) -> gallery.Choice:
    chosen = st.session_state[_key("class")]
    return gallery.Choice(
        hundred=st.session_state[_key("hundred")] - 1,
        shuffle=st.session_state[_key("shuffle")],
        only_mistakes=st.session_state[_key("show")] == "mistakes",
        class_index=class_names.index(chosen) if chosen else None,
    )


def _grid(dataset: datasets.Dataset, predicted: np.ndarray, rows: np.ndarray) -> None:
    """Show the samples as one picture cut into buttons."""
    names, labels = dataset.class_names, dataset.test.labels
    tiles = []
    for row in rows:
        read, true = names[predicted[row]], names[labels[row]]
        is_wrong = read != true
        tiles.append(
            {
                "sample": int(row),
                "wrong": is_wrong,
                "caption": f"{read} ≠ {true}" if is_wrong else read,
                "label": f"Sample {row}: read as {read}" + (f", but it is {true}" if is_wrong else ", rightly"),
            }
        )
    picture = base64.b64encode(gallery.sprite(dataset.test.images[rows])).decode("ascii")
    data = {
        "sprite": f"data:image/png;base64,{picture}",
        "columns": gallery.COLUMNS,
        "tiles": tiles,
        "label": f"{len(tiles)} test samples with what the model reads",
    }
    _widgets.gallery_grid(data, key=_key("grid"), on_picked=_pick)


def _sample(dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray, row: int) -> None:
    """Show one sample large, with its probabilities."""
    true, read = dataset.class_names[dataset.test.labels[row]], dataset.class_names[probabilities[row].argmax()]

    @st.dialog(f"Test sample {row}", on_dismiss=_put_back, width="medium")
    def show() -> None:
        verdict = f"rightly read as **{read}**" if read == true else f"read as **{read}**, but it is **{true}**"
        st.markdown(f"{model.title}: {verdict}.")
        image, bars = st.columns([2, 3])
        image.image(
            gallery.enlarged(dataset.test.images[row]),
            width="stretch",
            output_format="PNG",
            alt=f"Test sample {row}, a handwritten {true}, enlarged",
        )
        with bars:
            _widgets.probability_chart(probabilities[row], dataset.class_names, key=_key("bars"))

    show()


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
    page = gallery.choose(labels, predicted, _choice(dataset.class_names))
    st.session_state[_key("hundred")] = page.hundred + 1
    right = int((labels[page.rows] == predicted[page.rows]).sum())
    if len(page.rows):
        of_all = f"{(labels == predicted).mean():.1%} of all {len(labels):,} read rightly"
        if st.session_state[_key("show")] == "mistakes":
            st.markdown(f"**{len(page.rows)} of {page.matching:,} mistakes**; {of_all}.")
        else:
            st.markdown(f"**{right} of these {len(page.rows)}**, {of_all}.")
        _grid(dataset, predicted, page.rows)
    else:
        st.info("No image matches: this model makes no such mistake. Choose another class, or show all.")
    if page.hundreds > 1:
        st.pagination(page.hundreds, key=_key("hundred"), persist_state="session")
    st.caption(dataset.description)
    sample = st.session_state[_key("sample")]
    if sample is not None and sample >= len(labels):
        _state.notify("gallery", f"The link's `sample` should be below {len(labels):,}; received {sample:,}.")
        _put_back()
    elif sample is not None:
        _sample(dataset, model, probabilities, sample)
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "gallery")
_state.close_page("gallery")
