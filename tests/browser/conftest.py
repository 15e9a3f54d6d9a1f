"""A real server and a real Chromium; an error in the browser or in the server's log fails the test."""

import importlib.util
import os
import re
import shutil

import pytest

from tests.browser.serving import serve

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1280, "height": 800}
TIMEOUT_SECONDS = 30  # timeout of one condition; a busy machine with two cores needs far less
_EXPECTED_ERRORS = (
    re.compile(r"net::ERR_NAME_NOT_RESOLVED"),  # Streamlit requests the tab's icon from the internet
    re.compile(
        r"404 .*/(train|sweep|runs|models|data|gallery)/_stcore/(health|host-config)"
    ),  # and requests its server below a page's address
)


def _give_up(reason: str) -> None:
    """Skip if no browser is required; fail if the checks must be complete."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} CI must run the browser tests.")
    pytest.skip(reason)


class _Unplayable(pytest.Module):
    """A stand-in for a file of browser tests if Playwright, which the file imports, is not installed."""

    def collect(self):
        _give_up("Playwright is not installed: install requirements-dev.txt.")


def pytest_pycollect_makemodule(module_path, parent):
    if importlib.util.find_spec("playwright") is None:
        return _Unplayable.from_parent(parent, path=module_path)
    return None


@pytest.fixture(scope="package")
def browser():
    """Chromium without access to the internet."""
    path = os.environ.get("DIGITS_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        _give_up(f"No Chromium found: install {CHROMIUM_NAMES[0]}, or set DIGITS_CHROMIUM to its path.")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT_SECONDS * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def server(browser, tmp_path_factory):
    """The server that the tests share; it and its trainer must end when they are asked to."""
    with serve(tmp_path_factory.mktemp("server"), with_data=False) as running:
        yield running


@pytest.fixture
def fresh_server(browser, tmp_path):
    """A server without earlier visitors."""
    with serve(tmp_path, with_trainer=False, with_data=False) as running:
        yield running
        assert not running.new_faults()


@pytest.fixture
def visitor(browser, server):
    """Return a function that opens a page for a new visitor, with a separate browser and its own cookies."""
    from tests.browser import actions

    contexts, pages, errors = [], [], []

    def hear(message):
        line = f"{message.text} {message.location['url']}"
        if message.type == "error" and not any(expected.search(line) for expected in _EXPECTED_ERRORS):
            errors.append(line)

    def come(**options):
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": server.url, **options})
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(f"A script asked: {dialog.message}"), dialog.dismiss()))
        pages.append(page)
        return page

    yield come
    exceptions = [text for page in pages for text in actions.exception_boxes(page)]
    for context in contexts:
        context.close()
    assert not exceptions
    assert not errors
    assert not server.new_faults()
