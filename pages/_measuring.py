"""An imported model whose figures are still being measured: what is done for it, until it is done."""

import streamlit as st

from digits.models.catalogue import Model
from digits.packages import completion
from pages import _widgets

_ASKED = "models.measuring"  # the model that was asked for last, so that a failure is not tried again and again


def is_awaited(model: Model) -> bool:
    """Have an imported model measured, and show what is being done; return False if there is nothing to wait for."""
    if not model.card.provisional:
        return False
    if st.session_state.get(_ASKED) != model.id:
        st.session_state[_ASKED] = model.id
        completion.begin(model.id, _widgets.registry(), _widgets.settings())
    if not completion.step(model.id):
        return False
    _progress(model.id, model.test_accuracy.total)
    return True


@st.fragment(run_every=1.0)
def _progress(model_id: str, images: int) -> None:
    step = completion.step(model_id)
    if not step:
        st.rerun()
    st.info(
        f"{step}. The model can be used already; its accuracy is an estimate from {images:,} test images so far, and "
        "its confidence is not calibrated yet.",
        icon=":material/hourglass_top:",
    )
