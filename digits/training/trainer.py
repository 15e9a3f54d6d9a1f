"""The trainer process: claims queued runs, trains them, and writes their models and cards.

`keeper.TrainerKeeper` starts it as `python -m digits.training.trainer --heartbeat`. It ends when its standard input
closes. In the app, only this process loads TensorFlow.
"""

import contextlib
import contextvars
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from digits import logs, memory, trouble
from digits.errors import (
    DatasetError,
    DigitsError,
    LeaseLost,
    RegistryUnavailable,
    StoreUnavailable,
    TrainingDiverged,
)
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.settings import RUNS_BEFORE_RECYCLING, Settings
from digits.store import open_store
from digits.sweeps.driver import Driver
from digits.training import checkpoints, process
from digits.training.data import TrainerData
from digits.training.preparation import Interrupted, Preparation
from digits.training.program_cache import ProgramCache
from digits.training.retrying import retry_while_busy
from digits.training.session import Session
from digits.training.upkeep import Upkeep

_LOOK_EVERY_SECONDS = 0.05
_ATTEMPTS = 3  # a run fails when this many trainers have died while training it
_BEAT_EVERY_SECONDS = 1.0

_logger = logging.getLogger("digits.training.trainer")  # as a process of its own, this module is `__main__`
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
        self._store = open_store(settings)
        self._checkpoint_seconds = checkpoint_seconds
        self._activity = "starting"
        self._has_ended = threading.Event()  # then its heart stops
        self._programs = ProgramCache(settings)
        self._data = TrainerData(settings)
        self._driver = Driver(registry)
        self._upkeep = Upkeep(settings, registry, self._store, self._retry)
        self._preparation = Preparation(
            registry,
            self._store,
            self._data,
            settings=settings,
            find_program=self._programs.find,
            retry=self._retry,
            is_closing=is_closing,
        )
        # The last session that was paused or re-queued, still in memory. It equals its checkpoint until a program is
        # used for anything else, or another trainer takes the run.
        self._set_aside: Session | None = None

    def work(self) -> None:
        """Train queued runs until the process must end or is due for recycling."""
        _logger.info("serving %s as %s", self._settings.runs_dir, self._registry.worker)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        try:
            self._upkeep.sweep()
            with ThreadPoolExecutor(1, initializer=process.lower_priority) as self._background:
                self._serve()
        finally:
            self._has_ended.set()

    def _serve(self) -> None:
        self._in_background(self._start_tensorflow)
        self._in_background(self._data.fetch, self._report_download)
        cold = list(PRESETS)
        served: set[str] = set()
        while not self._is_closing.is_set() and len(served) < RUNS_BEFORE_RECYCLING:
            if run := self._retry(lambda: self._registry.claim(attempts=_ATTEMPTS)):
                with self._driver.driving():
                    self._train(run)
                self._upkeep.measure(run.id)
                self._upkeep.remove_deleted()
                _give_back_memory()
                served.add(run.id)
                self._driver.drive(at_once=True)
            elif self._driver.drive():  # it has queued a run
                continue
            elif cold:  # compile in advance while no run waits, one network at a time
                self._activity = "warming up"
                self._in_background(self._warm_up, cold.pop(0))
                _give_back_memory()
            else:
                self._activity = "waiting for a run"
                self._upkeep.remove_deleted()
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
        except Interrupted as command:
            self._end_preparation(run, command.state)
        except (LeaseLost, RegistryUnavailable):  # its end could not be recorded: another trainer goes on with it
            raise
        except StoreUnavailable as error:
            self._explain(run, error)
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
        _give_back_memory()

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
        if last:
            del last  # a run for drawings holds 200 MB, and the next one's data are loaded now
            _give_back_memory()
        training, notice = self._preparation.prepare(run)
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

    def _fail(self, run: Run, reason: str) -> None:
        self._retry(lambda: self._registry.finish(run.id, RunState.FAILED, reason=reason[:500]))

    def _start_tensorflow(self) -> None:
        self._activity = "loading TensorFlow"
        with logs.without_start_up_lines():
            from digits.training import loop, programs  # noqa: F401  `loop` too, so that the first run need not wait

            programs.start()
        gc.freeze()  # TensorFlow's own objects stay; without them, a collection takes a hundredth of the time

    def _warm_up(self, network: str) -> None:
        """Do what is slow the first time, with a network's preset, so that its first run does not wait."""
        from digits.data import lesson
        from digits.models import drawn_accuracy
        from digits.training import export, loop, programs

        try:
            dataset = self._data.dataset()
        except DatasetError:  # the run that needs the data will report it
            return
        self._set_aside = None  # it may use the program that is warmed up now
        chosen = PRESETS[network].hyperparameters
        program = self._programs.find(chosen, len(dataset.class_names))
        programs.warm_up(program)
        loop.Training(chosen, dataset, program).advance(until=1)
        program.evaluate(dataset.validation.rows(0, 1000))
        drawn_accuracy.prepare_sample()
        lesson.prepare(dataset)
        export.warm_up(program.exportable_model())

    def _report_download(self, done: int, total: int) -> None:
        self._activity = f"fetching MNIST, {done / total:.0%}"
        if self._is_closing.is_set():
            raise SystemExit(0)

    def _beat(self) -> None:
        while not self._has_ended.is_set():
            try:
                self._registry.beat(os.getpid(), self._activity)
            except Exception as error:  # try again in a second: without heartbeats this trainer would lose its runs
                _logger.warning("%s", error)
            self._has_ended.wait(_BEAT_EVERY_SECONDS)

    def _in_background(self, call: Callable[_P, _T], *arguments: _P.args, **how: _P.kwargs) -> _T:
        """Call a function in the low-priority thread, wait for it, and return its result."""
        return self._submit(call, *arguments, **how).result()

    def _submit(self, call: Callable[_P, _T], *arguments: _P.args, **how: _P.kwargs) -> Future[_T]:
        """Call a function in the low-priority thread."""
        context = contextvars.copy_context()  # so that log lines name the run in that thread too
        return self._background.submit(lambda: context.run(call, *arguments, **how))

    def _retry(self, call: Callable[[], _T]) -> _T:
        return retry_while_busy(call, self._is_closing)


def _give_back_memory() -> None:
    gc.collect()  # Keras's models refer to themselves: without this they stay for several runs, 10 MB and more each
    memory.trim()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train until standard input closes, and return the exit status 0."""
    worker, is_closing = process.begin(__doc__.splitlines()[0], arguments)
    for name in ("sklearn", "matplotlib", "pandas"):  # Keras imports them if it can: 150 MB and a second for nothing
        sys.modules[name] = None  # type: ignore[assignment]  # None makes Python raise ImportError for the module
    settings = Settings.from_environment()
    registry = Registry(settings.registry_url, worker=worker)
    try:
        Trainer(settings, registry, is_closing).work()
    finally:
        with contextlib.suppress(RegistryUnavailable):  # the lease ends by itself
            registry.release(registry.worker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
