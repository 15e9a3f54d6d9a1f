"""Session: trains one run in the trainer process, until it ends with its models or is set aside with a checkpoint."""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from digits.errors import TrainingDiverged
from digits.quotas import Quotas
from digits.runs.registry import Registry
from digits.runs.schema import Orders, Run, RunState
from digits.settings import Settings
from digits.store import open_store
from digits.training import checkpoints, timeline
from digits.training.remarks import Remarks
from digits.training.retrying import retry_while_busy
from digits.training.saving import Saver

if TYPE_CHECKING:  # these load TensorFlow
    from digits.training.loop import Progress, Training
    from digits.training.tensorboard import RunLog

TURN_SECONDS = 60.0  # a run for which others wait trains for so long at a time
_LOOK_EVERY_SECONDS = 1.0  # whether others wait, after that
_RECORD_EVERY_SECONDS = 0.1  # the owner's commands are read at the same time

# What can go wrong without ending the run, in a visitor's words.
_NO_CHECKPOINT = "No checkpoint could be written"
_NO_SNAPSHOT = "A moment of its time line could not be kept"

_PRUNED = "Pruned by its sweep after iteration {:,}: earlier trials had read more of the validation images by then."

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class Session:
    """A run in training.

    `in_background` computes the iterations; everything else runs in the thread that calls `train`.
    """

    def __init__(
        self,
        run: Run,
        training: "Training",
        registry: Registry,
        settings: Settings,
        *,
        in_background: Callable[..., Any],
        is_closing: threading.Event,
        checkpoint_seconds: float,
        notice: str = "",
    ) -> None:
        """Prepare to continue a running run from the state of `training`.

        Args:
            in_background: calls a function with its arguments in a low-priority thread, and returns its result.
            is_closing: set when this process must end.
            checkpoint_seconds: the time between checkpoints.
            notice: a sentence for the run's page, such as that a checkpoint was damaged.
        """
        self.run, self._training = run, training
        self._registry, self._settings = registry, settings
        self._in_background, self._is_closing = in_background, is_closing
        self._checkpoint_seconds = checkpoint_seconds
        self._store = open_store(settings)
        self._remarks = Remarks(notice)
        self._saver = Saver(run, training, registry, settings, self._remarks, is_closing)
        self._unrecorded: list[dict[str, Any]] = []  # points of the learning curves, as rows of the registry
        # The iteration at which this turn began, when it has lasted for a while, and whether others wait then.
        self._turn_began, self._turn_ends, self._is_over = training.step, 0.0, False
        self._minutes = Quotas.from_environment().minutes_per_run

    def train(self) -> RunState:
        """Train until the run is done, its owner stops or pauses it, others have their turn, or this process must end.

        A run that ends leaves its models. A paused or re-queued run leaves a checkpoint.

        Returns:
            The run's new state.
        """
        _logger.info("training from iteration %d on", self._training.step)
        self._turn_began, self._turn_ends = self._training.step, time.monotonic() + TURN_SECONDS
        self._is_over = False
        with self._open_log() as log:
            state = self._follow(log)
        if state.is_ended and not self._saver.save_models():
            state = RunState.QUEUED if self._is_closing.is_set() else RunState.PAUSED
        if state.is_ended:
            self._remarks.forget(_NO_CHECKPOINT)  # it needs none any more
            self._retry(lambda: self._registry.finish(self.run.id, state, reason=str(self._remarks)))
            checkpoints.remove(self._store, self.run.id)
        else:
            self._set_aside(state)
        _logger.info("%s after %d iterations", state, self._training.step)
        return state

    def _set_aside(self, state: RunState) -> None:
        """Pause or re-queue the run; if its checkpoint cannot be written, the previous one remains."""
        with self._remarks.tolerating(_NO_CHECKPOINT):
            checkpoints.save(self._store, self.run.id, self._training.state())
        self._retry(lambda: self._registry.set_activity(self.run.id, "", reason=str(self._remarks)))
        set_aside = self._registry.set_paused if state is RunState.PAUSED else self._registry.requeue
        self._retry(lambda: set_aside(self.run.id))

    def _follow(self, log: "RunLog | None") -> RunState:
        """Train, recording progress and obeying orders several times a second; return the run's next state."""
        orders = self._obey(self._record())
        last_record = last_checkpoint = time.monotonic()
        while self._state_after(orders) is RunState.RUNNING:
            self._advance(orders.pause_at, log)
            now = time.monotonic()
            if now - last_record >= _RECORD_EVERY_SECONDS or self._training.step == orders.pause_at:
                orders, last_record = self._obey(self._record()), now
            if now - last_checkpoint >= self._checkpoint_seconds:
                self._checkpoint()
                last_checkpoint = time.monotonic()
        self._record()
        return self._state_after(orders)

    def _state_after(self, orders: Orders) -> RunState:
        """Return the state that the run should have now: RUNNING, or the state in which this session leaves it."""
        if self._training.is_done:
            return RunState.FINISHED
        if self._is_closing.is_set():
            return RunState.QUEUED
        if orders.stop_requested or self._is_out_of_time():
            if orders.pruned is not None:
                self._remarks.notice = _PRUNED.format(orders.pruned)
            return RunState.STOPPED
        if orders.pause_at is not None and self._training.step >= orders.pause_at:
            return RunState.PAUSED
        return RunState.QUEUED if self._is_turn_over() else RunState.RUNNING

    def _is_out_of_time(self) -> bool:
        """Return whether the run has trained for as long as a run may; then its page says so."""
        is_out = bool(self._minutes) and self._training.seconds >= 60 * self._minutes
        if is_out:
            allowed = f"{self._minutes} minute{'s' if self._minutes > 1 else ''}"
            self._remarks.notice = (
                f"On this server a run may train for {allowed}. It was stopped then, after iteration "
                f"{self._training.step:,}, and its result is kept."
            )
        return is_out

    def _is_turn_over(self) -> bool:
        """Return whether the run has made progress for `TURN_SECONDS` and another visitor's run waits."""
        has_progressed = self._training.step > self._turn_began  # so that turns come to an end however slow they are
        if has_progressed and not self._is_over and time.monotonic() >= self._turn_ends:
            self._turn_ends = time.monotonic() + _LOOK_EVERY_SECONDS
            self._is_over = self._retry(lambda: self._registry.is_awaited(self.run))
        return self._is_over

    def _advance(self, until: int | None, log: "RunLog | None") -> None:
        """Train for a few iterations; if they complete a point of the learning curves, keep it."""
        if self._training.snapshot is None:  # the page writes it just after it has submitted the run
            self._training.drawing = timeline.read_drawing(self._store, self.run.id)
        try:
            progress: Progress | None = self._in_background(self._training.advance, until=until)
        except TrainingDiverged:
            self._record()  # the curve shows how it came to this
            raise
        if progress is None:
            return
        self._unrecorded.append(dataclasses.asdict(progress))
        if log:
            log.write(self._unrecorded[-1])
        if progress.val_loss is not None and self._training.snapshot is not None:
            with self._remarks.tolerating(_NO_SNAPSHOT):
                timeline.write(self._store, self.run.id, self._training.snapshot)

    def _record(self) -> Orders:
        """Write the run's progress to the registry, and return its owner's orders."""
        training, points = self._training, self._unrecorded
        facts: dict[str, Any] = {"step": training.step, "seconds": training.seconds, "reason": str(self._remarks)}
        if training.best_weights is not None:
            facts |= {"best_step": training.best_step, "best_val_accuracy": training.best_val_accuracy}
        validated = [point["val_accuracy"] for point in points if point["val_accuracy"] is not None]
        if validated:
            facts["val_accuracy"] = validated[-1]
        orders = self._retry(lambda: self._registry.record(self.run.id, points, **facts))
        self._unrecorded = []
        return orders

    def _obey(self, orders: Orders) -> Orders:
        """Apply the changes and save the copy that the owner asks for; return the same orders."""
        training = self._training
        waiting = [change for change in orders.changes if change.step is None]
        if waiting:
            taken = [training.turn(change.name, change.value) for change in waiting]
            self._retry(lambda: self._registry.take_changes(self.run.id, training.step, taken))
        if orders.save_requested and training.step:
            self._saver.save_copy()
            self._retry(lambda: self._registry.set_saved(self.run.id, orders.copies))
        return orders

    def _checkpoint(self) -> None:
        """Write a checkpoint. If that fails, the run continues and reports the reason."""
        self._record()  # a checkpoint must never be ahead of the history
        facts: dict[str, Any] = {}
        with self._remarks.tolerating(_NO_CHECKPOINT):
            checkpoints.save(self._store, self.run.id, self._training.state())
            facts = {"attempts": 0}
        self._retry(lambda: self._registry.record(self.run.id, reason=str(self._remarks), **facts))

    def _open_log(self) -> "contextlib.AbstractContextManager[RunLog | None]":
        """Return a context with a TensorBoard log, or with None if no log is configured."""
        if self._settings.tensorboard_dir is None:
            return contextlib.nullcontext()
        from digits.training.tensorboard import RunLog

        return contextlib.closing(RunLog(self._settings.tensorboard_dir / self.run.id, self._training.step))

    def _retry(self, call: Callable[[], _T]) -> _T:
        return retry_while_busy(call, self._is_closing)
