"""Limits: one package at a time, and Python in a separate process with limited time, memory and environment.

The process isolates neither files nor network: it can use the same ones as this process.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from digits.errors import InvalidPackage, TooManyPackages
from digits.limits import ESSENTIAL, command

MAX_MEMORY_BYTES = 3 * 1024**3  # TensorFlow, which opens the Keras file of a check, reserves much more than it uses
MAX_FILE_BYTES = 256 * 1024**2
MAX_WAIT_SECONDS = 60


class Turns:
    """Turns at something that needs much of the machine: one thread of this process has it, the others wait."""

    def __init__(self, doing: str) -> None:
        """Start with nobody's turn; `doing` says what a turn is for, as in "checked"."""
        self._doing, self._lock = doing, threading.Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and hold it.

        Raises:
            TooManyPackages: others have held it for `MAX_WAIT_SECONDS`.
        """
        if not self._lock.acquire(timeout=MAX_WAIT_SECONDS):
            raise TooManyPackages(
                f"Only one package is {self._doing} at a time; others took more than {MAX_WAIT_SECONDS:g} seconds. "
                "Try again in a moment."
            )
        try:
            yield
        finally:
            self._lock.release()


def run(
    arguments: Sequence[str],
    folder: Path,
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> str:
    """Run Python in a separate process under limits, and return what it printed.

    Limited on every system:

    - Elapsed time: the process is killed after `timeout_seconds`, and also if `on_line` raises.
    - Environment: it sees only `environment` and PATH, SYSTEMROOT, TEMP and TMP. Its standard input is empty.
    - Imports: only from `folder` and from the installed packages; `PYTHONPATH` and user packages are ignored.

    Limited on POSIX only, for each process:

    - CPU time: `timeout_seconds`, rounded to whole seconds, at least 1.
    - Memory for data (RLIMIT_DATA): `MAX_MEMORY_BYTES`.
    - Size of each file that it writes: `MAX_FILE_BYTES`. It writes no core dump.
    - Priority: its niceness is raised by 10, so pages respond first.

    Not limited: the process runs as the same user. It can read and write every file that this user can, such as the
    run registry, and it can use the network. It can write any number of files, print any amount, and start further
    processes, which are not killed with it. So run only Digits' own code here, never code from a package that has not
    been verified.

    Args:
        arguments: what follows `python` on a command line.
        folder: the working directory.
        timeout_seconds: the limit on elapsed time and on CPU time.
        environment: further variables that the process sees.
        on_line: called with each line as it is printed.

    Returns:
        The whole standard output.

    Raises:
        InvalidPackage: the process failed or exceeded a limit.
    """
    python = [sys.executable, "-E", "-s", "-B", "-X", "utf8", *arguments]
    limited = command(python, memory_bytes=MAX_MEMORY_BYTES, cpu_seconds=timeout_seconds, file_bytes=MAX_FILE_BYTES)
    env = {name: os.environ[name] for name in ESSENTIAL if name in os.environ} | dict(environment or {})
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr,
        subprocess.Popen(
            limited,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(timeout_seconds, end)
        timer.start()
        try:
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                on_line(line.rstrip("\n"))
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()  # `on_line` may have raised; killing a process that has ended does nothing
        if status:
            raise InvalidPackage(_failure_message(stderr, status, folder, timeout_seconds, is_late=is_late.is_set()))
        return "".join(lines)


def _failure_message(stderr, status: int, folder: Path, timeout_seconds: float, *, is_late: bool) -> str:
    if is_late:
        return (
            f"A package must finish within {timeout_seconds:g} seconds; this one took longer, or this machine is busy. "
            "Try again later."
        )
    stderr.seek(0)
    last = (stderr.read(100_000).strip().splitlines() or [f"it ended with status {status}"])[-1]
    reason = last.replace(str(folder), ".")[:200]  # a visitor reads no path of this machine
    return f"A package's model must run without errors; it failed: {reason}. Choose another package."
