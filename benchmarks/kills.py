"""What is lost when two trainers of one registry are killed again and again.

    python -m benchmarks.kills [--kills 20] [--database postgresql]

Two trainers train runs of two visitors. One trainer after the other is killed at a random moment, and a new one starts;
every other time nobody says that it died, so that its lease must lapse. At the end all runs must have finished with the
bytes of a run that was never disturbed, and at no moment may two trainers have recorded iterations of the same run.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from digits.runs import commands, work
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import Orders, Run, RunState
from digits.settings import Settings
from digits.training import session, trainer
from tests import postgresql

_CHOSEN = Hyperparameters(network="corrected", learning_rate=1e-3, iterations=600, dropout=0.5, batch_size=32)
_LEASE_SECONDS, _TURN_SECONDS = 5.0, 3.0  # shorter than in earnest, so that leases lapse and turns end more often
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["digits.training.trainer", "digits.training.loop", "digits.training.export"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _new_url(options.database, Path(folder)) as url:
        os.environ |= {"DIGITS_RUNS_DIR": folder, "DIGITS_REGISTRY_URL": url, "DIGITS_DOWNLOAD": "0"}
        registry = Registry(url)
        figures = _measure(registry, options.kills, Path(folder))
        registry.close()
    print(json.dumps({"database": options.database} | figures))


def _measure(registry: Registry, kills: int, folder: Path) -> dict[str, Any]:
    start = time.perf_counter()
    ids = [commands.submit(registry, _CHOSEN, owner) for owner in ("ada", "ada", "bob", "bob")]
    trainers = [_start(), _start()]
    try:
        _kill_one_after_the_other(registry, ids, trainers, kills)
        _wait(lambda: _all_ended(registry, ids))
        peaceful = commands.submit(registry, _CHOSEN, "cleo")
        _wait(lambda: _all_ended(registry, [peaceful]))
    finally:
        for process, _ in trainers:
            process.kill()
            process.join()
    expected = (folder / peaceful / "model.tflite").read_bytes()
    return {
        "kills": kills,
        "finished": sum(registry.get(run_id).state is RunState.FINISHED for run_id in ids),
        "runs": len(ids),
        "same_bytes": sum((folder / run_id / "model.tflite").read_bytes() == expected for run_id in ids),
        "records_by_two_at_once": sum(_foreign_records(folder, run_id) for run_id in ids),
        "claims": sum(registry.get(run_id).claims for run_id in ids),
        "seconds": round(time.perf_counter() - start),
    }


def _kill_one_after_the_other(registry: Registry, ids: list[str], trainers: list[Any], kills: int) -> None:
    chance = random.Random(7)
    for number in range(kills):
        _train_for(registry, ids, chance.uniform(0.1, 2.0))
        process, worker = trainers.pop(0)
        process.kill()
        process.join()
        if number % 2:
            registry.release(worker)  # as a keeper on the same machine does
        trainers.append(_start())


def _train_for(registry: Registry, ids: list[str], seconds: float) -> None:
    """Wait until some run makes progress, and then for a while."""
    before = [registry.get(run_id).step for run_id in ids]
    _wait(lambda: [registry.get(run_id).step for run_id in ids] != before or _all_ended(registry, ids))
    time.sleep(seconds)


def _all_ended(registry: Registry, ids: list[str]) -> bool:
    return all(registry.get(run_id).is_ended for run_id in ids)


def _start() -> tuple[Any, str]:
    worker = work.new_worker()
    process = _FORKED.Process(target=_work, args=(dict(os.environ), worker))
    process.start()
    return process, worker


def _work(environment: dict[str, str], worker: str) -> None:
    """Serve the queue until a SIGKILL, and write down when iterations of which run were recorded."""
    os.environ.update(environment)
    settings = Settings.from_environment()
    trainer.PRESETS = {}  # type: ignore[misc]  # no warming up
    trainer._ATTEMPTS = 1000  # a busy machine may write no checkpoint between several kills
    work.LEASE_SECONDS, session.TURN_SECONDS = _LEASE_SECONDS, _TURN_SECONDS
    registry = _Witness(settings.registry_url, worker=worker)
    trainer.Trainer(settings, registry, threading.Event(), checkpoint_seconds=0.5).work()


class _Witness(Registry):
    """A registry that notes when a trainer has claimed a run, and when it began to record iterations of one."""

    def claim(self, **how: Any) -> Run | None:
        run = super().claim(**how)
        if run:
            self._note(run.id, time.time(), "claimed")
        return run

    def record(self, run_id: str, progress: Sequence[dict[str, Any]] = (), **facts: Any) -> Orders:
        begun = time.time()
        orders = super().record(run_id, progress, **facts)
        self._note(run_id, begun, "recorded")
        return orders

    def _note(self, run_id: str, moment: float, what: str) -> None:
        with (Settings.from_environment().runs_dir / f"{run_id}.notes").open("a") as notes:
            notes.write(f"{moment:.6f} {what} {self.worker}\n")


def _foreign_records(folder: Path, run_id: str) -> int:
    """Return how many records of a run began when another trainer had already claimed it, and yet succeeded."""
    holder, count = "", 0
    for line in sorted((folder / f"{run_id}.notes").read_text().splitlines()):
        _, what, worker = line.split()
        if what == "claimed":
            holder = worker
        count += worker != holder
    return count


def _wait(condition: Any) -> None:
    while not condition():
        time.sleep(0.05)


@contextlib.contextmanager
def _new_url(database: str, folder: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder / 'registry.sqlite'}"
        return
    programs = postgresql.find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL's server is not installed: apt-get install postgresql.")
    with postgresql.serve(programs) as server, server.new_url() as url:
        yield url


if __name__ == "__main__":
    main()
