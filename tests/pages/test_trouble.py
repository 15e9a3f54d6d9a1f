"""A full disk, a folder that may not be written to, a locked registry: one clear message, and nothing is lost."""

import contextlib
import shutil
import sqlite3

import pytest

from digits.errors import RegistryUnavailable
from digits.packages import intake
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR

RESULT = {"data": "Some.", "test_correct": 9_000, "test_total": 10_000}


@pytest.fixture
def finished(registry, runs_dir):
    """A finished run of Ada's with its model; gives its id."""
    run_id = registry.add_imported(Hyperparameters(), "ada", name="mine", **RESULT)
    shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / run_id)
    return run_id


def tell(registry, pragma):
    """Tell SQLite something about the registry's connection."""
    with registry._engine.connect() as connection:
        answer = connection.exec_driver_sql(f"PRAGMA {pragma}")
        return answer.scalar() if answer.returns_rows else None


@contextlib.contextmanager
def full_disk(registry, runs_dir):
    """No page can be added to the registry, and those that it has are written full."""
    tell(registry, f"max_page_count={tell(registry, 'page_count')}")
    with contextlib.suppress(RegistryUnavailable):
        while True:
            registry.add_imported(Hyperparameters(), "bob", name="filler" * 10, **RESULT)
    yield "disk is full. Free some space on its disk."


@contextlib.contextmanager
def read_only_folder(registry, runs_dir):
    """SQLite may only read, whoever runs the tests: nobody's rights keep root from writing."""
    tell(registry, "query_only=ON")
    yield "readonly database. Check the disk's space and permissions"


@contextlib.contextmanager
def locked_registry(registry, runs_dir):
    """Another process writes and does not end."""
    tell(registry, "busy_timeout=50")
    with contextlib.closing(sqlite3.connect(runs_dir / "registry.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        yield "database is locked. Try again in a moment."


def press_start(page):
    return page.button(key="train.start").click().run()


def annotate(page):
    field = next(field for field in page.text_input if field.key.startswith("runs.note."))
    return field.set_value("Longer than what is left of a page. " * 50).run()


def upload(page):
    page.file_uploader(key="models.file.0").set_value(("friend.zip", b"a package", "application/zip")).run()
    return page.button(key="models.import").click().run()


@pytest.mark.parametrize("trouble", [full_disk, read_only_folder, locked_registry])
@pytest.mark.parametrize(
    ("file", "name", "write"),
    [("train.py", "run", press_start), ("runs.py", "chosen", annotate), ("models.py", "model", upload)],
)
def test_is_told_once_and_finished_runs_stay_readable(
    trouble, file, name, write, finished, registry, runs_dir, open_page, tidy, monkeypatch
):
    """A finished run is shown as usual; an action that would write is refused with a remedy."""
    # A package is checked for ten seconds before the registry is asked to keep its run.
    monkeypatch.setattr(
        intake, "import_package", lambda *_, **how: how["registry"].add_imported(Hyperparameters(), "ada", **RESULT)
    )
    with trouble(registry, runs_dir) as told:
        page = write(tidy(open_page(file, **{name: finished})))
        assert [error.message for error in page.exception] == []
        assert [warning.value for warning in page.warning] == []
        (message,) = [error.value for error in page.error]
        assert told in message
        assert tidy(open_page(file, **{name: finished})).query_params[name] == finished
    assert (registry.get(finished).name, registry.get(finished).note) == ("mine", "")
