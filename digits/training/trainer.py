"""The trainer process: claims queued runs, trains them, and leaves models and cards.

`python -m digits.training.trainer` runs it. It is started by `keeper.TrainerKeeper`, ends when its standard input
closes, and alone loads TensorFlow.
"""

import contextlib
import dataclasses
import functools
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from filelock import Timeout

from digits.accuracy import Accuracy
from digits.errors import DatasetError, DigitsError, RegistryUnavailable
from digits.models import catalogue
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import Orders, Run
from digits.settings import RUNS_BEFORE_RECYCLING, Settings, work_dir
from digits.training import checkpoints, timeline
from digits.training.keeper import trainer_lock
from digits.training.supplies import Supplies

_LOOK_EVERY_SECONDS = 0.05
_RECORD_EVERY_SECONDS = 0.1  # and as often it looks whether the owner wants something
_PATIENCE_SECONDS = 1.0
_ATTEMPTS = 3  # trainers that may die under a run before it is taken for the cause
_UNDO_SECONDS = 24 * 3600  # for so long a deleted run can be brought back
_BEAT_EVERY_SECONDS = 1.0
_NICENESS = 10  # whoever draws comes first


class Trainer:
    """One trainer: its registry, its data and the programs it has compiled."""

    def __init__(
        self, settings: Settings, registry: Registry, is_closing: threading.Event, *, checkpoint_seconds: float = 8.0
    ) -> None:
        """Serve `registry` until `is_closing`; a run in training is checkpointed every `checkpoint_seconds`."""
        self._settings, self._registry, self._is_closing = settings, registry, is_closing
        self._checkpoint_seconds = checkpoint_seconds
        self._activity = "starting"
        self._programs: dict[tuple[str, int, str, str], Any] = {}
        self._supplies = Supplies(settings)
        self._last_removal = 0.0
        # The run paused last, as its checkpoint has it, until anything else is done with TensorFlow.
        self._paused: tuple[str, Any] | None = None

    def work(self) -> None:
        """Serve the queue until it is time to end."""
        self._patiently(lambda: self._registry.rescue_orphans(attempts=_ATTEMPTS))
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        with ThreadPoolExecutor(1, initializer=_step_back) as self._background:
            self._serve()

    def _serve(self) -> None:
        self._in_background(self._load_library)
        self._in_background(self._supplies.fetch, self._say_download)
        done, cold = 0, list(PRESETS)
        while not self._is_closing.is_set() and done < RUNS_BEFORE_RECYCLING:
            if run := self._patiently(self._registry.claim):
                self._train(run)
                done += 1
            elif cold:  # compile ahead while nobody waits, one network at a time
                self._say("warming up")
                self._in_background(self._warm_up, cold.pop(0))
            else:
                self._say("waiting for a run")
                self._remove_deleted()
                self._is_closing.wait(_LOOK_EVERY_SECONDS)

    def _in_background(self, call: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
        """Do what takes long, in a thread that leaves the processor to whoever draws."""
        return self._background.submit(call, *arguments, **how).result()

    def _load_library(self) -> None:
        self._say("loading TensorFlow")
        from digits.training import loop, programs

        self._library, self._loop = programs, loop
        programs.start()

    def _train(self, run: Run) -> None:
        self._say("training")
        try:
            training = self._prepare(run)
            with self._log(run, training.step) as log:
                outcome = self._follow(run, training, log)
            if outcome == "closing":
                self._put_away(run, training, self._registry.requeue)
                return
            if outcome == "paused":
                self._put_away(run, training, self._registry.set_paused)
                self._paused = run.id, training
                return
            self._save_all(run, training)
            self._patiently(lambda: self._registry.finish(run.id, outcome))
            checkpoints.remove(self._settings.runs_dir, run.id)
        except DigitsError as error:
            self._fail(run, str(error))
        except OSError as error:
            self._fail(
                run,
                f"The run's files should be written to {self._settings.runs_dir.name}; the system answered: "
                f"{error.strerror or error}. Free some space, or make the folder writable, and start the run again.",
            )
        except Exception as error:  # a bug must not take the other visitors' runs along; the log has the whole story
            traceback.print_exc()
            self._fail(
                run,
                f"Training broke with {type(error).__name__}: {error}. This is a fault in Digits; please report it.",
            )

    def _fail(self, run: Run, reason: str) -> None:
        self._patiently(lambda: self._registry.finish(run.id, "failed", reason=reason[:500]))

    def _prepare(self, run: Run) -> Any:
        """Load the data and the network, and take the run up where its checkpoint left it, if there is one."""
        paused, self._paused = self._paused, None
        if paused and paused[0] == run.id:
            return paused[1]
        self._registry.set_activity(run.id, "Preparing")
        description = self._supplies.dataset().description
        self._registry.set_activity(run.id, "Preparing", data=description)
        say = functools.partial(self._registry.set_activity, run.id)
        dataset = self._in_background(self._supplies.dataset_for, run.hyperparameters, say)
        state = checkpoints.load(self._settings.runs_dir, run.id)
        program = self._program(run.hyperparameters, len(dataset.class_names))
        changes = self._registry.changes(run.id)
        training = self._loop.Training(run.hyperparameters, dataset, program, changes=changes, state=state)
        self._registry.rewind(run.id, training.step)
        timeline.rewind(self._settings.runs_dir, run.id, training.step)
        return training

    def _follow(self, run: Run, training: Any, log: Any) -> str:
        """Train, passing progress on and obeying orders a few times a second.

        Returns:
            "finished", "stopped", "paused", or "closing" when it is this process that has to end.
        """
        unsaid: list[dict[str, Any]] = []
        orders = self._obey(run, training, self._record(run, training, unsaid))
        last_said = last_kept = time.monotonic()
        while not training.is_done:
            if self._is_closing.is_set():
                break
            if orders.stop_requested or (orders.pause_at is not None and training.step >= orders.pause_at):
                break
            if progress := self._in_background(training.advance, until=orders.pause_at):
                unsaid.append(dataclasses.asdict(progress))
                if log:
                    log.write(unsaid[-1])
                if progress.val_loss is not None:
                    timeline.write(self._settings.runs_dir, run.id, training.snapshot)
            now = time.monotonic()
            if now - last_said >= _RECORD_EVERY_SECONDS or training.step == orders.pause_at:
                orders = self._obey(run, training, self._record(run, training, unsaid))
                unsaid, last_said = [], now
            if now - last_kept >= self._checkpoint_seconds:
                self._checkpoint(run, training, unsaid)
                unsaid, last_kept = [], time.monotonic()
        self._record(run, training, unsaid)
        if training.is_done:
            return "finished"
        if self._is_closing.is_set():
            return "closing"
        return "stopped" if orders.stop_requested else "paused"

    def _record(self, run: Run, training: Any, unsaid: list[dict[str, Any]]) -> Orders:
        facts: dict[str, Any] = {"step": training.step, "seconds": training.seconds}
        if training.best_weights is not None:
            facts |= {"best_step": training.best_step, "best_val_accuracy": training.best_val_accuracy}
        validated = [row["val_accuracy"] for row in unsaid if row["val_accuracy"] is not None]
        if validated:
            facts["val_accuracy"] = validated[-1]
        return self._patiently(lambda: self._registry.record(run.id, unsaid, **facts))

    def _obey(self, run: Run, training: Any, orders: Orders) -> Orders:
        """Turn the knobs and save the copy that the owner asks for."""
        waiting = [change for change in orders.changes if change.step is None]
        if waiting:
            taken = [training.turn(change.name, change.value) for change in waiting]
            self._patiently(lambda: self._registry.take_changes(run.id, training.step, taken))
        if orders.save_requested and training.step:
            self._save(run, training, f"{run.id}-at-{training.step}", "saved", training.step)
            self._patiently(lambda: self._registry.set_activity(run.id, "", save_requested=False))
        return orders

    def _checkpoint(self, run: Run, training: Any, unsaid: list[dict[str, Any]]) -> None:
        """Keep the run's state; where that fails it trains on, and says so."""
        self._record(run, training, unsaid)  # a checkpoint is never ahead of the history
        try:
            checkpoints.save(self._settings.runs_dir, run.id, training.state())
            facts = {"attempts": 0, "reason": ""}
        except OSError as error:
            facts = {
                "reason": f"No checkpoint could be written: {error.strerror or error}. Free some space on the disk."
            }
        self._patiently(lambda: self._registry.record(run.id, **facts))

    def _put_away(self, run: Run, training: Any, note: Callable[[str], None]) -> None:
        checkpoints.save(self._settings.runs_dir, run.id, training.state())
        self._patiently(lambda: note(run.id))

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Do something with the registry, again and again while it is locked or its disk is full."""
        while True:
            try:
                return call()
            except RegistryUnavailable as error:
                print(f"digits.training.trainer: {error}", file=sys.stderr)
                if self._is_closing.wait(_PATIENCE_SECONDS):
                    raise

    def _remove_deleted(self) -> None:
        """Remove, about once an hour, what was deleted more than a day ago."""
        now = time.time()
        if now - self._last_removal < 3600:
            return
        self._last_removal = now
        for run_id in self._patiently(lambda: self._registry.list_deleted(before=now - _UNDO_SECONDS)):
            catalogue.remove_of_run(run_id, self._settings)
            self._patiently(functools.partial(self._registry.purge, run_id))

    def _log(self, run: Run, step: int) -> Any:
        """Return a context with a log for TensorBoard, from `step` on, where one is wanted, else with None."""
        if self._settings.tensorboard_dir is None:
            return contextlib.nullcontext()
        from digits.training.tensorboard import RunLog

        return contextlib.closing(RunLog(self._settings.tensorboard_dir / run.id, step))

    def _save_all(self, run: Run, training: Any) -> None:
        """Save the last weights, telling their test accuracy, and the best ones where those are others."""

        def tell(measured: Accuracy) -> None:
            facts = {"test_correct": measured.correct, "test_total": measured.total}
            self._patiently(lambda: self._registry.set_activity(run.id, "Tested", **facts))

        self._save(run, training, run.id, "last", training.step, on_tested=tell)
        if training.best_weights is not None and training.best_step != training.step:
            self._save(run, training, f"{run.id}-best", "best", training.best_step, training.best_weights)

    def _save(
        self,
        run: Run,
        training: Any,
        name: str,
        weights: str,
        step: int,
        values: list[Any] | None = None,
        **how: Any,
    ) -> None:
        from digits.training import export

        program, dataset = training.program, training.dataset
        export.save_model(
            program.exportable_model(values),
            self._settings.runs_dir / name,
            hyperparameters=run.hyperparameters,
            dataset=dataset,
            drawings=self._supplies.drawings(),
            facts={
                "command": "started on the Train page",
                "seconds": round(training.seconds, 2),
                "precision": program.precision,
                "run": run.id,
                "weights": weights,
                "step": step,
            },
            on_step=lambda activity: self._registry.set_activity(run.id, activity),
            **how,
        )

    def _program(self, hyperparameters: Hyperparameters, class_count: int) -> Any:
        key = (hyperparameters.network, class_count, hyperparameters.optimizer, hyperparameters.augmentation)
        if key not in self._programs:
            self._programs[key] = self._library.Program(
                hyperparameters.network,
                class_count,
                optimizer=hyperparameters.optimizer,
                augmentation=hyperparameters.augmentation,
                precision=self._library.fastest_precision(work_dir(self._settings.runs_dir, "precision")),
            )
        return self._programs[key]

    def _warm_up(self, network: str) -> None:
        """Do once, with a network's preset, what its first run would be slower at."""
        from digits.training import export

        try:
            dataset = self._supplies.dataset()
            self._supplies.drawings()
        except DatasetError:  # the run that needs the data will say so
            return
        self._paused = None  # its program may be the one that is tried now
        chosen = PRESETS[network].hyperparameters
        program = self._program(chosen, len(dataset.class_names))
        self._library.warm_up(program)
        self._loop.Training(chosen, dataset, program).advance(until=1)
        program.evaluate(dataset.validation.rows(0, 1000))
        export.warm_up(program.exportable_model())

    def _say_download(self, done: int, total: int) -> None:
        self._say(f"fetching MNIST, {done / total:.0%}")
        if self._is_closing.is_set():
            raise SystemExit(0)

    def _say(self, activity: str) -> None:
        self._activity = activity

    def _beat(self) -> None:
        while True:
            try:
                self._registry.beat(os.getpid(), self._activity)
            except DigitsError as error:  # a busy disk now may be a free one in a second
                print(f"digits.training.trainer: {error}", file=sys.stderr)
            time.sleep(_BEAT_EVERY_SECONDS)


def _step_back() -> None:
    """Lower this thread's priority; on Linux the others keep theirs, and the threads that it starts take its."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def main() -> int:
    """Train until standard input closes. Exit status: 0, also when another trainer holds the lock."""
    settings = Settings.from_environment()
    lock = trainer_lock(settings)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return 0
    for name in ("sklearn", "matplotlib"):  # Keras would load them if it could: 85 MB and a second, for nothing here
        sys.modules[name] = None
    is_closing = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), is_closing.set()), daemon=True).start()
    with lock:
        Trainer(settings, open_registry(settings.registry_url), is_closing).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
