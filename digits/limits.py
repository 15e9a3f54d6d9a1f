"""Limits: Python in a separate process with limited time and memory, and files read up to a limit.

A limited process is not a sandbox: it can use the same files and the same network as this one.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from digits.errors import FileTooLarge

ESSENTIAL = ("PATH", "SYSTEMROOT", "TEMP", "TMP")  # Python or Windows may not start without these
_MAX_WRITTEN_BYTES = 2**20  # an answer goes through a pipe, which this does not limit
_ASKED_NICENESS = 5  # behind the pages and before the trainer, which has 10: somebody waits for the answer
# A small program sets its own limits, lowers its own priority, and then becomes the real program. Popen's `preexec_fn`
# could set them too, but it runs between fork and exec, where a process with threads can safely do almost nothing.
_LIMIT_AND_EXEC = """
import os, resource, sys
memory, seconds, size = map(int, sys.argv[1:4])
for kind, limit in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, size),
                    (resource.RLIMIT_CORE, 0)):
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))
os.nice(int(sys.argv[4]))
os.execv(sys.argv[5], sys.argv[5:])
"""


@dataclass(frozen=True)
class Ended:
    """How a limited process ended.

    Attributes:
        status: its exit status; negative if a signal ended it.
        answer: what it wrote to its standard output.
        is_late: whether it used up its time.
    """

    status: int
    answer: bytes
    is_late: bool


def command(
    python: Sequence[str], *, memory_bytes: int, cpu_seconds: float, file_bytes: int, niceness: int = 10
) -> list[str]:
    """Return a command line that runs Python under limits, which hold on POSIX only.

    Args:
        python: the whole command line, beginning with the interpreter's path.
        memory_bytes: the limit on memory for data (RLIMIT_DATA).
        cpu_seconds: the limit on CPU time, rounded to whole seconds, at least 1.
        file_bytes: the limit on the size of each file that it writes. It writes no core dump.
        niceness: by how much its priority is lowered.
    """
    if os.name != "posix":
        return list(python)
    limits = (memory_bytes, max(1, round(cpu_seconds)), file_bytes, niceness)
    return [sys.executable, "-I", "-S", "-c", _LIMIT_AND_EXEC, *map(str, limits), *python]


def ask(
    program: str, arguments: Sequence[str], question: bytes, *, memory_bytes: int, cpu_seconds: float, seconds: float
) -> Ended:
    """Run a Python program under limits: give it bytes, and return the bytes that it answers.

    Args:
        program: Python source. It can import what this process can, and sees no environment variables of this one
            but PATH, SYSTEMROOT, TEMP and TMP.
        arguments: the program's `sys.argv[1:]`.
        question: what it reads from its standard input.
        memory_bytes, cpu_seconds: as for `command`.
        seconds: the limit on elapsed time, on every system; the process is then killed.
    """
    path = f"import sys; sys.path[:] = {[*map(str, sys.path)]!r}\n"
    environment = {name: os.environ[name] for name in ESSENTIAL if name in os.environ}
    try:
        ended = subprocess.run(
            command(
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", path + program, *arguments],
                memory_bytes=memory_bytes,
                cpu_seconds=cpu_seconds,
                file_bytes=_MAX_WRITTEN_BYTES,
                niceness=_ASKED_NICENESS,
            ),
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would reserve memory
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(status=-9, answer=b"", is_late=True)
    # The soft and the hard limit on CPU time are the same, so the system ends the process by SIGXCPU or SIGKILL.
    return Ended(ended.returncode, ended.stdout, is_late=ended.returncode in (-24, -9))


def read_file(path: Path, *, max_bytes: int, what: str) -> bytes:
    """Read a file that may have any size, or be no file at all, such as a device or a pipe.

    Args:
        path: the file.
        max_bytes: at most one byte more than this is read.
        what: what the file should be, for the message, as "A picture".

    Raises:
        FileTooLarge: the file has more than `max_bytes` bytes.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise FileTooLarge(f"{what} may have {max_bytes:,} bytes; {path} has more. Choose another file.")
    return content
