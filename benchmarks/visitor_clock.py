"""A visitor's waiting times in a real Chromium, in turn with a bare Streamlit page with a canvas.

    DIGITS_DATA_DIR=… python -m benchmarks.visitor_clock

Command to usable page; page to page; pen-up to answer (idle, while a run trains, on a phone); Start to the first point
on the chart and to the test accuracy; opening the gallery; and the memory of both processes.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks import _app, _results
from benchmarks.training_peers import wait_until_idle
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.settings import PROJECT_DIR
from tests.browser import actions

WATCH_FOR_ANSWER = """() => { window.answered = new Promise(resolve => {
  let lifted
  addEventListener("pointerup", () => { lifted = performance.now() }, {once: true, capture: true})
  addEventListener("digits:answer", () => { if (lifted) resolve(performance.now() - lifted) })
  new MutationObserver((_, observer) => {
    const heading = [...document.querySelectorAll("h2")].find(h => h.textContent.includes("reads"))
    if (heading && lifted) { observer.disconnect(); resolve(performance.now() - lifted) }
  }).observe(document.body, {subtree: true, childList: true, characterData: true}) }) }"""

WATCH_THE_RUN = """() => { window.shown = {}; let pressed
  addEventListener("pointerup", () => { pressed = performance.now() }, {once: true, capture: true})
  new MutationObserver(() => {
    const found = {
      point: () => document.querySelector('[aria-label^="The accuracy over"]'),
      tested: () => document.querySelector('[data-testid="stMetric"]'),
    }
    for (const [what, isThere] of Object.entries(found))
      if (pressed && !(what in shown) && isThere()) shown[what] = performance.now() - pressed
  }).observe(document.body, {subtree: true, childList: true, attributeFilter: ["aria-label"]}) }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=30, help="strokes timed on each page (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=5, help="cold starts of each (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, Any] = {"command_to_usable_page": time_starts(options.starts)}
    with _app.running_app() as server, _app.chromium() as browser, bare_page() as bare:
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        figures["web_mb_idle"] = _app.megabytes(server.pid)
        desktop, phone = browser.new_page(**_app.DESKTOP), browser.new_page(**actions.PHONE)
        bare_desktop = browser.new_page(**_app.DESKTOP)
        figures["page_to_page"] = time_pages(desktop, server.url, bare_desktop, bare, rounds=10)
        figures["gallery_to_100_samples"] = time_gallery(desktop, server.url, rounds=10)
        for page, url in ((desktop, server.url), (phone, server.url), (bare_desktop, bare)):
            page.goto(url)
            actions.sheet(page).wait_for()
        strokes = {"digits": desktop, "digits, phone": phone, "bare page": bare_desktop}
        figures["pen_up_to_answer_idle"] = time_strokes(strokes, options.strokes)
        figures |= time_training(browser, server.url, registry)
        long = Hyperparameters.from_dict(PRESETS["convolutional"].hyperparameters.to_dict() | {"iterations": 20_000})
        run_id = commands.submit(registry, long, "benchmark")
        while not registry.get(run_id).step:
            time.sleep(0.1)
        figures["pen_up_to_answer_while_training"] = time_strokes(strokes, options.strokes)
        figures["web_mb"] = _app.megabytes(server.pid)
        figures["trainer_mb"] = _app.megabytes(registry.trainer_status().pid)
    figures["install_mb"] = round(
        sum(path.lstat().st_size for path in Path(sys.prefix).rglob("*") if not path.is_dir()) / 1e6
    )
    for name, value in figures.items():
        print(f"{name:34} {value}")
    print("Written to", _results.save("visitor_clock", figures))


