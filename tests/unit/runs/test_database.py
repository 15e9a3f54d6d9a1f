"""database: a registry of any version opens, at any moment and by any number; its errors say whether to try again."""

import hashlib
import logging
import multiprocessing
import sqlite3
import sys
import threading

import alembic.autogenerate
import alembic.config
import alembic.script
import pytest
import sqlalchemy as sql
from alembic.runtime.migration import MigrationContext

from digits.errors import RegistryBusy, RegistryUnavailable
from digits.runs import database, schema
from digits.runs.changes import Change
from digits.runs.database import Database
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.settings import PROJECT_DIR, Settings
from tests.conftest import close

RELEASED = {path.stem: path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "tests" / "data").glob("*.sql")}
FIRST = """
CREATE TABLE runs (id VARCHAR(32) NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL,
    hyperparameters JSON NOT NULL, created FLOAT NOT NULL, started FLOAT, ended FLOAT, step INTEGER NOT NULL,
    activity TEXT NOT NULL, stop_requested BOOLEAN NOT NULL, reason TEXT NOT NULL, data TEXT NOT NULL,
    test_correct INTEGER, test_total INTEGER);
INSERT INTO runs VALUES ('abc', 'ada', 'finished', '{"iterations": 300}', 1, 1, 2, 300, '', 0, '', '', 9, 10);
"""
TOKENS = {"ada": "Qm9iIGlzIHRoZSB0b2tlbiBvZiBhZGE_", "bob": "dGhpcyBpcyB0aGUgdG9rZW4gb2YgYm9i"}
OWNERS = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in TOKENS.items()}
FORKED = multiprocessing.get_context("fork")


@pytest.fixture
def old_file(tmp_path):
    """Return a function that makes a file from SQL and returns its path."""

    def make(statements):
        path = tmp_path / "old.sqlite"
        with sqlite3.connect(path) as connection:
            connection.executescript(statements)
        connection.close()
        return path

    return make


def differences(registry):
    """Return how the tables of a registry differ from those that the code expects."""
    with registry._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return alembic.autogenerate.compare_metadata(context, schema.metadata)


class TestUpgrade:
    def test_a_new_registry_has_the_tables_that_the_code_expects(self, registry):
        """The migrations and the schema agree on tables, columns, keys and indexes."""
        assert differences(registry) == []

    def test_the_revision_is_the_last_one(self):
        """The number in the code is the number of the last migration."""
        settings = alembic.config.Config()
        settings.set_main_option("script_location", str(database._MIGRATIONS))
        assert alembic.script.ScriptDirectory.from_config(settings).get_current_head() == database.REVISION

    @pytest.mark.parametrize("statements", [FIRST, *RELEASED.values()], ids=["first", *RELEASED])
    def test_an_older_registry_gets_what_it_lacks(self, old_file, statements):
        """A registry of any released version gets the same tables as a new one, and opens again as it is."""
        path = old_file(statements)
        for _ in range(2):
            registry = Registry(f"sqlite:///{path}")
            assert differences(registry) == []
            close(registry)

    def test_the_first_version_keeps_its_runs(self, old_file):
        """A registry of the first version opens with its runs and accepts what later versions write."""
        registry = Registry(f"sqlite:///{old_file(FIRST)}")
        run = registry.get("abc")
        assert (run.hyperparameters.iterations, run.name, run.attempts, run.save_requested) == (300, "", 0, False)
        registry.describe("abc", name="old")
        assert registry.get("abc").name == "old"
        close(registry)

    def test_version_0_1_keeps_its_runs(self, old_file):
        """Runs in every state keep their fields, progress and changes; what a purged run had left is removed."""
        registry = Registry(f"sqlite:///{old_file(RELEASED['registry-0.1'])}")
        mine = {run.id: run for run in registry.list_runs(OWNERS["ada"])}
        states = {run.id: run.state for run in [*mine.values(), *registry.list_runs(OWNERS["bob"])]}
        assert states == {
            "finished-one": RunState.FINISHED,
            "failed---one": RunState.FAILED,
            "paused---one": RunState.PAUSED,
            "running--one": RunState.RUNNING,
            "queued---one": RunState.QUEUED,
            "imported-one": RunState.FINISHED,
        }
        assert [run.id for run in registry.list_runs(OWNERS["ada"], deleted=True)] == ["stopped--one"]
        first = mine["finished-one"]
        assert (first.name, first.note, first.hyperparameters) == (
            "the first",
            "two\nlines; and a 'quote'",
            Hyperparameters(iterations=300, seed=7),
        )
        assert (first.test_correct, first.test_total, first.best_val_accuracy) == (915, 1000, 0.9)
        assert [row["step"] for row in registry.history(first.id)] == [100, 200, 300]
        assert registry.changes(first.id) == [Change(150, "learning_rate", 0.5, 0.1)]
        assert registry.changes("running--one") == [Change(None, "dropout", None, 0.2)]
        assert (registry.history("purged---one"), registry.changes("purged---one")) == ([], [])
        close(registry)

    def test_no_row_holds_a_token(self, old_file):
        """The hashes of the visitors' tokens own the upgraded runs."""
        path = old_file(RELEASED["registry-0.1"])
        close(Registry(f"sqlite:///{path}"))
        with sqlite3.connect(path) as connection:
            owners = {owner for (owner,) in connection.execute("SELECT owner FROM runs")}
        connection.close()
        assert owners == set(OWNERS.values())

    def test_a_failed_upgrade_leaves_the_registry_as_it_was(self, old_file, monkeypatch):
        """If an upgrade breaks at its end, nothing of it remains, and the next one succeeds."""
        path = old_file(RELEASED["registry-0.1"])
        migrate = database._migrate

        def breaks(connection):
            migrate(connection)
            raise OSError("broken")

        monkeypatch.setattr(database, "_migrate", breaks)
        with pytest.raises(RegistryUnavailable, match="broken"):
            Database(f"sqlite:///{path}")
        with sqlite3.connect(path) as connection:
            assert {owner for (owner,) in connection.execute("SELECT owner FROM runs")} == set(TOKENS.values())
        connection.close()
        monkeypatch.setattr(database, "_migrate", migrate)
        close(Registry(f"sqlite:///{path}"))

    def test_a_later_versions_registry_is_refused(self, registry):
        """An older Digits does not write to tables that it does not know, and says what to do."""
        with registry._writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(RegistryUnavailable, match=r"they are of 9999, from a later version of Digits\. Install"):
            Database(Settings.from_environment().registry_url)


