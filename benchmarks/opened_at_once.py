"""How often several processes can open a new registry at the same moment.

    python -m benchmarks.opened_at_once [--tries 100] [--processes 4] [--database postgresql]

Each try forks processes that wait for each other and then open the same empty database: a file, or a database of a
temporary PostgreSQL server.
"""

import argparse
import contextlib
import itertools
import json
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import alembic.command  # noqa: F401  loaded before the fork, so that all processes come together

from digits.runs.registry import Registry
from tests import postgresql

_FORKED = multiprocessing.get_context("fork")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    failures: Counter[str] = Counter()
    whole, start = 0, time.perf_counter()
    with _new_urls(options.database) as new_url:
        for _ in range(options.tries):
            with new_url() as url:
                errors = [error for error in _open_at_once(url, options.processes) if error]
            whole += not errors
            failures.update(errors)
    figures = {
        "database": options.database,
        "tries": options.tries,
        "processes": options.processes,
        "all_opened": whole,
        "failures": failures,
        "seconds_per_try": round((time.perf_counter() - start) / options.tries, 3),
    }
    print(json.dumps(figures))


def _open_at_once(url: str, processes: int) -> list[str]:
    """Return each process's error, or an empty text."""
    barrier, answers = _FORKED.Barrier(processes), _FORKED.Queue()

    def open_it() -> None:
        barrier.wait()
        try:
            Registry(url).count_waiting()
            answers.put("")
        except Exception as error:  # counted
            answers.put(f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")

    started = [_FORKED.Process(target=open_it) for _ in range(processes)]
    for process in started:
        process.start()
    errors = [answers.get(timeout=120) for _ in started]
    for process in started:
        process.join()
    return errors


@contextlib.contextmanager
def _new_urls(database: str) -> Iterator[Callable[[], contextlib.AbstractContextManager[str]]]:
    """Give a function that gives the URL of a new database each time."""
    if database == "postgresql":
        programs = postgresql.find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL's server is not installed: apt-get install postgresql.")
        with postgresql.serve(programs) as server:
            yield server.new_url
        return
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()
        yield lambda: contextlib.nullcontext(f"sqlite:///{Path(folder) / str(next(numbers)) / 'registry.sqlite'}")


if __name__ == "__main__":
    main()
