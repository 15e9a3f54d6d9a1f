"""The visitor's clock in a real Chromium: command to usable page, Start to first point, pen-up to answer; and memory.

python -m benchmarks.visitor_clock
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks import _results
from digits.settings import PROJECT_DIR

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=20, help="strokes timed (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    port = _free_port()
    url = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as runs_dir, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_ARGUMENTS)
        start = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=PROJECT_DIR,
            env=os.environ | {"DIGITS_RUNS_DIR": runs_dir},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_until_up(url)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(url)
            page.wait_for_selector("canvas.upper-canvas")
            figures["command_to_usable_page_seconds"] = round(time.perf_counter() - start, 2)
            figures["pen_up_to_answer_ms"] = _stroke_times(page, options.strokes)
            page.goto(f"{url}/train")
            page.get_by_text("waiting for a run").or_(page.get_by_role("button", name="Start")).first.wait_for()
            time.sleep(20)  # the trainer warms up beside the visitor; here its warm state is measured
            figures["web_mb_before_training"] = _megabytes(server.pid)
            start = time.perf_counter()
            page.get_by_role("button", name="Start").click()
            page.wait_for_selector("text=/iterations, /")
            figures["start_to_progress_seconds"] = round(time.perf_counter() - start, 2)
            page.get_by_text("Test accuracy").wait_for()
            figures["start_to_test_accuracy_softmax_seconds"] = round(time.perf_counter() - start, 2)
            figures["web_mb"] = _megabytes(server.pid)
            figures["trainer_mb"] = max(map(_megabytes, _children(server.pid)), default=0)
            page.goto(f"{url}/train?network=convolutional")
            page.get_by_role("button", name="Start").click()
            page.wait_for_selector("text=/iterations, /")
            page.goto(url)
            page.wait_for_selector("canvas.upper-canvas")
            figures["pen_up_to_answer_ms_while_training"] = _stroke_times(page, options.strokes)
            figures["trainer_mb_convolutional"] = max(map(_megabytes, _children(server.pid)), default=0)
        finally:
            server.terminate()
            server.wait()
            browser.close()
    figures["install_mb"] = _install_megabytes()
    for name, value in figures.items():
        print(f"{name:45} {value}")
    print("Written to", _results.save("visitor_clock", figures))


def _stroke_times(page: Page, count: int) -> dict[str, float]:
    """Draw strokes and time, in the page itself, from the pen's lifting to the answer's change."""
    times = []
    for index in range(count):
        box = page.locator("canvas.upper-canvas").bounding_box()
        x, y = box["x"], box["y"]
        is_seven = index % 2 == 0
        points = [(60, 60), (200, 60), (110, 230)] if is_seven else [(140, 40), (140, 240)]
        page.mouse.move(x + points[0][0], y + points[0][1])
        page.mouse.down()
        for dx, dy in points[1:]:
            page.mouse.move(x + dx, y + dy, steps=8)
        page.evaluate(
            """() => { window.answered = new Promise(resolve => {
                 const lift = () => { window.lifted = performance.now() };
                 addEventListener("pointerup", lift, {once: true, capture: true});
                 new MutationObserver((_, observer) => {
                   const heading = [...document.querySelectorAll('h2')].find(h => h.textContent.includes('reads'));
                   if (heading && window.lifted) { observer.disconnect(); resolve(performance.now() - window.lifted) }
                 }).observe(document.body, {subtree: true, childList: true, characterData: true}) }) }"""
        )
        page.mouse.up()
        times.append(page.evaluate("window.answered"))
        page.evaluate("window.lifted = undefined")
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("Draw a digit on the sheet").wait_for()
        page.wait_for_timeout(300)
    times = sorted(times[2:])
    return {"p50": round(statistics.median(times), 1), "p95": round(times[int(0.95 * (len(times) - 1))], 1)}


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    every = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    named = [int(word) for word in listed.read_text().split()] if listed.exists() else []
    return named or [child for child in every if _parent(child) == pid]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def _megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024)


def _install_megabytes() -> int:
    folder = Path(sys.prefix)
    return round(sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6)


def _chromium() -> str:
    return os.environ.get("DIGITS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or "chromium"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit("The server did not come up.")


if __name__ == "__main__":
    main()
