"""Teaching on the Draw page: a visitor says what a drawing really is, and lets the model learn from what they said."""

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from digits import trouble
from digits.data import corrections
from digits.data.corrections import Correction
from digits.errors import DigitsError, StoreUnavailable
from digits.models import answers, catalogue
from digits.models.reading import Reading
from digits.runs import admission
from digits.store import Store, open_store
from digits.training import teaching
from digits.views import assets, gallery, lessons
from digits.views.markdown import escaped
from pages import _reading, _state, _widgets

SHOWN = 60  # corrections in the list, the newest

_COMPONENTS = Path(__file__).parent / "components"
_teach = st.components.v2.component(
    "digits_teach",
    html=(_COMPONENTS / "teach.html").read_text(encoding="utf-8"),
    css=(_COMPONENTS / "teach.css").read_text(encoding="utf-8"),
    js=assets.component("teach", (_COMPONENTS / "teach.js").read_text(encoding="utf-8")),
)

_key = partial(_state.key, "draw")


def show(reading: Reading | None, model: catalogue.Model, *, serial: int) -> None:
    """Show below the answer how to say what the drawing is, and how many corrections the visitor has."""
    if st.session_state.pop(_key("lesson.asked"), False):
        st.session_state[_key("lesson")] = True
        st.rerun(scope="app")
    place = _reading.chosen_digit(reading) if reading else 0
    strokes = reading.digits[place].glyph.lines if reading and reading.digits else None
    _keep((serial, place), strokes)
    kept: Correction | None = st.session_state.get(_key("kept"), {}).get((serial, place))
    _teach(
        data={
            "serial": serial,
            "place": place,
            "names": list(model.class_names),
            "question": _question(reading, place) if reading and strokes else "",
            "kept": kept.id if kept else "",
            "said": st.session_state.pop(_key("refused"), "")
            or (f"Kept as {lessons.with_article(kept.label)}." if kept else ""),
            "offer": _offer(len(teaching.suited(_known(), model))),
        },
        key=_key("teach"),
        on_labelled_change=_label,
        on_undone_change=_undo,
        on_opened_change=_open,
    )


def _question(reading: Reading, place: int) -> str:
    return "Not right?" if len(reading.digits) == 1 else f"Number {place + 1} is not right?"


def _offer(count: int) -> str:
    return (
        f"{count:,} correction{'s' if count > 1 else ''}. Learn from {'them' if count > 1 else 'it'}" if count else ""
    )


def _store() -> Store:
    return open_store(_widgets.settings())


def _known() -> list[Correction]:
    """Return the visitor's corrections; they are read once, because every stroke needs their number."""
    if _key("corrections") not in st.session_state:
        known_now: list[Correction] = []
        with contextlib.suppress(StoreUnavailable):  # drawing goes on without; a reload asks again
            known_now = corrections.load(_store(), _widgets.visitor())
        st.session_state[_key("corrections")] = known_now
    known: list[Correction] = st.session_state[_key("corrections")]
    return known


def _read_again() -> None:
    st.session_state.pop(_key("corrections"), None)


def _label() -> None:
    """Take a label that was pressed; its drawing may arrive with it, and is read first."""
    st.session_state[_key("labelled")] = st.session_state[_key("teach")].labelled


def _keep(place: tuple[int, int], strokes: Sequence[np.ndarray] | None) -> None:
    """Keep the digit that is looked at, with the label that was pressed, unless the drawing has changed meanwhile.

    Args:
        place: the number of the drawing, and the digit's place in it.
        strokes: the digit's strokes, or None without one.
    """
    given = st.session_state.pop(_key("labelled"), None)
    if not strokes or not isinstance(given, dict) or (given.get("serial"), given.get("place")) != place:
        return
    try:
        admission.require_pace(_widgets.visitor())
        kept = corrections.add(_store(), _widgets.visitor(), strokes, str(given.get("label"))[:20])
    except (DigitsError, OSError) as error:
        st.session_state[_key("refused")] = trouble.sentence(error)
        return
    st.session_state[_key("kept")] = {place: kept}
    _read_again()


def _undo() -> None:
    _remove(st.session_state[_key("teach")].undone)
    st.session_state.pop(_key("kept"), None)


def _remove(correction_id: Any) -> None:
    try:
        corrections.remove(_store(), _widgets.visitor(), str(correction_id))
    except OSError as error:
        st.session_state[_key("refused")] = trouble.sentence(error)
    _read_again()


def _open() -> None:
    st.session_state[_key("lesson.asked")] = True


def _close() -> None:
    st.session_state.pop(_key("lesson"), None)


def dialog(model: catalogue.Model) -> None:
    """Show the visitor's corrections with Learn, if they asked for them."""
    if not st.session_state.get(_key("lesson")):
        return

    @st.dialog("Your corrections", on_dismiss=_close)
    def corrected() -> None:
        _lesson(model)

    corrected()


def _lesson(model: catalogue.Model) -> None:
    _read_again()  # another tab may have added some
    known = teaching.suited(_known(), model)
    noun = answers.noun_of(model.class_names)
    st.markdown(
        f"**{escaped(model.title)}** goes on learning from your {noun}s, mixed with those that it knows. "
        "That is a new run, about 20 seconds; the model itself stays as it is."
    )
    if st.button(
        "Learn from my corrections",
        icon=":material/school:",
        type="primary",
        key=_key("learn"),
        disabled=not known,
        width="stretch",
    ):
        _learn(model, known)
    if refused := st.session_state.pop(_key("refused"), ""):
        st.error(escaped(refused), icon=":material/error:")
    st.caption(_count(known))
    with st.container(horizontal=True, gap="small", key=_key("corrections.list")):
        for one in known[: -SHOWN - 1 : -1]:
            _row(one)


def _count(known: list[Correction]) -> str:
    shown = f", the newest {SHOWN} below" if len(known) > SHOWN else ""
    those = f"{len(known):,} corrections fit this model" if len(known) != 1 else "1 correction fits this model"
    return f"{those}{shown}. Corrections are kept for this browser until you remove them."


def _row(one: Correction) -> None:
    with st.container(width=72, gap="xsmall", horizontal_alignment="center"):
        _widgets.picture(
            gallery.enlarged(one.image), width=56, alt=f"Your drawing of {lessons.with_article(one.label)}"
        )
        st.button(
            escaped(one.label),
            icon=":material/close:",
            key=_key(f"remove.{one.id}"),
            help="Remove this correction",
            type="tertiary",
            on_click=_remove,
            args=(one.id,),
        )


def _learn(model: catalogue.Model, known: list[Correction]) -> None:
    try:
        run_id = teaching.start(
            _widgets.registry(), _store(), model, _widgets.visitor(), known, address=_widgets.address()
        )
    except (DigitsError, OSError) as error:
        st.session_state[_key("refused")] = trouble.sentence(error)
        st.rerun(scope="fragment")
    _close()
    st.switch_page("train.py", query_params={"run": run_id})
