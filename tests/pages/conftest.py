"""Pages as a visitor opens them, without a browser and without a trainer."""

import gc
import logging
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

NAVIGATION = Path(__file__).resolve().parents[2] / "pages" / "navigation.py"


@pytest.fixture(scope="package", autouse=True)
def components():
    """Look for installed components once: every AppTest would read the metadata of all packages again, for 0.12 s."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


class _Failures(logging.Handler):
    """The pages that failed by a bug, of which a visitor reads one plain sentence."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(self.format(record))


@pytest.fixture(autouse=True)
def failures():
    """What the log says of pages that failed; a test that expects a failure clears the list."""
    handler, logger = _Failures(), logging.getLogger("digits.pages")
    logger.addHandler(handler)
    yield handler.messages
    logger.removeHandler(handler)
    assert handler.messages == []


@pytest.fixture(scope="module", autouse=True)
def collected():
    """What `open_page` excludes from garbage collection is collected again after a file of tests."""
    yield
    gc.unfreeze()


@pytest.fixture
def open_page(registry):
    """Open a page by its file, with a link's parameters; gives Streamlit's AppTest.

    Streamlit collects garbage after every run of a page, for 0.3 s if the tests before have loaded TensorFlow. What is
    loaded is therefore excluded, as the server excludes it (`pages/_warm_up.py`).
    """
    gc.collect()
    gc.freeze()

    def open_(file="draw.py", *, visitor="ada", **link):
        page = AppTest.from_file(NAVIGATION, default_timeout=60)
        page.session_state["visitor"] = visitor  # there is no browser whose cookie could tell
        page.run()
        page.switch_page(file)
        page.query_params.clear()
        page.query_params.update({name.rstrip("_"): text for name, text in link.items()})
        return page.run()

    return open_


@pytest.fixture
def tidy():
    """Check that a page shows neither an exception nor an error; gives the page back."""

    def check(page):
        assert [error.message for error in page.exception] == []
        assert [error.value for error in page.error] == []
        return page

    return check
