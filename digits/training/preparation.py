"""Preparation: a run's data, network and checkpoint, ready to be trained.

Meanwhile its owner is obeyed, and other visitors have their turn.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.data.datasets import Dataset
from digits.errors import CheckpointUnusable
from digits.models import catalogue
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.settings import Settings
from digits.store import Store
from digits.training import checkpoints, session, teaching, timeline
from digits.training.data import TrainerData
from digits.training.loading import Loading, Say

if TYPE_CHECKING:  # these load TensorFlow
    from digits.training.loop import Training
    from digits.training.programs import Program

_OBEY_EVERY_SECONDS = 0.25
_MOST_RESTING = 4  # runs whose data are half made
_DAMAGED = "Its last checkpoint was damaged or of another version"

_logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """The owner's command, other visitors' turn, or the end of this process ends the preparation of a run."""

    def __init__(self, state: RunState) -> None:
        super().__init__(state)
        self.state = state


class Preparation:
    """The preparation of one trainer's runs."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        data: TrainerData,
        *,
        settings: Settings,
        find_program: "Callable[..., Program]",
        retry: Callable[[Callable[[], Any]], Any],
        is_closing: threading.Event,
    ) -> None:
        """Prepare to serve a trainer.

        Args:
            find_program: as `ProgramCache.find`.
            retry: calls a function again while the registry is busy.
            is_closing: set when this process must end.
        """
        self._registry, self._store, self._data, self._settings = registry, store, data, settings
        self._find_program, self._retry = find_program, retry
        self._is_closing = is_closing
        self._resting: dict[str, Loading] = {}  # by the run's id, the oldest first

    def prepare(self, run: Run) -> "tuple[Training, str]":
        """Load the data and the network, and continue from the run's checkpoint if there is one.

        Returns:
            The run's training, and a sentence for its page if a checkpoint could not be used.

        Raises:
            Interrupted: the owner stopped or paused the run, others have their turn, or this process must end.
        """
        self._retry(lambda: self._registry.set_activity(run.id, "Preparing", reason=""))
        dataset = self._load_data(run)
        self._retry(lambda: self._registry.set_activity(run.id, "Preparing", data=dataset.description))
        is_lesson = bool(run.parent)
        program = self._find_program(run.hyperparameters, len(dataset.class_names), run.precision, is_lesson=is_lesson)
        self._retry(lambda: self._registry.set_activity(run.id, "Preparing", precision=program.precision))
        training, notice = self._restore(run, dataset, program)
        self._retry(lambda: self._registry.rewind(run.id, training.step))
        timeline.rewind(self._store, run.id, training.step)
        checkpoints.rewind(self._store, run.id, training.step)
        return training, notice

    def _load_data(self, run: Run) -> Dataset:
        """Load the run's data, which can take minutes; meanwhile obey its owner, and let others have their turn."""
        loading = self._resting.pop(run.id, None) or Loading(
            lambda say: self._load(run, say),
            lambda activity: self._retry(lambda: self._registry.set_activity(run.id, activity)),
        )
        loading.go_on()
        turn_ends = time.monotonic() + session.TURN_SECONDS
        try:
            while not loading.is_done(within=_OBEY_EVERY_SECONDS):
                self._raise_commands(run)
                if time.monotonic() > turn_ends and self._registry.is_awaited(run):
                    break
            else:
                return loading.result()
        except BaseException:
            loading.cancel()
            raise
        self._set_aside(run, loading)
        raise Interrupted(RunState.QUEUED)

    def _load(self, run: Run, say: Say) -> Dataset:
        if run.parent:
            return self._data.lesson_for(run.hyperparameters, teaching.drawings(self._store, run.id), say)
        return self._data.dataset_for(run.hyperparameters, say)

    def _set_aside(self, run: Run, loading: Loading) -> None:
        """Keep what is loaded so far for the run's next turn."""
        loading.rest()
        self._resting[run.id] = loading
        if len(self._resting) > _MOST_RESTING:
            self._resting.pop(next(iter(self._resting))).cancel()

    def _raise_commands(self, run: Run) -> None:
        """Raise `Interrupted` if the run must not be prepared any further."""
        orders = self._retry(lambda: self._registry.record(run.id))
        if self._is_closing.is_set():
            raise Interrupted(RunState.QUEUED)
        if orders.stop_requested and not run.step:  # a run with iterations is first restored, and then saved
            raise Interrupted(RunState.STOPPED)
        if orders.pause_at is not None and orders.pause_at <= run.step:
            raise Interrupted(RunState.PAUSED)

    def _restore(self, run: Run, dataset: Dataset, program: "Program") -> "tuple[Training, str]":
        """Continue from the newest checkpoint that can be used, or start from the seed."""
        from digits.training import loop

        changes = self._retry(lambda: self._registry.changes(run.id))
        found = checkpoints.steps(self._store, run.id)
        for state in checkpoints.load(self._store, run.id):
            try:
                training = loop.Training(run.hyperparameters, dataset, program, changes=changes, state=state)
            except CheckpointUnusable as error:
                _logger.warning("%s", error)
                continue
            is_newest = training.step >= found[0]
            return training, "" if is_newest else f"{_DAMAGED}, so it went on from iteration {training.step:,}."
        first = self._first_weights(run)
        training = loop.Training(run.hyperparameters, dataset, program, changes=changes, first_weights=first)
        return training, f"{_DAMAGED}, so it began again." if found else ""

    def _first_weights(self, run: Run) -> list[np.ndarray] | None:
        """Return the weights of the model that a lesson begins with; None for other runs."""
        from digits.training import export

        return export.read_weights(catalogue.find(run.parent, self._settings).folder) if run.parent else None
