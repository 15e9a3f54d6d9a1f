"""Models: the accuracy, errors and calibration of one model; export and import."""

from functools import partial

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.errors import DigitsError, ModelNotFound
from digits.models import catalogue, figures, speed
from digits.views import cards, charts, sharing, strangers
from digits.views.markdown import escaped
from pages import _classes, _confusion, _measuring, _package, _samples, _state, _widgets

_key = partial(_state.key, "models")


def _figures(model: catalogue.Model) -> None:
    """Show a model's main figures, each with its interval or unit."""
    with st.grid(6, min_column_width=96, gap="small", key=_key("figures")):
        for measured in model.card.tests or (model.test_accuracy,):
            counts = f"{measured.correct:,} of {measured.total:,} test images are read correctly."
            label = escaped(measured.data) if measured.data else "Test accuracy"
            _figure(label, f"{measured.share:.2%}", _interval(measured.interval, 2), counts)
        if model.strangers:
            _strangers(model.strangers)
        count, size = cards.parameters(model), cards.size_bytes(model)
        _figure("Parameters", f"{count:,}" if count else "?", "weights and biases" if count else cards.DAMAGED)
        _figure("Size", f"{size / 1e6:.2f} MB" if size else "?", "as .tflite" if size else cards.DAMAGED)
        try:
            _figure("Speed", f"{speed.milliseconds(model):.2f} ms", "per image", "Measured on this server.")
        except ModelNotFound:
            _figure("Speed", "?", cards.DAMAGED)


def _strangers(measured: figures.Strangers) -> None:
    for way, label in (("strokes", "Drawings"), ("pictures", "Pictures")):
        share: figures.Share | None = getattr(measured, way)
        if share is not None:
            origin = strangers.caption(measured, way)
            _figure(
                label,
                f"{share.share:.1%}",
                f"of strangers; {_interval(share.interval_95, 1)}",
                f"Read correctly: {origin}.",
            )


def _figure(label: str, value: str, caption: str, hint: str | None = None) -> None:
    with st.container(gap="xxsmall"):
        st.metric(label, value, help=hint)
        st.caption(caption)


def _interval(bounds: tuple[float, float], digits: int) -> str:
    low, high = bounds
    return f"95% CI {low * 100:.{digits}f} to {high:.{digits}%}"


def _card_button(model: catalogue.Model) -> None:
    if st.button("Model card", icon=":material/id_card:", key=_key("card")):
        _card(model)


@st.dialog("Model card", width="medium", position="right")
def _card(model: catalogue.Model) -> None:
    """Show all that a model's card says."""
    st.table({heading: escaped(sentence) for heading, sentence in cards.facts(model)}, hide_header=True)
    if command := model.card.command:
        st.markdown("The command that trains this model again:")
        st.code(command, language=None, wrap_lines=True)


def _calibration(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show how well the model's confidence matches its accuracy."""
    report = model.calibration_report(dataset)
    chart, words = st.columns([3, 2], gap="large")
    chart.echarts_chart(
        charts.reliability_diagram(report.table),
        height=340,
        key=_key("reliability"),
        alt=charts.describe_reliability(report.table),
    )
    with words:
        st.markdown(
            f"On {len(dataset.test):,} test images, confidence and accuracy differ by **{report.after:.2%}** on "
            f"average (expected calibration error). Without calibration, they differ by **{report.before:.2%}**."
        )
        st.markdown(
            "Points below the dashed line are overconfident, points above it underconfident. Each line is a 95% "
            "confidence interval."
        )
        st.caption(
            f"The logits are divided by a temperature of {model.temperature:.3g}, fitted on validation images. This "
            "changes the confidence, never the prediction. Each point is a fifteenth of the confidence scale."
        )
    rows = report.table.to_dict("records")[::-1][:5]
    with words:
        st.table(
            [
                {
                    "confidence": f"{row['confidence']:.1%}",
                    "accuracy": f"{row['accuracy']:.1%}",
                    "images": f"{row['count']:,}",
                }
                for row in rows
            ],
            hide_index=True,
        )


def _tabs(model: catalogue.Model, dataset: datasets.Dataset) -> np.ndarray:
    """Show the open tab; return the rows of the samples in it."""
    rows = np.array([], int)
    confusion, classes, calibration, package = st.tabs(sharing.MODEL_TABS, key=_key("tab"), on_change="rerun")
    if confusion.open:
        with confusion:
            rows = _confusion.show(dataset, model)
    if classes.open:
        with classes:
            _classes.show(dataset, model)
    if calibration.open:
        with calibration:
            _calibration(model, dataset)
    if package.open:
        with package:
            _package.show(model, dataset)
    return rows


def _details(model: catalogue.Model, *, is_phone: bool) -> None:
    dataset = _widgets.test_set(model.card.dataset)
    rows = _tabs(model, dataset)
    if is_phone:
        _card_button(model)
    _widgets.data_caption(dataset)
    probabilities = model.test_probabilities(dataset)
    _samples.show_picked(
        "models", dataset, rows, lambda row: _samples.show_reading("models", dataset, model, probabilities, row)
    )


head = _widgets.page_head("models", "Models", "Accuracy, errors and calibration of one model.")
try:
    _package.choose_imported()
    is_phone = _widgets.is_phone()
    with st.container(horizontal=True, vertical_alignment="bottom", key=_key("tools")):
        model = _widgets.model_chooser("models", width="stretch" if is_phone else 420)
        if not is_phone:
            _card_button(model)
    _figures(model)
    if not _measuring.is_awaited(model):
        _details(model, is_phone=is_phone)
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "models")
_state.close_page("models")