class TestOpening:
    def test_many_processes_may_open_a_new_registry_at_once(self, new_url):
        """Each of several processes that open a registry that does not exist yet can use it."""
        count = 4
        barrier, answers = FORKED.Barrier(count), FORKED.Queue()

        def open_it():
            barrier.wait()
            try:
                answers.put(Registry(new_url).create(Hyperparameters(), "ada"))
            except Exception as error:
                answers.put(error)

        processes = [FORKED.Process(target=open_it) for _ in range(count)]
        for process in processes:
            process.start()
        made = {answers.get(timeout=60) for _ in processes}
        for process in processes:
            process.join()
        registry = Registry(new_url)
        assert {run.id for run in registry.list_runs("ada")} == made
        close(registry)

    def test_many_threads_may_open_a_new_registry_at_once(self, new_url):
        """The first visitors of a server may come together."""
        barrier, opened = threading.Barrier(4), []

        def open_it():
            barrier.wait()
            opened.append(Registry(new_url))

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 4
        for registry in opened:
            close(registry)

    def test_a_missing_driver_is_named_with_its_remedy(self, monkeypatch):
        """Without the extra, a registry on PostgreSQL is refused in plain words."""
        monkeypatch.setitem(sys.modules, "psycopg", None)
        with pytest.raises(RegistryUnavailable, match=r"package `psycopg`.*pip install -r requirements-postgres\.txt"):
            Database("postgresql://digits@localhost/digits")


