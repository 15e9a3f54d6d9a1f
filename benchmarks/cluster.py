"""A sweep on a Ray cluster of two nodes of this machine, with faults: what is lost, and what Ray costs.

    DIGITS_DATA_DIR=… python -m benchmarks.cluster --trials 24
    DIGITS_DATA_DIR=… python -m benchmarks.cluster --trials 24 --nodes 1 --quiet

Needs requirements-cluster.txt, requirements-postgres.txt and PostgreSQL. Each node is a raylet with one processor and a
folder of its own; the registry is in PostgreSQL, and the files of runs are in one folder, or with `--s3`, which needs
requirements-cluster-dev.txt, in a bucket of a server that answers as S3 does. When a third of the trials
have ended, one node is killed with its trainer (SIGKILL), and another one joins; when half have, PostgreSQL is stopped
and started again. `--quiet` leaves the faults out. Then one run is trained by the cluster, and the same one by a
trainer of this machine, from being asked for until its end.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from ray.cluster_utils import Cluster

from benchmarks import _results
from benchmarks.training_peers import wait_until_idle
from digits.errors import RegistryUnavailable
from digits.runs import commands as run_commands
from digits.runs import schema
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.runs.sweep_record import SweepState
from digits.settings import PROJECT_DIR, Settings
from digits.sweeps import commands
from digits.sweeps.plan import Plan, default_space
from digits.training.trainer import Trainer
from tests import postgresql, s3

OWNER = "benchmark"
PATIENCE_SECONDS = 1800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24, help="(default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=300, help="of each trial (default: %(default)s)")
    parser.add_argument("--nodes", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="without faults")
    parser.add_argument("--s3", action="store_true", help="the files of runs lie in a bucket")
    options = parser.parse_args()
    programs = postgresql.find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql.")
    chosen = _chosen(options.iterations)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="digits-cluster-"))
        server = stack.enter_context(postgresql.serve(programs))
        postgres = Postgres(programs)
        stack.callback(postgres.stop)
        postgres.url = stack.enter_context(server.new_url())
        environment = {**os.environ, "DIGITS_RUNS_DIR": folder, "DIGITS_REGISTRY_URL": postgres.url}
        if options.s3:
            variables = stack.enter_context(s3.serve())
            environment |= variables
            os.environ |= variables  # the nodes inherit them
        figures = _on_cluster(environment, chosen, options, postgres)
        server.close()  # its connection has not outlived the restart
        figures["local_run_seconds"] = _locally(environment, chosen)
        print(figures)
        kind = (f"-quiet-{options.nodes}" if options.quiet else "") + ("-s3" if options.s3 else "")
        print("Written to", _results.save(f"cluster{kind}", figures))


def _chosen(iterations: int) -> Hyperparameters:
    preset = PRESETS["corrected"].hyperparameters.to_dict()
    return Hyperparameters.from_dict({**preset, "iterations": iterations})


class Postgres:
    """The server of `tests.postgresql`, to be stopped and started."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.url = ""
        self._is_restarted = False

    def restart(self, *, pause: float) -> None:
        """Stop the server as after a failure, wait, and start it again."""
        self._control("stop", "-m", "immediate")
        time.sleep(pause)
        self._is_restarted = True
        words = " ".join(f"-c {setting}" for setting in (*postgresql.FAST, "listen_addresses="))
        self._control("start", "-w", "-o", f"-k {self._folder()} {words}")

    def stop(self) -> None:
        """Stop a server that `restart` has started; the first one is stopped by its owner."""
        if self._is_restarted:
            self._control("stop", "-m", "fast")

    def _folder(self) -> Path:
        return Path(str(sql.make_url(self.url).query["host"]))

    def _control(self, *words: str) -> None:
        folder = self._folder()
        user = (folder / "data").stat()
        how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        if os.getuid() == 0:
            how |= {"user": user.st_uid, "group": user.st_gid, "extra_groups": []}
        subprocess.run([self._programs / "pg_ctl", *words, "-D", folder / "data"], check=True, **how)


