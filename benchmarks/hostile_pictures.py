"""Measure what hostile pictures cost: seconds and memory of each kind, read as an upload in a process of its own.

Run `python -m benchmarks.hostile_pictures`, or with kinds: `python -m benchmarks.hostile_pictures scans huge`.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from digits.models import catalogue, uploads
from digits.settings import Settings
from tests.unit.ink import hostile

PATIENCE_SECONDS = 120
_FORK = multiprocessing.get_context("fork")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[[], *hostile.KINDS], help="(default: all)")
    parser.add_argument("--each", action="store_true", help="a line for each picture")
    options = parser.parse_args(arguments)
    print(
        "| kind | pictures | read | refused | tracebacks | seconds, at most | MB here, at most | MB beside, at most |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in options.kinds or hostile.KINDS:
        with tempfile.TemporaryDirectory() as folder:
            # In a process of its own, because a new process counts the memory of the one that starts it as its own.
            maker = _FORK.Process(target=_make, args=(kind, Path(folder)))
            maker.start()
            maker.join()
            files = sorted(Path(folder).iterdir())
            measured = [(path.name.partition(" ")[2], *measure(path)) for path in files]
        counts = [sum(what.startswith(word) for _, what, *_ in measured) for word in ("read", "refused", "traceback")]
        seconds, here, beside = (max(row[at] for row in measured) for at in (2, 3, 4))
        print(
            f"| {kind} | {len(measured)} | {' | '.join(map(str, counts))} | {seconds:.1f} | {here:.0f} | {beside:.0f} |"
        )
        if options.each:
            for name, what, *cost in measured:
                print(f"    {name}: {what}; {cost[0]:.2f} s, {cost[1]:.0f} MB, {cost[2]:.0f} MB")


def measure(path: Path) -> tuple[str, float, float, float]:
    """Return what became of a picture, the seconds taken, and the memory in MB that was added here and in a worker."""
    mine, its = _FORK.Pipe()
    child = _FORK.Process(target=_read, args=(path, its))
    started = time.perf_counter()
    child.start()
    answer = mine.recv() if mine.poll(PATIENCE_SECONDS) else (f"traceback: over {PATIENCE_SECONDS} s", 0.0, 0.0)
    seconds = time.perf_counter() - started
    child.kill()
    child.join()
    return answer[0], seconds, answer[1], answer[2]


def _make(kind: str, folder: Path) -> None:
    for index, (name, data) in enumerate(hostile.KINDS[kind]()):
        (folder / f"{index:03} {name.replace('/', ' ')}").write_bytes(data)


def _read(path: Path, answer: Connection) -> None:
    data, before = path.read_bytes(), _resident()
    try:
        what = _read_as_an_upload(path.name, data)
    except Exception as error:  # these are counted
        what = f"traceback: {error!r}"
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    answer.send((what, max(0.0, here), beside if beside > before + 10 else 0.0))


def _read_as_an_upload(name: str, data: bytes) -> str:
    outcome = uploads.read(name, data, catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment()))
    return f"refused: {outcome.message}" if outcome.message else f"read {outcome.reading!r}"


def _resident() -> float:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
