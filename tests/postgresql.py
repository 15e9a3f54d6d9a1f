"""A temporary PostgreSQL server for the tests, on a socket in a temporary folder, and empty registries in it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from digits.runs import database, schema
from digits.runs.registry import Registry

START_SECONDS = 60
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=60")


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, of the latest version; None if it is not installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")  # where Debian keeps them, which is not in PATH
    return max((path.parent for path in versions), key=lambda folder: float(folder.parent.name), default=None)


class Server:
    """A running server. Making a database takes a quarter of a second, so an unharmed one serves the next test too."""

    def __init__(self, socket_dir: Path) -> None:
        self._url = sql.URL.create("postgresql+psycopg", "digits", database="postgres", query={"host": str(socket_dir)})
        self._engine = sql.create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._count, self._spare = 0, ""

    def wait(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._do("SELECT 1")
            except sql.exc.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @contextlib.contextmanager
    def new_url(self) -> Iterator[str]:
        """Make an empty database without tables, give its URL, and remove it in the end."""
        url = self._create()
        yield url
        self._drop(url)

    @contextlib.contextmanager
    def registry_url(self) -> Iterator[str]:
        """Give the URL of a registry without runs."""
        url, self._spare = self._spare, ""
        if not url:
            url = self._create()
            Registry(url).close()
        yield url
        if _clear(url):
            self._spare = url
        else:
            self._drop(url)

    def _create(self) -> str:
        self._count += 1
        url = self._url.set(database=f"registry_{self._count}")
        self._do(f"CREATE DATABASE {url.database} TEMPLATE template0")
        return url.render_as_string(hide_password=False)

    def _drop(self, url: str) -> None:
        self._do(f"DROP DATABASE {sql.make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _do(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)


def _clear(url: str) -> bool:
    """Empty the tables of a registry; return whether they are those that a registry should have."""
    engine = sql.create_engine(url)
    names = ", ".join(table.name for table in schema.metadata.sorted_tables)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == database.REVISION
    except sql.exc.DBAPIError:
        return False
    finally:
        engine.dispose()


@contextlib.contextmanager
def serve(programs: Path) -> Iterator[Server]:
    """Run a server with the programs in a folder; at the end it has stopped and its files are gone."""
    how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    folder = Path(tempfile.mkdtemp(prefix="digits-postgresql-"))
    if os.getuid() == 0:  # which the server refuses to run as
        user = next(entry for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
        os.chown(folder, user.pw_uid, user.pw_gid)
        how |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
    data = folder / "data"
    options = ["--auth=trust", "--username=digits", "--encoding=UTF8", "--locale=C", "--no-sync"]
    try:
        subprocess.run([programs / "initdb", "--pgdata", data, *options], check=True, **how)
        settings = [word for setting in (*FAST, "listen_addresses=") for word in ("-c", setting)]
        process = subprocess.Popen([programs / "postgres", "-D", data, "-k", folder, *settings], **how)
        server = Server(folder)
        try:
            server.wait()
            yield server
        finally:
            server.close()
            process.send_signal(signal.SIGQUIT)  # at once; nothing is kept
            process.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder)
