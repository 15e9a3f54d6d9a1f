"""What several pages share: who is visiting, the data, the head of a page, the choice of a model, an answer."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.errors import DigitsError
from digits.models import catalogue
from digits.models.identity import ModelId, Weights
from digits.runs.hyperparameters import PRESETS
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import Run, RunState
from digits.runs.visitors import COOKIE, new_token
from digits.settings import Settings
from digits.views import charts, comparison, sharing
from pages import _state

STATES = {  # what each state of a run is called, with its icon and colour
    RunState.QUEUED: ("Waiting", ":material/hourglass_top:", "gray"),
    RunState.RUNNING: ("Training", ":material/play_arrow:", "blue"),
    RunState.PAUSED: ("Paused", ":material/pause_circle:", "orange"),
    RunState.FINISHED: ("Finished", ":material/check_circle:", "green"),
    RunState.STOPPED: ("Stopped", ":material/stop_circle:", "orange"),
    RunState.FAILED: ("Failed", ":material/error:", "red"),
}
_COMPONENTS = Path(__file__).parent / "components"


def settings() -> Settings:
    """Return the server's settings."""
    return Settings.from_environment()


def registry() -> Registry:
    """Return the server's run registry."""
    return open_registry(settings().registry_url)


def visitor() -> str:
    """Return this visitor's token: the cookie's, or one for this session where the browser keeps no cookies."""
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = st.context.cookies.get(COOKIE) or new_token()
    return st.session_state["visitor"]


def is_phone() -> bool:
    """Tell whether the visitor's browser calls itself one of a phone."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def test_set() -> datasets.Dataset:
    """Return the data set with its test images; raises `DatasetError`."""
    return _test_set(datasets.find_source(settings()))


@st.cache_resource(max_entries=2, show_spinner="Opening the test images")
def _test_set(source: datasets.Source) -> datasets.Dataset:
    return datasets.load_test(settings())


def page_head(page: str, title: str, sentence: str) -> Any:
    """Show a page's title and what it is for; return the place for `share`, which knows the link only at the end."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        place = st.container(width="content")
    st.markdown(sentence)
    _state.open_page(page)
    return place


_share = st.components.v2.component(
    "digits_share",
    html="""<div class="share">
    <button type="button" class="copy" title="Copies the link that reopens this page as it stands">Share</button>
    <input class="link" readonly aria-label="Link to this page"><span class="status" role="status"></span></div>""",
    css=(_COMPONENTS / "share.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "share.js").read_text(encoding="utf-8"),
)


def share(place: Any, page: str, **quiet: str) -> None:
    """Show the Share button, which copies the link to this page with its present values and the quiet ones beside them.

    It also keeps the quiet values in the address; see `_state.close_page`, which must be given the same.
    """
    query = sharing.query_string(page, _state.values(page) | quiet)
    with place:
        _share(data={"query": query, "quiet": quiet}, key=_state.key(page, "share"))


_gallery = st.components.v2.component(
    "digits_gallery",
    html="""<div class="frame"><div class="grid" role="group"></div></div>""",
    css=(_COMPONENTS / "gallery.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "gallery.js").read_text(encoding="utf-8"),
)


def gallery_grid(data: dict[str, Any], *, key: str, on_picked: Any) -> None:
    """Show samples as a grid of buttons; after a press `on_picked` is called and the state's `picked` says which."""
    _gallery(data=data, key=key, on_picked_change=on_picked)


_confusion = st.components.v2.component(
    "digits_confusion",
    html="""<table class="matrix"></table>""",
    css=(_COMPONENTS / "confusion.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "confusion.js").read_text(encoding="utf-8"),
)


def confusion_grid(data: dict[str, Any], *, key: str, on_pressed: Any) -> None:
    """Show counts as a table of buttons; after a press `on_pressed` is called and the state's `pressed` says which."""
    _confusion(data=data, key=key, on_pressed_change=on_pressed)


_boxes = st.components.v2.component(
    "digits_boxes",
    html="""<div class="frame" role="group"><img class="ink"></div>""",
    css=(_COMPONENTS / "boxes.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "boxes.js").read_text(encoding="utf-8"),
)


def ink_boxes(data: dict[str, Any], *, key: str, on_picked: Any) -> None:
    """Show ink with a button over every digit; after a press `on_picked` is called and `picked` says which."""
    _boxes(data=data, key=key, on_picked_change=on_picked)


def chosen_model(page: str) -> catalogue.Model:
    """Return the model that the visitor has chosen or the link names; the usual one, with a notice, if it is gone."""
    key = _state.key(page, "model")
    try:
        model = catalogue.find(st.session_state.get(key) or catalogue.DEFAULT_MODEL, settings())
    except DigitsError as error:
        _state.notify(page, str(error))
        model = catalogue.find(catalogue.DEFAULT_MODEL, settings())
    st.session_state[key] = model.id
    return model


def model_chooser(page: str) -> catalogue.Model:
    """Let the visitor choose the model to ask: bundled, their own, or the one that the link names."""
    model = chosen_model(page)
    titles, own = {model.id: _model_title(model) for model in catalogue.bundled()}, {}
    try:
        for run in registry().list_runs(visitor()):
            own[run.id] = f"Your run {run.name or run.id[:4]}: {PRESETS[run.hyperparameters.network].title}"
            titles |= _titles_of(run, own[run.id])
    except DigitsError as error:  # the bundled models can be asked all the same
        st.warning(str(error), icon=":material/database_off:")
    if model.id not in titles:
        name = own.get(model.card.run or "", f"Shared run {model.id[:4]}: {model.title}")
        titles[model.id] = comparison.model_title(name, model.card.weights, model.card.step)
    st.selectbox(
        "Model to ask",
        list(titles),
        format_func=titles.get,
        key=_state.key(page, "model"),
        persist_state="session",
        help="Which trained network reads, and how many of MNIST's test images and of drawn digits it gets right.",
    )
    return model


def _titles_of(run: Run, name: str) -> dict[str, str]:
    """Return what a run's models are called, by their ids: its best weights, where they are not its last, and those."""
    if not run.has_model:
        return {}
    best = str(ModelId(run.id, Weights.BEST))
    if run.best_step in (None, run.step) or not (settings().runs_dir / best / catalogue.CARD).is_file():
        return {run.id: name}
    return {
        best: comparison.model_title(name, Weights.BEST, run.best_step),
        run.id: comparison.model_title(name, Weights.LAST, run.step),
    }


def _model_title(model: catalogue.Model) -> str:
    figures = [f"{model.test_accuracy.share:.1%} of test images"]
    if model.drawn_accuracy:
        figures.append(f"{model.drawn_accuracy.share:.1%} of drawings")
    return f"{model.title}: {', '.join(figures)}"


def probability_chart(
    probabilities: np.ndarray, class_names: tuple[str, ...], *, key: str, is_doubtful: bool = False
) -> None:
    """Show every class's probability as bars, greyed where they mean little."""
    st.echarts_chart(
        charts.probability_bars(probabilities, class_names, is_doubtful=is_doubtful),
        height=28 * len(class_names) + 10,
        key=key,
        alt=charts.describe_probabilities(probabilities, class_names),
    )
