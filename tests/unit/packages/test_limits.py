"""sandbox: what runs there sees nothing of this process, and cannot take all of the machine."""

import os
import time

import pytest

from digits.errors import InvalidPackage, TooManyPackages
from digits.packages import limits
from digits.settings import Settings


def python(code, folder, seconds=20, **how):
    return limits.run(["-c", code], folder, timeout_seconds=seconds, **how)


def test_gives_what_was_printed(tmp_path):
    """Lines are told as they come, and all of them returned."""
    heard = []
    assert python("print('a'); print('b')", tmp_path, on_line=heard.append) == "a\nb\n"
    assert heard == ["a", "b"]


def test_passes_no_secret_on(tmp_path, monkeypatch):
    """No variable of this process is seen, nor where it imports from; only what is handed over."""
    monkeypatch.setenv("DIGITS_REGISTRY_URL", "postgresql://me:secret@host/digits")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    said = python("import os, sys; print(dict(os.environ), sys.path)", tmp_path, environment={"GIVEN": "this"})
    assert "GIVEN" in said
    assert "secret" not in said
    assert "somewhere" not in said


def test_knows_nothing_of_the_app(tmp_path):
    """Digits itself cannot be imported there."""
    with pytest.raises(InvalidPackage, match="No module named 'digits'"):
        python("import digits", tmp_path)


def test_ends_what_takes_too_long(tmp_path):
    """A program that sleeps forever is ended, in words."""
    begun = time.monotonic()
    with pytest.raises(InvalidPackage, match=r"within 0\.3 seconds"):
        python("import time; time.sleep(60)", tmp_path, seconds=0.3)
    assert time.monotonic() - begun < 30


def test_ends_when_whoever_waits_leaves(tmp_path):
    """An error while its lines are told, as when a visitor leaves the page, ends the program too."""
    code = "import os; print(os.getpid(), flush=True)\nimport time; time.sleep(60)"
    told = []

    def leave(line):
        told.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        python(code, tmp_path, on_line=leave)
    with pytest.raises(ProcessLookupError):
        os.kill(told[0], 0)


def test_takes_only_so_much_memory(tmp_path, monkeypatch):
    """A program that wants all memory fails alone."""
    monkeypatch.setattr(limits, "MAX_MEMORY_BYTES", 200 * 2**20)
    with pytest.raises(InvalidPackage, match="MemoryError"):
        python("bytearray(10**9)", tmp_path)


def test_writes_only_so_much(tmp_path, monkeypatch):
    """A program that would fill the disk fails."""
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 1000)
    with pytest.raises(InvalidPackage, match="failed"):
        python("with open('large', 'wb') as file: file.write(bytes(2000))", tmp_path)
    assert (tmp_path / "large").stat().st_size <= 1000


def test_has_one_guest_at_a_time(runs_dir, monkeypatch):
    """Who comes while another is there waits, and is told when that takes too long."""
    monkeypatch.setattr(limits, "MAX_WAIT_SECONDS", 0.05)
    places = Settings.from_environment()
    with limits.turn(places), pytest.raises(TooManyPackages, match="One package"), limits.turn(places):
        pass
    with limits.turn(places):
        pass
