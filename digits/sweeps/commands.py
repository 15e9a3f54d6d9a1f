"""Commands: visitors start sweeps here and control them; only a sweep's owner may."""

import contextlib
import json
import time

from digits.errors import InvalidSweep, NotYourSweep, RunAlreadyFinished, RunNotFound, SweepBusy
from digits.quotas import Quotas
from digits.runs import admission
from digits.runs.commands import REPEATED_WITHIN, checked
from digits.runs.registry import Registry
from digits.runs.schema import Run
from digits.runs.sweep_record import Sweep, SweepState
from digits.sweeps.plan import MOST_TRIALS, Plan

MAX_NAME = 60  # characters; a trial's name adds ", trial 200", and that of a run may have 80
_RUNNING, _PAUSED = (SweepState.RUNNING,), (SweepState.PAUSED,)


def most_trials() -> int:
    """Return how many trials a sweep may have on this server."""
    return Quotas.from_environment().trials_per_sweep or MOST_TRIALS


def submit(registry: Registry, plan: Plan, owner: str, *, address: str = "") -> str:
    """Start a sweep and return its id; a trainer begins its trials.

    Args:
        address: where the visitor comes from; empty if that is unknown.

    Raises:
        InvalidSweep: it has more trials than a sweep may have.
        TooManyRuns: as many runs and trials from the visitor's address wait or train as are allowed.
        QuotaReached: a trial could learn from too many images, the visitor has as many sweeps as allowed, the disk is
            full, or there are too many commands.
    """
    admission.require_pace(owner)
    if plan.trials > most_trials():
        raise InvalidSweep(f"A sweep may have {most_trials()} trials on this server; {plan.trials} are asked for.")
    admission.require_affordable(plan.most_images)
    admission.require_disk(registry.usage(owner))
    words, admit = json.dumps(plan.to_dict(), sort_keys=True), admission.require_sweep
    with registry.unanswered.once("sweep", owner, words, within=REPEATED_WITHIN) as attempt:
        return admission.addresses.enter(
            address,
            registry.places_taken,
            lambda: registry.create_sweep(owner, plan.to_dict(), admit=admit, sweep_id=attempt.id),
        )


# Each command below raises SweepNotFound, NotYourSweep if the sweep belongs to another visitor, and SweepEnded if its
# state does not allow the command. Each counts towards the commands a minute, and raises QuotaReached.


def pause(registry: Registry, sweep_id: str, owner: str) -> None:
    """Pause a sweep with its trials; no other one begins until it is resumed."""
    _own(registry, sweep_id, owner)
    registry.set_sweep_state(sweep_id, SweepState.PAUSED, before=_RUNNING, rule="Only a running sweep can be paused")
    for run in _open_runs(registry, sweep_id):
        with contextlib.suppress(RunAlreadyFinished):  # it has ended meanwhile, or is paused already
            registry.request_pause(run.id)


def resume(registry: Registry, sweep_id: str, owner: str, *, address: str = "") -> None:
    """Continue a paused sweep and its paused trials; raises `TooManyRuns` if these find no room in the queue."""
    _own(registry, sweep_id, owner)

    def command() -> str:
        for run in _open_runs(registry, sweep_id):
            with contextlib.suppress(RunAlreadyFinished):
                registry.request_resume(run.id, admit=admission.require_turn)
        rule = "Only a paused sweep can be resumed"
        registry.set_sweep_state(sweep_id, SweepState.RUNNING, before=_PAUSED, rule=rule)
        return sweep_id

    admission.addresses.enter(address, registry.places_taken, command)


def stop(registry: Registry, sweep_id: str, owner: str) -> None:
    """End a sweep and keep everything: trials in training stop and save their models."""
    _own(registry, sweep_id, owner)
    registry.set_sweep_state(
        sweep_id, SweepState.STOPPED, before=_RUNNING + _PAUSED, rule="Only a running or paused sweep can be stopped"
    )
    for run in _open_runs(registry, sweep_id):
        with contextlib.suppress(RunAlreadyFinished):
            registry.request_stop(run.id)


def rename(registry: Registry, sweep_id: str, owner: str, name: str) -> None:
    """Name a sweep, and its runs after it; an empty name numbers it again. Raises `InvalidText` if it is too long."""
    _own(registry, sweep_id, owner)
    registry.rename_sweep(sweep_id, checked("name", name, whose="sweep", most=MAX_NAME))


def delete(registry: Registry, sweep_id: str, owner: str) -> None:
    """Delete a sweep with its runs; `restore` can undo this for a day.

    Raises:
        SweepBusy: it, or one of its runs, has not ended.
    """
    sweep = _own(registry, sweep_id, owner)
    if not sweep.is_ended or _open_runs(registry, sweep_id):
        raise SweepBusy(
            "Only a sweep that has ended, with all its trials, can be deleted; this one has not. Stop it first."
        )
    registry.set_sweep_deleted(sweep_id, time.time())


def restore(registry: Registry, sweep_id: str, owner: str) -> None:
    """Restore a deleted sweep with the runs that were deleted with it; raises `QuotaReached` if it is one too many."""
    _own(registry, sweep_id, owner)
    registry.set_sweep_deleted(sweep_id, None, admit=admission.require_sweep)


def _own(registry: Registry, sweep_id: str, owner: str) -> Sweep:
    """Return a sweep that a visitor commands, and count the command."""
    sweep = registry.get_sweep(sweep_id)
    if sweep.owner != owner:
        raise NotYourSweep(
            "Only the visitor who started a sweep may command it; you are watching it. Start one of your own."
        )
    admission.require_pace(owner)
    return sweep


def _open_runs(registry: Registry, sweep_id: str) -> list[Run]:
    """Return the sweep's runs that have not ended, with the one that trains its best settings once more."""
    found = [run for run in registry.list_trials(sweep_id) if not run.is_ended]
    if again := confirmation_of(registry, registry.get_sweep(sweep_id)):
        found += [] if again.is_ended else [again]
    return found


def confirmation_of(registry: Registry, sweep: Sweep) -> Run | None:
    """Return the run that trains a sweep's best settings once more; None before it, or if it has been removed."""
    if sweep.confirmation:
        with contextlib.suppress(RunNotFound):
            return registry.get(sweep.confirmation)
    return None
