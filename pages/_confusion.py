"""A model's errors: its confusion matrix, the images in each cell, and the most confident errors."""

from functools import partial

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.models import catalogue, scores
from digits.views import gallery
from digits.views.markdown import escaped
from pages import _samples, _state, _widgets

SHOWN = 20  # images of a cell, and most confident errors
MANY = 16  # classes; a matrix of more does not fit into a page, and scrolls in a box of its own
FREQUENT = 8  # errors that are named before such a matrix

_key = partial(_state.key, "models")


def show(dataset: datasets.Dataset, model: catalogue.Model) -> np.ndarray:
    """Show the confusion matrix, beside it the pressed cell's images or the most confident errors; return their rows.

    On a phone, a cell opens a dialog.
    """
    names, probabilities = dataset.class_names, model.test_probabilities(dataset)
    counts = scores.confusion_matrix(dataset.test.labels, probabilities.argmax(axis=1), len(names))
    table, beside = st.columns([3, 2], gap="large")
    with table:
        _grid(counts, names)
    cell = _pressed(names)
    with beside:
        if cell is None or _widgets.is_phone():
            rows = _errors(dataset, model, probabilities)
    if cell is None:
        return rows
    choice = gallery.Choice(class_index=cell[0], read_index=cell[1], surest_first=True)
    rows = gallery.choose(dataset.test.labels, probabilities, choice).rows[:SHOWN]
    show_cell = partial(_images, dataset, model, probabilities, cell, rows, int(counts[cell]))
    if not _widgets.is_phone():
        with beside:
            _heading(_title(cell, int(counts[cell]), names))
            show_cell()
    elif st.session_state[_key("sample")] is None:  # one dialog at a time; the cell's comes back after the sample's
        st.dialog(_title(cell, int(counts[cell]), names), on_dismiss=_close, width="medium")(show_cell)()
    return rows


def _grid(counts: np.ndarray, names: tuple[str, ...]) -> None:
    """Show the counts as buttons."""
    if len(names) > MANY:
        _most_frequent(counts, names)
    st.markdown("Grey: correct. Orange: errors. **Select a cell to see it.**")
    cell = _pressed(names)
    data = {
        "names": list(names),
        "counts": counts.tolist(),
        "shades": np.where(counts > 0, 10 + 45 * scores.shades(counts), 0).round(1).tolist(),
        "pressed": None if cell is None else cell[0] * len(names) + cell[1],
        "isDialog": _widgets.is_phone(),
        "isLarge": len(names) > MANY,
        "label": f"Confusion matrix. {scores.describe_confusion(counts, names)}",
    }
    with st.container(key=_key("cells")):
        _widgets.confusion_grid(data, key=_key("matrix"), on_pressed=lambda: _press(names))


def _most_frequent(counts: np.ndarray, names: tuple[str, ...]) -> None:
    """Show the most frequent errors as buttons, because in a matrix of many classes they are hard to find."""
    st.markdown("**Most frequent errors**")
    with st.container(horizontal=True, gap="xsmall", key=_key("frequent")):
        for true, read, count in scores.most_frequent_errors(counts, FREQUENT):
            st.button(
                f"{escaped(names[true])} read as {escaped(names[read])}: {count:,}",
                on_click=_open,
                args=(names[true], names[read]),
                key=_key(f"frequent.{true}.{read}"),
            )


def _open(true: str, read: str) -> None:
    st.session_state[_key("class")], st.session_state[_key("read")] = true, read


def _press(names: tuple[str, ...]) -> None:
    """Open the pressed cell; close it if it is open."""
    cell = divmod(int(st.session_state[_key("matrix")].pressed), len(names))
    if (names[cell[0]], names[cell[1]]) == (st.session_state[_key("class")], st.session_state[_key("read")]):
        _close()
    else:
        _open(*(names[index] for index in cell))


def _close() -> None:
    st.session_state[_key("class")] = st.session_state[_key("read")] = ""


def _pressed(names: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the open cell as its true and predicted class, or None; a link to an unknown class gives a notice."""
    true, read = (st.session_state[_key(name)] for name in ("class", "read"))
    if not true or not read:
        return None
    if true in names and read in names:
        return names.index(true), names.index(read)
    _state.notify("models", f"The link's `class` and `read` should each be one of {', '.join(names)}; no cell is open.")
    _close()
    return None


def _title(cell: tuple[int, int], count: int, names: tuple[str, ...]) -> str:
    true, read = (names[index] for index in cell)
    what = f"{true} read correctly" if true == read else f"{true} read as {read}"
    return f"{what}: {count:,} image{'' if count == 1 else 's'}"


def _heading(title: str) -> None:
    """Show what the open cell is, and a button that closes it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(title, anchor=False, width="content")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key=_key("close"))


def _images(
    dataset: datasets.Dataset,
    model: catalogue.Model,
    probabilities: np.ndarray,
    cell: tuple[int, int],
    rows: np.ndarray,
    count: int,
) -> None:
    """Show the images in the pressed cell, with a link to all of them."""
    if st.session_state[_key("sample")] is not None and _widgets.is_phone():
        st.rerun()  # an image of this dialog has been pressed, whose own dialog takes this one's place
    if not count:
        st.markdown("This model makes no such error.")
        return
    if count > 1:
        st.caption("The most confident predictions come first.")
    _tiles(dataset, probabilities, rows, "cell")
    if count > SHOWN:
        true, read = (dataset.class_names[index] for index in cell)
        _to_gallery(model, f"All {count:,} in the gallery", **{"show": "all", "class": true, "read": read})


def _errors(dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray) -> np.ndarray:
    """Show the images that were misclassified with the highest confidence; return their rows."""
    st.header("Most confident errors", anchor=False)
    choice = gallery.Choice(correct=False, surest_first=True)
    page = gallery.choose(dataset.test.labels, probabilities, choice)
    rows = page.rows[:SHOWN]
    if not page.matching:
        st.markdown("This model makes no errors.")
        return rows
    st.caption("Ambiguous or mislabelled images are often among them.")
    _tiles(dataset, probabilities, rows, "mistakes")
    count = f"All {page.matching:,} errors" if page.matching > 1 else "The only error"
    _to_gallery(model, f"{count} in the gallery", show="errors")
    return rows


def _tiles(dataset: datasets.Dataset, probabilities: np.ndarray, rows: np.ndarray, name: str) -> None:
    read = probabilities.argmax(axis=1)
    _samples.grid(dataset, read, rows, key=_key(name), on_picked=lambda row: _samples.pick("models", row))


def _to_gallery(model: catalogue.Model, label: str, **query: str) -> None:
    link = {"model": model.id, "sort": "confidence", **query}
    st.page_link("gallery.py", label=label, icon=":material/grid_view:", query_params=link)
