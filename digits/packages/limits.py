"""Limits: run Python in a separate process with limited time and memory and a minimal environment.

This is not a sandbox: the process can use the same files and the same network as this one.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from digits.errors import InvalidPackage, TooManyPackages
from digits.limits import ESSENTIAL, command
from digits.settings import Settings

MAX_MEMORY_BYTES = 3 * 1024**3  # TensorFlow needs 0.6 GB to convert the largest network
MAX_FILE_BYTES = 256 * 1024**2
MAX_WAIT_SECONDS = 60


@contextmanager
def lock(settings: Settings) -> Iterator[None]:
    """Hold the lock that lets one package at a time be checked or imported on this machine.

    Args:
        settings: the lock is the file `packages.lock` in its `runs_dir`.

    Raises:
        TooManyPackages: others still hold the lock after `MAX_WAIT_SECONDS`.
    """
    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.runs_dir / "packages.lock", timeout=MAX_WAIT_SECONDS, thread_local=False):
            yield
    except Timeout as error:
        raise TooManyPackages(
            f"Only one package is checked at a time; others took more than {MAX_WAIT_SECONDS:g} seconds. "
            "Try again in a moment."
        ) from error


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
            raise InvalidPackage(_failure_message(stderr, status, timeout_seconds, is_late=is_late.is_set()))
        return "".join(lines)


def _failure_message(stderr, status: int, timeout_seconds: float, *, is_late: bool) -> str:
    if is_late:
        return f"A package must finish within {timeout_seconds:g} seconds; this one took longer. Try a smaller one."
    stderr.seek(0)
    last = (stderr.read(100_000).strip().splitlines() or [f"it ended with status {status}"])[-1]
    return f"A package's model must run without errors; it failed: {last[:200]}. Choose another package."
