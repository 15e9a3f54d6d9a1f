"""The keeper: a thread of the server that keeps one trainer process alive for each registry."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from digits.settings import PROJECT_DIR, Settings

_LOOK_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = (0.5, 5.0, 30.0)  # before the first, second and each later restart of a trainer that keeps dying

_logger = logging.getLogger(__name__)


def trainer_lock(settings: Settings) -> FileLock:
    """Return the lock that a registry's only trainer holds; the system releases it when that process dies."""
    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.runs_dir / "trainer.lock", thread_local=False)


class TrainerKeeper:
    """Keeps one trainer process alive for as long as this process lives.

    It starts a trainer if no other trainer holds the lock, and a new one when its trainer dies. The trainer ends when
    its standard input closes, so it never outlives the server, even one that is killed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closing = threading.Event()

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
        deaths, pause = 0, head_start_seconds
        while not self._is_closing.wait(pause):
            pause = _LOOK_EVERY_SECONDS
            if self._process is not None and self._process.poll() is not None:
                failed = self._process.returncode != 0  # 0: another trainer has the lock, or this one was recycled
                deaths = deaths + 1 if failed else 0
                pause = _PATIENCE_SECONDS[min(deaths, len(_PATIENCE_SECONDS)) - 1] if failed else 0.0
                if failed:
                    status = self._process.returncode
                    _logger.warning("the trainer died, exit status %d; the next starts in %g seconds", status, pause)
                _close_input(self._process)
                self._process = None
            elif self._process is None and self._is_lock_free():
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "digits.training.trainer"], stdin=subprocess.PIPE, cwd=Path(PROJECT_DIR)
                )
                _logger.info("started a trainer, process %d", self._process.pid)

    def _is_lock_free(self) -> bool:
        lock = trainer_lock(self._settings)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
