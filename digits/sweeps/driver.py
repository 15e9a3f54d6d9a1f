"""The driver: takes a sweep forward, a trial at a time. Every trainer has one; a lease gives each sweep to one of them.

It decides from the registry alone, and the registry begins no trial twice. So it may be killed at any moment, and any
other goes on.
"""

import contextlib
import dataclasses
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from digits import trouble
from digits.errors import (
    QuotaReached,
    RegistryUnavailable,
    RunAlreadyFinished,
    RunNotFound,
    SweepEnded,
    TooManyRuns,
)
from digits.runs import admission
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.runs.sweep_record import Sweep, SweepState
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import Plan

if TYPE_CHECKING:
    from digits.sweeps.study import Curves, Study

EVERY_SECONDS = 1.0
_RUNNING = (SweepState.RUNNING,)
_RULE = "Only a running sweep can be ended"
_NO_BEST = "No trial came as far as a validation, so there is no best one. Widen the space, or look at the trials."

_logger = logging.getLogger(__name__)


class Driver:
    """Drives the sweeps of a registry, as one of its trainers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._next = 0.0  # when it is due again, on the monotonic clock
        self._judged: dict[str, int] = {}  # how many validations its trials had when they were compared last, by sweep

    def drive(self, *, at_once: bool = False) -> bool:
        """Take each sweep forward that nobody else drives, once a second at most; return whether a run was queued.

        Args:
            at_once: do so now, because a run has just ended.
        """
        if not at_once and time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + EVERY_SECONDS
        try:
            leased = self._registry.lease_sweeps(self._registry.worker)
            return sum(self._advance(sweep) for sweep in leased) > 0
        except RegistryUnavailable as error:  # tried again in a second
            _logger.warning("cannot drive the sweeps: %s", error)
            return False

    @contextlib.contextmanager
    def driving(self) -> Iterator[None]:
        """Drive the sweeps in a thread while the block's run is trained."""
        is_over = threading.Event()

        def keep() -> None:
            while not is_over.wait(EVERY_SECONDS):
                self.drive()

        thread = threading.Thread(target=keep, name="sweeps", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _advance(self, sweep: Sweep) -> bool:
        """Take one sweep forward; a fault in this ends only the sweep."""
        try:
            return self._step(sweep)
        except (TooManyRuns, QuotaReached) as error:  # there will be room
            if sweep.note != str(error):
                self._registry.describe_sweep(sweep.id, note=str(error))
        except RegistryUnavailable:
            raise
        except Exception as error:
            _logger.error("sweep %s failed", sweep.id, exc_info=error)
            note = trouble.sentence(error, "The sweep")[:500]
            self._end(sweep, SweepState.STOPPED, note)
        return False

    def _step(self, sweep: Sweep) -> bool:
        plan, registry = Plan.from_dict(sweep.plan), self._registry
        trials, curves = registry.list_trials(sweep.id), registry.validation_curves(sweep.id)
        study = functools.cache(lambda: _study(sweep, trials, curves))  # made once, if at all
        self._prune(sweep, plan, trials, curves, study)
        self._summarise(sweep, trials, study)
        is_lasting = sweep.begun < plan.most and (not plan.minutes or sweep.seconds < 60 * plan.minutes)
        waiting = [run for run in trials if run.is_waiting]
        if is_lasting and len(waiting) < max(1, registry.count_trainers()):
            settings = study().ask()
            return bool(registry.begin_trial(sweep, plan.at(settings), admit=admission.require_submission))
        if not is_lasting and all(run.is_ended for run in trials):
            return self._confirm(sweep, plan, trials)
        return False

    def _prune(
        self, sweep: Sweep, plan: Plan, trials: Sequence[Run], curves: "Curves", study: "Callable[[], Study]"
    ) -> None:
        """Ask the trials that have fallen behind to stop, if there was a validation since the last time."""
        training = {run.id for run in trials if run.state is RunState.RUNNING and not run.stop_requested}
        validations = sum(map(len, curves.values()))
        if plan.pruner == "none" or not training or self._judged.get(sweep.id) == validations:
            return
        self._judged[sweep.id] = validations
        for run_id, step in study().behind().items():
            with contextlib.suppress(RunAlreadyFinished):
                self._registry.request_stop(run_id, pruned=step)

    def _summarise(self, sweep: Sweep, trials: Sequence[Run], study: "Callable[[], Study]") -> None:
        """Record how important each hyperparameter is, if a trial has ended since the last time."""
        ended = sum(run.is_ended for run in trials)
        if ended and sweep.summary.get("of") != ended:
            importances = study().importances()
            self._registry.describe_sweep(sweep.id, summary={"importances": importances, "of": ended})

    def _confirm(self, sweep: Sweep, plan: Plan, trials: Sequence[Run]) -> bool:
        """Train the best settings once more with a fresh seed, and end the sweep when that has been done."""
        best = best_of(trials)
        if best is None:
            self._end(sweep, SweepState.FINISHED, _NO_BEST)
            return False
        if not sweep.confirmation:
            again = dataclasses.replace(best.hyperparameters, seed=plan.fresh_seed)
            return bool(self._registry.begin_confirmation(sweep, again, admit=admission.require_submission))
        if self._has_ended(sweep.confirmation):
            self._end(sweep, SweepState.FINISHED, "")
        return False

    def _has_ended(self, run_id: str) -> bool:
        try:
            return self._registry.get(run_id).is_ended
        except RunNotFound:  # it was removed
            return True

    def _end(self, sweep: Sweep, state: SweepState, note: str) -> None:
        with contextlib.suppress(SweepEnded):  # its owner was quicker
            self._registry.set_sweep_state(sweep.id, state, before=_RUNNING, rule=_RULE, note=note)


def _study(sweep: Sweep, trials: Sequence[Run], curves: "Curves") -> "Study":
    from digits.sweeps.study import Study  # here, because most trainers drive no sweep

    return Study(sweep, trials, curves)
