"""A finished run's models: their accuracy, links to the other pages, and downloads."""

from functools import partial

import streamlit as st

from digits.models import catalogue
from digits.models.identity import Weights
from digits.packages import pack
from digits.runs.hyperparameters import PRESETS
from digits.runs.schema import Run
from digits.views import strangers
from pages import _again, _package, _state, _widgets

WEIGHTS = {Weights.BEST: "Best weights", Weights.LAST: "Last weights", Weights.SAVED: "Saved weights"}

_key = partial(_state.key, "train")


def show(run: Run) -> None:
    """Show a run's models, each with its accuracy and links, and the downloads."""
    settings = _widgets.settings()
    models, damaged = catalogue.of_run(run.id, settings), catalogue.damaged_of_run(run.id, settings)
    if damaged or not any(model.id == run.id for model in models):
        st.error(
            "A file of this run's model is missing or damaged. Its curves are whole; repeat the run to make the model "
            "again.",
            icon=":material/broken_image:",
        )
    for model in models:
        with st.container(border=len(models) > 1):
            _model(run, model, is_named=len(models) > 1)
    last = next((model for model in models if model.id == run.id), None)
    if last is not None:
        _downloads(run, last)


def again(run: Run) -> None:
    """Show how to repeat a run, and the link to all runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _again.show(run, key=_key("again"))
        st.page_link("runs.py", label="All your runs", icon=":material/list:")


def _model(run: Run, model: catalogue.Model, *, is_named: bool) -> None:
    measured, preset = model.test_accuracy, PRESETS[run.hyperparameters.network]
    step = run.step if model.card.step is None else model.card.step
    seconds = run.seconds if model.card.seconds is None else model.card.seconds
    if is_named:
        st.markdown(f"**{WEIGHTS[model.card.weights or Weights.LAST]}**, after {step:,} iterations")
    figures = [("Test accuracy", f"{measured.share:.2%}")]
    if model.strangers:
        figures.append(("Strangers' drawings", f"{model.strangers.strokes.share:.1%}"))
    if preset.published:
        figures.append(("Published", preset.published))
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    low, high = measured.interval
    st.caption(
        f"{measured.correct:,} of {measured.total:,} test images are correct, measured once, when the model was saved. "
        f"95% confidence interval: {low:.2%} to {high:.2%}. Trained in {seconds:.1f} s."
    )
    if model.strangers:
        st.caption(f"Strangers' drawings: {strangers.caption(model.strangers, 'strokes')}.")
    with st.container(horizontal=True):
        for page, label, icon in (
            ("draw.py", "Draw with it", "draw"),
            ("gallery.py", "See its gallery", "grid_view"),
            ("models.py", "See what it confuses", "table_view"),
        ):
            st.page_link(page, label=label, icon=f":material/{icon}:", query_params={"model": model.id})


def _downloads(run: Run, model: catalogue.Model) -> None:
    with st.container(horizontal=True):
        _package.download(model, key=_key("download.package"))
        keras, tflite = (model.folder / name for name in (catalogue.KERAS_FILE, catalogue.TFLITE_FILE))
        for path, file, read, label, explanation in (
            (keras, keras.name, keras.read_bytes, ".keras", "The model for Keras. Its input is pixels from 0 to 255."),
            (tflite, tflite.name, tflite.read_bytes, ".tflite", "The model for LiteRT, on phones and small computers."),
            (
                keras,
                "weights-as-text.zip",
                lambda: pack.pack_texts(model),
                "Text (weights.txt, const.txt)",
                "Every layer's weights and biases as text, zipped.",
            ),
        ):
            st.download_button(
                label,
                read,
                file_name=f"digits-{run.hyperparameters.network}-{run.id}-{file}",
                icon=":material/download:",
                help=explanation,
                key=_key(f"download.{file}"),
                on_click="ignore",
                disabled=not path.is_file(),
            )
