"""Two models on the same test images: McNemar's test, and the images on which they disagree."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.errors import ModelNotFound
from digits.models import catalogue, scores
from digits.runs.schema import Run
from digits.views import comparison, examples, gallery
from digits.views import titles as model_titles
from digits.views.markdown import escaped
from pages import _samples, _widgets
from pages._chosen import key

SIDES = {"a": "Only A", "b": "Only B", "neither": "Neither"}


def show(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Let the visitor compare two models, each of a chosen run or bundled with Digits.

    Args:
        names: what each run is called, by its id.
    """
    titles, pair = _models(runs, names)
    if not titles:
        return
    for side, place, default in zip("ab", st.columns(2), pair, strict=True):
        if st.session_state[key(side)] not in titles:
            st.session_state[key(side)] = default
        place.selectbox(
            f"Model {side.upper()}",
            list(titles),
            format_func=titles.__getitem__,
            key=key(side),
            persist_state="session",
            on_change=_first_hundred,
            help="A model of a chosen run, or one that comes with Digits.",
        )
    a, b = (catalogue.find(st.session_state[key(side)], _widgets.settings()) for side in "ab")
    if a.id == b.id:
        st.info("A and B are the same model. Choose a different one.")
        return
    if a.card.dataset != b.card.dataset:
        st.info("A and B read different characters. Choose two models of the same data.")
        return
    dataset = _widgets.test_set(a.card.dataset)
    try:
        _verdict(dataset, a, b)
        _images(dataset, a, b)
    except ModelNotFound as error:
        _widgets.show_error(error)


def _models(runs: Sequence[Run], names: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the titles of the models to choose from, by id, and the initial pair."""
    titles, firsts = {}, []
    for run in runs:
        models = _of(run)
        for model in models:
            name, card = names[run.id], model.card
            titles[model.id] = model_titles.of_run(name, None, card.weights, card.step) if len(models) > 1 else name
        firsts += [model.id for model in models[:1]]
    if not titles:
        return {}, []
    bundled = {
        model.id: f"{model_titles.short(model)} (bundled)" for model in catalogue.bundled() if model.id not in titles
    }
    network = runs[0].hyperparameters.network
    return titles | bundled, [*firsts, network if network in bundled else catalogue.DEFAULT_MODEL][:2]


def _of(run: Run) -> list[catalogue.Model]:
    """Return a run's models; an example's is the bundled one."""
    if examples.find(run.id):
        return [catalogue.find(run.id, _widgets.settings())]
    return catalogue.of_run(run.id, _widgets.settings())


def _first_hundred() -> None:
    st.session_state[key("hundred")] = 1


def _verdict(dataset: datasets.Dataset, a: catalogue.Model, b: catalogue.Model) -> None:
    """Say whether one model is significantly better."""
    result = scores.mcnemar(dataset.test.labels, *_predictions(dataset, a, b))
    st.markdown(f"**{scores.describe_mcnemar(result)}**")
    st.caption(
        f"McNemar's exact test on {len(dataset.test):,} test images. It compares these two models, not their networks: "
        "another seed would give other weights."
    )


def _predictions(dataset: datasets.Dataset, *models: catalogue.Model) -> list[np.ndarray]:
    return [model.test_probabilities(dataset).argmax(axis=1) for model in models]


def _images(dataset: datasets.Dataset, a: catalogue.Model, b: catalogue.Model) -> None:
    """Show the images that the models read differently, a hundred at a time."""
    labels, (read_a, read_b) = dataset.test.labels, _predictions(dataset, a, b)
    found = {side: comparison.disagreements(labels, read_a, read_b, side) for side in SIDES}
    if not any(map(len, found.values())):
        return
    st.segmented_control(
        "Who is right",
        list(SIDES),
        format_func=lambda side: f"{SIDES[side]} ({len(found[side]):,})",
        required=True,
        key=key("side"),
        persist_state="session",
        on_change=_first_hundred,
        help="The images that A and B read differently.",
    )
    side = st.session_state[key("side")]
    hundreds = max(1, -(-len(found[side]) // gallery.SAMPLES))
    hundred = st.session_state[key("hundred")] = min(st.session_state[key("hundred")], hundreds)
    rows = found[side][(hundred - 1) * gallery.SAMPLES : hundred * gallery.SAMPLES]
    if not len(rows):
        st.info("There are no such images.")
        return
    names = dataset.class_names
    tiles = [
        {
            "sample": int(row),
            "wrong": False,
            "caption": f"A {names[read_a[row]]}, B {names[read_b[row]]}",
            "note": f"({names[labels[row]]}, sample {row})",
        }
        for row in rows
    ]
    label = f"{len(tiles)} test images that the two models read differently"
    _samples.pictures(dataset, rows, tiles, label, key=key("grid"), on_picked=lambda row: _samples.pick("runs", row))
    if hundreds > 1:
        st.pagination(hundreds, key=key("hundred"), persist_state="session")
    with st.container(horizontal=True):
        for letter, model in (("A", a), ("B", b)):
            st.page_link(
                "gallery.py",
                label=f"All errors of {letter}",
                icon=":material/grid_view:",
                query_params={"model": model.id},
            )
    _samples.show_picked("runs", dataset, rows, lambda row: _enlarged(dataset, row, a, b), width="large")


def _enlarged(dataset: datasets.Dataset, row: int, a: catalogue.Model, b: catalogue.Model) -> None:
    """Show a sample with both models' predictions."""
    true = dataset.class_names[dataset.test.labels[row]]
    st.markdown(f"**{true}**. Sample {row:,}.")
    image, *bars = st.columns(3)
    with image:
        _samples.enlarged(dataset, row)
    for place, letter, model in zip(bars, "AB", (a, b), strict=True):
        probabilities = model.test_probabilities(dataset)[row]
        with place:
            st.markdown(f"{letter} reads **{dataset.class_names[probabilities.argmax()]}**: {escaped(model.title)}")
            _widgets.probability_chart(probabilities, dataset.class_names, key=key(f"bars.{letter}"))
