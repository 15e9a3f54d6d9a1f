"""Test samples: a grid of buttons with a model's predictions, and one sample enlarged."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.models import catalogue
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _state, _widgets


def grid(
    dataset: datasets.Dataset,
    predicted: np.ndarray,
    rows: np.ndarray,
    *,
    key: str,
    on_picked: Callable[[int], None] | None,
) -> None:
    """Show test samples as a grid of buttons; `on_picked` gets a pressed sample's row, and None disables them."""
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
                "label": f"Sample {row}: read as {read}" + (f", but it is {true}" if is_wrong else ", correctly"),
            }
        )
    pictures(dataset, rows, tiles, f"{len(tiles)} test samples with what the model reads", key=key, on_picked=on_picked)


def pictures(
    dataset: datasets.Dataset,
    rows: np.ndarray,
    tiles: list[dict[str, Any]],
    label: str,
    *,
    key: str,
    on_picked: Callable[[int], None] | None,
) -> None:
    """Show test samples with captions from `tiles`: dicts with the keys `sample`, `wrong`, `caption` and `label`."""
    data = {
        "sprite": _widgets.data_url(gallery.sprite(dataset.test.images[rows])),
        "columns": gallery.COLUMNS,
        "tiles": tiles,
        "label": label,
        "still": on_picked is None,
    }
    report = (lambda: on_picked(int(st.session_state[key].picked))) if on_picked else (lambda: None)
    _widgets.gallery_grid(data, key=key, on_picked=report)


def pick(page: str, row: int | None) -> None:
    """Remember which sample a page shows enlarged; None for none."""
    st.session_state[_state.key(page, "sample")] = row


def picked(page: str, dataset: datasets.Dataset) -> int | None:
    """Return the row of the sample to enlarge, or None; a row that does not exist gives a notice."""
    row: int | None = st.session_state[_state.key(page, "sample")]
    if row is not None and row >= len(dataset.test):
        _state.notify(page, f"The link's `sample` should be below {len(dataset.test):,}; received {row:,}.")
        pick(page, None)
        return None
    return row


def show_picked(page: str, dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray) -> None:
    """Show the picked sample enlarged, with its probabilities, until it is closed."""
    row = picked(page, dataset)
    if row is None:
        return
    true, read = dataset.class_names[dataset.test.labels[row]], dataset.class_names[probabilities[row].argmax()]

    @st.dialog(f"Test sample {row}", on_dismiss=lambda: pick(page, None), width="medium")
    def show() -> None:
        verdict = f"correctly read as **{read}**" if read == true else f"read as **{read}**, but it is **{true}**"
        st.markdown(f"{escaped(model.title)}: {verdict}.")
        image, bars = st.columns([2, 3])
        image.image(
            gallery.enlarged(dataset.test.images[row]),
            width="stretch",
            output_format="PNG",
            alt=f"Test sample {row}, a handwritten {true}, enlarged",
        )
        with bars:
            _widgets.probability_chart(probabilities[row], dataset.class_names, key=_state.key(page, "bars"))

    show()
