"""Why a digit is read as it is: the decisive ink, similar digits, the network's parts, and other models."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from digits.errors import ModelNotFound
from digits.ink import glyphs
from digits.models import catalogue, weights
from digits.views import charts, gallery, weight_pictures
from digits.why import explanations, neighbours, opinions
from pages import _state, _widgets

_key = partial(_state.key, "draw")


def explain(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    """Show the decisive ink, similar digits and the network's parts; computed only when the expander is open."""
    with st.expander("Why?", icon=":material/psychology:", key=_key("why"), on_change="rerun") as expander:
        if not expander.open:
            return
        try:
            _explain(glyph, model)
        except ModelNotFound as error:  # its file for this is damaged; the reading itself stands
            _widgets.show_error(error)


def _explain(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    names = model.class_names
    contest = explanations.compare_top_two(model, glyph.image, names)
    evidence = explanations.find_evidence(
        model, glyph.image, class_for=contest.class_for, class_against=contest.class_against
    )
    st.markdown(contest.sentence)
    st.image(
        explanations.overlay(evidence, glyph),
        width=280,
        output_format="PNG",
        alt=explanations.describe(evidence, names),
    )
    st.caption(explanations.legend(evidence, names))
    _nearest(glyph, model)
    for sentence, paint in _parts(weights.load(model.folder), glyph, names):
        sprite = paint()
        st.markdown(sentence)
        st.image(sprite.png, width="content", output_format="PNG", alt=sprite.alt)


def _parts(
    inside: weights.Weights, glyph: glyphs.Glyph, names: tuple[str, ...]
) -> list[tuple[str, Callable[[], weight_pictures.Sprite]]]:
    """Return the pictures that exist of a network: for each a sentence and the function that paints it."""
    parts: list[tuple[str, Callable[[], weight_pictures.Sprite]]] = []
    if inside.linear is not None:
        sentence = "Everything this model has learned: a picture of weights for each class."
        parts.append((sentence, partial(weight_pictures.class_pictures, inside.linear, names)))
    if inside.units is not None:
        sentence = "What its first layer looks for: its strongest units."
        parts.append((sentence, partial(weight_pictures.unit_pictures, inside.units, columns=_columns())))
    if inside.filters is not None:
        sentence = "What its first layer looks for: its filters."
        parts.append((sentence, partial(weight_pictures.filter_pictures, inside.filters, columns=_columns())))
        sentence = "What each filter finds in your drawing, in the same order."
        parts.append((sentence, partial(weight_pictures.map_pictures, inside.filters, glyph.image, columns=_columns())))
    return parts


def _columns() -> int:
    """Return how many pictures fit side by side and stay large enough to see."""
    return 4 if _widgets.is_phone() else 8


def _nearest(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    found, names = neighbours.find(model, glyph.image), model.class_names
    if not found:
        return
    st.markdown("You wrote it like these: of 1,600 digits by 165 people, this model finds them the most similar.")
    st.image(
        gallery.sprite(np.stack([neighbour.image for neighbour in found]), columns=_columns(), factor=3),
        width="content",
        output_format="PNG",
        alt=neighbours.describe(found, names),
    )
    st.caption(neighbours.describe(found, names))


def compare_models(glyph: glyphs.Glyph) -> None:
    """Show what every bundled model reads in the same drawing."""
    with st.expander("Compare all models", icon=":material/groups:", key=_key("all"), on_change="rerun") as expander:
        if not expander.open:
            return
        found = opinions.ask(catalogue.bundled(), glyph.image)
        rows = [
            (opinion.model.title, opinion.reads, charts.percent(opinion.confidence).replace(">", r"\>"))
            for opinion in found  # tables are Markdown, where > would start a quotation
        ]
        st.table(pd.DataFrame(rows, columns=["model", "reads", "sure"]).set_index("model"))
        if sentence := opinions.difference(found, glyph.image):
            st.caption(sentence)
