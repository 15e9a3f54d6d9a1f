"""The trainer process: claims queued runs, trains them, and writes their models and cards.

`keeper.TrainerKeeper` starts it as `python -m digits.training.trainer --heartbeat`. It ends when its standard input
closes. In the app, only this process loads TensorFlow.
"""

import argparse
import contextlib
import contextvars
import functools
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from digits import logs, memory, trouble
from digits.data.datasets import Dataset
from digits.errors import (
    CheckpointUnusable,
    DatasetError,
    DigitsError,
    LeaseLost,
    RegistryUnavailable,
    TrainingDiverged,
)
from digits.models import catalogue
from digits.quotas import Quotas
from digits.runs import retention
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_BEFORE_RECYCLING, Settings
from digits.store import open_store
from digits.training import checkpoints, timeline
from digits.training.data import TrainerData
from digits.training.session import Session, retry_while_busy

if TYPE_CHECKING:  # these load TensorFlow
    from digits.training.loop import Training
    from digits.training.programs import Program

_LOOK_EVERY_SECONDS = 0.05
_ATTEMPTS = 3  # a run fails when this many trainers have died while training it
_UNDO_SECONDS = 24 * 3600  # how long a deleted run can be restored
_REMOVE_EVERY_SECONDS = 3600
_BEAT_EVERY_SECONDS = 1.0
_OBEY_EVERY_SECONDS = 0.25  # while a run's data is prepared
_DAMAGED = "Its last checkpoint was damaged or of another version"
_NICENESS = 10  # reading a drawing has priority over training

_logger = logging.getLogger("digits.training.trainer")  # as a process of its own, this module is `__main__`
_T = TypeVar("_T")
_P = ParamSpec("_P")


class _Interrupted(Exception):
    """The owner's command, or the end of this process, ends the preparation of a run."""

    def __init__(self, state: RunState) -> None:
        super().__init__(state)
        self.state = state


