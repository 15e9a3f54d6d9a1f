"""navigation: every page opens, has its name, and shows no error to somebody who has just come."""

import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digits.runs.registry import open_registry
from digits.settings import Settings
from tests.conftest import close
from tests.pages.conftest import NAVIGATION

PAGES = {
    "draw.py": "Draw a digit",
    "train.py": "Train a model",
    "sweep.py": "Find better settings",
    "runs.py": "Runs",
    "models.py": "Models",
    "data.py": "Data",
    "gallery.py": "Gallery",
}


def test_draw_is_what_opens_first(registry, tidy):
    """The bare address shows the Draw page."""
    page = AppTest.from_file(NAVIGATION, default_timeout=60)
    page.session_state["visitor"] = "ada"
    assert tidy(page.run()).title[0].value == "Draw a digit"


@pytest.mark.parametrize("file", PAGES)
def test_every_page_opens(file, open_page, tidy):
    """A page shows one title and a sentence, no error, no warning."""
    page = tidy(open_page(file))
    assert [title.value for title in page.title] == [PAGES[file]]
    assert page.markdown[0].value.endswith(".")
    assert not page.warning


def test_pages_can_be_visited_in_turn(open_page, tidy):
    """Going from page to page and back shows each of them, in one session."""
    page = open_page()
    for file in (*PAGES, *reversed(PAGES)):
        assert tidy(page.switch_page(file).run()).title[0].value == PAGES[file]


@pytest.mark.parametrize("file", PAGES)
def test_a_spoiled_registry_is_an_error_not_a_crash(file, open_page, runs_dir):
    """When the registry cannot be read, every page says so in words and stays on its feet."""
    page = open_page(file)
    for path in runs_dir.glob("registry.sqlite*"):
        path.unlink()
    (runs_dir / "registry.sqlite").write_bytes(b"no database at all" * 100)
    close(open_registry(Settings.from_environment().registry_url))
    open_registry.cache_clear()
    page.query_params["model" if file != "train.py" else "run"] = "someone"
    page.run()
    assert [error.message for error in page.exception] == []
    assert page.title[0].value == PAGES[file]
    notices = [notice.value for notice in [*page.error, *page.warning]]
    assert any("run registry" in notice for notice in notices)


def test_a_bug_shows_one_plain_sentence_and_the_log_has_the_details(open_page, failures, monkeypatch):
    """No visitor sees a traceback, a path or a value; the log names the page and has the traceback."""

    def fail():
        raise RuntimeError("/srv/digits/secret.sqlite is odd")

    monkeypatch.setattr("pages._sheet.prepare", fail)
    page = open_page()
    assert not page.exception
    assert [error.value for error in page.error] == [
        "Something went wrong on this page. Reload it; if that does not help, tell the person who runs this app."
    ]
    assert all("The page Draw failed." in message and "secret.sqlite" in message for message in failures)
    assert failures
    failures.clear()


def test_errors_outside_a_pages_run_are_not_shown_in_detail_either():
    """Streamlit shows those of callbacks and fragments; it is told to show no details."""
    config = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["client"]["showErrorDetails"] == "none"
