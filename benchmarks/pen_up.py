"""The pen's two waits in a real Chromium: from a move to the painted answer, from the release to the server's answer.

    DIGITS_DATA_DIR=… python -m benchmarks.pen_up --strokes 25

Each also with the browser's processor throttled four times, as on a slow phone, and while a run trains.
"""

import argparse
import itertools
from typing import Any

from playwright.sync_api import Page

from benchmarks import _app, _results
from benchmarks.training_peers import wait_until_idle
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from tests.browser import actions

# Times every move until the frame that shows its answer has been painted, and every release until the server's answer.
WATCH = """() => {
  window.clock = { moves: [], releases: [] }
  let moved = null, lifted = null
  addEventListener("pointermove", event => { moved ??= event.timeStamp }, true)
  addEventListener("pointerup", event => { lifted = event.timeStamp; moved = null }, true)
  addEventListener("digits:reading", ({ detail: { ink } }) => {
    if (moved === null || !ink.isDown) return
    const since = moved
    moved = null
    const channel = new MessageChannel() // its message comes after the frame
    channel.port1.onmessage = () => clock.moves.push(performance.now() - since)
    channel.port2.postMessage(0)
  })
  addEventListener("digits:answer", ({ detail: { isOwn } }) => {
    if (lifted === null || isOwn) return
    clock.releases.push(performance.now() - lifted)
    lifted = null
  })
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=25, help="strokes timed in each way (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with _app.running_app() as server, _app.chromium() as browser:
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        page = browser.new_page(**_app.DESKTOP)
        actions.open_page(page, server.url)
        wait_for_reader(page)
        session = page.context.new_cdp_session(page)
        for is_training in (False, True):
            if is_training:
                long = PRESETS["convolutional"].hyperparameters.to_dict() | {"iterations": 20_000}
                commands.submit(registry, Hyperparameters.from_dict(long), "benchmark")
            for rate in (1, 4):
                session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
                name = f"{'while a run trains' if is_training else 'idle'}, processor / {rate}"
                figures[name] = time_strokes(page, options.strokes)
                print(name, figures[name], flush=True)
    print("Written to", _results.save("pen_up", figures))


def wait_for_reader(page: Page) -> None:
    """Wait until the browser reads by itself."""
    page.evaluate("() => { addEventListener('digits:reading', () => { window.isReading = true }) }")
    actions.draw(page, actions.SEVEN)
    page.wait_for_function("window.isReading", timeout=120_000)
    page.evaluate(WATCH)


def time_strokes(page: Page, count: int) -> dict[str, Any]:
    """Draw a 7 on an empty sheet again and again; return the milliseconds of moves and of releases."""
    page.evaluate("clock.moves.length = clock.releases.length = 0")
    for number in range(count + 2):
        page.keyboard.press("Control+z")  # the sheet has the focus since the first stroke
        page.wait_for_timeout(300)
        path = actions.on_screen(page, [(x + number % 3, y) for x, y in actions.SEVEN])
        page.mouse.move(*path[0])
        page.mouse.down()
        for (x0, y0), (x1, y1) in itertools.pairwise(path):
            for step in range(1, 7):
                page.mouse.move(x0 + (x1 - x0) * step / 6, y0 + (y1 - y0) * step / 6)
                page.wait_for_timeout(16)  # as often as a screen shows a frame
        page.mouse.up()
        page.wait_for_function(f"clock.releases.length > {number}", timeout=60_000)
    moves, releases = page.evaluate("[clock.moves, clock.releases]")
    return {"move_to_answer_ms": _app.quantiles(moves), "release_to_server_ms": _app.quantiles(releases[2:])}


if __name__ == "__main__":
    main()
