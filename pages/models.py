"""Models: what a model is, what it confuses, how far its confidence can be trusted."""

import streamlit as st

from digits import accuracy
from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.views import cards, charts
from pages import _confusion, _package, _samples, _state, _widgets


def _key(name: str) -> str:
    return _state.key("models", name)


def _card(model: catalogue.Model) -> None:
    """Show a model's figures, and its card in words."""
    figures = [("Test images read rightly", model.test_accuracy)]
    if model.drawn_accuracy:
        figures.append(("Drawn digits read rightly", model.drawn_accuracy))
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for label, measured in figures:
            _figure(label, f"{measured.share:.2%}", _interval(measured))
        _figure("Numbers learned", f"{cards.parameters(model):,}", "weights and biases")
        size = (model.folder / catalogue.TFLITE_FILE).stat().st_size
        _figure("Size", f"{size / 1e6:.2f} MB", "as a .tflite file")
    with st.expander("The whole card", icon=":material/id_card:", key=_key("card"), on_change="rerun") as fold:
        if fold.open:
            st.table(dict(cards.facts(model)), hide_header=True)
            if command := model.card.command:
                st.markdown("The command that trains it again:")
                st.code(command, language=None, wrap_lines=True)


def _figure(label: str, value: str, caption: str) -> None:
    with st.container(width=165, gap="xsmall"):
        st.metric(label, value)
        st.caption(caption)


def _interval(measured: accuracy.Accuracy) -> str:
    low, high = measured.interval
    return f"{measured.correct:,} of {measured.total:,}; 95 % interval {low:.2%} to {high:.2%}"


def _trust(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show how sure the model is against how often it is right."""
    st.header("How far its confidence can be trusted", anchor=False)
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
            f"On {len(dataset.test):,} test images, how sure the model says it is and how often it is right differ by "
            f"**{report.after:.2%}** on average (the expected calibration error). Its own figures differ by "
            f"**{report.before:.2%}**; the pages divide its logits by a temperature of {model.temperature:.3g}, fitted "
            "on validation images, which changes how sure it is but never what it reads."
        )
        st.markdown(
            "Below the dashed line it is surer than it should be, above it humbler. Each point stands for the images "
            "in one fifteenth of the scale, its line for the 95 % interval: where there are few images, it is long."
        )
        rows = report.table.to_dict("records")[::-1][:5]
        st.table(
            [
                {"sure": f"{row['confidence']:.1%}", "right": f"{row['accuracy']:.1%}", "images": f"{row['count']:,}"}
                for row in rows
            ],
            hide_index=True,
        )


head = _widgets.page_head(
    "models",
    "Models",
    "What a model is, what it takes for what, and how far it can be trusted. Choose one; everything below is about it.",
)
try:
    _package.chosen()
    model = _widgets.model_chooser("models")
    _card(model)
    dataset = _widgets.test_set()
    _package.show(model, dataset)
    _confusion.show(dataset, model)
    _trust(model, dataset)
    st.caption(dataset.description)
    _samples.show_picked("models", dataset, model, model.test_probabilities(dataset))
except DigitsError as error:
    st.error(str(error), icon=":material/error:")
_widgets.share(head, "models")
_state.close_page("models")
