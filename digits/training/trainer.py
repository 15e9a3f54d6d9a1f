"""The trainer process: claims queued runs, trains them, and writes their models and cards.

`keeper.TrainerKeeper` starts it as `python -m digits.training.trainer`. It ends when its standard input closes. In the
app, only this process loads TensorFlow.
"""

import contextvars
import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from filelock import Timeout

from digits import logs
from digits.errors import DatasetError, DigitsError
from digits.models import catalogue
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_BEFORE_RECYCLING, Settings, work_dir
from digits.training import checkpoints, timeline
from digits.training.data import TrainerData
from digits.training.keeper import trainer_lock
from digits.training.session import Session, retry_while_unavailable

if TYPE_CHECKING:  # these load TensorFlow
    from digits.training.loop import Training
    from digits.training.programs import Program

_LOOK_EVERY_SECONDS = 0.05
_ATTEMPTS = 3  # a run fails when this many trainers have died while training it
_UNDO_SECONDS = 24 * 3600  # how long a deleted run can be restored
_REMOVE_EVERY_SECONDS = 3600
_BEAT_EVERY_SECONDS = 1.0
_NICENESS = 10  # reading a drawing has priority over training

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")
_P = ParamSpec("_P")


class Trainer:
    """One trainer, with its registry, its data and its compiled programs.

    Long computations run in a low-priority background thread while the thread of `work` waits for them.
    """

    def __init__(
        self, settings: Settings, registry: Registry, is_closing: threading.Event, *, checkpoint_seconds: float = 8.0
    ) -> None:
        """Prepare to serve `registry` until `is_closing` is set, with a checkpoint every `checkpoint_seconds`."""
        self._settings, self._registry, self._is_closing = settings, registry, is_closing
        self._checkpoint_seconds = checkpoint_seconds
        self._activity = "starting"
        self._programs: dict[tuple[str, int, str, str], Program] = {}
        self._data = TrainerData(settings)
        self._last_removal = 0.0
        # The last paused session, still in memory. It equals its checkpoint until a program is used for anything else.
        self._paused: Session | None = None

    def work(self) -> None:
        """Train queued runs until the process must end or is due for recycling."""
        requeued = self._retry(lambda: self._registry.requeue_abandoned(attempts=_ATTEMPTS))
        _logger.info("serving %s; re-queued %d runs of a dead trainer", self._settings.runs_dir, requeued)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        with ThreadPoolExecutor(1, initializer=_lower_priority) as self._background:
            self._serve()

    def _serve(self) -> None:
        self._in_background(self._start_tensorflow)
        self._in_background(self._data.fetch, self._report_download)
        done, cold = 0, list(PRESETS)
        while not self._is_closing.is_set() and done < RUNS_BEFORE_RECYCLING:
            if run := self._retry(self._registry.claim):
                self._train(run)
                done += 1
            elif cold:  # compile in advance while no run waits, one network at a time
                self._activity = "warming up"
                self._in_background(self._warm_up, cold.pop(0))
            else:
                self._activity = "waiting for a run"
                self._remove_deleted()
                self._is_closing.wait(_LOOK_EVERY_SECONDS)

    def _train(self, run: Run) -> None:
        """Train a run until it ends or is set aside; an error ends only this run."""
        self._activity = "training"
        with logs.about_run(run.id):
            try:
                session = self._take_up(run)
                if session.train() is RunState.PAUSED:
                    self._paused = session
            except DigitsError as error:
                _logger.warning("failed: %s", error)
                self._fail(run, str(error))
            except OSError as error:
                _logger.warning("failed: %s", error)
                said = f"written to {self._settings.runs_dir.name}; the system answered: {error.strerror or error}"
                remedy = "Free some space, or make the folder writable, and start the run again."
                self._fail(run, f"The run's files should be {said}. {remedy}")
            except Exception as error:  # a bug must not end other visitors' runs
                _logger.exception("failed")
                said = f"Training broke with {type(error).__name__}: {error}"
                self._fail(run, f"{said}. This is a fault in Digits; please report it.")

    def _take_up(self, run: Run) -> Session:
        """Return the last paused session if it is this run's, else a new one."""
        paused, self._paused = self._paused, None
        if paused and paused.run.id == run.id:
            return paused
        return Session(
            run,
            self._prepare(run),
            self._registry,
            self._settings,
            in_background=self._in_background,
            is_closing=self._is_closing,
            checkpoint_seconds=self._checkpoint_seconds,
        )

    def _prepare(self, run: Run) -> "Training":
        """Load the data and the network, and continue from the run's checkpoint if there is one."""
        from digits.training import loop

        self._registry.set_activity(run.id, "Preparing")
        description = self._data.dataset().description
        self._registry.set_activity(run.id, "Preparing", data=description)
        say = functools.partial(self._registry.set_activity, run.id)
        dataset = self._in_background(self._data.dataset_for, run.hyperparameters, say)
        state = checkpoints.load(self._settings.runs_dir, run.id)
        program = self._program(run.hyperparameters, len(dataset.class_names))
        changes = self._registry.changes(run.id)
        training = loop.Training(run.hyperparameters, dataset, program, changes=changes, state=state)
        self._registry.rewind(run.id, training.step)
        timeline.rewind(self._settings.runs_dir, run.id, training.step)
        return training

    def _fail(self, run: Run, reason: str) -> None:
        self._retry(lambda: self._registry.finish(run.id, RunState.FAILED, reason=reason[:500]))

    def _program(self, hyperparameters: Hyperparameters, class_count: int) -> "Program":
        """Return the program for these hyperparameters, created at its first use."""
        from digits.training import programs

        key = (hyperparameters.network, class_count, hyperparameters.optimizer, hyperparameters.augmentation)
        if key not in self._programs:
            self._programs[key] = programs.Program(
                hyperparameters.network,
                class_count,
                optimizer=hyperparameters.optimizer,
                augmentation=hyperparameters.augmentation,
                precision=programs.fastest_precision(work_dir(self._settings.runs_dir, "precision")),
            )
        return self._programs[key]

    def _start_tensorflow(self) -> None:
        self._activity = "loading TensorFlow"
        from digits.training import loop, programs  # noqa: F401  `loop` too, so that the first run does not wait for it

        programs.start()

    def _warm_up(self, network: str) -> None:
        """Do what is slow the first time, with a network's preset, so that its first run does not wait."""
        from digits.models import drawn_accuracy
        from digits.training import export, loop, programs

        try:
            dataset = self._data.dataset()
        except DatasetError:  # the run that needs the data will report it
            return
        self._paused = None  # it may use the program that is warmed up now
        chosen = PRESETS[network].hyperparameters
        program = self._program(chosen, len(dataset.class_names))
        programs.warm_up(program)
        loop.Training(chosen, dataset, program).advance(until=1)
        program.evaluate(dataset.validation.rows(0, 1000))
        drawn_accuracy.prepare_sample()
        export.warm_up(program.exportable_model())

    def _remove_deleted(self) -> None:
        """Remove runs that were deleted more than a day ago; do this once an hour."""
        now = time.time()
        if now - self._last_removal < _REMOVE_EVERY_SECONDS:
            return
        self._last_removal = now
        for run_id in self._retry(lambda: self._registry.list_deleted(before=now - _UNDO_SECONDS)):
            catalogue.remove_of_run(run_id, self._settings)
            self._retry(functools.partial(self._registry.purge, run_id))

    def _report_download(self, done: int, total: int) -> None:
        self._activity = f"fetching MNIST, {done / total:.0%}"
        if self._is_closing.is_set():
            raise SystemExit(0)

    def _beat(self) -> None:
        while True:
            try:
                self._registry.beat(os.getpid(), self._activity)
            except DigitsError as error:  # try again in a second
                _logger.warning("%s", error)
            time.sleep(_BEAT_EVERY_SECONDS)

    def _in_background(self, call: Callable[_P, _T], *arguments: _P.args, **how: _P.kwargs) -> _T:
        """Call a function in the low-priority thread, wait for it, and return its result."""
        context = contextvars.copy_context()  # so that log lines name the run in that thread too
        return self._background.submit(lambda: context.run(call, *arguments, **how)).result()

    def _retry(self, call: Callable[[], _T]) -> _T:
        return retry_while_unavailable(call, self._is_closing)


def _lower_priority() -> None:
    """Lower this thread's priority; on Linux only this thread and the threads that it starts are affected."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def _close_at_end_of_input(is_closing: threading.Event) -> None:
    sys.stdin.buffer.read()
    is_closing.set()


def main() -> int:
    """Train until standard input closes. Exit status: 0, even if another trainer holds the lock."""
    settings = Settings.from_environment()
    lock = trainer_lock(settings)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return 0
    logs.configure()
    for name in ("sklearn", "matplotlib"):  # Keras imports them if it can: 85 MB and a second for nothing
        sys.modules[name] = None  # type: ignore[assignment]  # None makes Python raise ImportError for the module
    is_closing = threading.Event()
    threading.Thread(target=_close_at_end_of_input, args=(is_closing,), daemon=True).start()
    with lock:
        Trainer(settings, open_registry(settings.registry_url), is_closing).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
