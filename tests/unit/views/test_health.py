"""health: what those who watch over a server can ask it."""

import asyncio
import dataclasses

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request

from digits.runs.presets import PRESETS
from digits.runs.registry import open_registry
from digits.settings import Settings
from digits.views import health


@pytest.fixture
def ask(tmp_path):
    """Return a function that asks one of the routes of a server with an empty registry."""
    settings = Settings.from_environment({"DIGITS_RUNS_DIR": str(tmp_path)})
    before = set(REGISTRY._collector_to_names)

    def ask(path, **changes):
        routes = {route.path: route.endpoint for route in health.routes(dataclasses.replace(settings, **changes))}
        answer = asyncio.run(routes[path](Request({"type": "http", "method": "GET", "path": path, "headers": []})))
        for collector in set(REGISTRY._collector_to_names) - before:
            REGISTRY.unregister(collector)
        return answer.status_code, answer.body.decode()

    ask.settings = settings
    return ask


def test_the_process_answers(ask):
    assert ask("/health") == (200, "ok\n")


def test_ready_when_the_registry_can_be_read(ask):
    assert ask("/ready") == (200, "ready\n")


def test_not_ready_without_its_registry(ask):
    """The answer says what is wrong, and nothing about where the registry is."""
    status, body = ask("/ready", registry_url="sqlite:////dev/null/registry.sqlite")
    assert (status, body) == (503, "The run registry cannot be read.\n")


def test_counts_runs_by_state(ask):
    registry = open_registry(ask.settings.registry_url)
    registry.create(PRESETS["softmax"].hyperparameters, "someone")
    status, body = ask("/metrics")
    assert status == 200
    assert 'digits_runs{state="queued"} 1.0' in body
    assert "process_resident_memory_bytes" in body
    assert "digits_errors_total" in body


def test_counts_go_on_without_the_registry(ask):
    status, body = ask("/metrics", registry_url="sqlite:////dev/null/registry.sqlite")
    assert status == 200
    assert "digits_runs{" not in body


def test_counts_and_logs_a_pages_error(caplog):
    counted = health.ERRORS._value.get()
    health.count_error(ValueError("odd"))
    assert health.ERRORS._value.get() == counted + 1
    assert "odd" in caplog.text


def test_an_answer_is_counted(ask):
    before = float(ask("/metrics")[1].split("\ndigits_answers_total ")[1].split("\n")[0])
    health.ANSWERS.inc()
    assert f"digits_answers_total {before + 1}" in ask("/metrics")[1]
