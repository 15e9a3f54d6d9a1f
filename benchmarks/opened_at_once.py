"""How often several processes can open a new registry at the same moment.

    python -m benchmarks.opened_at_once [--tries 100] [--processes 4] [--postgresql URL]

Each try forks processes that wait for each other and then open the same empty database. With `--postgresql`, the URL of
an empty PostgreSQL database whose schema may be dropped, the tries are made there.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

import alembic.command  # noqa: F401  loaded before the fork, so that all processes come together
import sqlalchemy as sql

from digits.runs.registry import Registry

_FORKED = multiprocessing.get_context("fork")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--postgresql", metavar="URL")
    options = parser.parse_args()
    failures: dict[str, int] = {}
    whole, start = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.tries):
            url = options.postgresql or f"sqlite:///{Path(folder) / str(number) / 'registry.sqlite'}"
            if options.postgresql:
                _empty(url)
            errors = [error for error in _open_at_once(url, options.processes) if error]
            whole += not errors
            for error in errors:
                failures[error] = failures.get(error, 0) + 1
    figures = {
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


def _empty(url: str) -> None:
    engine = sql.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


if __name__ == "__main__":
    main()
