"""Why a digit is read as it is: the decisive ink, similar digits, the network's parts, and other models."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from digits.errors import ModelNotFound
from digits.ink import glyphs
from digits.models import answers, catalogue, weights
from digits.views import gallery, live, weight_pictures
from digits.why import explanations, neighbours, opinions
from pages import _state, _widgets

_COMPONENTS = Path(__file__).parent / "components"


def _component(name: str) -> Any:
    """Declare a component that is made of three files."""
    html, css, js = ((_COMPONENTS / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"digits_{name}", html=html, css=css, js=js)


_replay, _race, _maps = _component("replay"), _component("race"), _component("maps")

_key = partial(_state.key, "draw")


def show(glyph: glyphs.Glyph | None, model: catalogue.Model) -> None:
    """Show the parts of the explanation as tabs; only the chosen one is computed, and none before a visitor asks."""
    tab = st.segmented_control(
        "Explanation",
        list(_TABS),  # without icons, so that they fit into one row on a phone
        key=_key("tab"),
        label_visibility="collapsed",
    )
    if not tab:
        return
    with st.container(border=True):
        if glyph is None:
            st.caption(f"Draw a {answers.noun_of(model.class_names)} first.")
            return
        try:
            _TABS[tab](glyph, model)
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
    inside, names = weights.load(model.folder), model.class_names
    if inside.linear is not None:
        _sprite(
            "All weights of this model: one picture for each class.",
            weight_pictures.class_pictures(inside.linear, names),
        )
    if inside.units is not None:
        _sprite("First layer: its strongest units.", weight_pictures.unit_pictures(inside.units, columns=_columns()))
    if inside.filters is not None:
        _sprite("First layer: its filters.", weight_pictures.filter_pictures(inside.filters, columns=_columns()))
        st.markdown("Responses of these filters to your drawing, in the same order.")
        shown = weight_pictures.map_pictures(inside.filters, glyph.image, columns=_columns())
        data = {"picture": _widgets.data_url(shown.png), "alt": shown.alt, "columns": _columns()}
        _maps(data=data, key=_key("maps"))


def _sprite(sentence: str, sprite: weight_pictures.Sprite) -> None:
    st.markdown(sentence)
    _widgets.picture(sprite.png, alt=sprite.alt)


def _columns() -> int:
    """Return how many pictures fit side by side and stay large enough to see."""
    return 4 if _widgets.is_phone() else 8


def _nearest(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    found, names = neighbours.find(model, glyph.image), model.class_names
    if not found:
        return
    count, people = len(neighbours.index(model)), neighbours.writers(model)
    st.markdown(f"Most similar of {count:,} {answers.noun_of(names)}s by {people} people")
    _widgets.picture(
        gallery.sprite(np.stack([neighbour.image for neighbour in found]), columns=_columns(), factor=3),
        alt=neighbours.describe(found, names),
    )
    st.caption(neighbours.describe(found, names))


def _compare_models(glyph: glyphs.Glyph, model: catalogue.Model) -> None:
    """Show what every bundled model of the same classes reads in the same drawing."""
    rivals = [rival for rival in catalogue.bundled() if rival.class_names == model.class_names]
    found = opinions.ask(rivals, glyph.image)
    models = [
        {
            "id": opinion.model.id,
            "title": opinion.model.title,
            "reads": opinion.reads,
            "confidence": round(opinion.confidence, 5),
        }
        for opinion in found
    ]
    _race(data={"models": models, "script": live.reader_path()}, key=_key("race"))
    if sentence := opinions.difference(found, glyph.image):
        st.caption(sentence)


def _when(_glyph: glyphs.Glyph, _model: catalogue.Model) -> None:
    """Show along the drawing when its answer was found; the browser reads it again, bit by bit."""
    _replay(data={}, key=_key("replay"))


_TABS: dict[str, Callable[[glyphs.Glyph, catalogue.Model], None]] = {
    "Why": _explain,
    "When": _when,
    "All models": _compare_models,
    "Inside": _inside,
}
