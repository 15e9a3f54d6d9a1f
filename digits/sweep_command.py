"""The command that searches for better settings: `python -m digits sweep`."""

import argparse
import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from digits.runs import visitors
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import Run
from digits.runs.sweep_record import Sweep
from digits.settings import HEARTBEAT_TIMEOUT_SECONDS, Settings
from digits.sweeps import commands
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import DEFAULT_TRIALS, PRUNERS, SAMPLERS, Plan, default_space
from digits.sweeps.space import SEARCHABLE, Space
from digits.views import sweeps as words

_LOOK_EVERY_SECONDS = 0.5


def add(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line; `subcommands` is what `ArgumentParser.add_subparsers` returned."""
    sweep = subcommands.add_parser(
        "sweep",
        help="search for better settings of a network",
        description="Train a network with many settings, and the best ones once more. Every trial is a run of the app.",
    )
    sweep.add_argument("network", choices=tuple(PRESETS), help="its preset is where the search begins")
    sweep.add_argument("--trials", type=int, default=DEFAULT_TRIALS, help="(default: %(default)s)")
    sweep.add_argument("--minutes", type=int, default=0, help="begin no trial after so many (default: no limit)")
    sweep.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="(default: %(default)s)")
    sweep.add_argument("--prune", choices=PRUNERS, default=PRUNERS[0], help="(default: %(default)s)")
    sweep.add_argument("--dataset", default="mnist", help="(default: %(default)s)")
    sweep.add_argument("--iterations", help="of each trial (default: the preset's)")
    sweep.add_argument("--seed", default="0", help="of the trials and of the sampler (default: %(default)s)")
    sweep.add_argument(
        "--search",
        nargs="+",
        action="append",
        metavar=("NAME", "VALUE"),
        help=f"what to search, once for each: a number's lowest and highest value, or the choices. NAME is one of "
        f"{', '.join(SEARCHABLE)} (default: learning_rate, batch_size and dropout around the preset)",
    )
    sweep.set_defaults(run=_sweep)


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the plan that the options describe; raises `InvalidSweep` or `InvalidHyperparameter`."""
    chosen = {name: getattr(options, name) for name in ("dataset", "iterations", "seed") if getattr(options, name)}
    base = dataclasses.replace(PRESETS[options.network].hyperparameters, **chosen)
    space = default_space(base)
    if options.search:
        space = Space.from_dict({name: values for name, *values in options.search})
    return Plan(base, space, options.sampler, options.prune, options.trials, options.minutes)


def _sweep(options: argparse.Namespace, settings: Settings) -> int:
    registry = open_registry(settings.registry_url)
    owner = visitors.owner_of(visitors.new_token())  # nobody's: whoever has the link may look at it, and repeat it
    sweep_id = commands.submit(registry, plan_of(options), owner)
    with _trainer(settings, registry):
        try:
            _follow(registry, sweep_id)
        except KeyboardInterrupt:
            print("\nStopped early; keeping what is there.")
            commands.stop(registry, sweep_id, owner)
            _wait_for_trials(registry, sweep_id)
    sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
    print(words.as_text(Plan.from_dict(sweep.plan), trials))
    print(words.verdict(sweep, trials, commands.confirmation_of(registry, sweep)))
    print(f"In the app: /sweep?sweep={sweep_id}")
    return 0


@contextmanager
def _trainer(settings: Settings, registry: Registry) -> Iterator[None]:
    """Train in this process while the block runs, unless another trainer serves the registry."""
    status = registry.trainer_status()
    if status and status.age_seconds < HEARTBEAT_TIMEOUT_SECONDS:
        print(f"The trainer that serves these runs already, process {status.pid}, trains the sweep.")
        yield
        return
    from digits.training.trainer import Trainer  # here, because other commands need none

    is_closing, broken = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            Trainer(settings, registry, is_closing).work()
        except BaseException as error:
            broken.append(error)

    thread = threading.Thread(target=work, name="trainer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_closing.set()
        thread.join()
        registry.release(registry.worker)
    if broken:
        raise broken[0]


def _follow(registry: Registry, sweep_id: str) -> None:
    """Show a progress bar and a line for each trial until the sweep has ended."""
    from tqdm import tqdm

    told: set[str] = set()
    plan = Plan.from_dict(registry.get_sweep(sweep_id).plan)
    with tqdm(total=plan.most, unit="trial", dynamic_ncols=True) as bar:
        while True:
            sweep, trials = registry.get_sweep(sweep_id), registry.list_trials(sweep_id)
            for run in [run for run in trials if run.is_ended and run.id not in told]:
                told.add(run.id)
                bar.write(words.trial_line(plan, run))
                bar.update()
            bar.set_postfix(_postfix(sweep, trials), refresh=True)
            if sweep.is_ended:
                return
            time.sleep(_LOOK_EVERY_SECONDS)


def _postfix(sweep: Sweep, trials: list[Run]) -> dict[str, Any]:
    best = best_of(trials)
    known = {"best": f"{best.best_val_accuracy:.2%}"} if best and best.best_val_accuracy is not None else {}
    return known | ({"confirming": "yes"} if sweep.confirmation and not sweep.is_ended else {})


def _wait_for_trials(registry: Registry, sweep_id: str) -> None:
    """Wait until the trials that have been asked to stop have saved their models."""
    while not all(run.is_ended for run in registry.list_trials(sweep_id)):
        time.sleep(_LOOK_EVERY_SECONDS)
