"""Database: the connection to the registry's tables, in SQLite or PostgreSQL, and the upgrade of older tables."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.ext.compiler import compiles

from digits.errors import RegistryBusy, RegistryUnavailable

REVISION = "0007"  # of the tables in `schema`; the last file in migrations/versions has the same
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK, ADMISSION_LOCK, WORKERS_LOCK = 713_001, 713_002, 713_003  # numbers of advisory locks in PostgreSQL

_PATIENCE_MS = 5000  # how long SQLite waits for another writer
_MIGRATION_PATIENCE_MS = 120_000  # and for another process that upgrades a large registry
_READ = ("BEGIN",)
_WRITE = ("BEGIN IMMEDIATE",)  # takes the lock at once: a transaction that reads first could not get it later
_MIGRATE = (f"PRAGMA busy_timeout={_MIGRATION_PATIENCE_MS}", *_WRITE)

_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_FULL = 5, 6, 13
_POSTGRESQL_BUSY = {  # https://www.postgresql.org/docs/current/errcodes-appendix.html
    "40001",  # serialization failure
    "40P01",  # deadlock detected
    "53300",  # too many connections
    "55P03",  # lock not available
    "57P01",  # admin shutdown
    "57P02",  # crash shutdown
    "57P03",  # cannot connect now
}
_POSTGRESQL_FULL = "53100"
_POSTGRESQL_UNUSABLE = {"42P01", "42501"}  # undefined table, insufficient privilege


class Database:
    """The connection to a registry.

    Promises: any number of threads and processes may open and use one registry at the same time. A block of `_reading`
    sees one state of the tables. The writes of a block of `_writing` become visible together or not at all.
    """

    def __init__(self, url: str) -> None:
        """Open the registry at `url`; create its tables, or upgrade those of an earlier version.

        Raises:
            RegistryUnavailable: it cannot be opened.
        """
        try:
            with explained():
                self._engine = _create_engine(url)
                with _disposed_unless_it_succeeds(self._engine):
                    _upgrade(self._engine)
        except (sql.exc.ArgumentError, sql.exc.NoSuchModuleError) as error:
            raise RegistryUnavailable(
                "DIGITS_REGISTRY_URL should be a URL such as postgresql://user:password@host/database; "
                f"it is not: {_first_line(error).replace(url or 'empty', 'it')}. Correct it, or unset it."
            ) from error
        self._writers = self._engine.execution_options(begin=_WRITE)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sql.Connection]:
        with explained(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sql.Connection]:
        with explained(), self._writers.begin() as connection:
            yield connection


def _create_engine(url: str) -> sql.Engine:
    try:
        engine = sql.create_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
    except ImportError as error:
        raise RegistryUnavailable(
            f"The registry's database needs the Python package `{error.name}`, which is not installed. "
            "For PostgreSQL, run: pip install -r requirements-postgres.txt"
        ) from error
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        sql.event.listen(engine, "connect", _prepare_sqlite)
        sql.event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextlib.contextmanager
def _disposed_unless_it_succeeds(engine: sql.Engine) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        yield
        stack.pop_all()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Configure a connection: pages can read while the trainer writes, and a kill loses no committed write."""
    connection.isolation_level = None  # `_begin_sqlite` begins transactions; Python's driver would leave reads out
    for pragma in (f"busy_timeout={_PATIENCE_MS}", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    deadline = time.monotonic() + _PATIENCE_MS / 1000
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:  # for this change, SQLite does not wait for other processes
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sql.Connection) -> None:
    for statement in connection.get_execution_options().get("begin", _READ):
        connection.exec_driver_sql(statement)


def _upgrade(engine: sql.Engine) -> None:
    """Bring the tables to `REVISION`. One process does it; others wait, and find it done."""
    with engine.begin() as connection:
        if _revision(connection) == REVISION:
            return
    with engine.execution_options(begin=_MIGRATE).begin() as connection:
        lock(connection, _MIGRATION_LOCK)
        if not sql.inspect(connection).has_table("runs"):
            _create(connection)
        elif _revision(connection) != REVISION:
            _migrate(connection)
        if engine.dialect.name == "sqlite":  # the pool keeps this connection
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")


def _revision(connection: sql.Connection) -> str | None:
    """Return the revision of the tables; None for a new database, or one from before there were revisions."""
    if not sql.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _create(connection: sql.Connection) -> None:
    """Create the tables of a new registry as they are today, so that there is nothing to migrate."""
    from digits.runs import schema

    schema.metadata.create_all(connection)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.execute(sql.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})


def _migrate(connection: sql.Connection) -> None:
    from alembic import command, config, util  # here, because only an older registry needs it

    settings = config.Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        command.upgrade(settings, "head")
    except util.CommandError as error:
        raise RegistryUnavailable(
            f"The registry's tables should be of revision {REVISION} or earlier; they are of "
            f"{_revision(connection)}, from a later version of Digits. Install that version, or restore a backup."
        ) from error


class now(sql.sql.functions.FunctionElement[float]):  # noqa: N801  it is used like `sql.func.now`
    """The database's clock, in seconds since 1970: one clock for trainers on several machines."""

    type = sql.Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_in_sqlite(element: now, compiler: Any, **how: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_in_postgresql(element: now, compiler: Any, **how: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS FLOAT)"


def lock(connection: sql.Connection, number: int) -> None:
    """Let no other transaction take this lock until this one ends; in SQLite, each writer already excludes others."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql.select(sql.func.pg_advisory_xact_lock(number)))


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the database into `RegistryBusy` if they can pass, or `RegistryUnavailable` if they cannot.

    Errors of a statement, such as a second row with the same key, are faults in Digits and are passed on.
    """
    try:
        yield
    except sql.exc.TimeoutError as error:  # all connections of this process are in use
        raise RegistryBusy(_say("all connections are in use", "Try again in a moment.")) from error
    except sql.exc.DBAPIError as error:
        raise _explain(error) or error from error
    except OSError as error:
        raise RegistryUnavailable(_say(error.strerror or str(error))) from error


def _explain(error: sql.exc.DBAPIError) -> RegistryUnavailable | None:
    """Return the error to raise instead, or None for an error of a statement."""
    cause: Any = error.orig
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorcode", None)
    if error.connection_invalidated or (code is None and isinstance(error, sql.exc.OperationalError)):
        # The driver's words may hold the address of the server.
        return RegistryBusy(_say("the connection failed", "Try again in a moment, or look at the database's log."))
    if code in _POSTGRESQL_BUSY or (isinstance(code, int) and code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED)):
        return RegistryBusy(_say(_first_line(cause), "Try again in a moment."))
    if code in (_SQLITE_FULL, _POSTGRESQL_FULL):
        return RegistryBusy(_say(_first_line(cause), "Free some space on its disk."))
    faults = (sql.exc.IntegrityError, sql.exc.DataError, sql.exc.ProgrammingError, sql.exc.NotSupportedError)
    if isinstance(error, faults) and code not in _POSTGRESQL_UNUSABLE:
        return None
    return RegistryUnavailable(_say(_first_line(cause)))


def _say(cause: str, remedy: str = "Check the disk's space and permissions, or set DIGITS_REGISTRY_URL.") -> str:
    return f"The run registry should be readable and writable; it answered: {cause}. {remedy}"


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [""])[0]
