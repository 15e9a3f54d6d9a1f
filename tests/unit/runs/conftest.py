"""The tests of the registry run on each database that it supports."""

import os

import pytest

from digits.runs.registry import open_registry
from digits.settings import Settings
from tests import postgresql
from tests.conftest import close


@pytest.fixture(scope="session")
def postgresql_server():
    """A PostgreSQL server; where it is not installed, the test is skipped, or fails if all checks are wanted."""
    programs = postgresql.find_programs()
    if programs is None:
        reason = "PostgreSQL's server is not installed: apt-get install postgresql."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason} CI must run the registry's tests on it.")
        pytest.skip(reason)
    with postgresql.serve(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request, registry, monkeypatch):
    """An empty registry, at the URL that this test's pages and trainers use, in each kind of database."""
    if request.param == "sqlite":
        yield registry
        return
    with request.getfixturevalue("postgresql_server").registry_url() as url:
        monkeypatch.setenv("DIGITS_REGISTRY_URL", url)
        registry = open_registry(Settings.from_environment().registry_url)
        yield registry
        close(registry)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    """The URL of a registry that does not exist yet: nobody has made its tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'registry.sqlite'}"
        return
    with request.getfixturevalue("postgresql_server").new_url() as url:
        yield url
