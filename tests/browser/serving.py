"""A real server for the browser tests: started as in the README, ended with its trainer, with its log kept."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digits.runs.registry import open_registry
from digits.settings import PROJECT_DIR, Settings

START_SECONDS = 120
END_SECONDS = 30
FAULTS = ("Traceback", "Uncaught app exception")


@dataclass
class Server:
    """A running server: its address, its process, and the file with its output."""

    url: str
    pid: int
    log: Path
    settings: Settings
    seen: int = 0

    def new_faults(self) -> str:
        """Return the log since the last call if it contains a Python exception; else nothing."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        new, self.seen = text[self.seen :], len(text)
        return new if any(fault in new for fault in FAULTS) else ""


@contextlib.contextmanager
def serve(folder: Path, *, with_trainer: bool = True, with_data: bool = True, base: str = "") -> Iterator[Server]:
    """Run `streamlit run app.py` on a free port; at the end, the server and its trainer have stopped.

    Args:
        folder: for the runs and the log.
        with_trainer: if False, no trainer is started, so that the machine does not load TensorFlow.
        with_data: if False, only the data that comes with Digits is used, of which a trainer is ready sooner.
        base: the path below which the server has its pages, such as "/digits".
    """
    environment = {**os.environ, "DIGITS_RUNS_DIR": str(folder / "runs"), "DIGITS_DOWNLOAD": "0"}
    if not with_trainer:
        environment["DIGITS_TRAINERS"] = "0"
    if not with_data:
        environment.pop("DIGITS_DATA_DIR", None)
    settings, log = Settings.from_environment(environment), folder / "server.log"
    address = f"http://localhost:{(port := _free_port())}{base}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.baseUrlPath", base]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=PROJECT_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_health(address, process, log)
            yield Server(address, process.pid, log, settings)
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired as error:
                process.kill()
                process.wait()
                raise AssertionError(f"The server did not end in {END_SECONDS} s after SIGTERM.") from error
            if with_trainer:
                _wait_for_end_of_trainer(settings)


def _wait_for_end_of_trainer(settings: Settings) -> None:
    registry, deadline = open_registry(settings.registry_url), time.monotonic() + END_SECONDS
    while (status := registry.trainer_status()) is not None:
        assert time.monotonic() < deadline, f"The trainer, process {status.pid}, has outlived its server."
        time.sleep(0.1)
    registry.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _wait_for_health(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(f"{address}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            time.sleep(0.1)
    raise AssertionError(f"The server did not answer in {START_SECONDS} s:\n{log.read_text(errors='replace')}")
