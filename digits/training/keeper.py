"""The keeper: a thread of the server that keeps one trainer process alive for each registry."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from digits import trouble
from digits.settings import PROJECT_DIR, TRAINER_TIMEOUT_SECONDS, Settings

_COMMAND = [sys.executable, "-m", "digits.training.trainer", "--heartbeat"]
_LOOK_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = (0.5, 5.0, 30.0)  # before the first, second and each later restart of a trainer that keeps dying
_NEW_SECONDS = 10.0  # pages tell for so long why the trainer is a new one
_SOUND_SECONDS = 300.0  # a trainer that lives for so long makes up for those that died
_FULL_BYTES = 1_000_000  # a disk with less room than this is full
_DISK_IS_FULL = "The server's disk is full. Training goes on when there is room; nothing is lost."
_STOPPED_ANSWERING = "The trainer had stopped answering and was replaced. Its run goes on from the last checkpoint."
_KILLED = {-getattr(signal, name) for name in ("SIGKILL", "SIGABRT") if hasattr(signal, name)}

_logger = logging.getLogger(__name__)
_reported = ""  # what `describe_trouble` returns; one server has one keeper


def trainer_lock(settings: Settings) -> FileLock:
    """Return the lock that a registry's only trainer holds; the system releases it when that process dies."""
    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.runs_dir / "trainer.lock", thread_local=False)


def describe_trouble() -> str:
    """Return why no trainer of this server can train now, in a sentence or two for visitors; empty if one can."""
    return _reported


class TrainerKeeper:
    """Keeps one trainer process alive for as long as this process lives.

    It starts a trainer if no other trainer holds the lock, and a new one when its trainer dies or hangs. The trainer
    ends when its standard input closes, so it never outlives the server, even one that is killed. On its standard
    output it shows every second that it lives.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
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

    def _keep(self, head_start_seconds: float) -> None:
        pause = head_start_seconds
        while not self._is_closing.wait(pause):
            try:
                pause = self._look()
            except Exception as error:  # without this thread nothing would ever be trained again
                pause = self._wait_after_failure()
                _logger.warning("cannot keep a trainer; the next try is in %g seconds: %s", pause, error)
                _report(
                    f"No trainer can be started: {trouble.cause(error)}. It is tried again every {pause:g} seconds."
                )

    def _look(self) -> float:
        """Start, bury or replace the trainer if that is due; return the seconds until the next look."""
        process = self._process
        if process is None:
            if self._is_lock_free():
                self._process = self._start()
            _report(_DISK_IS_FULL if self._is_disk_full() else self._last_words)
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
        _report(_DISK_IS_FULL if self._is_disk_full() else self._last_words if is_new else "")
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
        _report(self._last_words)
        return pause

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(PROJECT_DIR))
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
        self._process = None

    def _is_disk_full(self) -> bool:
        try:
            return shutil.disk_usage(self._settings.runs_dir).free < _FULL_BYTES
        except OSError:
            return False

    def _is_lock_free(self) -> bool:
        lock = trainer_lock(self._settings)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True


def _report(sentence: str) -> None:
    global _reported
    _reported = sentence


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