class TestALostConnection:
    @pytest.mark.parametrize("registry", ["postgresql"], indirect=True)
    def test_is_replaced_before_it_is_used(self, registry):
        """After the database has closed all connections, as in a restart, the next call succeeds."""
        run_id = registry.create(Hyperparameters(), "ada")
        end_connections(registry)
        assert registry.get(run_id).owner == "ada"

    @pytest.mark.parametrize("registry", ["postgresql"], indirect=True)
    def test_in_the_middle_of_a_call_may_be_tried_again(self, registry):
        """The call changes nothing and raises RegistryBusy, which the trainer waits for; no address is shown."""

        def write_twice():
            with registry._writing() as connection:
                connection.execute(schema.runs.update().values(name="changed"))
                end_connections(registry)
                connection.execute(schema.runs.update().values(name="changed again"))

        run_id = registry.create(Hyperparameters(), "ada", name="as it was")
        with pytest.raises(RegistryBusy) as caught:
            write_twice()
        assert registry.get(run_id).name == "as it was"
        assert str(registry._engine.url.query["host"]) not in str(caught.value)

    def test_that_never_was_is_busy(self, tmp_path):
        """A server that does not run may come back; the error tells no address."""
        with pytest.raises(RegistryBusy, match="the connection failed") as caught:
            Database(f"postgresql://digits@/digits?host={tmp_path}")
        assert str(tmp_path) not in str(caught.value)


def end_connections(registry):
    """Let the PostgreSQL server end all other connections to this registry."""
    other = sql.create_engine(registry._engine.url)
    with other.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    other.dispose()


class TestErrors:
    @pytest.mark.parametrize("registry", ["sqlite"], indirect=True)
    def test_a_locked_registry_is_busy(self, registry, runs_dir):
        """A writer that is blocked for too long may try again; readers are not affected."""
        run_id = registry.create(Hyperparameters(), "ada")
        with registry._reading() as connection:  # the default timeout of five seconds would be too long for a test
            connection.exec_driver_sql("PRAGMA busy_timeout=50")
        blocker = sqlite3.connect(runs_dir / "registry.sqlite", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        try:
            assert registry.get(run_id).state == RunState.QUEUED
            with pytest.raises(RegistryBusy, match=r"database is locked\. Try again in a moment"):
                registry.create(Hyperparameters(), "ada")
        finally:
            blocker.close()
        assert registry.count_waiting() == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda registry, run_id: registry.record(run_id, no_such_column=1),
            lambda registry, run_id: registry.record(run_id, [ROW, ROW]),
            lambda registry, run_id: registry.set_activity(run_id, None),
        ],
        ids=["a mistyped column", "a row twice", "a value of the wrong type"],
    )
    def test_a_fault_in_digits_is_not_taken_for_a_busy_database(self, registry, wrong):
        """Wrong statements raise the database's own error, and change nothing."""
        run_id = registry.create(Hyperparameters(), "ada")
        registry.claim()
        before = registry.get(run_id)
        with pytest.raises(sql.exc.SQLAlchemyError):
            wrong(registry, run_id)
        assert registry.get(run_id) == before

    def test_a_missing_table_is_no_passing_trouble(self, registry):
        """A registry that has lost its tables is unavailable, not busy."""
        with registry._writing() as connection:
            connection.exec_driver_sql("DROP TABLE metrics")
        with pytest.raises(RegistryUnavailable) as caught:
            registry.history("abc")
        assert not isinstance(caught.value, RegistryBusy)

    def test_no_address_is_shown(self, tmp_path):
        """A visitor reads neither the path nor the URL of the registry."""
        (tmp_path / "file").write_bytes(b"")
        for url in (f"sqlite:///{tmp_path / 'file' / 'registry.sqlite'}", f"nosuch://ada:secret@{tmp_path.name}/x"):
            with pytest.raises(RegistryUnavailable) as caught:
                Database(url)
            assert str(tmp_path) not in str(caught.value)
            assert "secret" not in str(caught.value)


ROW = {"step": 100, "seconds": 1.0, "loss": 0.5, "accuracy": 0.5, "val_loss": None, "val_accuracy": None}


def test_a_purged_run_takes_its_rows_with_it(registry):
    """The database itself removes the progress and the changes of a run that is removed."""
    run_id = registry.create(Hyperparameters(), "ada", changes=[Change(10, "dropout", 0.0, 0.1)])
    registry.claim()
    registry.record(run_id, [ROW])
    registry.purge(run_id)
    with registry._reading() as connection:
        for table in (schema.metrics, schema.changes):
            assert connection.execute(sql.select(sql.func.count()).select_from(table)).scalar_one() == 0


def test_migrations_leave_the_logs_alone(tmp_path):
    """Opening a registry changes no logging: alembic's own set-up is not used."""
    before = logging.getLogger().level, list(logging.getLogger().handlers)
    close(Registry(f"sqlite:///{tmp_path / 'registry.sqlite'}"))
    assert before == (logging.getLogger().level, list(logging.getLogger().handlers))
