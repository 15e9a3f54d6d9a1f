"""Why a digit is read as it is: its deciding ink, those who wrote alike, the network's parts, and other models."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from digits.ink import glyphs
from digits.models import catalogue, weights
from digits.views import charts, gallery, weight_pictures
from digits.why import explanations, neighbours, opinions
from pages import _state, _widgets


def _key(name: str) -> str:
    return _state.key("draw", name)


def explain(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    """Show which ink decided, and what the network is made of; computed only when unfolded."""
    with st.expander("Why?", icon=":material/psychology:", key=_key("why"), on_change="rerun") as fold:
        if not fold.open:
            return
        names = model.class_names
        contest = explanations.settle(model, glyph.image, names)
        evidence = explanations.weigh(
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
        _nearest(glyph, names)
        for sentence, paint in _parts(weights.load(model.folder), glyph, names):
            sprite = paint()
            st.markdown(sentence)
            st.image(sprite.png, width="content", output_format="PNG", alt=sprite.alt)


def _parts(
    inside: weights.Weights, glyph: glyphs.Glyph, names: tuple[str, ...]
) -> list[tuple[str, Callable[[], weight_pictures.Sprite]]]:
    """What there is to see of a network, each in a sentence with what paints it."""
    parts = []
    if inside.linear is not None:
        sentence = "All that this model knows: a picture of weights for each class."
        parts.append((sentence, lambda: weight_pictures.class_pictures(inside.linear, names)))
    if inside.units is not None:
        sentence = "What its first layer looks for: its strongest units."
        parts.append((sentence, lambda: weight_pictures.unit_pictures(inside.units, columns=_columns())))
    if inside.filters is not None:
        sentence = "What its first layer looks for: its filters."
        parts.append((sentence, lambda: weight_pictures.filter_pictures(inside.filters, columns=_columns())))
        sentence = "And what each filter finds in your drawing, in the same order."
        parts.append((sentence, lambda: weight_pictures.map_pictures(inside.filters, glyph.image, columns=_columns())))
    return parts


def _columns() -> int:
    """How many pictures stand side by side and are still large enough to see."""
    return 4 if _widgets.is_phone() else 8


def _nearest(glyph: glyphs.Glyph, names: tuple[str, ...]) -> None:
    found = neighbours.find(glyph.image)
    st.markdown("You wrote it like these, out of 5,000 digits that other people wrote:")
    st.image(
        gallery.sprite(np.stack([neighbour.image for neighbour in found]), columns=_columns(), factor=3),
        width="content",
        output_format="PNG",
        alt=neighbours.describe(found, names),
    )
    st.caption(neighbours.describe(found, names))


def ask_all(glyph: glyphs.Glyph) -> None:
    """Put the same drawing to every bundled model."""
    with st.expander("Ask all models", icon=":material/groups:", key=_key("all"), on_change="rerun") as fold:
        if not fold.open:
            return
        asked = opinions.ask(catalogue.bundled(), glyph.image)
        rows = [
            (opinion.model.title, opinion.reads, charts.percent(opinion.confidence).replace(">", r"\>"))
            for opinion in asked  # a table's text is Markdown, where > would begin a quotation
        ]
        st.table(pd.DataFrame(rows, columns=["model", "reads", "sure"]).set_index("model"))
        if sentence := opinions.difference(asked, glyph.image):
            st.caption(sentence)
