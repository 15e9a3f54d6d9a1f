"""A model as one zip: exporting it, checking that it predicts the same, and importing it."""

from functools import partial

import streamlit as st

from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.packages import check, intake, pack
from digits.quotas import Quotas
from digits.settings import MAX_PACKAGE_BYTES
from digits.views import sharing
from digits.views.markdown import escaped
from pages import _state, _uploads, _widgets

_MEGABYTES = MAX_PACKAGE_BYTES // 2**20

_key = partial(_state.key, "models")


def show(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    """Show the export and the import side by side."""
    left, right = st.columns(2, gap="large")
    with left:
        _export(model, dataset)
    with right:
        _import()


def choose_imported() -> None:
    """Choose the model that has just been imported, and say so; call this before the list of models is shown."""
    if imported := st.session_state.pop(_key("imported"), ""):
        st.session_state[_key("model")], st.session_state[_key("tab")] = imported, sharing.MODEL_TABS[0]
        st.toast("Your model has been imported. This page now shows it.", icon=":material/check:")


def download(model: catalogue.Model, *, key: str) -> None:
    """Show the button that downloads a model's package; the zip is written when it is pressed."""
    st.download_button(
        "Everything as one zip",
        lambda: pack.pack(model, _widgets.registry()),  # called on a press: the page works without a registry
        file_name=pack.file_name(model),
        mime="application/zip",
        icon=":material/folder_zip:",
        key=key,
        on_click="ignore",
        disabled=not all((model.folder / name).is_file() for name in (catalogue.KERAS_FILE, catalogue.TFLITE_FILE)),
        help="The model for Keras and for LiteRT, its weights as numbers and as text, its settings, history and "
        "card, and predict.py.",
    )


@st.fragment
def _export(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    st.header("Export", anchor=False)
    with st.container(horizontal=True):
        download(model, key=_key("package"))
        is_asked = st.button(
            "Check the package",
            icon=":material/fact_check:",
            key=_key("check"),
            help=f"Unpacks the zip, runs its program on the {len(dataset.test):,} test images in a separate process "
            "and compares every prediction with this app's. This takes a few seconds.",
        )
    if is_asked:
        _check(model, dataset)
    model_id, result = st.session_state.get(_key("result"), ("", None))
    if model_id == model.id and result.is_same:
        st.success(f"All {result.total:,} predictions match.", icon=":material/verified:")
    elif model_id == model.id:
        st.error(f"{result.different:,} of {result.total:,} predictions differ.", icon=":material/error:")
    st.markdown(
        "One zip with the model for Keras and for LiteRT, its weights as numbers and as text, its settings, history "
        "and card, and `predict.py`, twenty lines of Python that read pictures exactly as this app does."
    )


def _check(model: catalogue.Model, dataset: datasets.Dataset) -> None:
    st.session_state.pop(_key("result"), None)
    place = st.empty()
    try:
        with place, st.status("Writing the zip") as box:
            result = check.check_package(
                pack.pack(model, _widgets.registry()),
                model,
                dataset.test.images,
                _widgets.settings(),
                owner=_widgets.visitor(),
                address=_widgets.address(),
                on_step=lambda step: box.update(label=step),
            )
        place.empty()
        st.session_state[_key("result")] = (model.id, result)
    except (DigitsError, OSError, MemoryError) as error:
        _widgets.show_error(error)


def _number_allowed() -> str:
    number = Quotas.from_environment().imports_per_visitor
    return f"; at most {number} models per visitor" if number else ""


@st.fragment
def _import() -> None:
    st.header("Import a model", anchor=False)
    attempt = st.session_state.setdefault(_key("attempt"), 0)
    file = st.file_uploader(
        f"A zip exported from Digits, at most {_MEGABYTES} MB{_number_allowed()}",
        type="zip",
        max_upload_size=_MEGABYTES,
        key=_key(f"file.{attempt}"),
    )
    is_asked = st.button(
        "Import",
        icon=":material/login:",
        type="primary",
        disabled=file is None or bool(_uploads.refusal(file)),
        key=_key("import"),
        help="Checks the zip, adds its model to your runs and selects it here. This takes about a second.",
    )
    st.markdown(
        "Only the numbers in the zip are used: no code in it is run and no model file in it is opened. The model is "
        "named after its card; its accuracy is measured here, on a thousand test images at once and on all afterwards."
    )
    if file is not None and (why := _uploads.refusal(file)):
        st.error(escaped(why), icon=":material/error:")
    elif file is not None and is_asked:
        try:
            with st.status("Checking the package") as box:
                st.session_state[_key("imported")] = intake.import_package(
                    file.getvalue(),
                    registry=_widgets.registry(),
                    settings=_widgets.settings(),
                    owner=_widgets.visitor(),
                    address=_widgets.address(),
                    on_step=lambda step: box.update(label=step),
                )
        except (DigitsError, OSError, MemoryError) as error:
            _widgets.show_error(error)
        else:
            _uploads.release(file)
            st.session_state[_key("attempt")] = attempt + 1  # a new key empties the uploader
            st.rerun()
