"""Sandbox: a program in a process of its own, with nothing of this one's environment, little memory and little time."""

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
from digits.settings import Settings

MAX_MEMORY_BYTES = 3 * 1024**3  # TensorFlow converting the largest network takes 0.6 GB of it
MAX_FILE_BYTES = 256 * 1024**2
MAX_WAIT_SECONDS = 60

_ESSENTIAL = ("PATH", "SYSTEMROOT", "TEMP", "TMP")  # what Python and Windows cannot start without
# It limits itself, and lets whoever draws come first, before it becomes the program: between fork and exec a process
# with threads may do next to nothing.
_LIMIT = """
import os, resource, sys
memory, seconds, size = map(int, sys.argv[1:4])
for kind, limit in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, size),
                    (resource.RLIMIT_CORE, 0)):
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))
os.nice(10)
os.execv(sys.argv[4], sys.argv[4:])
"""


@contextmanager
def turn(settings: Settings) -> Iterator[None]:
    """Wait until no other package is being checked on this machine; raises `TooManyPackages` after a minute."""
    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.runs_dir / "packages.lock", timeout=MAX_WAIT_SECONDS, thread_local=False):
            yield
    except Timeout as error:
        raise TooManyPackages(
            "One package is checked at a time; for a minute it has been the turn of others. Try again in a moment."
        ) from error


def run(
    arguments: Sequence[str],
    folder: Path,
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> str:
    """Run Python with these arguments in a folder and return what it printed.

    The process sees no variable of this one's but those that it cannot start without, imports from its folder and the
    installed packages alone, and ends with this call, however that ends.

    Args:
        environment: variables that it does see.
        on_line: told each line as it is printed.

    Raises:
        InvalidPackage: it failed, or took more time or memory than it may.
    """
    python = [sys.executable, "-E", "-s", "-B", "-X", "utf8", *arguments]
    if os.name == "posix":
        limits = (MAX_MEMORY_BYTES, max(1, round(timeout_seconds)), MAX_FILE_BYTES)
        python = [sys.executable, "-I", "-S", "-c", _LIMIT, *map(str, limits), *python]
    env = {name: os.environ[name] for name in _ESSENTIAL if name in os.environ} | dict(environment or {})
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(
            python,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
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
            process.kill()  # whoever waited may have left; a process that has ended does not mind
        if status:
            raise InvalidPackage(_complaint(complaints, status, timeout_seconds, is_late=is_late.is_set()))
        return "".join(lines)


def _complaint(complaints, status: int, timeout_seconds: float, *, is_late: bool) -> str:
    if is_late:
        return f"A package should be read within {timeout_seconds:g} seconds; this one took longer. Try a smaller one."
    complaints.seek(0)
    last = (complaints.read(100_000).strip().splitlines() or [f"it ended with status {status}"])[-1]
    return f"A package's model should run in a process of its own; it failed: {last[:200]}. Choose another package."
