"""The cost of longer runs and of a fuller registry: what the Train page reads on each tick, and the registry's calls.

The runs are synthetic, with the rows that training would record; nothing is trained.

    python -m benchmarks.growth
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import _results
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import RunState
from digits.views import curves

_ITERATIONS = (2_000, 20_000)
_RUNS = (10, 100, 1_000, 10_000)
_OWNERS = 100
_NETWORKS = (
    "softmax",
    "convolutional",
)  # the network with the fewest points per iteration, and one with five times as many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="repetitions of each (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "tick_by_iterations": {
                f"{network}, {count}": _tick(_open(folder, f"{network}-{count}"), network, count, options.times)
                for network in _NETWORKS
                for count in _ITERATIONS
            },
            "registry_by_runs": {
                str(count): _registry(_open(folder, f"full-{count}"), count, options.times) for count in _RUNS
            },
        }
    print(json.dumps(figures, indent=2))
    print(_results.save("growth", figures))


def _open(folder: str, name: str) -> Registry:
    return open_registry(f"sqlite:///{Path(folder) / name}.sqlite")


def _tick(registry: Registry, network: str, iterations: int, times: int) -> dict[str, Any]:
    """Measure what the page reads on one tick at the end of a run's training, when it is largest."""
    run_id = _train(registry, "somebody", Hyperparameters(network=network, iterations=iterations))
    rows = registry.metrics(run_id)
    charts = [curves.learning_curve(rows, name, name, iterations) for name in ("accuracy", "loss")]
    # The tables are sent as Arrow; the bytes of their values grow with the run.
    tables = [part["source"] for chart in charts for part in chart["dataset"]]
    return {
        "rows_recorded": len(registry.history(run_id)),
        "rows_read": len(rows),
        "metrics_json_bytes": len(json.dumps(rows).encode()),
        "chart_table_bytes": sum(int(table.memory_usage(index=False).sum()) for table in tables),
        "read_run_ms": _median_ms(lambda: registry.get(run_id), times),
        "read_metrics_ms": _median_ms(lambda: registry.metrics(run_id), times),
        "read_changes_ms": _median_ms(lambda: registry.changes(run_id), times),
    }


def _registry(registry: Registry, count: int, times: int) -> dict[str, Any]:
    """Measure the trainer's and the pages' calls in a registry of `count` ended runs and one running."""
    for number in range(count):
        _train(registry, f"visitor {number % _OWNERS}", Hyperparameters(iterations=1_000), state=RunState.FINISHED)
    run_id = _train(registry, "somebody", Hyperparameters(network="convolutional", iterations=2_000))
    run = registry.get(run_id)
    return {
        "read_run_ms": _median_ms(lambda: registry.get(run_id), times),
        "read_metrics_ms": _median_ms(lambda: registry.metrics(run_id), times),
        "list_one_of_100_owners_ms": _median_ms(lambda: registry.list_runs("visitor 0", limit=100), times),
        "runs_ahead_ms": _median_ms(lambda: registry.runs_ahead(run), times),
        "look_for_a_queued_run_ms": _median_ms(registry.claim, times),
        "record_ms": _median_ms(lambda: registry.record(run_id, seconds=1.0), times),
    }


def _train(registry: Registry, owner: str, chosen: Hyperparameters, *, state: str = "") -> str:
    """Make a run that has recorded all its iterations, and end it in `state`, if one is given."""
    measured = {"loss": 0.123456789, "accuracy": 0.987654321, "val_loss": None, "val_accuracy": None}
    validated = measured | {"val_loss": 0.123456789, "val_accuracy": 0.987654321}
    run_id = registry.create(chosen, owner)
    registry.claim()
    registry.record(
        run_id,
        [
            {"step": step, "seconds": step / 977} | (measured if step % chosen.validation_interval else validated)
            for step in range(chosen.point_size, chosen.iterations + 1, chosen.point_size)
        ],
    )
    if state:
        registry.finish(run_id, state, test_correct=9_800, test_total=10_000)
    return run_id


def _median_ms(work: Callable[[], object], times: int) -> float:
    """Return the median time of `work`, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(taken), 2)


if __name__ == "__main__":
    main()
