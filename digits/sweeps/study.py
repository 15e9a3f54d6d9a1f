"""The study: Optuna's view of a sweep, made anew from the registry's trials whenever it is asked.

Nothing of it is stored. The registry alone knows the trials, so whoever asks, and after whichever kill, the answer is
the same. Only this module imports Optuna, and the web process never imports this module.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from digits.runs.schema import Run, RunState
from digits.runs.sweep_record import Sweep
from digits.sweeps.plan import Plan
from digits.sweeps.space import Axis

FEWEST_FOR_IMPORTANCE = 6  # trials; from fewer, the shares would mean nothing
_REDUCTION = 3  # of three trials that reach a rung, one goes on
_RUNGS = _REDUCTION**2  # the first one is at a ninth of the iterations, the second at a third
_DRAWS = 16  # how often settings are drawn that have been tried already

Curves = Mapping[str, Sequence[tuple[int, float]]]  # the iteration and the accuracy of validations, by the run's id

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Study:
    """A sweep's trials as an Optuna study in memory."""

    def __init__(self, sweep: Sweep, trials: Sequence[Run], curves: Curves) -> None:
        """Replay the trials in the order of their numbers.

        Args:
            trials, curves: as `SweepRegistry.list_trials` and `SweepRegistry.validation_curves` return them.
        """
        self._sweep, self._plan = sweep, Plan.from_dict(sweep.plan)
        self._distributions = {axis.name: _distribution(axis) for axis in self._plan.space.axes}
        self._trials = trials
        self._study = optuna.create_study(
            study_name=sweep.id,  # by which Hyperband assigns trials to brackets
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(0),
            pruner=_pruner(self._plan),
        )
        self._behind: dict[str, int] = {}
        known = {run.trial: run for run in trials}
        for number in range(1, sweep.begun + 1):
            self._replay(known.get(number), curves)

    def _replay(self, run: Run | None, curves: Curves) -> None:
        """Add a trial; what has been removed for good keeps its number."""
        settings = self._plan.searched(run.hyperparameters) if run else {}
        if run is None or not self._plan.space.holds(settings):
            self._study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL))
            return
        self._study.enqueue_trial(self._to_optuna(settings))
        trial = self._study.ask(self._distributions)
        for step, accuracy in curves.get(run.id, ()):
            trial.report(accuracy, step)
            if step < run.hyperparameters.iterations and trial.should_prune():
                self._behind[run.id] = step
                break
        if run.is_ended:
            state = _state(run)
            value = run.best_val_accuracy if state is TrialState.COMPLETE else None
            self._study.tell(trial, value, state=state)

    def behind(self) -> dict[str, int]:
        """Return the trials in training that should be pruned, each with the iteration at which it fell behind.

        A trial is compared with those before it, at the same iteration.
        """
        training = {run.id for run in self._trials if run.state is RunState.RUNNING and not run.stop_requested}
        return {run_id: step for run_id, step in self._behind.items() if run_id in training}

    def ask(self) -> dict[str, Any]:
        """Return the next trial's settings, which no other trial has had."""
        tried = [self._plan.searched(run.hyperparameters) for run in self._trials]
        number = self._sweep.begun
        first = self._plan.searched(self._plan.hyperparameters)
        if not number and self._plan.sampler != "grid" and self._plan.space.holds(first):
            return first
        for draw in range(_DRAWS):
            self._study.sampler = self._sampler(self._plan.hyperparameters.seed * 100_003 + number * _DRAWS + draw)
            settings = self._from_optuna(self._study.ask(self._distributions).params)
            if settings not in tried:
                return settings
        return next(found for found in self._plan.space.settings() if found not in tried)

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        seed %= 2**32
        if self._plan.sampler == "tpe":
            start = min(10, max(3, self._plan.most // 3))
            return optuna.samplers.TPESampler(seed=seed, n_startup_trials=start, constant_liar=True)
        if self._plan.sampler == "random":
            return optuna.samplers.RandomSampler(seed)
        grid = {axis.name: [_to_optuna(axis, value) for value in self._plan.grid[axis.name]] for axis in self._axes}
        return optuna.samplers.GridSampler(grid, seed=self._plan.hyperparameters.seed)  # which shuffles it

    @property
    def _axes(self) -> Sequence[Axis]:
        return self._plan.space.axes

    def importances(self) -> dict[str, float]:
        """Return how much each searched hyperparameter decides whether a trial is among the best; the sum is 1.

        Measured by PED-ANOVA (Watanabe et al., 2023). A pruned trial counts with what it had reached. The
        result is empty if there are too few trials to say, or if all are equal.
        """
        ended = [run for run in self._trials if run.is_ended and run.best_val_accuracy is not None]
        if len(ended) < FEWEST_FOR_IMPORTANCE:
            return {}
        study = optuna.create_study(direction="maximize")
        for run in ended:
            params = self._to_optuna(self._plan.searched(run.hyperparameters))
            made = optuna.trial.create_trial(
                params=params, distributions=self._distributions, value=run.best_val_accuracy
            )
            study.add_trial(made)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that there are few trials
            evaluator = PedAnovaImportanceEvaluator(target_quantile=max(0.1, 2 / len(ended)))
            found = get_param_importances(study, evaluator=evaluator)
        return {name: float(share) for name, share in found.items()} if sum(found.values()) > 0 else {}

    def _to_optuna(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {axis.name: _to_optuna(axis, settings[axis.name]) for axis in self._axes}

    def _from_optuna(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            axis.name: axis.values[params[axis.name]] if axis.is_ordered else params[axis.name] for axis in self._axes
        }


def _distribution(axis: Axis) -> BaseDistribution:
    """Return an axis as Optuna draws from it: a number by its place among the stops."""
    return IntDistribution(0, len(axis.values) - 1) if axis.is_ordered else CategoricalDistribution(axis.values)


def _to_optuna(axis: Axis, value: Any) -> Any:
    return axis.values.index(value) if axis.is_ordered else value


def _pruner(plan: Plan) -> optuna.pruners.BasePruner:
    longest = plan.most_iterations
    first = max(1, longest // _RUNGS)
    if plan.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=_REDUCTION)
    if plan.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=first, max_resource=longest, reduction_factor=_REDUCTION)
    return optuna.pruners.NopPruner()


def _state(run: Run) -> TrialState:
    if run.best_val_accuracy is None or run.state is RunState.FAILED:
        return TrialState.FAIL
    return TrialState.COMPLETE if run.pruned is None else TrialState.PRUNED
