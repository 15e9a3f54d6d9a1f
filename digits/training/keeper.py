"""The keeper: a thread of the server that keeps a trainer process alive."""

import contextlib
import itertools
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from digits import memory, trouble
from digits.errors import DigitsError
from digits.settings import PROJECT_DIR, TRAINER_TIMEOUT_SECONDS, Settings

if TYPE_CHECKING:
    from digits.runs.registry import Registry

_COMMAND = [sys.executable, "-m", "digits.training.trainer", "--heartbeat"]
_CLUSTER_COMMAND = [sys.executable, "-m", "digits.training.cluster", "--heartbeat"]
_LOOK_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = (0.5, 5.0, 30.0)  # before the first, second and each later restart of a trainer that keeps dying
_NEW_SECONDS = 10.0  # pages tell for so long why the trainer is a new one
_SOUND_SECONDS = 300.0  # a trainer that lives for so long makes up for those that died
_FULL_BYTES = 1_000_000  # a disk with less room than this is full
_DISK_IS_FULL = "The server's disk is full. Training goes on when there is room; nothing is lost."
_STOPPED_ANSWERING = "The trainer had stopped answering and was replaced. Its run goes on from the last checkpoint."
_KILLED = {-getattr(signal, name) for name in ("SIGKILL", "SIGABRT") if hasattr(signal, name)}

_logger = logging.getLogger(__name__)
_reported: dict[int, str] = {}  # why a keeper's trainer cannot train, by the keeper's number; empty if it can
_numbers = itertools.count()


def describe_trouble() -> str:
    """Return why no trainer of this server can train now, in a sentence or two for visitors; empty if one can."""
    return next(iter(_reported.values()), "") if all(_reported.values()) else ""


def start_keepers(settings: Settings, *, head_start_seconds: float = 0.0) -> "list[TrainerKeeper]":
    """Start as many keepers as `settings.trainers` says, or one for the trainers of a cluster.

    Raises:
        ClusterUnusable: the settings name a cluster, and a registry that its nodes cannot share.
        InvalidSetting: the settings name a store that cannot be used.
    """
    if settings.store_url:
        from digits.store import open_store

        open_store(settings)
    if settings.cluster:
        from digits.training.cluster import require_shared

        require_shared(settings)
    count = 1 if settings.trainers is None or settings.cluster else settings.trainers
    keepers = [TrainerKeeper(settings) for _ in range(count)]
    for keeper in keepers:
        keeper.start(head_start_seconds=head_start_seconds)
    return keepers


def close_keepers(keepers: "list[TrainerKeeper]") -> None:
    """End all trainers at the same time."""
    closing = [threading.Thread(target=keeper.close) for keeper in keepers]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join()


