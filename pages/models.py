"""Models: the accuracy, mistakes and calibration of one model; export and import."""

from functools import partial

import streamlit as st

from digits import accuracy
from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.views import cards, charts, strangers
from digits.views.markdown import escaped
from pages import _confusion, _package, _samples, _state, _widgets

_key = partial(_state.key, "models")


def _card(model: catalogue.Model) -> None:
    """Show a model's main figures, and its whole card in an expander."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        _figure("Test accuracy", f"{model.test_accuracy.share:.2%}", _interval(model.test_accuracy))
        if model.strangers:
            share = model.strangers.strokes.share
            _figure("Strangers' drawings", f"{share:.1%}", strangers.caption(model.strangers, "strokes"))
        if model.strangers and model.strangers.pictures:
            share = model.strangers.pictures.share
            _figure("Strangers' pictures", f"{share:.1%}", strangers.caption(model.strangers, "pictures"))
        count, size = cards.parameters(model), cards.size_bytes(model)
        _figure("Parameters", f"{count:,}" if count else "?", "weights and biases" if count else cards.DAMAGED)
        _figure("Size", f"{size / 1e6:.2f} MB" if size else "?", "as a .tflite file" if size else cards.DAMAGED)
    with st.expander("Model card", icon=":material/id_card:", key=_key("card"), on_change="rerun") as expander:
        if expander.open:
            facts = {heading: escaped(sentence) for heading, sentence in cards.facts(model)}
            st.table(facts, hide_header=True)
            if command := model.card.command:
                st.markdown("The command that trains this model again:")
                st.code(command, language=None, wrap_lines=True)


def _strangers(model: catalogue.Model) -> None:
    """Show how a model reads people from whom nothing was learned, by source and by class."""
    if not model.strangers:
        return
    with st.expander(
        "How it reads strangers", icon=":material/groups:", key=_key("strangers"), on_change="rerun"
    ) as expander:
        if expander.open:
            st.markdown(
                "Nothing was learned from these writers, and nothing was tuned on them. Each drawing is read once. "
                "*Refused* drawings look like no digit to the judge; they still count as they are read. Intervals are "
                "by the bootstrap over writers."
            )
            st.table(strangers.by_source(model.strangers), hide_index=True)
            st.markdown("The share that is read correctly of each digit, and of two shapes that not everyone writes:")
            st.table(strangers.by_class(model.strangers), hide_index=True)


def _figure(label: str, value: str, caption: str) -> None:
    with st.container(width=165, gap="xsmall"):
        st.metric(label, value)
        st.caption(caption)


def _interval(measured: accuracy.Accuracy) -> str:
    low, high = measured.interval
    return f"{measured.correct:,} of {measured.total:,}; 95% interval {low:.2%} to {high:.2%}"


def _calibration(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show how well the model's confidence matches its accuracy."""
    st.header("Calibration", anchor=False)
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
            f"average (the expected calibration error). Without calibration, they differ by **{report.before:.2%}**. "
            f"To calibrate the model, its logits are divided by a temperature of {model.temperature:.3g}, fitted on "
            "validation images. This changes its confidence but never its predictions."
        )
        st.markdown(
            "Points below the dashed line are overconfident, points above it underconfident. Each point stands for one "
            "fifteenth of the confidence scale. Its line is the 95% confidence interval: the fewer images, the longer."
        )
        rows = report.table.to_dict("records")[::-1][:5]
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


head = _widgets.page_head(
    "models",
    "Models",
    "The accuracy, mistakes and calibration of one model. Choose a model; everything below is about it.",
)
try:
    _package.choose_imported()
    model = _widgets.model_chooser("models")
    _card(model)
    _strangers(model)
    dataset = _widgets.test_set()
    _package.show(model, dataset)
    _confusion.show(dataset, model)
    _calibration(model, dataset)
    st.caption(dataset.description)
    _samples.show_picked("models", dataset, model, model.test_probabilities(dataset))
except DigitsError as error:
    _widgets.show_error(error)
_widgets.share(head, "models")
_state.close_page("models")
