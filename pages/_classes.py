"""A model's metrics of each class: on test images, and on drawings by strangers."""

import streamlit as st

from digits.data import datasets
from digits.models import catalogue, figures, scores
from digits.views import strangers


def show(dataset: datasets.Dataset, model: catalogue.Model) -> None:
    """Show precision, recall and F1 of each class, and how the model reads strangers."""
    st.header("Test images", anchor=False)
    st.markdown(
        "Precision: share of predictions of this class that are right. Recall: share of its images that are found. "
        "F1: their harmonic mean. Support: number of images."
    )
    predicted = model.test_probabilities(dataset).argmax(axis=1)
    table = scores.per_class(dataset.test.labels, predicted, dataset.class_names)
    shares = ["precision", "recall", "F1"]
    table[shares] = table[shares].map("{:.2%}".format)
    table["support"] = table["support"].map("{:,}".format)
    with st.container(key="models.classes"):
        st.table(table.rename_axis("class").reset_index(), hide_index=True)
    if model.strangers:
        _strangers(model.strangers)


def _strangers(measured: figures.Strangers) -> None:
    """Show how a model reads people from whom nothing was learned, by source and by class."""
    st.header("Strangers' drawings", anchor=False)
    st.markdown(
        "Nothing was learned from these writers, and nothing was tuned on them. *Refused* drawings do not look like a "
        "digit to the judge; they still count as they are read. Intervals are by the bootstrap over writers."
    )
    st.table(strangers.by_source(measured), hide_index=True)
    st.markdown("Share read correctly of each digit, and of two shapes that not everyone writes:")
    st.table(strangers.by_class(measured), hide_index=True)