class Trainer:
    """One trainer, with its registry, its data and its compiled programs.

    Long computations run in a low-priority background thread while the thread of `work` waits for them.
    """

    def __init__(
        self, settings: Settings, registry: Registry, is_closing: threading.Event, *, checkpoint_seconds: float = 8.0
    ) -> None:
        """Prepare to serve `registry` until `is_closing` is set, with a checkpoint every `checkpoint_seconds`."""
        self._settings, self._registry, self._is_closing = settings, registry, is_closing
        self._store = open_store(settings)
        self._checkpoint_seconds = checkpoint_seconds
        self._activity = "starting"
        self._programs: dict[tuple[str, int, str, str, str], Program] = {}
        self._data = TrainerData(settings)
        self._last_removal = 0.0
        # The last session that was paused or re-queued, still in memory. It equals its checkpoint until a program is
        # used for anything else, or another trainer takes the run.
        self._set_aside: Session | None = None

    def work(self) -> None:
        """Train queued runs until the process must end or is due for recycling."""
        _logger.info("serving %s as %s", self._settings.runs_dir, self._registry.worker)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self._sweep()
        with ThreadPoolExecutor(1, initializer=_lower_priority) as self._background:
            self._serve()

    def _serve(self) -> None:
        self._in_background(self._start_tensorflow)
        self._in_background(self._data.fetch, self._report_download)
        cold = list(PRESETS)
        served: set[str] = set()
        while not self._is_closing.is_set() and len(served) < RUNS_BEFORE_RECYCLING:
            if run := self._retry(lambda: self._registry.claim(attempts=_ATTEMPTS)):
                self._train(run)
                self._measure(run.id)
                self._remove_deleted()
                memory.trim()
                served.add(run.id)
            elif cold:  # compile in advance while no run waits, one network at a time
                self._activity = "warming up"
                self._in_background(self._warm_up, cold.pop(0))
                memory.trim()
            else:
                self._activity = "waiting for a run"
                self._remove_deleted()
                self._is_closing.wait(_LOOK_EVERY_SECONDS)

    def _train(self, run: Run) -> None:
        """Train a run until it ends, is set aside, or is another trainer's."""
        self._activity = "training"
        with logs.about_run(run.id):
            try:
                self._carry_out(run)
            except LeaseLost as error:
                _logger.warning("left as it is: %s", error)

    def _carry_out(self, run: Run) -> None:
        """Train a run until it ends or is set aside; an error ends only this run."""
        try:
            session = self._take_up(run)
            if not session.train().is_ended:
                self._set_aside = session
        except _Interrupted as command:
            self._end_preparation(run, command.state)
        except (LeaseLost, RegistryUnavailable):  # its end could not be recorded: another trainer goes on with it
            raise
        except DigitsError as error:
            _logger.warning("failed: %s", error)
            self._fail(run, trouble.sentence(error))
            if isinstance(error, TrainingDiverged):  # it would diverge again from there
                checkpoints.remove(self._store, run.id)
        except Exception as error:  # a bug must not end other visitors' runs
            self._explain(run, error)

    def _explain(self, run: Run, error: Exception) -> None:
        """End a run after an error, or pause it if it may succeed later."""
        if trouble.is_out_of_memory(error):
            _logger.warning("failed for want of memory: %s", error)
            self._free_memory()
            self._fail(run, trouble.OUT_OF_MEMORY)
        elif trouble.is_disk(error):
            _logger.warning("paused: %s", error)
            reason = f"{trouble.sentence(error)} Then press Resume: the run goes on from its last checkpoint."
            self._retry(lambda: self._registry.set_activity(run.id, "", reason=reason))
            self._retry(lambda: self._registry.set_paused(run.id))
        else:
            _logger.error("failed", exc_info=error)
            self._fail(run, trouble.sentence(error, "Training"))

    def _free_memory(self) -> None:
        self._programs.clear()
        self._set_aside = None
        gc.collect()

    def _end_preparation(self, run: Run, state: RunState) -> None:
        _logger.info("%s during its preparation", state)
        if state is RunState.STOPPED:
            reason = "Stopped while it was prepared, before its first iteration."
            self._retry(lambda: self._registry.finish(run.id, state, reason=reason))
        elif state is RunState.PAUSED:
            self._retry(lambda: self._registry.set_paused(run.id))
        else:
            self._retry(lambda: self._registry.requeue(run.id))

    def _take_up(self, run: Run) -> Session:
        """Return the last session set aside if it is this run's and no other trainer had it since, else a new one."""
        last, self._set_aside = self._set_aside, None
        if last and (last.run.id, last.run.claims + 1) == (run.id, run.claims):
            last.run = run
            return last
        training, notice = self._prepare(run)
        return Session(
            run,
            training,
            self._registry,
            self._settings,
            in_background=self._in_background,
            is_closing=self._is_closing,
            checkpoint_seconds=self._checkpoint_seconds,
            notice=notice,
        )

    def _prepare(self, run: Run) -> "tuple[Training, str]":
        """Load the data and the network, and continue from the run's checkpoint if there is one.

        Returns:
            The run's training, and a sentence for its page if a checkpoint could not be used.

        Raises:
            _Interrupted: the owner stopped or paused the run meanwhile, or this process must end.
        """
        self._retry(lambda: self._registry.set_activity(run.id, "Preparing", reason=""))
        description = self._data.dataset().description
        self._retry(lambda: self._registry.set_activity(run.id, "Preparing", data=description))
        dataset = self._load_data(run)
        program = self._program(run.hyperparameters, len(dataset.class_names), run.precision)
        self._registry.set_activity(run.id, "Preparing", precision=program.precision)
        training, notice = self._restore(run, dataset, program)
        self._retry(lambda: self._registry.rewind(run.id, training.step))
        timeline.rewind(self._store, run.id, training.step)
        checkpoints.rewind(self._store, run.id, training.step)
        return training, notice

    def _load_data(self, run: Run) -> Dataset:
        """Load the run's data in the background, which can take minutes, and meanwhile obey its owner."""
        is_unwanted = threading.Event()

        def say(activity: str) -> None:
            if is_unwanted.is_set():
                raise _Interrupted(RunState.QUEUED)
            self._retry(lambda: self._registry.set_activity(run.id, activity))

        loading = self._submit(self._data.dataset_for, run.hyperparameters, say)
        try:
            while not wait([loading], timeout=_OBEY_EVERY_SECONDS).done:
                self._raise_commands(run)
        except BaseException:
            is_unwanted.set()  # the background thread ends its work at the next `say`
            raise
        return loading.result()

    def _raise_commands(self, run: Run) -> None:
        """Raise `_Interrupted` if the run must not be prepared any further."""
        orders = self._retry(lambda: self._registry.record(run.id))
        if self._is_closing.is_set():
            raise _Interrupted(RunState.QUEUED)
        if orders.stop_requested and not run.step:  # a run with iterations is first restored, and then saved
            raise _Interrupted(RunState.STOPPED)
        if orders.pause_at is not None and orders.pause_at <= run.step:
            raise _Interrupted(RunState.PAUSED)

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
        training = loop.Training(run.hyperparameters, dataset, program, changes=changes)
        return training, f"{_DAMAGED}, so it began again." if found else ""

    def _fail(self, run: Run, reason: str) -> None:
        self._retry(lambda: self._registry.finish(run.id, RunState.FAILED, reason=reason[:500]))

    def _program(self, hyperparameters: Hyperparameters, class_count: int, precision: str = "") -> "Program":
        """Return the program for these hyperparameters, created at its first use.

        Args:
            precision: the precision with which the run has begun, perhaps on another machine; empty for this
                processor's fastest one.
        """
        from digits.training import programs
        from digits.training.precision import fastest_precision, memory_file

        chosen, precision = hyperparameters, precision or fastest_precision(memory_file(self._settings.runs_dir))
        if chosen.network in programs.ALWAYS_FLOAT32:
            precision = "float32"
        key = (chosen.network, class_count, chosen.optimizer, chosen.augmentation, precision)
        if key not in self._programs:
            self._programs[key] = programs.Program(
                hyperparameters.network,
                class_count,
                optimizer=hyperparameters.optimizer,
                augmentation=hyperparameters.augmentation,
                precision=precision,
            )
        return self._programs[key]

    def _start_tensorflow(self) -> None:
        self._activity = "loading TensorFlow"
        with logs.without_start_up_lines():
            from digits.training import loop, programs  # noqa: F401  `loop` too, so that the first run need not wait

            programs.start()

    def _warm_up(self, network: str) -> None:
        """Do what is slow the first time, with a network's preset, so that its first run does not wait."""
        from digits.models import drawn_accuracy
        from digits.training import export, loop, programs

        try:
            dataset = self._data.dataset()
        except DatasetError:  # the run that needs the data will report it
            return
        self._set_aside = None  # it may use the program that is warmed up now
        chosen = PRESETS[network].hyperparameters
        program = self._program(chosen, len(dataset.class_names))
        programs.warm_up(program)
        loop.Training(chosen, dataset, program).advance(until=1)
        program.evaluate(dataset.validation.rows(0, 1000))
        drawn_accuracy.prepare_sample()
        export.warm_up(program.exportable_model())

    def _remove_deleted(self) -> None:
        """Remove runs that were deleted more than a day ago, or for which there is no room; do this once an hour."""
        now = time.time()
        if now - self._last_removal < _REMOVE_EVERY_SECONDS:
            return
        self._last_removal = now
        self._sweep()
        for run_id in self._retry(self._registry.list_unmeasured):
            self._measure(run_id)
        unwanted = retention.abandoned(self._retry(self._registry.list_holdings), Quotas.from_environment(), now)
        if unwanted:
            _logger.info("removing %d runs, because the disk's quota is used up", len(unwanted))
            self._retry(lambda: self._registry.abandon(unwanted))
        for run_id in self._retry(lambda: self._registry.list_deleted(before=now - _UNDO_SECONDS)):
            try:
                catalogue.remove_of_run(run_id, self._settings)
            except OSError as error:  # the run stays in the registry, so that this is tried again
                _logger.warning("run %s cannot be removed: %s", run_id, error)
                continue
            self._retry(functools.partial(self._registry.purge, run_id))

    def _measure(self, run_id: str) -> None:
        """Record the space of a run's files, which counts towards the quotas."""
        try:
            disk_bytes = catalogue.size_of_run(run_id, self._settings)
        except OSError as error:
            _logger.warning("run %s cannot be measured: %s", run_id, error)
            return
        self._retry(lambda: self._registry.set_disk_bytes(run_id, disk_bytes))

    def _sweep(self) -> None:
        try:
            self._store.sweep()
        except OSError as error:
            _logger.warning("cannot remove what killed trainers left: %s", error)

    def _report_download(self, done: int, total: int) -> None:
        self._activity = f"fetching MNIST, {done / total:.0%}"
        if self._is_closing.is_set():
            raise SystemExit(0)

    def _beat(self) -> None:
        while True:
            try:
                self._registry.beat(os.getpid(), self._activity)
            except Exception as error:  # try again in a second: without heartbeats this trainer would lose its runs
                _logger.warning("%s", error)
            time.sleep(_BEAT_EVERY_SECONDS)

    def _in_background(self, call: Callable[_P, _T], *arguments: _P.args, **how: _P.kwargs) -> _T:
        """Call a function in the low-priority thread, wait for it, and return its result."""
        return self._submit(call, *arguments, **how).result()

    def _submit(self, call: Callable[_P, _T], *arguments: _P.args, **how: _P.kwargs) -> Future[_T]:
        """Call a function in the low-priority thread."""
        context = contextvars.copy_context()  # so that log lines name the run in that thread too
        return self._background.submit(lambda: context.run(call, *arguments, **how))

    def _retry(self, call: Callable[[], _T]) -> _T:
        return retry_while_busy(call, self._is_closing)


