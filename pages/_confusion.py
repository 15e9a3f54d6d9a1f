"""A model's mistakes: its confusion matrix, the images in each cell, per-class metrics, most confident mistakes."""

from functools import partial

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.models import catalogue, scores
from digits.views import gallery
from pages import _samples, _state, _widgets

SHOWN = 20  # images of a cell, and most confident mistakes

_key = partial(_state.key, "models")


def show(dataset: datasets.Dataset, model: catalogue.Model) -> None:
    """Show the confusion matrix with the pressed cell's images, the metrics and the most confident mistakes."""
    names, labels, probabilities = dataset.class_names, dataset.test.labels, model.test_probabilities(dataset)
    predicted = probabilities.argmax(axis=1)
    counts = scores.confusion_matrix(labels, predicted, len(names))
    st.header("Confusion matrix", anchor=False)
    st.markdown(
        "Rows are the true classes, columns are the predicted ones. Correct predictions are grey; the deeper the "
        "orange, the more often the model makes that mistake. **Press a number to see its images.**"
    )
    table, opened = st.columns([3, 2], gap="large")
    with table:
        _grid(counts, names)
    with opened:
        _opened(dataset, model, probabilities, counts)
    each_class, mistakes = st.columns([2, 3], gap="large")
    with each_class:
        _scores(labels, predicted, names)
    with mistakes:
        _mistakes(dataset, model, probabilities)


def _grid(counts: np.ndarray, names: tuple[str, ...]) -> None:
    """Show the counts as buttons."""
    cell = _pressed(names)
    data = {
        "names": list(names),
        "counts": counts.tolist(),
        "shades": np.where(counts > 0, 10 + 60 * scores.shades(counts), 0).round(1).tolist(),
        "pressed": None if cell is None else cell[0] * len(names) + cell[1],
        "label": f"Confusion matrix. {scores.describe_confusion(counts, names)}",
    }
    _widgets.confusion_grid(data, key=_key("matrix"), on_pressed=lambda: _press(names))
    st.caption(scores.describe_confusion(counts, names))


def _press(names: tuple[str, ...]) -> None:
    true, read = divmod(int(st.session_state[_key("matrix")].pressed), len(names))
    st.session_state[_key("class")], st.session_state[_key("read")] = names[true], names[read]


def _pressed(names: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the open cell as its true and predicted class, or None; a link to an unknown class gives a notice."""
    true, read = (st.session_state[_key(name)] for name in ("class", "read"))
    if not true or not read:
        return None
    if true in names and read in names:
        return names.index(true), names.index(read)
    _state.notify("models", f"The link's `class` and `read` should each be one of {', '.join(names)}; no cell is open.")
    st.session_state[_key("class")] = st.session_state[_key("read")] = ""
    return None


def _opened(dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray, counts: np.ndarray) -> None:
    """Show the images in the pressed cell, with a link to all of them."""
    names = dataset.class_names
    cell = _pressed(names)
    if cell is None:
        st.info("Press a cell to see its images here.", icon=":material/touch_app:")
        return
    true, read = cell
    what = f"{names[true]} read correctly" if true == read else f"{names[true]} read as {names[read]}"
    count = int(counts[true, read])
    st.subheader(f"{what}: {count:,} image{'' if count == 1 else 's'}", anchor=False)
    choice = gallery.Choice(class_index=true, read_index=read, surest_first=True)
    rows = gallery.choose(dataset.test.labels, probabilities, choice).rows[:SHOWN]
    if not count:
        st.markdown("This model makes no such mistake.")
        return
    if count > 1:
        st.caption("The most confident prediction comes first. Press an image to enlarge it.")
    _tiles(dataset, probabilities, rows, "cell")
    if count > SHOWN:
        _to_gallery(model, f"All {count:,} in the gallery", **{"class": names[true], "read": names[read]})


def _scores(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> None:
    """Show precision, recall and F1 of each class."""
    st.subheader("Per-class metrics", anchor=False)
    st.markdown(
        "Precision: the share of predictions of this class that are correct. Recall: the share of images of this class "
        "that are found. F1: the harmonic mean of both. Support: the number of images."
    )
    table = scores.per_class(labels, predicted, names)
    shares = ["precision", "recall", "F1"]
    table[shares] = table[shares].map("{:.2%}".format)
    table["support"] = table["support"].map("{:,}".format)
    st.table(table.rename_axis("class").reset_index(), hide_index=True)


def _mistakes(dataset: datasets.Dataset, model: catalogue.Model, probabilities: np.ndarray) -> None:
    """Show the images that were misclassified with the highest confidence."""
    st.subheader("Most confident mistakes", anchor=False)
    choice = gallery.Choice(only_mistakes=True, surest_first=True)
    page = gallery.choose(dataset.test.labels, probabilities, choice)
    if not page.matching:
        st.markdown("This model makes no mistakes.")
        return
    st.markdown(
        f"{min(SHOWN, page.matching)} of its {page.matching:,} mistakes, the most confident first. Some are errors of "
        "the model; other images are ambiguous or may be mislabelled."
    )
    _tiles(dataset, probabilities, page.rows[:SHOWN], "mistakes")
    _to_gallery(model, "All mistakes in the gallery", show="mistakes")


def _tiles(dataset: datasets.Dataset, probabilities: np.ndarray, rows: np.ndarray, name: str) -> None:
    _samples.grid(
        dataset,
        probabilities.argmax(axis=1),
        rows,
        key=_key(name),
        on_picked=lambda row: _samples.pick("models", row),
    )


def _to_gallery(model: catalogue.Model, label: str, **query: str) -> None:
    link = {"model": model.id, "sort": "confidence", **query}
    st.page_link("gallery.py", label=label, icon=":material/grid_view:", query_params=link)
