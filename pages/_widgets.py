"""Parts that several pages share: settings, the visitor, the data, page heads, components, the choice of a model."""

import base64
import contextlib
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from digits import trouble
from digits.data import datasets, sets
from digits.errors import DigitsError, ModelNotFound, RunNotFound
from digits.models import catalogue
from digits.models.identity import ModelId, Weights
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import Run, RunState
from digits.runs.visitors import COOKIE, new_token, owner_of
from digits.settings import Settings
from digits.views import assets, charts, sharing, tables, titles
from digits.views.markdown import escaped
from digits.web import network_of
from pages import _state

_Colour = Literal["gray", "blue", "green", "red"]
STATES: dict[RunState, tuple[str, str, _Colour]] = {  # the name, icon and colour of each state on the pages
    RunState.QUEUED: ("Waiting", ":material/hourglass_top:", "gray"),
    RunState.RUNNING: ("Training", ":material/play_arrow:", "blue"),
    RunState.PAUSED: ("Paused", ":material/pause_circle:", "gray"),
    RunState.FINISHED: ("Finished", ":material/check_circle:", "green"),
    RunState.STOPPED: ("Stopped", ":material/stop_circle:", "gray"),
    RunState.FAILED: ("Failed", ":material/error:", "red"),
}
_COMPONENTS = Path(__file__).parent / "components"
_ROVING = (_COMPONENTS / "roving.js").read_text(encoding="utf-8")  # before the JavaScript of components that use it


def settings() -> Settings:
    """Return the server's settings."""
    return Settings.from_environment()


def registry() -> Registry:
    """Return the server's run registry."""
    return open_registry(settings().registry_url)


def visitor() -> str:
    """Return this visitor as the registry names owners; without a cookie, a new one for this session."""
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = owner_of(st.context.cookies.get(COOKIE) or new_token())
    return st.session_state["visitor"]


def address() -> str:
    """Return the address that this visitor comes from; "" from this machine itself."""
    return network_of(st.context.ip_address or "")


def is_phone() -> bool:
    """Return whether the browser identifies itself as a phone's."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def test_set(name: str) -> datasets.Dataset:
    """Return a data set with its test images; raises `DatasetError`."""
    return _test_set(name, sets.find(name).find_source(settings()))


@st.cache_resource(max_entries=8, show_spinner="Opening the test images")
def _test_set(name: str, source: datasets.Source) -> datasets.Dataset:
    return sets.find(name).load_test(settings())


def data_caption(dataset: datasets.Dataset) -> None:
    """Say which images there are; where on the server they lie matters only to whoever runs it."""
    if dataset.is_complete:
        st.caption(escaped(dataset.description.partition(", from ")[0].rstrip(".") + "."))
    else:
        counts = dict(dataset.tests) or {"MNIST": len(dataset.test)}
        others = "".join(
            f" {escaped(name)}: {count:,} test images." for name, count in counts.items() if name != "MNIST"
        )
        st.caption(
            f"MNIST: only the 5,000 images that come with Digits, {counts['MNIST']:,} of them for the test. "
            f"The README says how to get all 70,000.{others}"
        )


def show_error(error: Exception) -> None:
    """Show an error in a visitor's words."""
    st.error(escaped(trouble.sentence(error)), icon=":material/error:")


def page_head(page: str, title: str | Callable[[], str], sentence: str = "") -> Any:
    """Read a page's link; show its title and its sentence, if any; return the container for `share`, called at its end.

    Args:
        title: or a function that makes it, once the page's values are known.
    """
    _state.open_page(page)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="head"):
        st.title(title if isinstance(title, str) else title(), anchor=False, width="stretch")
        place = st.container(width="content")
    if sentence:
        st.markdown(sentence)
    _state.show_notices(page)
    return place