def _lower_priority() -> None:
    """Lower this thread's priority; on Linux only this thread and the threads that it starts are affected."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def _close_at_end_of_input(is_closing: threading.Event) -> None:
    sys.stdin.buffer.read()
    is_closing.set()


def _show_life() -> None:
    """Write to standard output once a second, for `TrainerKeeper`; all that is printed goes to standard error."""
    signs = os.dup(1)
    os.dup2(2, 1)

    def show() -> None:
        with contextlib.suppress(OSError):  # the server has ended; so will this process
            while os.write(signs, b"."):
                time.sleep(_BEAT_EVERY_SECONDS)

    threading.Thread(target=show, name="signs-of-life", daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train until standard input closes, and return the exit status 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heartbeat", action="store_true", help="show on standard output that this process lives")
    parser.add_argument("--worker", help="the name of this trainer in the registry (default: a new one)")
    options = parser.parse_args(arguments)
    if options.heartbeat:
        _show_life()
    logs.configure()
    for name in ("sklearn", "matplotlib"):  # Keras imports them if it can: 85 MB and a second for nothing
        sys.modules[name] = None  # type: ignore[assignment]  # None makes Python raise ImportError for the module
    is_closing = threading.Event()
    threading.Thread(target=_close_at_end_of_input, args=(is_closing,), daemon=True).start()
    settings = Settings.from_environment()
    registry = Registry(settings.registry_url, worker=options.worker)
    try:
        Trainer(settings, registry, is_closing).work()
    finally:
        with contextlib.suppress(RegistryUnavailable):  # the lease ends by itself
            registry.release(registry.worker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