def _on_cluster(
    environment: dict[str, str], chosen: Hyperparameters, options: argparse.Namespace, postgres: Postgres
) -> dict[str, Any]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(options.nodes)]
    registry = Registry(environment["DIGITS_REGISTRY_URL"])
    try:
        with _dispatcher({**environment, "DIGITS_CLUSTER": cluster.address}):
            began = time.monotonic()
            plan = Plan(chosen, default_space(chosen), sampler="random", pruner="none", trials=options.trials)
            sweep_id = commands.submit(registry, plan, OWNER)
            if not options.quiet:
                _wait(lambda: _ended(registry, sweep_id) >= options.trials // 3)
                cluster.remove_node(nodes[0], allow_graceful=False)
                print("a node was killed", flush=True)
                cluster.add_node(num_cpus=1)
                _wait(lambda: _ended(registry, sweep_id) >= options.trials // 2)
                postgres.restart(pause=5.0)
                print("PostgreSQL was stopped for 5 s", flush=True)
            _wait(lambda: registry.get_sweep(sweep_id).state is SweepState.FINISHED)
            seconds = time.monotonic() - began
            began = time.monotonic()
            run_id = run_commands.submit(registry, chosen, OWNER)
            _wait(lambda: registry.get(run_id).has_model)
            return {
                "trials": options.trials,
                "nodes": options.nodes,
                "sweep_seconds": round(seconds, 1),
                **_count(registry, environment["DIGITS_REGISTRY_URL"], sweep_id),
                "cluster_run_seconds": round(time.monotonic() - began, 1),
            }
    finally:
        registry.close()
        cluster.shutdown()


@contextlib.contextmanager
def _dispatcher(environment: dict[str, str]) -> Iterator[None]:
    """Keep trainers on the cluster, as a server's keeper does."""
    command = [sys.executable, "-m", "digits.training.cluster"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=PROJECT_DIR, env=environment)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def _ended(registry: Registry, sweep_id: str) -> int:
    return sum(run.is_ended for run in registry.list_trials(sweep_id))


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(RegistryUnavailable):  # while PostgreSQL is away
            if is_done():
                return
        if time.monotonic() > deadline:
            raise SystemExit("The cluster has not got so far in half an hour.")
        time.sleep(0.2)


def _count(registry: Registry, url: str, sweep_id: str) -> dict[str, Any]:
    """Return what became of the trials: how they ended, who trained them, and what of their progress is there."""
    trials = registry.list_trials(sweep_id)
    validations = registry.validation_curves(sweep_id)
    with sql.create_engine(url).connect() as connection:
        steps = connection.execute(sql.select(schema.metrics.c.run_id, sql.func.count()).group_by("run_id")).all()
    return {
        "states": dict(Counter(run.state.value for run in trials)),
        "different_settings": len({str(run.hyperparameters) for run in trials}),
        "claimed_more_than_once": sum(run.claims > 1 for run in trials),
        "trainers": len({run.worker for run in trials}),
        "complete": sum(run.step == run.hyperparameters.iterations and run.has_model for run in trials),
        "validations_each": sorted({len(curve) for curve in validations.values()}),
        "records_each": sorted({count for _, count in steps}),
    }


def _locally(environment: dict[str, str], chosen: Hyperparameters) -> float:
    """Return the seconds of the same run with a trainer of this machine that waits for one."""
    with tempfile.TemporaryDirectory() as folder:
        local = {**environment, "DIGITS_RUNS_DIR": folder, "DIGITS_REGISTRY_URL": "", "DIGITS_STORE_URL": ""}
        settings = Settings.from_environment(local)
        registry, is_closing = Registry(settings.registry_url), threading.Event()
        thread = threading.Thread(target=Trainer(settings, registry, is_closing).work, daemon=True)
        thread.start()
        wait_until_idle(registry)
        began = time.monotonic()
        run_id = run_commands.submit(registry, chosen, OWNER)
        _wait(lambda: registry.get(run_id).has_model)
        seconds = time.monotonic() - began
        is_closing.set()
        thread.join()
        registry.close()
    return round(seconds, 1)


if __name__ == "__main__":
    main()
