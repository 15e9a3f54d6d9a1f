"""The app as a visitor meets it: a server on a free port, Chromium as its client, and the time and memory of both."""

import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.serving import Server, serve

DESKTOP = {"viewport": {"width": 1280, "height": 800}}


@contextlib.contextmanager
def running_app() -> Iterator[Server]:
    """Run the server and its trainer with their own registry, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="digits-benchmark-") as folder, serve(Path(folder)) as server:
        yield server


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run this machine's Chromium, without a window."""
    path = os.environ.get("DIGITS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("No Chromium found: install it, or set DIGITS_CHROMIUM to its path.")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def wait_until(is_so: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Wait until a page shows something, checking every 10 ms.

    Playwright's own waits soon check only twice a second.
    """
    deadline = time.perf_counter() + seconds
    while not is_so():
        if time.perf_counter() > deadline:
            raise SystemExit(f"The page did not show the expected element within {seconds:g} s. Look at the page.")
        time.sleep(0.01)


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the 50th and the 95th percentile, and the number of measurements."""
    ordered = sorted(milliseconds)
    rank = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"p50": round(statistics.median(ordered), 1), "p95": round(ordered[rank], 1), "count": len(ordered)}


def megabytes(pid: int) -> int:
    """Return a process's resident memory in MB (2^20 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return round(int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has taken; unlike its waits, it hardly depends on the machine's load."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