@contextlib.contextmanager
def bare_page(**environment: str) -> Iterator[str]:
    """Serve the bare page, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "benchmarks/bare_page.py", "--server.headless=true"]
    process = subprocess.Popen(
        [*command, f"--server.port={port}"],
        cwd=PROJECT_DIR,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(1200):
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).close()
                break
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


def time_starts(count: int) -> dict[str, Any]:
    """Time from the command to a usable canvas, each time in a new browser, alternating with the bare page."""

    def seconds(serve: Callable[[], Any]) -> float:
        with _app.chromium() as browser:
            start = time.perf_counter()
            with serve() as served:
                page = browser.new_page(**_app.DESKTOP)
                page.goto(served if isinstance(served, str) else served.url)
                _app.wait_until(actions.sheet(page).is_visible)
                return time.perf_counter() - start

    pairs = [(seconds(_app.running_app) * 1000, seconds(bare_page) * 1000) for _ in range(count)]
    return compare(*zip(*pairs, strict=True))


def compare(ours: Any, bare: Any) -> dict[str, Any]:
    """Return the quantiles of both in milliseconds, and the ratio of the medians."""
    mine, theirs = _app.quantiles(ours), _app.quantiles(bare)
    return {"digits_ms": mine, "bare_page_ms": theirs, "ratio_p50": round(mine["p50"] / theirs["p50"], 2)}


def time_pages(page: Page, url: str, bare: Page, bare_url: str, *, rounds: int) -> dict[str, Any]:
    """Time from another page of the app to a usable canvas, and reloading the bare page."""
    ours, theirs = [], []
    for _ in range(rounds):
        page.goto(f"{url}/gallery?show=all")
        actions.tiles(page).nth(99).wait_for()
        start = time.perf_counter()
        page.get_by_role("link", name="Draw", exact=True).click()
        _app.wait_until(actions.sheet(page).is_visible)
        ours.append((time.perf_counter() - start) * 1000)
        start = time.perf_counter()
        bare.goto(bare_url)
        _app.wait_until(actions.sheet(bare).is_visible)
        theirs.append((time.perf_counter() - start) * 1000)
    return compare(ours, theirs)


def time_gallery(page: Page, url: str, *, rounds: int) -> dict[str, float]:
    """Time from the Gallery link, and then *All*, to all hundred samples."""
    times = []
    for _ in range(rounds):
        page.goto(url)
        actions.sheet(page).wait_for()
        start = time.perf_counter()
        page.get_by_role("link", name="Gallery", exact=True).click()
        page.get_by_role("radio", name="All", exact=True).click()  # it opens on the errors
        _app.wait_until(actions.tiles(page).nth(99).is_visible)
        times.append((time.perf_counter() - start) * 1000)
    return _app.quantiles(times)


def time_strokes(pages: dict[str, Page], count: int) -> dict[str, Any]:
    """Draw on each page in turn; the page itself times from the pen's release to the changed answer."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(count + 2):
        for name, page in pages.items():
            page.bring_to_front()
            page.goto(page.url.split("?")[0])  # a blank sheet
            actions.sheet(page).wait_for()
            actions.settle(page)
            page.wait_for_timeout(400)
            box = actions.sheet(page).bounding_box()
            points = [(60, 60), (200, 60), (110, 230)] if number % 2 else [(140, 40), (140, 240)]
            page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
            page.mouse.down()
            for x, y in points[1:]:
                page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
            page.evaluate(WATCH_FOR_ANSWER)
            page.mouse.up()
            times[name].append(page.evaluate("window.answered"))
    return {name: _app.quantiles(found[2:]) for name, found in times.items()}  # the first two are a warm-up


def time_training(browser: Browser, url: str, registry: Registry) -> dict[str, Any]:
    """Time from Start to the first point on the chart, and to the test accuracy."""
    first, tested = [], {"softmax": [], "corrected": []}
    for network, rounds in (("softmax", 5), ("corrected", 2)):
        for _ in range(rounds):
            page = browser.new_page(**_app.DESKTOP)
            actions.open_page(page, f"{url}/train?network={network}")
            button = page.get_by_role("button", name="Start", exact=True)
            wait_until_idle(registry)  # the previous run's accuracy is shown before all its files are written
            page.evaluate(WATCH_THE_RUN)
            button.click()
            page.wait_for_function("shown.tested", polling=500, timeout=120_000)
            first.append(page.evaluate("shown.point"))
            tested[network].append(page.evaluate("shown.tested"))
            page.close()
    return {
        "start_to_first_point": _app.quantiles(first),
        "start_to_test_accuracy": {network: _app.quantiles(times) for network, times in tested.items()},
    }


if __name__ == "__main__":
    main()
