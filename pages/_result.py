"""A finished run's result: one card with the checkpoint that validation chose, where to use it, and its files."""

from functools import partial

import streamlit as st

from digits.models import catalogue
from digits.models.identity import Weights
from digits.packages import pack
from digits.runs.schema import Run
from digits.views import strangers
from digits.views.markdown import escaped
from pages import _again, _package, _state, _widgets

CHECKPOINTS = {Weights.BEST: "Best checkpoint", Weights.LAST: "Final weights", Weights.SAVED: "Saved checkpoint"}

_key = partial(_state.key, "train")


def show(run: Run) -> None:
    """Show the accuracy of the checkpoint that validation chose, what to do with it, and all downloads."""
    settings = _widgets.settings()
    models, damaged = catalogue.of_run(run.id, settings), catalogue.damaged_of_run(run.id, settings)
    if damaged or not any(model.id == run.id for model in models):
        st.error(
            "A file of this run's model is missing or damaged. Its curves are whole; repeat the run to make the model "
            "again.",
            icon=":material/broken_image:",
        )
    if not models:
        return
    with st.container(border=True, key=_key("result")):
        _card(run, models[0])  # the best checkpoint, if it differs from the final weights
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.popover("Download", icon=":material/download:"):
                for model in models:
                    _downloads(run, model, is_only=len(models) == 1)
            for page, label, icon in (
                ("gallery.py", "Gallery", "grid_view"),
                ("models.py", "Confusion matrix", "table_view"),
            ):
                st.page_link(page, label=label, icon=f":material/{icon}:", query_params={"model": models[0].id})
    if len(models) > 1:
        _others(run, models[1:])


def again(run: Run) -> None:
    """Show how to repeat a run, and the link to all runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _again.show(run, key=_key("again"))
        st.page_link("runs.py", label="All your runs", icon=":material/list:")


def _name(run: Run, model: catalogue.Model) -> str:
    """Return which weights a model has, such as "Best checkpoint, iteration 1,920"."""
    step = run.step if model.card.step is None else model.card.step
    return f"{CHECKPOINTS[model.card.weights or Weights.LAST]}, iteration {step:,}"


def _card(run: Run, model: catalogue.Model) -> None:
    measured = model.test_accuracy
    low, high = measured.interval
    seconds = run.seconds if model.card.seconds is None else model.card.seconds
    figures = [
        (escaped(one.data or "Test accuracy"), f"{one.share:.2%}", "Images that the network has never seen")
        for one in model.card.tests or (measured,)
    ]
    if model.strangers:
        drawings = f"{model.strangers.strokes.share:.1%}"
        figures.append(("Drawings", drawings, f"Strangers' drawings: {strangers.caption(model.strangers, 'strokes')}"))
    with st.container(horizontal=True, gap="medium"):
        for label, value, explanation in figures:
            st.metric(label, value, help=f"{explanation}.", width="content")
    counts = (
        "; ".join(f"{escaped(one.data or '')}: {one.correct:,} of {one.total:,}" for one in model.card.tests)
        or f"{measured.correct:,} of {measured.total:,} test images; 95% CI {low:.2%} to {high:.2%}"
    )
    st.caption(f"{counts}.  \n{_name(run, model)}, chosen on validation images. Trained in {seconds:.1f} s.")
    if st.button("Draw with it", icon=":material/draw:", type="primary", width="stretch", key=_key("draw")):
        st.switch_page("draw.py", query_params={"model": model.id})


def _others(run: Run, models: list[catalogue.Model]) -> None:
    """List the run's other models in a line each."""
    with st.expander("Other checkpoints", icon=":material/history:"):
        for model in models:
            st.page_link(
                "draw.py",
                label=f"{_name(run, model)}: {model.test_accuracy.share:.2%}",
                icon=":material/draw:",
                query_params={"model": model.id},
                help="Draw with these weights.",
            )


def _downloads(run: Run, model: catalogue.Model, *, is_only: bool) -> None:
    """Show the downloads of one model; each says which weights it holds."""
    st.markdown(f"**{_name(run, model)}**")
    end = "" if is_only else f".{model.id}"
    _package.download(model, key=_key(f"download.package{end}"))
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
            file_name=f"digits-{run.hyperparameters.network}-{model.id}-{file}",
            icon=":material/download:",
            help=explanation,
            key=_key(f"download.{file}{end}"),
            on_click="ignore",
            disabled=not path.is_file(),
        )
