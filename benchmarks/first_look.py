"""The first look at each page: where the first thing to press and to see stands, and what it takes to train and draw.

    python -m benchmarks.first_look [--root BEFORE] [--name first_look]

Chromium opens every page at 1280×800 and 390×844 and measures the position of what a visitor presses first and sees
first, and how far the layout shifts while the page loads (`benchmarks.layout_shift` says what moves). Then a visitor
trains a network, draws with the result and shares it; every press and every scroll to something off the screen counts.
"""

import argparse
import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from benchmarks import _app, _results, layout_shift
from digits.settings import PROJECT_DIR
from tests.browser import actions, serving

SIZES: dict[str, dict[str, Any]] = {"1280x800": _app.DESKTOP, "390x844": actions.PHONE}
SEVEN = ((0.25, 0.25), (0.72, 0.25), (0.45, 0.85))  # as shares of the sheet
LINES = re.compile("Finished|Stopped")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=PROJECT_DIR, help="the checkout to look at (default: this one)")
    parser.add_argument("--name", default="first_look", help="of the file of results (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with _app.chromium() as browser, _server(options.root) as server:
        for size, how in SIZES.items():
            figures[size] = {"pages": look(browser, server.url, how), "journey": travel(browser, server.url, how)}
            print(size, figures[size], flush=True)
    print("Written to", _results.save(options.name, figures))


@contextlib.contextmanager
def _server(root: Path) -> Iterator[serving.Server]:
    """Run the server of a checkout, which may be an earlier one."""
    serving.PROJECT_DIR = root.resolve()
    with tempfile.TemporaryDirectory(prefix="digits-benchmark-") as folder, serving.serve(Path(folder)) as server:
        yield server


def look(browser: Browser, url: str, how: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return for every page the y of the first thing to press and to see, its height and its layout shift."""
    found = {}
    for path, press, see in (
        ("draw", "canvas.upper-canvas", "canvas.upper-canvas"),
        ("train", "css=button:visible:has-text('Start')", "css=button:visible:has-text('Start')"),
        (
            "runs",
            "css=[data-testid=stMain] a",
            "css=[data-testid=stMain] [data-testid=stAlert], [data-testid=stDataFrame]",
        ),
        ("models", "css=[data-testid=stSelectbox]", "css=table.matrix"),
        ("gallery", "css=.tile", "css=.tile"),
    ):
        page = browser.new_page(**how)
        layout_shift.watch(page)
        page.goto(f"{url}/{'' if path == 'draw' else path}")
        page.get_by_role("heading", level=1).first.wait_for()
        page.wait_for_timeout(6_000)
        found[path] = {
            "press_y": _top(page.locator(press).first),
            "see_y": _top(page.locator(see).first),
            "page_height": page.get_by_test_id("stMain").evaluate("part => part.scrollHeight"),
            "layout_shift": round(layout_shift.score(layout_shift.found(page)), 3),
        }
        page.close()
    return found


def _top(part: Locator) -> int | None:
    box = part.bounding_box() if part.count() else None
    return round(box["y"]) if box else None


def travel(browser: Browser, url: str, how: dict[str, Any]) -> dict[str, int]:
    """Train, draw with the result and share it; return the presses and the scrolls that this took."""
    page, taken = browser.new_page(**how), {"presses": 0, "scrolls": 0}
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{url}/train?iterations=500")
    page.wait_for_timeout(4_000)
    _press(page, page.get_by_role("button", name="Start", exact=True), taken)
    page.get_by_text(LINES).filter(visible=True).first.wait_for(timeout=300_000)
    page.wait_for_timeout(3_000)
    _press(
        page, page.get_by_role("button", name="Draw with it").or_(page.get_by_role("link", name="Draw with it")), taken
    )
    sheet = page.locator("canvas.upper-canvas").first
    sheet.wait_for()
    page.wait_for_timeout(2_000)
    _reach(page, sheet, taken)
    _draw(page, sheet)
    taken["presses"] += 1
    page.wait_for_timeout(2_000)
    _press(page, page.get_by_role("button", name=re.compile("^Share")), taken)
    page.close()
    return taken


def _press(page: Page, button: Locator, taken: dict[str, int]) -> None:
    button = button.first
    _reach(page, button, taken)
    button.click()
    taken["presses"] += 1


def _reach(page: Page, part: Locator, taken: dict[str, int]) -> None:
    """Bring something on the screen; count a scroll if it was off it."""
    part.wait_for()
    box, height = part.bounding_box(), (page.viewport_size or {})["height"]
    if box is None or box["y"] < 0 or box["y"] + min(box["height"], height / 2) > height:
        taken["scrolls"] += 1
        part.scroll_into_view_if_needed()
        time.sleep(0.5)


def _draw(page: Page, sheet: Locator) -> None:
    box = sheet.bounding_box()
    if box is None:
        raise SystemExit("The sheet is not shown. Look at the Draw page.")
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    os.environ.setdefault("DIGITS_DOWNLOAD", "0")
    main()
