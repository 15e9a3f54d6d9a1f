"""The time from pressing a button of the transport bar until the page shows the effect, in a real Chromium.

    DIGITS_DATA_DIR=… python -m benchmarks.transport_clock

It also measures the cost of a page that shows a run of 2,000 and of 20,000 iterations: its memory and its messages.
"""

import argparse
import re
import time
from typing import Any

from playwright.sync_api import Browser, Page, expect

from benchmarks import _app, _results
from benchmarks.training_peers import wait_until_idle
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from tests.browser import actions

WATCH_SECONDS = 10
TITLE = PRESETS["corrected"].title


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=10, help="presses of each button (default: %(default)s)")
    options = parser.parse_args()
    with _app.running_app() as server, _app.chromium() as browser:
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        times = press_all(browser, server.url, options.presses)
        figures: dict[str, Any] = {"press_to_effect_ms": {name: _app.quantiles(found) for name, found in times.items()}}
        figures["watching"] = [watch(browser, server.url, registry, iterations) for iterations in (2_000, 20_000)]
    for name, value in figures["press_to_effect_ms"].items():
        print(f"{name:16} {value}")
    print(*figures["watching"], sep="\n")
    print("Written to", _results.save("transport_clock", figures))


def press_all(browser: Browser, url: str, presses: int) -> dict[str, list[float]]:
    """Train the corrected network, and press each button in turn, again and again."""
    times: dict[str, list[float]] = {}
    page = browser.new_page(**_app.DESKTOP)
    actions.open_page(page, f"{url}/train?network=corrected&iterations=20000&schedule=constant")

    def press(name: str, effect) -> None:
        if name.startswith(("Step", "Save")) and not actions.button(page, name).is_visible():
            page.locator(".st-key-train-others").get_by_role("button").click()  # where the rarer buttons are
        expect(actions.button(page, name)).to_be_enabled()
        actions.button(page, name).click(trial=True)
        start = time.perf_counter()
        actions.button(page, name).click()
        _app.wait_until(effect.is_visible)
        times.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        page.wait_for_timeout(400)

    press("Start", page.get_by_role("img", name=re.compile("^The accuracy over")))
    for number in range(presses):
        press("Pause", page.get_by_text(f"Paused: {TITLE}"))
        before = page.get_by_text(re.compile(r"^[\d,]+ of 20,000 iterations")).inner_text()
        press("Step 10", page.get_by_text(re.compile(r"^[\d,]+ of 20,000 iterations$")).filter(has_not_text=before))
        page.keyboard.press("Escape")
        press("Resume", page.get_by_text(f"Training: {TITLE}"))
        turn(page, times, number)
    press("Save checkpoint", page.get_by_text(re.compile("Converting|Reading the test|Saving")))
    page.wait_for_timeout(6000)
    press("Stop", page.get_by_text(re.compile("Stopping|Converting|Reading the test|Saving")))
    expect(page.get_by_text(f"Stopped: {TITLE}")).to_be_visible(timeout=60_000)
    page.close()
    return times


def turn(page: Page, times: dict[str, list[float]], number: int) -> None:
    """Move the live learning rate by one step, and wait until the page shows at which iteration it took effect."""
    changes = page.get_by_text(re.compile(r"^Changed while training"))
    knob = page.get_by_role("slider", name="Learning rate", exact=True)
    start = time.perf_counter()
    knob.press("ArrowLeft" if number % 2 else "ArrowRight")
    _app.wait_until(lambda: changes.is_visible() and changes.inner_text().count("→") == number + 1)
    times.setdefault("turn a knob", []).append((time.perf_counter() - start) * 1000)
    page.wait_for_timeout(400)


def watch(browser: Browser, url: str, registry: Registry, iterations: int) -> dict[str, Any]:
    """Show a run of `iterations` near its end, with the history that training would record: memory and messages."""
    chosen = Hyperparameters(network="corrected", iterations=iterations)
    rows = []
    for step in range(10, iterations, 10):
        is_validated = step % chosen.validation_interval == 0
        rows.append(
            {
                "step": step,
                "seconds": step / 200,
                "loss": 1 / step,
                "accuracy": 1 - 1 / step,
                "val_loss": 1 / step if is_validated else None,
                "val_accuracy": 1 - 1 / step if is_validated else None,
            }
        )
    # Entered as if a trainer had come so far and the run were paused, so that no trainer changes it meanwhile.
    so_far = {"state": RunState.PAUSED, "step": iterations - 10, "ended": None}
    run_id = registry.add_imported(chosen, "benchmark", history=rows, **so_far)
    page = browser.new_page(**_app.DESKTOP)
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    actions.open_page(page, f"{url}/train?run={run_id}")
    page.wait_for_timeout(3000)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    received.clear()
    page.wait_for_timeout(WATCH_SECONDS * 1000)
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    queries = []
    for _ in range(20):
        start = time.perf_counter()
        count = len(registry.metrics(run_id))
        queries.append((time.perf_counter() - start) * 1000)
    page.close()
    return {
        "iterations": iterations,
        "points_sent": count,
        "query_ms": round(sorted(queries)[10], 1),
        "heap_mb": round(heap / 2**20, 1),
        "kilobytes_a_second": round(sum(received) / WATCH_SECONDS / 1000, 1),
        "largest_message_bytes": max(received, default=0),
    }


if __name__ == "__main__":
    main()