_share = st.components.v2.component(
    "digits_share",
    html="""<button type="button" class="copy" aria-label="Share" title="Share a link to this page as it is now">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 15V3.5M7.5 7.5 12 3l4.5 4.5M6 11H5v10h14V11h-1"/></svg>
    </button>
    <div class="toast"><span class="status" role="status"></span>
    <input class="link" readonly hidden aria-label="Link to this page"></div>""",
    css=(_COMPONENTS / "share.css").read_text(encoding="utf-8"),
    js=assets.component(
        "share",
        "".join((_COMPONENTS / name).read_text(encoding="utf-8") for name in ("names.js", "links.js", "share.js")),
    ),
)


def share(place: Any, page: str, **quiet: str) -> None:
    """Show the Share button, which copies a link to this page with its current values.

    Args:
        place: the container that `page_head` returned.
        quiet: further values for the link, which the button also writes into the address; give the same ones to
            `_state.close_page`.
    """
    query = sharing.query_string(page, _state.values(page) | quiet)
    with place:
        _share(data={"query": query, "quiet": quiet}, key=_state.key(page, "share"))


_gallery = st.components.v2.component(
    "digits_gallery",
    html="""<div class="frame"><div class="grid" role="group"></div></div>""",
    css=(_COMPONENTS / "gallery.css").read_text(encoding="utf-8"),
    js=_ROVING + (_COMPONENTS / "gallery.js").read_text(encoding="utf-8"),
)


def gallery_grid(data: dict[str, Any], *, key: str, on_picked: Any) -> None:
    """Show samples as a grid of buttons; a press sets `picked` in the session state and calls `on_picked`."""
    _gallery(data=data, key=key, on_picked_change=on_picked)


_confusion = st.components.v2.component(
    "digits_confusion",
    html="""<div class="box"><table class="matrix"></table></div>""",
    css=(_COMPONENTS / "confusion.css").read_text(encoding="utf-8"),
    js=_ROVING + (_COMPONENTS / "confusion.js").read_text(encoding="utf-8"),
)


def confusion_grid(data: dict[str, Any], *, key: str, on_pressed: Any) -> None:
    """Show counts as a table of buttons; a press sets `pressed` in the session state and calls `on_pressed`."""
    _confusion(data=data, key=key, on_pressed_change=on_pressed)


