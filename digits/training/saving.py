"""Saving: writes the models of a run in training, and tries again while the store refuses them."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from digits.accuracy import Accuracy
from digits.errors import RegistryUnavailable
from digits.models.identity import ModelId, Weights
from digits.runs.registry import Registry
from digits.runs.schema import Run
from digits.settings import Settings
from digits.store import open_store
from digits.training import teaching
from digits.training.remarks import Remarks
from digits.training.retrying import retry_while_busy

if TYPE_CHECKING:  # this loads TensorFlow
    from digits.training.loop import Training

# Between tries to save a finished run's models on a full disk; after the last one the run is paused.
_SAVE_AGAIN_SECONDS = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)

# What can go wrong, in a visitor's words.
_NO_COPY = "The copy could not be saved"
_NO_MODEL = "Its model cannot be saved yet"

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class Saver:
    """Saves the weights of one run: the last, the best, and copies that its owner asks for."""

    def __init__(
        self,
        run: Run,
        training: "Training",
        registry: Registry,
        settings: Settings,
        remarks: Remarks,
        is_closing: threading.Event,
    ) -> None:
        self._run, self._training = run, training
        self._registry, self._settings, self._store = registry, settings, open_store(settings)
        self._remarks, self._is_closing = remarks, is_closing

    def save_copy(self) -> None:
        """Save the present weights beside those of the run's end; if the disk refuses them, say so."""
        with self._remarks.tolerating(_NO_COPY):
            self._save(ModelId(self._run.id, Weights.SAVED, self._training.step), self._training.step)

    def save_models(self) -> bool:
        """Save the run's models. While the store refuses them, say so, wait and try again.

        Returns:
            Whether they are saved. If not, the run can be resumed from its checkpoint.
        """
        for seconds in (*_SAVE_AGAIN_SECONDS, None):
            with self._remarks.tolerating(_NO_MODEL):
                self._save_all()
            if not self._remarks.has(_NO_MODEL):
                return True
            if seconds is None:
                break
            self._remarks.add(_NO_MODEL, "Training is complete; saving is tried again until it succeeds.")
            self._retry(
                lambda: self._registry.set_activity(
                    self._run.id, "Waiting to save its model", reason=str(self._remarks)
                )
            )
            if self._is_closing.wait(seconds):
                return False
        self._remarks.add(_NO_MODEL, "Then press Resume.")
        return False

    def _save_all(self) -> None:
        """Save the last weights and record their test accuracy; save the best weights too if they differ."""
        training = self._training

        def record_accuracy(measured: Accuracy) -> None:
            facts = {"test_correct": measured.correct, "test_total": measured.total}
            self._retry(lambda: self._registry.set_activity(self._run.id, "Tested", **facts))

        self._save(ModelId(self._run.id), training.step, on_tested=record_accuracy)
        is_lesson = bool(self._run.parent)  # its best weights would be those that have changed least
        if training.best_weights is not None and training.best_step != training.step and not is_lesson:
            self._save(ModelId(self._run.id, Weights.BEST), training.best_step, training.best_weights)

    def _save(self, identity: ModelId, step: int, values: list[np.ndarray] | None = None, **how: Any) -> None:
        """Save a model of the run in its own folder, with the current weights or with `values`."""
        from digits.training import export

        training = self._training
        with self._store.write_folder(str(identity)) as draft:
            card = export.write_model(
                training.program.exportable_model(values),
                draft,
                str(identity),
                hyperparameters=self._run.hyperparameters,
                dataset=training.dataset,
                facts={
                    "command": "taught on the Draw page" if self._run.parent else "started on the Train page",
                    "seconds": round(training.seconds, 2),
                    "precision": training.program.precision,
                    "run": self._run.id,
                    "weights": identity.weights,
                    "step": step,
                },
                on_step=self._say,
                **how,
            )
            if self._run.parent:
                self._say("Comparing it with the model before")
                teaching.complete_card(draft, card, self._run, training.dataset, self._settings)

    def _say(self, activity: str) -> None:
        """Tell the run's page what is being done; a registry that cannot be written must not cost the model."""
        try:
            self._registry.set_activity(self._run.id, activity)
        except RegistryUnavailable as error:
            _logger.warning("%s", error)

    def _retry(self, call: Callable[[], _T]) -> _T:
        return retry_while_busy(call, self._is_closing)
