"""The visitor's own last drawing, the hundred-and-first sample: a run reads it at every validation."""

import numpy as np
import streamlit as st

from digits.accuracy import percent
from digits.errors import DigitsError
from digits.models import catalogue
from digits.models.reading import read_strokes
from digits.store import open_store
from digits.training import timeline
from digits.views import diagrams, gallery
from digits.views.markdown import escaped
from pages import _state, _widgets


def image() -> np.ndarray | None:
    """Return the first digit of the drawing on the Draw page, uint8 (28, 28); None if there is none."""
    strokes = st.session_state.get(_state.key("draw", "strokes"))
    if not strokes:
        return None
    try:
        reading = read_strokes(strokes, catalogue.find(catalogue.DEFAULT_MODEL, _widgets.settings()))
    except DigitsError:  # a run can be watched without it
        return None
    return reading.digits[0].glyph.image if reading.digits else None


def show(run_id: str, snapshot: timeline.Snapshot, class_names: tuple[str, ...], *, is_mine: bool) -> None:
    """Show a run's drawing with the probabilities that its network gives it, or how to add one."""
    drawn = timeline.read_drawing(open_store(_widgets.settings()), run_id)
    if drawn is None or snapshot.drawn is None:
        if is_mine and not st.session_state.get(_state.key("draw", "strokes")):
            st.page_link(
                "draw.py",
                label="Draw a digit to watch it in your next run",
                icon=":material/draw:",
            )
        return
    best, whose = class_names[int(snapshot.drawn.argmax())], "Your" if is_mine else "Its owner's"
    with st.container(horizontal=True, vertical_alignment="center", key=_state.key("train", "drawn")):
        st.image(
            _widgets.data_url(gallery.enlarged(drawn)),
            width=96,
            alt=f"{whose} drawing as the network sees it, 28 by 28 pixels",
        )
        with st.container(gap="xsmall"):
            sure = percent(float(snapshot.drawn.max())).replace(">", r"\>")
            st.markdown(f"**{whose} drawing: {escaped(best)}**, {sure} after {snapshot.step:,} iterations")
            _widgets.drawing(diagrams.bars(snapshot.drawn.tolist(), class_names), key=_state.key("train", "drawn.bars"))
