"""limits: a limited process does not see this environment, and its time, memory and file size are bounded."""

import os
import time

import pytest

from digits.errors import InvalidPackage, TooManyPackages
from digits.packages import limits


def python(code, folder, seconds=20, **how):
    return limits.run(["-c", code], folder, timeout_seconds=seconds, **how)


def test_returns_what_was_printed(tmp_path):
    """Each line is passed on as it is printed, and all of them are returned."""
    lines = []
    assert python("print('a'); print('b')", tmp_path, on_line=lines.append) == "a\nb\n"
    assert lines == ["a", "b"]


def test_passes_on_no_secret(tmp_path, monkeypatch):
    """The process sees the variables that it is given, but neither this process's variables nor its import path."""
    monkeypatch.setenv("DIGITS_REGISTRY_URL", "postgresql://me:secret@host/digits")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    printed = python("import os, sys; print(dict(os.environ), sys.path)", tmp_path, environment={"GIVEN": "this"})
    assert "GIVEN" in printed
    assert "secret" not in printed
    assert "somewhere" not in printed


def test_cannot_import_the_app(tmp_path):
    """From another folder than the clone, `digits` cannot be imported."""
    with pytest.raises(InvalidPackage, match="No module named 'digits'"):
        python("import digits", tmp_path)


def test_limits_the_elapsed_time(tmp_path):
    """A program that sleeps too long is killed, and the error states the limit."""
    started = time.monotonic()
    with pytest.raises(InvalidPackage, match=r"within 0\.3 seconds"):
        python("import time; time.sleep(60)", tmp_path, seconds=0.3)
    assert time.monotonic() - started < 30


def test_is_killed_when_the_caller_fails(tmp_path):
    """An exception in `on_line`, as when a visitor leaves the page, also kills the program."""
    code = "import os; print(os.getpid(), flush=True)\nimport time; time.sleep(60)"
    pids = []

    def leave(line):
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        python(code, tmp_path, on_line=leave)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_limits_the_memory(tmp_path, monkeypatch):
    """A program that allocates more than the limit gets a MemoryError."""
    monkeypatch.setattr(limits, "MAX_MEMORY_BYTES", 200 * 2**20)
    with pytest.raises(InvalidPackage, match="MemoryError"):
        python("bytearray(10**9)", tmp_path)


def test_limits_the_size_of_a_file(tmp_path, monkeypatch):
    """A program that writes a file above the limit fails."""
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 1000)
    with pytest.raises(InvalidPackage, match="failed"):
        python("with open('large', 'wb') as file: file.write(bytes(2000))", tmp_path)
    assert (tmp_path / "large").stat().st_size <= 1000


def test_one_thread_at_a_time_has_the_turn(monkeypatch):
    """A second caller waits, and gets an error that states the limit when the wait is too long."""
    monkeypatch.setattr(limits, "MAX_WAIT_SECONDS", 0.05)
    turns, others = limits.Turns("checked"), limits.Turns("measured")
    with turns.take():
        with pytest.raises(TooManyPackages, match=r"Only one package is checked .* 0\.05 seconds"), turns.take():
            pass
        with others.take():
            pass
    with turns.take():
        pass
