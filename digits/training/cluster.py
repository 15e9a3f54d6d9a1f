"""The cluster: keeps trainers alive on the nodes of a Ray cluster, in place of the trainer of this machine.

`keeper.TrainerKeeper` starts it as `python -m digits.training.cluster --heartbeat` if `DIGITS_CLUSTER` is set. Each
trainer is a Ray task with declared processors. Ray decides on which node it runs, and starts it on another one when its
node is lost. What it trains is decided by the registry, as on one machine: it leases the next run of the queue, and a
run whose trainer is gone goes on from its last checkpoint. So all nodes need the same registry, in PostgreSQL, the same
store, a folder or a bucket, and Digits at the same place.
"""

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from digits import logs
from digits.errors import ClusterUnusable
from digits.runs.registry import Registry
from digits.settings import PROJECT_DIR, Settings
from digits.training import process

_LOOK_EVERY_SECONDS = 1.0
_SECRET = "DIGITS_REGISTRY_URL"
_UNLIMITED = -1  # how often Ray starts a task again whose node or process was lost

_logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Train runs of the queue until this trainer is due for recycling: what a node does."""
    from digits.training.trainer import Trainer

    logs.configure()
    registry = Registry(settings.registry_url)
    try:
        Trainer(settings, registry, threading.Event()).work()
    finally:
        registry.release(registry.worker)
        registry.close()


class Cluster:
    """A Ray cluster, and the trainers that this process keeps on it."""

    def __init__(self, settings: Settings) -> None:
        """Connect to the cluster at `settings.cluster`.

        Raises:
            ClusterUnusable: Ray is missing, no cluster answers, or the registry is a file.
        """
        require_shared(settings)
        ray = _ray()
        try:
            ray.init(
                address=settings.cluster,
                namespace="digits",
                log_to_driver=False,
                logging_level=logging.WARNING,
                runtime_env={"env_vars": _variables(os.environ)},
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterUnusable(
                f"No Ray cluster answers at `DIGITS_CLUSTER={settings.cluster}` ({error}). Start its head with "
                "`ray start --head`, or unset the variable."
            ) from error
        self._settings = settings
        self._cpus, self._gpus = settings.trainer_cpus, settings.trainer_gpus
        # A process leaves with its task, so that TensorFlow's memory goes back to the node.
        options = {"num_cpus": self._cpus, "num_gpus": self._gpus, "max_retries": _UNLIMITED, "max_calls": 1}
        self._serve = ray.remote(**options)(serve)
        self._trainers: list[Any] = []

    def look(self) -> None:
        """Bury the trainers that have ended, and have Ray start as many as there should be."""
        ray = _ray()
        ended = []
        if self._trainers:
            ended, self._trainers = ray.wait(self._trainers, num_returns=len(self._trainers), timeout=0)
        for trainer in ended:
            try:
                ray.get(trainer)
            except ray.exceptions.RayError as error:
                _logger.warning("a trainer ended: %s", error)
        for _ in range(self.wanted() - len(self._trainers)):
            self._trainers.append(self._serve.remote(self._settings))
            _logger.info("asked for a trainer with %g processors", self._cpus)

    def wanted(self) -> int:
        """Return how many trainers there should be: `DIGITS_TRAINERS`, or as many as the nodes have room for."""
        if self._settings.trainers is not None:
            return self._settings.trainers
        has = _ray().cluster_resources()
        return max(1, room(has, cpus=self._cpus, gpus=self._gpus))

    def close(self) -> None:
        """Leave the cluster. Ray ends the trainers, and their runs go on when another trainer takes them."""
        _ray().shutdown()


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the trainers' environments have in common: where Digits lies, and its variables, as quotas.

    Ray shows these to everybody who sees its state, so the registry's URL with its password comes with `serve`'s
    settings instead, and the keys to a bucket must be on each node.
    """
    ours = {name: value for name, value in environment.items() if name.startswith("DIGITS_") and name != _SECRET}
    return {**ours, "PYTHONPATH": str(PROJECT_DIR)}


def room(has: dict[str, float], *, cpus: float, gpus: float) -> int:
    """Return how many trainers fit.

    Args:
        has: the resources of all nodes together, by Ray's names.
        cpus: processors a trainer, more than 0.
        gpus: graphics processors a trainer.
    """
    fits = has.get("CPU", 0.0) / cpus
    return int(min(fits, has.get("GPU", 0.0) / gpus) if gpus else fits)


def require_shared(settings: Settings) -> None:
    """Raise `ClusterUnusable` if the registry is a file, which several machines must not share."""
    if settings.registry_url.startswith("sqlite"):
        raise ClusterUnusable(
            "The trainers of a cluster need a registry on a PostgreSQL server; this one is a file of SQLite. Set "
            "`DIGITS_REGISTRY_URL` to `postgresql+psycopg://…`, or unset `DIGITS_CLUSTER`."
        )


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ClusterUnusable(
            "`DIGITS_CLUSTER` is set, but Ray is missing. Install requirements-cluster.txt, or unset the variable."
        ) from error
    return ray


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep trainers on the cluster until standard input closes, and return the exit status 0."""
    worker, is_closing = process.begin(__doc__.splitlines()[0], arguments)
    settings = Settings.from_environment()
    if worker:  # it trains nothing itself
        registry = Registry(settings.registry_url)
        registry.release(worker)
        registry.close()
    try:
        cluster = Cluster(settings)
    except ClusterUnusable as error:
        _logger.error("%s", error)
        return 1
    try:
        while not is_closing.is_set():
            cluster.look()
            is_closing.wait(_LOOK_EVERY_SECONDS)
    finally:
        cluster.close()
    return 0


if __name__ == "__main__":
    from digits.training import cluster as imported  # so that the nodes find `serve` by its module's name

    sys.exit(imported.main())
