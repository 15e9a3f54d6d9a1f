"""What a visitor does on the pages, and where the results appear."""

import io
import itertools
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from digits.ink import examples

Point = tuple[float, float]

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
}

# On a square of 280 by 280 pixels in the middle of the sheet, which is 560 wide and 400 high.
SEVEN: list[Point] = [(70, 70), (130, 68), (200, 68), (170, 130), (140, 190), (120, 230)]
SEVENS_BAR: list[Point] = [(105, 150), (150, 148), (195, 146)]


_EVERY_MS = 50  # `expect` would look after 0.1, 0.25 and 0.5 s, and then once a second
_SETTLED = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
_COMPLETE = f"document.querySelector('h1')?.checkVisibility() && {_SETTLED}"


def open_page(page: Page, address: str) -> None:
    """Open an address and wait until the page is complete."""
    page.goto(address)
    page.wait_for_function(_COMPLETE, polling=_EVERY_MS)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()


class Line:
    """A page's connection to the server, which can be broken and mended; made before the page is opened."""

    def __init__(self, page: Page) -> None:
        self._is_open, self._sockets = True, []
        page.route_web_socket("**/_stcore/stream", self._carry)

    def _carry(self, socket: WebSocketRoute) -> None:
        if not self._is_open:
            socket.close()
            return
        socket.connect_to_server()
        self._sockets.append(socket)

    def break_(self) -> None:
        """Close the connection and refuse new ones."""
        self._is_open = False
        for socket in self._sockets:
            socket.close()

    def mend(self) -> None:
        """Let the page connect again."""
        self._is_open = True


def settle(page: Page) -> None:
    """Wait until the server has finished."""
    page.wait_for_function(_SETTLED, polling=_EVERY_MS)


def exception_boxes(page: Page) -> list[str]:
    """Return the texts of the boxes in which Streamlit shows a Python exception."""
    return page.get_by_test_id("stException").all_inner_texts()


def notices(page: Page) -> Locator:
    """The warnings and errors on the page."""
    return page.get_by_role("alert")


def choose(page: Page, label: str, option: str | re.Pattern[str]) -> None:
    """Choose from a list."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()
    expect(page.get_by_role("combobox", name=label)).to_have_value(option)


def network(page: Page, name: str) -> Locator:
    """The card of a network on the Train page."""
    return page.get_by_test_id("stRadioOption").filter(has_text=re.compile(f"^{name}$"))


def button(page: Page, name: str) -> Locator:
    """The page's own button with this name; the canvas's hidden toolbar has buttons with the same names."""
    own = page.get_by_test_id("stButton").or_(page.get_by_role("toolbar", name="Sheet"))
    return own.get_by_role("button", name=name, exact=True)


def slide(page: Page, label: str, key: str, shows: str) -> None:
    """Move a slider by one key press and wait for the value."""
    page.get_by_role("slider", name=label).press(key)
    expect(page.get_by_role("group", name=label)).to_contain_text(shows)
    expect(page).to_have_url(
        re.compile(rf"={re.escape(shows.replace(',', ''))}(&|$)")
    )  # by then the server has the value too


def figure(page: Page, label: str) -> Locator:
    """The large figure below a label; the last one if there are several, as for best and last weights."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").last


def curve(page: Page, name: str) -> Locator:
    """The learning curve of "accuracy" or "loss", found by its text alternative."""
    return page.get_by_role("img", name=re.compile(f"^The {name}"))


def probabilities(page: Page) -> Locator:
    """The bars of probabilities, whose text alternative names the most likely classes."""
    return page.get_by_role("img", name=re.compile("^Probabilities: "))


def expect_answer(page: Page, digit: str) -> None:
    """Wait until the model reads this digit, in large print and first in the probabilities."""
    expect(probabilities(page)).to_have_accessible_name(re.compile(f"^Probabilities: {digit} "))
    expect(page.get_by_role("heading", name=f"The model reads {digit}")).to_be_attached()


def line(page: Page) -> Locator:
    """The sentence below the digits of the answer."""
    return page.locator(".said .line")


def seen(page: Page) -> Locator:
    """The 28×28 image that the model saw, in the last of the steps."""
    return page.get_by_role("img", name=re.compile("^The drawing as 28 by 28"))


def seen_pixels(page: Page) -> str:
    """That image as this browser has painted it."""
    expect(page.locator(".steps.painted")).to_be_attached()
    return seen(page).locator("canvas").evaluate("canvas => canvas.toDataURL()")


def expect_seen_pixels(page: Page, wanted: Callable[[str], bool]) -> None:
    """Wait until that image is a wanted one."""
    deadline = time.monotonic() + 30
    while not wanted(seen_pixels(page)):
        assert time.monotonic() < deadline, "The image that the model saw has not become the expected one."
        page.wait_for_timeout(50)


def request_to_draw(page: Page) -> Locator:
    """The title in the answer's place before there is a drawing."""
    return page.get_by_text("Draw a digit or a number", exact=True)


def sheet(page: Page) -> Locator:
    """The canvas that takes the pen."""
    return page.locator("canvas.upper-canvas")


def paper(page: Page) -> Locator:
    """The sheet itself, which shows the strokes and takes keys."""
    return page.get_by_role("application", name=re.compile("^Sheet"))


def expect_strokes(page: Page, count: int) -> None:
    """Wait until so many strokes are on the sheet, as its text alternative says."""
    words = {0: "The sheet is empty.", 1: "One stroke."}.get(count, f"{count} strokes.")
    expect(paper(page)).to_have_accessible_description(words)


