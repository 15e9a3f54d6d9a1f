"""Compare two checkouts in turn: the first page, the other pages, a stroke, and an iteration of training.

    python -m benchmarks.pairs BEFORE AFTER [--rounds N]

BEFORE and AFTER are folders with a clone and its `.venv`. Every round starts each one's server once, in alternating
order, so that whatever else the machine does slows both. The result goes to benchmarks/results/pairs.json.
"""

import argparse
import itertools
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from benchmarks import _results

STROKES = (((60, 60), (200, 60), (110, 230)), ((80, 150), (200, 150)))  # a 7 and its bar
STROKES_PER_ROUND = 12
WARM_UP_SECONDS = 14.0  # until the trainer has compiled the networks
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SEEN = """(old) => {
  const images = [...document.querySelectorAll("img, [role=img]")]
  const image = images.find((one) => /28 by 28/.test(one.alt ?? one.ariaLabel))
  const shown = image?.src ?? image?.querySelector("canvas")?.toDataURL()
  return shown && shown !== old ? shown : (old === null && !shown ? "" : null)
}"""
PAGES = ("train", "gallery", "models")
REPEATS = 3
TRAIN = """
import dataclasses, importlib, time
def find(*names):
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            pass
knobs = find("digits.runs.presets", "digits.runs.hyperparameters", "digits.hyperparameters")
programs, loop = find("digits.training.programs", "digits.programs"), find("digits.training.loop", "digits.training")
mnist = find("digits.data.mnist", "digits.data.datasets", "digits.datasets")
from digits.settings import Settings
data = mnist.load_mnist(Settings.from_environment())
for network, iterations in (("softmax", 6000), ("corrected", 400)):
    chosen = dataclasses.replace(knobs.PRESETS[network].hyperparameters, iterations=iterations)
    program = programs.Program(network, 10, optimizer=chosen.optimizer, precision="mixed_bfloat16")
    for repeat in range(2):  # the first one compiles
        start = time.perf_counter()
        for _ in loop.train(chosen, data, program):
            pass
    print(network, (time.perf_counter() - start) / iterations)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    sides = {"before": options.before.resolve(), "after": options.after.resolve()}
    seconds: dict[str, dict[str, list[float]]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        for number in range(options.rounds):
            for side in list(sides)[:: 1 if number % 2 == 0 else -1]:
                for what, values in _measure(sides[side], browser).items():
                    seconds.setdefault(what, {}).setdefault(side, []).extend(values)
    both = {what: values for what, values in seconds.items() if all(values.get(side) for side in sides)}
    figures = {what: _summarise(values) for what, values in both.items()}
    for what, row in figures.items():
        print(f"{what:20} before {row['before']:9.3f} ms, after {row['after']:9.3f} ms, {row['ratio']:.3f}×")
    print("Written to", _results.save("pairs", figures))


def _summarise(values: dict[str, list[float]]) -> dict[str, float]:
    before, after = (statistics.median(values[side]) * 1e3 for side in ("before", "after"))
    return {"before": round(before, 4), "after": round(after, 4), "ratio": round(after / before, 3)}


def _measure(clone: Path, browser: Browser) -> dict[str, list[float]]:
    """Return the seconds that a clone takes for each thing."""
    with tempfile.TemporaryDirectory() as runs_dir:
        env = os.environ | {"DIGITS_RUNS_DIR": runs_dir}
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        start = time.perf_counter()
        with _server(clone, env) as url:
            page.goto(url)
            page.wait_for_selector("canvas.upper-canvas", timeout=60_000)
            found = {"command to page": [time.perf_counter() - start]}
            time.sleep(WARM_UP_SECONDS)
            found["pen-up to answer"] = _draw(page)
            found |= {f"page {name}": _open(page, f"{url}{name}") for name in PAGES}
            _train(page, url)
            found["page runs"] = _open(page, f"{url}runs")
        page.close()
        done = subprocess.run(
            [clone / ".venv/bin/python", "-c", TRAIN], cwd=clone, env=env, capture_output=True, text=True, check=True
        )
    for line in done.stdout.splitlines():
        network, value = line.split()
        found[f"iteration, {network}"] = [float(value)]
    return found


@contextmanager
def _server(clone: Path, env: dict[str, str]) -> Iterator[str]:
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    flags = ["--server.headless=true", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    command = [clone / ".venv/bin/streamlit", "run", "app.py", *flags]
    with subprocess.Popen(command, cwd=clone, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    socket.create_connection(("localhost", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.01)
            yield f"http://localhost:{port}/"
        finally:
            process.terminate()


def _open(page: Page, address: str) -> list[float]:
    """Open a page, and return the seconds until it is complete, each time."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        page.goto(address)
        page.locator("h1").first.wait_for()
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        seconds.append(time.perf_counter() - start)
    return seconds


def _train(page: Page, url: str) -> None:
    """Train a short run, so that Runs has a list on both sides: without a run, not every version shows one."""
    page.goto(f"{url}train?network=softmax&iterations=100")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**run=*")
    page.get_by_text(re.compile("Finished")).first.wait_for(timeout=120_000)


def _draw(page: Page) -> list[float]:
    """Draw strokes, and return the seconds from each pen-up to the new 28×28 on the page."""
    seconds = []
    for number, points in zip(range(STROKES_PER_ROUND), itertools.cycle(STROKES), strict=False):
        box = page.locator("canvas.upper-canvas").first.bounding_box()
        assert box is not None
        old = page.evaluate(SEEN, None)
        corners = [(box["x"] + x + 3 * number, box["y"] + y) for x, y in points]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=4)
        page.mouse.up()
        start = time.perf_counter()
        try:
            page.wait_for_function(SEEN, arg=old, polling=5, timeout=6000)
        except TimeoutError:
            continue
        seconds.append(time.perf_counter() - start)
        page.wait_for_timeout(150)
        if number % 2:
            page.get_by_role("button", name="Clear").first.click()
            page.wait_for_timeout(700)
    return seconds


if __name__ == "__main__":
    main()
