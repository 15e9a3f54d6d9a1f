"""A model as one zip: to take away, to prove that it is the same, and to bring."""

import streamlit as st

from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.packages import check, intake, pack
from digits.settings import MAX_IMPORTS_PER_VISITOR, MAX_PACKAGE_BYTES
from pages import _state, _widgets

_MEGABYTES = MAX_PACKAGE_BYTES // 2**20


def _key(name: str) -> str:
    return _state.key("models", name)


def show(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show the way out and the way in."""
    out, into = st.columns(2, gap="large")
    with out:
        _take(model, dataset)
    with into:
        _bring()


def chosen() -> None:
    """Choose the model that has just been brought, before the list of models is made, and say so."""
    if brought := st.session_state.pop(_key("brought"), ""):
        st.session_state[_key("model")] = brought
        st.toast("Your model has arrived and is chosen: everything on this page is about it.", icon=":material/check:")


def download(model: catalogue.Model, *, key: str) -> None:
    """Show the button that hands a model's package out; the zip is made when it is pressed."""
    st.download_button(
        "Everything as one zip",
        lambda: pack.pack(model, _widgets.registry()),  # a registry that cannot be read spoils no page
        file_name=pack.file_name(model),
        mime="application/zip",
        icon=":material/folder_zip:",
        key=key,
        on_click="ignore",
        help="The model for Keras and for LiteRT, its weights as text, its settings, history and card, and predict.py.",
    )


@st.fragment
def _take(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    st.header("Take it away", anchor=False)
    st.markdown(
        "One zip with the model for Keras and for LiteRT, its weights as text, its settings, history and card, and "
        "`predict.py`: twenty lines that read pictures with it just as this app does, without this app."
    )
    with st.container(horizontal=True):
        download(model, key=_key("package"))
        is_asked = st.button("Check the package", icon=":material/fact_check:", key=_key("check"))
    st.caption(
        f"The check unpacks the zip into an empty folder, runs its `predict.py` on the {len(dataset.test):,} test "
        "images in a process of its own, and compares every answer with this app's. It takes some seconds."
    )
    if is_asked:
        _check(model, dataset)
    model_id, proof = st.session_state.get(_key("proof"), ("", None))
    if model_id == model.id:
        shown = st.success if proof.is_same else st.error
        shown(str(proof), icon=":material/verified:" if proof.is_same else ":material/error:")


def _check(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    st.session_state.pop(_key("proof"), None)
    place = st.empty()
    try:
        with place, st.status("Writing the zip") as box:
            proof = check.check_package(
                pack.pack(model, _widgets.registry()),
                model,
                dataset.test.images,
                _widgets.settings(),
                on_step=lambda step: box.update(label=step),
            )
        place.empty()
        st.session_state[_key("proof")] = (model.id, proof)
    except DigitsError as error:
        st.error(str(error), icon=":material/error:")


@st.fragment
def _bring() -> None:
    st.header("Bring a model", anchor=False)
    st.markdown(
        "A zip from here, of yours or of a friend's, becomes a model of your own. Nothing in it is run as code: only "
        "its weights are taken over, and how well it reads is measured anew."
    )
    turn = st.session_state.setdefault(_key("turn"), 0)
    file = st.file_uploader(
        f"A package that Digits wrote, up to {_MEGABYTES} MB; at most {MAX_IMPORTS_PER_VISITOR} a visitor",
        type="zip",
        max_upload_size=_MEGABYTES,
        key=_key(f"file.{turn}"),
    )
    is_asked = st.button(
        "Bring it in",
        icon=":material/login:",
        type="primary",
        disabled=file is None,
        key=_key("bring"),
        help="Checks the zip, which takes up to a minute, and chooses its model; it then stands among your runs.",
    )
    if file is not None and is_asked:
        try:
            with st.status("Checking the package") as box:
                st.session_state[_key("brought")] = intake.import_package(
                    file.getvalue(),
                    file.name,
                    registry=_widgets.registry(),
                    settings=_widgets.settings(),
                    owner=_widgets.visitor(),
                    on_step=lambda step: box.update(label=step),
                )
        except DigitsError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.session_state[_key("turn")] = turn + 1  # a fresh uploader: this file has done its work
            st.rerun()