def draw(page: Page, stroke: Sequence[Point]) -> None:
    """Draw a stroke with the mouse."""
    (x, y), *rest = on_screen(page, stroke)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def draw_by_touch(page: Page, stroke: Sequence[Point]) -> None:
    """Draw a stroke with a finger."""
    drag_by_touch(page, on_screen(page, stroke))


def drag_by_touch(page: Page, points: Sequence[Point]) -> None:
    """Put a finger down, move it and lift it, with the touch events of a real screen."""
    session = page.context.new_cdp_session(page)
    path = [points[0], *_between(points, steps=8)]
    for kind, places in (("touchStart", path[:1]), *(("touchMove", [place]) for place in path[1:]), ("touchEnd", [])):
        touches = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    session.detach()


def on_screen(page: Page, stroke: Sequence[Point]) -> list[Point]:
    """Return where the points of a stroke lie on the screen."""
    sheet(page).click(trial=True)  # scrolls to it and waits until it stops moving, without a click
    box = sheet(page).bounding_box()
    scale = box["width"] / 560
    return [(box["x"] + scale * (x + 140), box["y"] + scale * (y + 60)) for x, y in stroke]


def _between(points: Sequence[Point], *, steps: int) -> list[Point]:
    parts = [np.linspace(start, end, steps + 1)[1:] for start, end in itertools.pairwise(points)]
    return [(float(x), float(y)) for x, y in np.concatenate(parts)]


def sheet_pixels(page: Page) -> np.ndarray:
    """Return the visible sheet: uint8 (height, width), 255 is white paper; its frame is cut off."""
    page.mouse.move(0, 0)  # away from the sheet, so that its toolbar hides
    picture = Image.open(io.BytesIO(sheet(page).screenshot(animations="disabled")))
    return np.asarray(picture.convert("L"))[4:-4, 4:-4]


def is_same_ink(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two sheets show the same drawing, except for the edges of its lines."""
    one, other = one < 128, other < 128
    return (one & other).sum() > 0.95 * (one | other).sum()


def wait_for_blank_sheet(page: Page) -> None:
    """Wait until there is no ink on the sheet, only the faint digit that invites to draw."""
    wait_until(page, lambda: sheet_pixels(page).min() > 200)


def wait_until(page: Page, condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait until a condition that no locator can express is met."""
    deadline = time.monotonic() + seconds
    while not _holds(condition):
        assert time.monotonic() < deadline, f"{condition} was not met in {seconds} s"
        page.wait_for_timeout(50)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except PlaywrightError:  # the element is just being replaced
        return False


def bring_picture(page: Page, name: str, content: bytes) -> None:
    """Choose a picture file."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def choose_row(page: Page, place: int) -> None:
    """Choose a row of the table of pictures, which is painted on a canvas: a header of 38 pixels, rows of 56."""
    page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 38 + 56 * (place + 0.5))


def boxes(page: Page) -> Locator:
    """The buttons around the digits of a number."""
    return page.get_by_role("button", name=re.compile(r"^Digit \d of \d: "))


def photo(page: Page) -> Locator:
    """The picture with the digits found in it."""
    return page.get_by_role("group", name="Your picture with the digits found")


def corners(found: Locator, start: Point, end: Point) -> list[Point]:
    """Return two points of the screen, given as shares of an element's width and height."""
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]


def drag(page: Page, points: Sequence[Point]) -> None:
    """Press the mouse at the first point and release it at the last."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def tiles(page: Page) -> Locator:
    """The gallery's samples."""
    return page.get_by_role("button", name=re.compile(r"sample \d+\)$"))


def labels(found: Locator) -> list[str]:
    """Return the text that a screen reader reads for each tile."""
    return found.evaluate_all("all => all.map(one => one.title)")


def mark_row(page: Page, row: int) -> None:
    """Press the box before a row of the page's first table, which is painted on a canvas."""
    _press_in_row(page, row, 16)


def open_row(page: Page, row: int) -> None:
    """Press a row's name, which opens its run."""
    _press_in_row(page, row, 90)


def _press_in_row(page: Page, row: int, x: float) -> None:
    header, height = 36, 40
    page.get_by_test_id("stDataFrame").first.click(position={"x": x, "y": header + height * (row + 0.5)})
    settle(page)


def share(page: Page) -> str:
    """Press Share and return the link from the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    settle(page)
    page.get_by_role("button", name=re.compile("^Share")).click()
    expect(page.get_by_text(re.compile("copied", re.IGNORECASE))).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def go_back(page: Page, heading: str) -> None:
    """Press the browser's Back once; the page before is shown, because a page's own changes are no steps."""
    page.go_back()
    settle(page)
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe-core finds on the page that is moderate or worse, a line for each element."""
    return [
        f"{fault['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("moderate", "serious", "critical")
        for node in fault["nodes"]
    ]


def has_sideways_scroll(page: Page) -> bool:
    """Return whether the page, or its main part, is wider than the screen."""
    too_wide = "part => part.scrollWidth > part.clientWidth"
    return page.locator("html").evaluate(too_wide) or page.get_by_test_id("stMain").evaluate(too_wide)


def holding(text: str) -> re.Pattern[str]:
    """Return a pattern for addresses whose query contains this text."""
    return re.compile(rf"[?&]{re.escape(text)}")


def computed(found: Locator, rule: str) -> Any:
    """Return a CSS value as computed by the browser."""
    return found.evaluate("(element, rule) => getComputedStyle(element)[rule]", rule)


def write_digit(page: Page, name: str) -> None:
    """Write a digit with the mouse, as the app's own example of it goes."""
    strokes = [on_screen(page, [(x + 60, y + 20) for x, y in stroke.tolist()]) for stroke in examples.digits()[name]]
    for (x, y), *rest in strokes:
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y)
        page.mouse.up()
