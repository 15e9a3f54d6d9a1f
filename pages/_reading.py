"""The answer to a drawing or a picture: what is read, what the model saw, why, and what other models say."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from digits import catalogue, charts, explanations, gallery, images, neighbours, rejection, weights
from digits.outlines import outlined
from digits.segmentation import Part, read_number
from pages import _state, _widgets


def _key(name: str) -> str:
    return _state.key("draw", name)


def show(parts: Sequence[Part], model: catalogue.Model) -> None:
    """Show the reading of one digit, or of a number and the digit of it that the visitor chooses."""
    reading = read_number(parts, model, class_names=model.class_names)
    judge = rejection.find_judge(model.class_names)
    glyphs = np.stack([part.glyph.image for part in parts])
    accepted = judge.accepts(glyphs) if judge else np.ones(len(parts), bool)
    chosen = 0
    if len(parts) > 1:
        st.header(f"The model reads {reading.text.replace(chr(10), ', ')}", anchor=False)
        st.markdown(f"**{charts.percent(reading.confidence)} sure** that all {len(parts)} digits are right.")
        if not accepted.all():
            st.warning(
                f"{int((~accepted).sum())} of these {len(parts)} do not look like digits.", icon=":material/help:"
            )
        chosen = _choose_digit(parts, reading.text.replace("\n", ""))
    glyph, probabilities, is_digit = parts[chosen].glyph, reading.probabilities[chosen], bool(accepted[chosen])
    _one_digit(glyph, probabilities, model, is_alone=len(parts) == 1, is_digit=is_digit)
    _widgets.probability_chart(probabilities, model.class_names, key=_key("bars"), is_doubtful=not is_digit)
    _why(glyph, model)
    _ask_all(glyph)


def _choose_digit(parts: Sequence[Part], text: str) -> int:
    """Let the visitor choose a digit of the number; return its place."""
    places = range(len(parts))
    if st.session_state.get(_key("digit")) not in places:
        st.session_state[_key("digit")] = 0
    chosen = st.segmented_control(
        "Look at one digit",
        places,
        format_func=lambda place: text[place],
        required=True,
        key=_key("digit"),
    )
    st.image(
        outlined(parts, chosen),
        width=480,
        output_format="PNG",
        alt=f"The ink with a box around each of its {len(parts)} digits, a thick one around digit {chosen + 1}",
    )
    return chosen


def _one_digit(
    glyph: images.Glyph, probabilities: np.ndarray, model: catalogue.Model, *, is_alone: bool, is_digit: bool
) -> None:
    first, second = probabilities.argsort()[::-1][:2]
    names = model.class_names
    reading, seen = st.columns([3, 2], gap="medium")
    with reading:
        if not is_digit:
            st.header("This does not look like a digit", anchor=False)
        elif is_alone:
            st.header(f"The model reads {names[first]}", anchor=False)
        st.markdown(
            f"{'' if is_alone and is_digit else f'The best guess is {names[first]}. '}"
            f"**{charts.percent(probabilities[first])} sure.** "
            f"Its second guess is {names[second]}, at {charts.percent(probabilities[second])}."
        )
    with seen:
        st.image(
            gallery.enlarged(glyph.image, factor=5),
            width=140,
            output_format="PNG",
            alt="The drawing as 28 by 28 grey pixels, fitted and centred as the model receives it",
        )
        st.caption(f"What the model saw, 28×28. {images.describe(glyph)}")


def _why(glyph: images.Glyph, model: catalogue.Model) -> None:
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
        inside = weights.load(model.folder)
        sprites = []
        if inside.linear is not None:
            sprites.append(
                ("All that this model knows: a picture of weights for each class.", inside.linear, "classes")
            )
        if inside.units is not None:
            sprites.append(("What its first layer looks for: its strongest units.", inside.units, "units"))
        if inside.filters is not None:
            sprites.append(("What its first layer looks for: its filters.", inside.filters, "filters"))
            sprites.append(("And what each filter finds in your drawing, in the same order.", inside.filters, "maps"))
        for sentence, part, kind in sprites:
            sprite = {
                "classes": lambda part=part: weights.class_pictures(part, names),
                "units": lambda part=part: weights.unit_pictures(part),
                "filters": lambda part=part: weights.filter_pictures(part),
                "maps": lambda part=part: weights.map_pictures(part, glyph.image),
            }[kind]()
            st.markdown(sentence)
            st.image(sprite.png, width="content", output_format="PNG", alt=sprite.alt)


def _nearest(glyph: images.Glyph, names: tuple[str, ...]) -> None:
    found = neighbours.find(glyph.image)
    st.markdown("You wrote it like these, out of 5,000 digits that other people wrote:")
    st.image(
        gallery.sprite(np.stack([neighbour.image for neighbour in found]), columns=len(found), factor=2),
        width="content",
        output_format="PNG",
        alt=neighbours.describe(found, names),
    )
    st.caption(neighbours.describe(found, names))


def _ask_all(glyph: images.Glyph) -> None:
    """Put the same drawing to every bundled model."""
    with st.expander("Ask all models", icon=":material/groups:", key=_key("all"), on_change="rerun") as fold:
        if not fold.open:
            return
        rows = []
        for model in catalogue.bundled():
            probabilities = model.probabilities(glyph.image[np.newaxis])[0]
            best = int(probabilities.argmax())
            rows.append((model.title, model.class_names[best], charts.percent(probabilities[best])))
        st.table(pd.DataFrame(rows, columns=["model", "reads", "sure"]).set_index("model"))
        if len({reads for _, reads, _ in rows}) > 1:
            st.caption(
                "They differ. Softmax regression and the published layers only add up ink by its place, so a slant "
                "or a shift misleads them; a convolutional network finds the same strokes wherever they lie."
            )
        else:
            st.caption("They agree. Slant the drawing, or leave a gap in it, and see which one gives in first.")
