"""limits: a program in a process with limits answers, or is ended; a file is read up to its limit."""

import os
import time
from pathlib import Path

import pytest

from digits import limits
from digits.errors import FileTooLarge

MEGABYTE = 2**20


def ask(program, question=b"", *, memory_bytes=200 * MEGABYTE, cpu_seconds=5.0, seconds=20.0):
    return limits.ask(program, ["x"], question, memory_bytes=memory_bytes, cpu_seconds=cpu_seconds, seconds=seconds)


def test_a_program_answers_bytes_with_bytes():
    """It sees its arguments and its standard input, and can import what this process can."""
    ended = ask("import digits.errors; print(sys.argv[1:], sys.stdin.buffer.read())", b"\0\xff")
    assert (ended.status, ended.answer, ended.is_late) == (0, b"['x'] b'\\x00\\xff'\n", False)


def test_it_sees_no_secret(monkeypatch):
    """This process's environment variables are not passed on."""
    monkeypatch.setenv("DIGITS_REGISTRY_URL", "postgresql://me:secret@host/digits")
    assert b"secret" not in ask("import os; print(dict(os.environ))").answer


def test_a_program_that_sleeps_is_ended():
    """The limit on elapsed time holds whatever the program does."""
    started = time.monotonic()
    assert ask("import time; time.sleep(60)", seconds=0.5).is_late
    assert time.monotonic() - started < 30


@pytest.mark.skipif(os.name != "posix", reason="only POSIX limits CPU time and memory")
def test_a_program_that_computes_too_long_or_takes_too_much_memory_is_ended():
    """CPU time and memory are limited by the system."""
    assert ask("while True: pass", cpu_seconds=1).is_late
    ended = ask("bytearray(10**9)")
    assert (ended.status, ended.is_late) == (1, False)


def test_a_file_is_read_up_to_its_limit(tmp_path):
    """A device without an end is not read to its end."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert limits.read_file(path, max_bytes=5, what="A picture") == b"12345"
    with pytest.raises(FileTooLarge, match="A picture may have 4 bytes"):
        limits.read_file(path, max_bytes=4, what="A picture")
    if Path("/dev/zero").exists():
        with pytest.raises(FileTooLarge, match="1,000 bytes"):
            limits.read_file(Path("/dev/zero"), max_bytes=1000, what="A package")
