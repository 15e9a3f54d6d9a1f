"""The cost of watching a run: the same run alone and shown in Chromium, and the processor time of each process.

    DIGITS_DATA_DIR=… python -m benchmarks.watching corrected --rounds 3

Shares are per cent of one processor; a machine with two has 200.
"""

import argparse
import collections
import os
import statistics
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks import _app, _results
from benchmarks.training_peers import WATCHED_ITERATIONS, milliseconds, submit, wait_until_idle
from digits.runs.registry import Registry
from tests.browser.serving import Server

SETTLED_SECONDS = 1.5  # after its curves appear, a page has finished loading by then
PROCESSES = {  # a part of each one's command line; the first match counts
    "trainer": "digits.training.trainer",
    "server": "streamlit",
    "page": "--type=renderer",
    "rest of the browser": "chromium",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(WATCHED_ITERATIONS), help="(default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="runs alone and watched, in turn (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with _app.running_app() as server, _app.chromium() as browser:
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        for network in options.networks:
            found: dict[str, list[dict[str, float]]] = {"alone": [], "watched": []}
            for _ in range(options.rounds):
                found["alone"].append(measure(network, registry, server, None))
                page = browser.new_page(**_app.DESKTOP)
                found["watched"].append(measure(network, registry, server, page))
                page.close()
            figures[network] = {how: medians(rows) for how, rows in found.items()}
            ratio = figures[network]["watched"]["ms"] / figures[network]["alone"]["ms"]
            figures[network]["watched_to_alone"] = round(ratio, 3)
            print(network, figures[network], flush=True)
    print("Written to", _results.save("watching", figures))


def measure(network: str, registry: Registry, server: Server, page: Page | None) -> dict[str, float]:
    """Train a run, shown on a page or not; return its milliseconds per iteration and the processes' shares."""
    run_id = submit(network, registry)
    if page is not None:
        page.goto(f"{server.url}/train?run={run_id}")
        page.locator('[aria-label^="The accuracy over"]').first.wait_for()
    while not registry.get(run_id).step:
        time.sleep(0.05)
    time.sleep(SETTLED_SECONDS)
    first, before, start = registry.get(run_id).step, seconds_used(), time.perf_counter()
    while (run := registry.get(run_id)).step < run.hyperparameters.iterations:
        time.sleep(0.1)
    spent, after = time.perf_counter() - start, seconds_used()
    while not registry.get(run_id).is_ended:
        time.sleep(0.1)
    return {"ms": milliseconds(registry, run_id, first)} | {
        name: 100 * (after[name] - before[name]) / spent for name in PROCESSES
    }


def seconds_used() -> collections.Counter[str]:
    """Return the processor seconds used so far by each kind of process."""
    used: collections.Counter[str] = collections.Counter()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text(encoding="utf-8", errors="replace")
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # the process has ended
            continue
        if name := next((name for name, mark in PROCESSES.items() if mark in command), None):
            used[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each column."""
    return {name: round(statistics.median(row[name] for row in rows), 3 if name == "ms" else 0) for name in rows[0]}


if __name__ == "__main__":
    main()