_boxes = st.components.v2.component(
    "digits_boxes",
    html="""<div class="frame" role="group"><img class="ink" draggable="false"><div class="shade">
    <div class="part" tabindex="0" role="slider" aria-label="Part of the picture to keep" aria-valuemin="0"
    aria-valuemax="100"></div></div></div><div class="tools" hidden>
    <button type="button" class="crop" aria-pressed="false">Crop</button><span class="hint" role="status">
    <span class="offer">Is more found than the digits? Press Crop and drag a rectangle around the digits.</span>
    <span class="drag">Drag a rectangle around the digits.</span>
    <span class="keys">Or use the keyboard: the arrow keys move it, with Shift they resize it, Enter crops, Escape
    cancels.</span></span></div>""",
    css=(_COMPONENTS / "boxes.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "boxes.js").read_text(encoding="utf-8"),
)


def ink_boxes(data: dict[str, Any], *, key: str, on_picked: Any, on_cropped: Any = None) -> None:
    """Show ink or a picture with a button over every digit.

    A press sets `picked` in the session state and calls `on_picked`. If `data` has `crops`, a rectangle can be dragged
    on the picture; it sets `cropped` to its left, top, right and bottom, as shares, and calls `on_cropped`.
    """
    _boxes(data=data, key=key, on_picked_change=on_picked, on_cropped_change=on_cropped or _nothing)


def _nothing() -> None:
    """Do nothing; a component's trigger needs a callback."""


def no_tables(data: dict[str, Any]) -> dict[str, Any]:
    """Return a component's data with tuples for its lists: Streamlit looks into each list for a table."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def picture(png: bytes, *, alt: str, width: int | None = None) -> None:
    """Show a picture that is part of the page itself: a file for it could be gone before the browser fetches it."""
    size = f' width="{width}"' if width else ""
    st.html(f'<img src="{data_url(png)}" alt="{html.escape(alt)}"{size} style="max-width: 100%">')


_drawing = st.components.v2.component(
    "digits_drawing",
    html="""<div class="place"></div>""",
    css=(_COMPONENTS / "drawing.css").read_text(encoding="utf-8"),
    js=(_COMPONENTS / "drawing.js").read_text(encoding="utf-8"),
)


def drawing(svg: str, *, key: str, width: Any = "stretch") -> None:
    """Show a drawing of `views.diagrams`; Streamlit's own elements leave SVG out or give it no colours."""
    _drawing(data=svg, key=key, width=width)


def data_url(image: bytes, kind: str = "png") -> str:
    """Return an image as a URL that contains it; `kind` is its format, such as "png"."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def chosen_model(page: str) -> catalogue.Model:
    """Return the model that the visitor or the link chose; if it is gone, the default one, with a notice."""
    key = _state.key(page, "model")
    try:
        model = catalogue.find(st.session_state.get(key) or catalogue.DEFAULT_MODEL, settings())
    except DigitsError as error:
        _state.notify(page, trouble.sentence(error))
        model = catalogue.find(catalogue.DEFAULT_MODEL, settings())
    st.session_state[key] = model.id
    return model


def model_chooser(page: str, *, width: int | Literal["stretch"] = "stretch") -> catalogue.Model:
    """Let the visitor choose a model: a bundled one, one of their own, or the one that the link names."""
    model = chosen_model(page)
    choices = {bundled.id: titles.of_bundled(bundled) for bundled in catalogue.bundled()}
    try:
        runs = registry().list_runs(visitor(), with_trials=False)  # a sweep's trials have links of their own
        names = tables.names(runs)
        for run in runs:
            choices |= _titles_of(run, names[run.id])
        if model.id not in choices:
            choices[model.id] = _title_of_other(model, names)
    except DigitsError as error:  # the bundled models work without the registry
        st.warning(escaped(trouble.sentence(error)), icon=":material/database_off:")
        choices.setdefault(model.id, model.title)
    st.selectbox(
        "Model",
        list(choices),
        format_func=choices.__getitem__,
        key=_state.key(page, "model"),
        persist_state="session",
        width=width,
        help="Each with its accuracy on MNIST's test images and on drawings by strangers.",
    )
    return model


def _titles_of(run: Run, name: str) -> dict[str, str]:
    """Return the titles of a run's models by id: its best weights, if they differ from its last, and its last."""
    if not run.has_model or run.test_accuracy is None:
        return {}
    best, share = str(ModelId(run.id, Weights.BEST)), run.test_accuracy.share
    if run.best_step not in (None, run.step):
        with contextlib.suppress(ModelNotFound):
            found = catalogue.find(best, settings()).test_accuracy.share
            return {
                best: titles.of_run(name, found, Weights.BEST),
                run.id: titles.of_run(name, share, Weights.LAST),
            }
    return {run.id: titles.of_run(name, share)}


def _title_of_other(model: catalogue.Model, names: dict[str, str]) -> str:
    """Return the title of a model that is not in the list: a copy of the visitor's, or one of somebody else's."""
    card, name = model.card, model.title
    if card.run in names:
        name = names[card.run]
    elif card.run:
        with contextlib.suppress(RunNotFound):
            name = f"{tables.names([registry().get(card.run)])[card.run]} (shared)"
    return titles.of_run(name, model.test_accuracy.share, card.weights, card.step if card.weights else None)


def probability_chart(
    probabilities: np.ndarray, class_names: tuple[str, ...], *, key: str, is_doubtful: bool = False
) -> None:
    """Show the probability of every class as bars; they are grey if the image does not look like a digit."""
    st.echarts_chart(
        charts.probability_bars(probabilities, class_names, is_doubtful=is_doubtful),
        height=28 * len(charts.likeliest(probabilities)) + 10,
        key=key,
        alt=charts.describe_probabilities(probabilities, class_names),
    )
