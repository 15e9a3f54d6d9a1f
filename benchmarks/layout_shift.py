"""Layout shift: how far what is on the screen moves while a page loads, on every page at four sizes.

    python -m benchmarks.layout_shift [--pages train gallery] [--sizes 390x844] [--slow 4] [--moved]

The score is Cumulative Layout Shift (https://web.dev/articles/cls): shifts less than a second apart are one window of
at most five seconds, and the page's score is that of its worst window. Up to 0.1 is good; the aim here is 0.05.
"""

import argparse
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks import _app, _results
from tests.browser import actions

GOAL = 0.05
SECONDS = 6  # after the heading; by then every page stands still
PATHS = {
    "draw": "/",
    "train": "/train",
    "sweep": "/sweep",
    "runs": "/runs",
    "models": "/models",
    "classes": "/models?tab=Classes",
    "calibration": "/models?tab=Calibration",
    "package": "/models?tab=Export+and+import",
    "gallery": "/gallery",
    "all": "/gallery?model=softmax&show=all",
    "comparison": "/runs?chosen=convolutional.softmax&compare=True",
}
SIZES: dict[str, dict[str, Any]] = {
    "1280x800": _app.DESKTOP,
    "768x1024": {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    "390x844": actions.PHONE,
    "360x780": {**actions.PHONE, "viewport": {"width": 360, "height": 780}},
}
WATCH = """
  window.shifts = []
  const name = node => {
    const part = node?.nodeType === 1 ? node : node?.parentElement
    if (!part) return "something removed"
    const owner = part.closest("[class*=st-key-]") ?? part.getRootNode().host?.closest("[class*=st-key-]")
    const key = [...(owner?.classList ?? [])].find(one => one.startsWith("st-key-"))
    const text = (part.textContent ?? "").trim().slice(0, 24)
    return [part.dataset.testid ?? part.localName, key, text && `"${text}"`].filter(Boolean).join(" ")
  }
  const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ")
  new PerformanceObserver(list => {
    for (const { hadRecentInput, startTime, value, sources } of list.getEntries()) {
      if (hadRecentInput) continue // the visitor expects a press to move something
      const moved = sources.map(one => `${name(one.node)}: ${box(one.previousRect)} -> ${box(one.currentRect)}`)
      window.shifts.push({ seconds: startTime / 1000, value, moved })
    }
  }).observe({ type: "layout-shift", buffered: true })
"""


@dataclass(frozen=True)
class Shift:
    """One layout shift: when, how large, and what moved from where to where (x, y, width and height in pixels)."""

    seconds: float
    value: float
    moved: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--slow", type=float, default=1, help="slow the browser's processor down as many times")
    parser.add_argument("--moved", action="store_true", help="print what moves, even where it moves little")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with _app.chromium() as browser, _app.running_app() as server:
        for size in options.sizes:
            figures[size] = {}
            for path in options.pages:
                shifts = load(browser, server.url + PATHS[path], SIZES[size], slow=options.slow)
                figures[size][path] = total = round(score(shifts), 3)
                print(f"{size:>9} {path:<11} {total:.3f}{'' if total < GOAL else '  too much'}", flush=True)
                if options.moved or total >= GOAL:
                    _tell(shifts)
    print("Written to", _results.save("layout_shift", figures))


def load(browser: Browser, url: str, how: dict[str, Any], *, slow: float = 1) -> list[Shift]:
    """Open a page in a new context and return its layout shifts."""
    context = browser.new_context(**how)
    page = context.new_page()
    watch(page)
    if slow > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slow})
    page.goto(url)
    page.get_by_role("heading", level=1).first.wait_for()
    page.wait_for_timeout(1_000 * SECONDS * slow)
    shifts = found(page)
    context.close()
    return shifts


def watch(page: Page) -> None:
    """Watch the layout shifts of every document that this page will open."""
    page.add_init_script(WATCH)


def found(page: Page) -> list[Shift]:
    """Return the layout shifts so far, without those that follow a press."""
    return [Shift(**shift) for shift in page.evaluate("window.shifts")]


def score(shifts: list[Shift]) -> float:
    """Return the Cumulative Layout Shift: the sum of the window with the largest sum."""
    worst = total = 0.0
    start = last = float("-inf")
    for shift in shifts:
        if shift.seconds - last >= 1 or shift.seconds - start >= 5:
            start, total = shift.seconds, 0.0
        last, total = shift.seconds, total + shift.value
        worst = max(worst, total)
    return worst


def _tell(shifts: list[Shift]) -> None:
    for shift in shifts:
        print(f"            {shift.value:.3f} after {shift.seconds:.2f} s")
        for moved in shift.moved:
            print(f"              {moved}")


if __name__ == "__main__":
    main()
