"""A full disk, a folder that may not be written to, a locked registry: one clear message, and nothing is lost."""

import contextlib
import shutil
import sqlite3

import pytest

from digits.errors import RegistryUnavailable
from digits.packages import intake
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import TrainerStatus
from digits.settings import BUNDLED_MODELS_DIR
from digits.training import keeper

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
    ("file", "name", "others", "write"),
    [
        ("train.py", "run", {}, press_start),
        ("runs.py", "run", {}, annotate),
        ("models.py", "model", {"tab": "Export and import"}, upload),
    ],
)
def test_is_told_once_and_finished_runs_stay_readable(
    trouble, file, name, others, write, finished, registry, runs_dir, open_page, tidy, monkeypatch
):
    """A finished run is shown as usual; an action that would write is refused with a remedy."""
    # A package is checked for ten seconds before the registry is asked to keep its run.
    monkeypatch.setattr(
        intake, "import_package", lambda *_, **how: how["registry"].add_imported(Hyperparameters(), "ada", **RESULT)
    )
    with trouble(registry, runs_dir) as told:
        page = write(tidy(open_page(file, **{name: finished}, **others)))
        assert [error.message for error in page.exception] == []
        assert [warning.value for warning in page.warning] == []
        (message,) = [error.value for error in page.error]
        assert told in message
        assert "://" not in message
        assert str(runs_dir) not in message
        assert tidy(open_page(file, **{name: finished})).query_params[name] == finished
    assert (registry.get(finished).name, registry.get(finished).note) == ("mine", "")


class TestTrainer:
    """What the page of a run says while its trainer does not train."""

    @pytest.fixture
    def running(self, registry):
        """A running run of Ada's, after 40 of its iterations; gives its id."""
        run_id = commands.submit(registry, Hyperparameters(), "ada")
        registry.claim()
        registry.record(run_id, [{"step": 40, "seconds": 4.0, "loss": 0.5, "accuracy": 0.9}])
        return run_id

    @staticmethod
    def silent_for(seconds, monkeypatch):
        monkeypatch.setattr(Registry, "trainer_status", lambda self: TrainerStatus(1, "training", seconds))

    @staticmethod
    def said(page):
        return [element.value for kind in (page.warning, page.info, page.caption) for element in kind]

    def test_that_hangs_is_told_instead_of_the_seconds_left(self, running, open_page, tidy, monkeypatch):
        """A run's last figures are no longer true then."""
        self.silent_for(1, monkeypatch)
        assert any("s left" in bar.text for bar in tidy(open_page("train.py", run=running)).progress)
        self.silent_for(25, monkeypatch)
        page = tidy(open_page("train.py", run=running))
        assert self.said(page)[0] == (
            "The trainer has not answered for 25 seconds. If it does not, another one takes over, and the run goes on "
            "from its last checkpoint."
        )
        assert [bar.text.split(", ", 1)[1] for bar in page.progress] == ["waiting for the trainer"]

    @pytest.mark.parametrize("state", ["queued", "running"])
    def test_that_cannot_be_started_is_told(self, state, running, registry, open_page, tidy, monkeypatch):
        """Instead of "The trainer is starting." for ever."""
        if state == "queued":
            registry.requeue(running)
        self.silent_for(3000, monkeypatch)
        why = "No trainer can be started: Read-only file system. The next try is in 30 seconds."
        monkeypatch.setattr(keeper, "_reported", {0: why})
        page = tidy(open_page("train.py", run=running))
        assert [warning.value for warning in page.warning] == [why]
        assert "The trainer is starting." not in self.said(page)
        monkeypatch.setattr(keeper, "_reported", {})
        assert not any("No trainer" in text for text in self.said(open_page("train.py", run=running)))

    def test_that_died_is_told(self, running, registry, open_page, tidy):
        """The run goes on with the next trainer."""
        registry.release(registry.worker)
        registry.claim()
        assert (
            "The trainer ended once during this run, probably because memory ran out. It goes on all the same."
            in self.said(tidy(open_page("train.py", run=running)))
        )
