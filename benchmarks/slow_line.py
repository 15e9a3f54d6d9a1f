"""A first visit on a slow line: the bytes and the time until the sheet can be drawn on.

    DIGITS_DATA_DIR=… python -m benchmarks.slow_line --visits 5

Chromium with an empty cache, 1.6 Mbit/s, 150 ms to the server and back, and its processor throttled four times.
"""

import argparse
import time
from typing import Any

from playwright.sync_api import Browser

from benchmarks import _app, _results
from tests.browser import actions

LINE = {"offline": False, "downloadThroughput": 200_000, "uploadThroughput": 93_750, "latency": 150}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=5, help="(default: %(default)s)")
    options = parser.parse_args()
    with _app.running_app() as server, _app.chromium() as browser:
        visit(browser, server.url)  # after it, the server has compressed its files by gzip
        time.sleep(20)  # and by Brotli
        visits = [visit(browser, server.url) for _ in range(options.visits)]
    figures: dict[str, Any] = {
        "ms_to_sheet": _app.quantiles([1000 * one["seconds"] for one in visits]),
        "bytes": visits[-1]["bytes"],
        "largest": visits[-1]["largest"],
    }
    print(figures)
    print("Written to", _results.save("slow_line", figures))


def visit(browser: Browser, url: str) -> dict[str, Any]:
    """Open the first page in a new browser context; return the time and the bytes until there is a sheet."""
    context = browser.new_context(**_app.DESKTOP)
    page = context.new_page()
    session = context.new_cdp_session(page)
    files: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on("Network.responseReceived", lambda event: files.update({event["requestId"]: event["response"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.update({files.get(event["requestId"], "?"): int(event["encodedDataLength"])}),
    )
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    _app.wait_until(actions.sheet(page).is_visible)
    seconds = time.perf_counter() - start
    found = {name.removeprefix(url): size for name, size in sorted(sizes.items(), key=lambda item: -item[1])}
    context.close()
    return {"seconds": seconds, "bytes": sum(found.values()), "largest": dict(list(found.items())[:8])}


if __name__ == "__main__":
    main()
