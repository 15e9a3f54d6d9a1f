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


def show(glyph: glyphs.Glyph | None, model: catalogue.Model) -> None:
    """Show the parts of the explanation as tabs; only the chosen one is computed, and none before a visitor asks."""
    tab = st.segmented_control(
        "Explanation",
        list(_TABS),
        format_func=lambda name: f"{_TABS[name][0]} {name}",
        key=_key("tab"),
        label_visibility="collapsed",
    )
    if not tab:
        return
    with st.container(border=True):
        if glyph is None:
            st.caption("Draw a digit first.")
            return
        try:
            _TABS[tab][1](glyph, model)
        except ModelNotFound as error:  # its file for this is damaged; the reading itself stands
            _widgets.show_error(error)


def _explain(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    """Show the decisive ink and similar digits."""
    names = model.class_names
    contest = explanations.compare_top_two(model, glyph.image, names)
    evidence = explanations.find_evidence(
        model, glyph.image, class_for=contest.class_for, class_against=contest.class_against
    )
    st.markdown(contest.sentence)
    decisive, similar = st.columns([2, 3])
    with decisive:
        _widgets.picture(explanations.overlay(evidence, glyph), width=280, alt=explanations.describe(evidence, names))
        st.caption(explanations.legend(evidence, names))
    with similar:
        _nearest(glyph, model)


def _inside(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    """Show the network's first layer, and what it makes of the drawing."""
    for sentence, paint in _parts(weights.load(model.folder), glyph, model.class_names):
        sprite = paint()
        st.markdown(sentence)
        _widgets.picture(sprite.png, alt=sprite.alt)


def _parts(
    inside: weights.Weights, glyph: glyphs.Glyph, names: tuple[str, ...]
) -> list[tuple[str, Callable[[], weight_pictures.Sprite]]]:
    """Return the pictures that exist of a network: for each a sentence and the function that paints it."""
    parts: list[tuple[str, Callable[[], weight_pictures.Sprite]]] = []
    if inside.linear is not None:
        sentence = "All weights of this model: one picture for each class."
        parts.append((sentence, partial(weight_pictures.class_pictures, inside.linear, names)))
    if inside.units is not None:
        sentence = "First layer: its strongest units."
        parts.append((sentence, partial(weight_pictures.unit_pictures, inside.units, columns=_columns())))
    if inside.filters is not None:
        sentence = "First layer: its filters."
        parts.append((sentence, partial(weight_pictures.filter_pictures, inside.filters, columns=_columns())))
        sentence = "Responses of these filters to your drawing, in the same order."
        parts.append((sentence, partial(weight_pictures.map_pictures, inside.filters, glyph.image, columns=_columns())))
    return parts


def _columns() -> int:
    """Return how many pictures fit side by side and stay large enough to see."""
    return 4 if _widgets.is_phone() else 8


def _nearest(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    found, names = neighbours.find(model, glyph.image), model.class_names
    if not found:
        return
    st.markdown("Most similar of 1,600 digits by 165 people")
    _widgets.picture(
        gallery.sprite(np.stack([neighbour.image for neighbour in found]), columns=_columns(), factor=3),
        alt=neighbours.describe(found, names),
    )
    st.caption(neighbours.describe(found, names))


def _compare_models(glyph: glyphs.Glyph, _model: catalogue.Model) -> None:
    """Show what every bundled model reads in the same drawing."""
    found = opinions.ask(catalogue.bundled(), glyph.image)
    rows = [
        (opinion.model.title, opinion.reads, charts.percent(opinion.confidence).replace(">", r"\>"))
        for opinion in found  # tables are Markdown, where > would start a quotation
    ]
    st.table(pd.DataFrame(rows, columns=["model", "reads", "confidence"]).set_index("model"))
    if sentence := opinions.difference(found, glyph.image):
        st.caption(sentence)


_TABS: dict[str, tuple[str, Callable[[glyphs.Glyph, catalogue.Model], None]]] = {
    "Why": (":material/psychology:", _explain),
    "All models": (":material/groups:", _compare_models),
    "Inside": (":material/neurology:", _inside),
}
