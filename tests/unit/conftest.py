"""What several rooms' tests share: a bucket, and a registry that loses answers."""

import contextlib

import pytest

from tests import s3


@pytest.fixture(scope="session")
def s3_server():
    """The variables with which `DIGITS_STORE_URL` leads to a bucket."""
    with s3.serve() as variables:
        yield variables


@pytest.fixture
def lose(registry, monkeypatch):
    """Let the next write be carried out and its answer be lost; the connection to a PostgreSQL server is gone then."""
    dialect, writing = registry._engine.dialect, registry._writing
    commit = dialect.do_commit

    def commit_and_fail(connection):
        monkeypatch.setattr(dialect, "do_commit", commit)
        commit(connection)
        if dialect.name == "postgresql":
            connection.dbapi_connection.close()
        raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    @contextlib.contextmanager
    def writing_in_vain():
        monkeypatch.setattr(registry, "_writing", writing)
        with writing() as connection:
            yield connection
            monkeypatch.setattr(dialect, "do_commit", commit_and_fail)

    return lambda: monkeypatch.setattr(registry, "_writing", writing_in_vain)