class TrainerKeeper:
    """Keeps one trainer process alive for as long as this process lives.

    It starts a trainer, and a new one when its trainer dies or hangs; it then tells the registry that the old one's run
    is free. Unless the settings give a number of trainers, it starts none while the registry has one elsewhere.

    A trainer ends when its standard input closes, so it never outlives the server, even one that is killed. On its
    standard output it shows every second that it lives.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._worker = ""  # the name of its trainer in the registry
        self._number = next(_numbers)
        self._is_closing = threading.Event()
        self._failures = 0  # trainers that died, and attempts to start one that failed, one after the other
        # How often it looked at this trainer, in all and since its last sign of life. Looks are counted, not seconds,
        # because this process may be stopped for a while too.
        self._looks = self._silent_looks = 0
        self._last_words = ""  # about the previous trainer, for visitors

    def start(self, *, head_start_seconds: float = 0.0) -> None:
        """Start the keeper's thread and return at once.

        Args:
            head_start_seconds: how long the first trainer waits, so that the server starts without competition.
        """
        self._thread = threading.Thread(
            target=self._keep, args=(head_start_seconds,), name="trainer-keeper", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the trainer, waiting up to ten seconds while it checkpoints and re-queues a run in progress."""
        self._is_closing.set()
        self._thread.join()
        if self._process is not None:
            _close_input(self._process)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            with contextlib.suppress(DigitsError):  # its lease ends by itself
                self._registry().release(self._worker)

    def _keep(self, head_start_seconds: float) -> None:
        pause = head_start_seconds
        while not self._is_closing.wait(pause):
            try:
                pause = self._look()
            except Exception as error:  # without this thread nothing would ever be trained again
                pause = self._wait_after_failure()
                _logger.warning("cannot keep a trainer; the next try is in %g seconds: %s", pause, error)
                self._report(
                    f"No trainer can be started: {trouble.cause(error)}. It is tried again every {pause:g} seconds."
                )

    def _look(self) -> float:
        """Start, bury or replace the trainer if that is due; return the seconds until the next look."""
        process = self._process
        if process is None:
            if self._is_wanted():
                try:
                    self._process = self._start()
                except OSError:
                    self._registry().release(self._worker)
                    raise
            self._report(_DISK_IS_FULL if self._is_disk_full() else self._last_words)
            return _LOOK_EVERY_SECONDS
        if (status := process.poll()) is not None:
            return self._bury(process, status)
        self._looks += 1
        self._silent_looks += 1
        if self._silent_looks * _LOOK_EVERY_SECONDS > TRAINER_TIMEOUT_SECONDS:
            self._replace(process)
        elif self._looks * _LOOK_EVERY_SECONDS > _SOUND_SECONDS:
            self._failures = 0
        is_new = self._looks * _LOOK_EVERY_SECONDS < _NEW_SECONDS
        self._report(_DISK_IS_FULL if self._is_disk_full() else self._last_words if is_new else "")
        return _LOOK_EVERY_SECONDS

    def _replace(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a trainer that has hung; the next look starts another one."""
        _logger.warning("the trainer, process %d, has hung; it is killed and replaced", process.pid)
        process.kill()
        process.wait()
        self._forget(process)
        self._last_words = _STOPPED_ANSWERING

    def _bury(self, process: subprocess.Popen[bytes], status: int) -> float:
        """Forget a trainer that has ended; return the seconds until the next one starts."""
        self._forget(process)
        if status == 0:  # another trainer has the lock, or this one was recycled
            self._failures, self._last_words = 0, ""
            return 0.0
        pause = self._wait_after_failure()
        _logger.warning("the trainer died, exit status %d; the next starts in %g seconds", status, pause)
        why = "probably because memory ran out" if status in _KILLED else "unexpectedly"
        self._last_words = f"The trainer ended, {why}, and is started again. Its run goes on from the last checkpoint."
        self._report(self._last_words)
        return pause

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*(_CLUSTER_COMMAND if self._settings.cluster else _COMMAND), f"--worker={self._worker}"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(PROJECT_DIR),
            env=memory.FEW_HEAPS | os.environ,
        )
        _logger.info("started a trainer, process %d", process.pid)
        self._looks = self._silent_looks = 0
        threading.Thread(target=self._listen, args=(process,), name="trainer-listener", daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            while os.read(stream.fileno(), 1024):
                if process is self._process:
                    self._silent_looks = 0

    def _wait_after_failure(self) -> float:
        self._failures += 1
        return _PATIENCE_SECONDS[min(self._failures, len(_PATIENCE_SECONDS)) - 1]

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        _close_input(process)
        self._registry().release(self._worker)
        self._process, self._worker = None, ""

    def _is_disk_full(self) -> bool:
        try:
            return shutil.disk_usage(self._settings.runs_dir).free < _FULL_BYTES
        except OSError:
            return False

    def _is_wanted(self) -> bool:
        """Return whether a trainer should be started; then it is announced in the registry."""
        self._settings.runs_dir.mkdir(parents=True, exist_ok=True)
        self._worker = self._worker or secrets.token_hex(8)  # the same one if the answer of the last try was lost
        return self._registry().enlist(
            self._worker,
            unless_served=self._settings.trainers is None and not self._settings.cluster,
            grace_seconds=TRAINER_TIMEOUT_SECONDS,
        )

    def _registry(self) -> "Registry":
        from digits.runs.registry import open_registry  # here, because the server starts faster without SQLAlchemy

        return open_registry(self._settings.registry_url)

    def _report(self, sentence: str) -> None:
        _reported[self._number] = sentence


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
