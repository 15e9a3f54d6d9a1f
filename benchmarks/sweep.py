"""Sweeps of one network by sampler: what each finds, in how many seconds, against the network's preset.

    python -m benchmarks.sweep [--network corrected] [--trials 40] [--samplers grid random tpe]
        [--prune grid=none random=none tpe=halving] [--iterations 2000] [--seed 0]

Each sweep is trained by a trainer in this process, with a registry of its own. The preset and each sweep's best
settings are measured the same way: trained with a seed that no trial had, and tested once.
"""

import argparse
import dataclasses
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks._results import save
from digits.runs import commands as run_commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.runs.schema import Run
from digits.settings import Settings
from digits.sweeps import commands
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import PRUNERS, SAMPLERS, Plan, default_space
from digits.views.sweeps import settings_in_words

PRUNED = {"grid": "none", "random": "none", "tpe": "halving"}
_LOOK_EVERY_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=tuple(PRESETS), default="corrected")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=["grid", "random", "tpe"])
    parser.add_argument("--prune", nargs="+", type=_pair, default=[], metavar="SAMPLER=PRUNER")
    parser.add_argument("--iterations", type=int, help="of each trial (default: the preset's)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    preset = dataclasses.replace(PRESETS[options.network].hyperparameters, seed=options.seed)
    if options.iterations:
        preset = dataclasses.replace(preset, iterations=options.iterations)
    pruners = PRUNED | dict(options.prune)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment({**os.environ, "DIGITS_RUNS_DIR": folder, "DIGITS_REGISTRY_URL": ""})
        figures = _measure(settings, preset, [(name, pruners[name]) for name in options.samplers], options.trials)
    for name, found in figures.items():  # now, because the trainer silences what libraries print
        print(f"{name}: {found}")
    print(f"Written to {save('sweep', figures).relative_to(Path.cwd())}")


def _pair(text: str) -> tuple[str, str]:
    sampler, _, pruner = text.partition("=")
    if sampler not in SAMPLERS or pruner not in PRUNERS:
        raise argparse.ArgumentTypeError(f"must be such as tpe=halving; received {text!r}")
    return sampler, pruner


def _measure(settings: Settings, preset: Hyperparameters, ways: list[tuple[str, str]], trials: int) -> dict[str, Any]:
    from digits.training.trainer import Trainer

    registry, is_closing = Registry(settings.registry_url), threading.Event()

    def serve() -> None:
        while not is_closing.is_set():  # a trainer ends after so many runs, as its keeper expects
            Trainer(settings, registry, is_closing).work()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        plan = Plan(preset, default_space(preset), trials=trials)
        fresh = dataclasses.replace(preset, seed=plan.fresh_seed)
        figures: dict[str, Any] = {"preset": _result(_wait(registry, run_commands.submit(registry, fresh, "preset")))}
        for sampler, pruner in ways:
            figures[sampler] = _sweep(registry, dataclasses.replace(plan, sampler=sampler, pruner=pruner))
        return figures
    finally:
        is_closing.set()
        thread.join()
        registry.close()


def _sweep(registry: Registry, plan: Plan) -> dict[str, Any]:
    began = time.monotonic()
    sweep_id = commands.submit(registry, plan, f"{plan.sampler} {plan.pruner}")
    while not registry.get_sweep(sweep_id).is_ended:
        time.sleep(_LOOK_EVERY_SECONDS)
    trials = registry.list_trials(sweep_id)
    best, again = best_of(trials), commands.confirmation_of(registry, registry.get_sweep(sweep_id))
    if best is None or again is None:
        return {"pruner": plan.pruner, "trials": len(trials), "best": None}
    return {
        "pruner": plan.pruner,
        "trials": len(trials),
        "pruned": sum(run.pruned is not None for run in trials),
        "seconds": round(time.monotonic() - began, 1),
        "seconds_of_training": round(sum(run.seconds for run in trials), 1),
        "best_validation": best.best_val_accuracy,
        "best_settings": settings_in_words(plan, best),
        "again": _result(again),
        "importances": registry.get_sweep(sweep_id).summary["importances"],
    }


def _wait(registry: Registry, run_id: str) -> Run:
    while not (run := registry.get(run_id)).is_ended:
        time.sleep(_LOOK_EVERY_SECONDS)
    return run


def _result(run: Run) -> dict[str, Any]:
    test = run.test_accuracy
    return {
        "validation": run.best_val_accuracy,
        "test": test.share if test else None,
        "interval_95": [round(bound, 4) for bound in test.interval] if test else None,
        "seconds": round(run.seconds, 1),
    }


if __name__ == "__main__":
    main()
