"""Test samples: a grid of buttons with a model's predictions, and one sample enlarged."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.models import catalogue
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _state, _widgets

_MOST_LINES = 10  # for which room is kept; what stands below more is off the screen


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
                "caption": f"{true} read as {read}" if is_wrong else read,
                "short": f"{true} → {read}" if is_wrong else read,
                "note": f"(sample {row})" if is_wrong else f"(correct, sample {row})",
            }
        )
    pictures(dataset, rows, tiles, f"{len(tiles)} test images with predictions", key=key, on_picked=on_picked)


def pictures(
    dataset: datasets.Dataset,
    rows: np.ndarray,
    tiles: list[dict[str, Any]],
    label: str,
    *,
    key: str,
    on_picked: Callable[[int], None] | None,
) -> None:
    """Show test samples with captions from `tiles`.

    Args:
        tiles: dicts with the keys `sample`, `wrong`, `caption`, `note` (which only a screen reader and a hint tell)
            and, if narrow tiles have another caption, `short`.
    """
    page = key.partition(".")[0]
    data = {
        "sprite": _widgets.data_url(gallery.sprite(dataset.test.images[rows])),
        "columns": gallery.COLUMNS,
        "tiles": tiles,
        "label": label,
        "still": on_picked is None,
        "opened": st.session_state.get(_state.key(page, "sample")),
        "last": st.session_state.get(_state.key(page, "last")),
        "page": st.session_state.get(_state.key(page, "hundred")),
    }
    report = (lambda: on_picked(int(st.session_state[key].picked))) if on_picked else (lambda: None)
    with _room(len(rows), key) if on_picked else st.container():
        _widgets.gallery_grid(data, key=key, on_picked=report)


def pager(page: str, found: gallery.Page, place: str) -> None:
    """Show the page numbers of samples, if there are several pages; those above and those below are one choice."""
    if found.hundreds > 1:
        widget = _state.key(page, f"hundred.{place}")
        st.session_state[widget] = found.hundred + 1
        st.pagination(found.hundreds, key=widget, on_change=_turn, args=(page, widget))


def _turn(page: str, widget: str) -> None:
    st.session_state[_state.key(page, "hundred")] = st.session_state[widget]


def _room(count: int, key: str) -> Any:
    """Return a container as high as `count` samples will be, so that nothing below moves when they come."""
    lines = -(-count // (gallery.COLUMNS // 2 if _widgets.is_phone() else gallery.COLUMNS))
    return st.container(key=f"{key}.lines.{min(lines, _MOST_LINES)}")


def pick(page: str, row: int | None) -> None:
    """Remember which sample a page shows enlarged; None for none. The focus returns to the last one."""
    st.session_state[_state.key(page, "sample")] = row
    if row is not None:
        st.session_state[_state.key(page, "last")] = row


def picked(page: str, dataset: datasets.Dataset) -> int | None:
    """Return the row of the sample to enlarge, or None; a row that does not exist gives a notice."""
    row: int | None = st.session_state[_state.key(page, "sample")]
    if row is not None and row >= len(dataset.test):
        _state.notify(page, f"The link's `sample` should be below {len(dataset.test):,}; received {row:,}.")
        pick(page, None)
        return None
    return row


def show_picked(
    page: str,
    dataset: datasets.Dataset,
    rows: np.ndarray,
    show: Callable[[int], None],
    *,
    width: Literal["medium", "large"] = "medium",
    on_moved: Callable[[int], None] = lambda place: None,
) -> None:
    """Show the picked sample enlarged until it is closed, with buttons and arrow keys that lead to its neighbours.

    Args:
        rows: int (n,), the samples around it, in the order of the page.
        show: shows the sample in this row.
        on_moved: gets the place in `rows` to which a button or a key leads.
    """
    if picked(page, dataset) is None:
        return

    @st.dialog("Test image", on_dismiss=lambda: pick(page, None), width=width)
    def dialog() -> None:
        row = picked(page, dataset)
        if row is not None:
            _neighbours(page, row, rows.tolist(), on_moved)
            show(row)
        _state.close_page(page)

    dialog()


def _neighbours(page: str, row: int, rows: list[int], on_moved: Callable[[int], None]) -> None:
    """Show the buttons to the previous and the next sample; the last one is followed by the first.

    A button that were disabled at the end would lose the focus, and with it the keys.
    """
    if row not in rows or len(rows) < 2:
        return
    place = rows.index(row)

    def move(to: int) -> None:
        pick(page, rows[to])
        on_moved(to)

    is_phone = _widgets.is_phone()  # without arrow keys, and without room for their names
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
        for label, icon, shortcut, step in (
            ("Previous", ":material/chevron_left:", "Left", -1),
            ("Next", ":material/chevron_right:", "Right", 1),
        ):
            st.button(
                label,
                icon=icon,
                icon_position="left" if step < 0 else "right",
                shortcut=None if is_phone else shortcut,
                on_click=move,
                args=((place + step) % len(rows),),
                key=_state.key(page, label.lower()),
            )
            if step < 0:
                st.markdown(f"{place + 1:,} of {len(rows):,}", width="content")


def enlarged(dataset: datasets.Dataset, row: int) -> None:
    """Show a test sample, enlarged; as part of the page, because a file would be gone before a quick key's answer."""
    st.image(
        _widgets.data_url(gallery.enlarged(dataset.test.images[row])),
        width="stretch",
        alt=f"Test sample {row}, a handwritten {dataset.class_names[dataset.test.labels[row]]}, enlarged",
    )


def show_reading(
    page: str, dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray, row: int
) -> None:
    """Show a sample with what a model reads in it."""
    true, read = dataset.class_names[dataset.test.labels[row]], dataset.class_names[probabilities[row].argmax()]
    verdict = f"**{true}**, read correctly" if read == true else f"**{true}** read as **{read}**"
    st.markdown(f"{verdict} by {escaped(model.title)}. Sample {row:,}.")
    image, bars = st.columns([2, 3])
    with image:
        enlarged(dataset, row)
    with bars:
        _widgets.probability_chart(probabilities[row], dataset.class_names, key=_state.key(page, "bars"))
