"""The reader in the browser, without the pages around it: a server of its scripts, and readings to compare."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import uvicorn
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from digits import web
from digits.models import answers, catalogue
from digits.models.reading import Reading
from digits.settings import Settings
from digits.views import live

SIZE, PEN_WIDTH = (280, 280), 20.0  # height and width of the sheet

# Reads drawings one after the other with one reader, as a visitor would draw them.
READ = """async ({ path, model, engine, drawings, size: [height, width] }) => {
  const { openReader } = await import(path)
  const reader = await openReader({ model, engine })
  return drawings.map(({ strokes, penWidth }) => {
    const reading = reader.read(strokes, { width, height, penWidth })
    const plain = digit => ({ ...digit, image: [...digit.image], probabilities: [...digit.probabilities] })
    return { ...reading, digits: reading.digits.map(plain) }
  })
}"""


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve the reader and two empty pages, `/` and the stricter `/strict`, on a free port; yield the address."""

    async def page(_request: Any) -> HTMLResponse:
        return HTMLResponse("<!doctype html><link rel=icon href='data:,'><title>Nothing</title>")

    async def strict(request: Any) -> HTMLResponse:
        answer = await page(request)
        answer.headers["content-security-policy"] = "script-src 'self'"
        return answer

    middleware = web.middleware(environment={})[:1]
    pages = Starlette(routes=[Route("/", page), *live.routes(Settings.from_environment())], middleware=middleware)
    outer = Starlette(routes=[Route("/strict", strict)])
    outer.mount("/", pages)
    server = uvicorn.Server(uvicorn.Config(outer, host="localhost", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def empty_page(browser: Browser, address: str) -> Iterator[Page]:
    """Open an empty page; an error in it is raised at the end."""
    context, errors = browser.new_context(), []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert not errors


def read(
    page: Page,
    drawings: Sequence[Sequence[np.ndarray]],
    model: str = catalogue.DEFAULT_MODEL,
    *,
    engine: str | None = None,
    size: tuple[int, int] = SIZE,
    pen_widths: Sequence[float] | None = None,
) -> list[dict[str, Any]]:
    """Read drawings in the browser; arguments as for `reading.read_strokes`."""
    pens = pen_widths or [PEN_WIDTH] * len(drawings)
    sheets = [
        {"strokes": [stroke.tolist() for stroke in strokes], "penWidth": pen}
        for strokes, pen in zip(drawings, pens, strict=True)
    ]
    arguments = {"path": live.reader_path(), "model": model, "engine": engine, "drawings": sheets, "size": size}
    found: list[dict[str, Any]] = page.evaluate(READ, arguments)
    return found


def differences(found: dict[str, Any], reading: Reading, class_names: Sequence[str]) -> list[str]:
    """Return in what a browser's reading differs from the server's.

    They are `digits`, if they are divided differently, or else any of `image`, `probabilities` (by more than 1e-4),
    `refusals`, `beginnings`, `text` and `words`.
    """
    if [digit["line"] for digit in found["digits"]] != [digit.line for digit in reading.digits]:
        return ["digits"]
    said = answers.answer(reading, class_names, is_drawing=True)
    pairs = list(zip(found["digits"], reading.digits, reading.probabilities, strict=True))
    same = {
        "image": all(one["image"] == digit.glyph.image.ravel().tolist() for one, digit, _ in pairs),
        "probabilities": farthest(found, reading) <= 1e-4,
        "refusals": [one["accepted"] for one in found["digits"]] == reading.accepted.tolist(),
        "beginnings": [one["beginning"] for one in found["digits"]] == reading.beginnings.tolist(),
        "text": (found["closest"], found["text"]) == (reading.text, said.text),
        "words": (found["tone"], found["headline"], found["sentence"]) == (said.tone, said.headline, said.sentence),
    }
    return [name for name, is_same in same.items() if not is_same]


def farthest(found: dict[str, Any], reading: Reading) -> float:
    """Return the largest difference of a probability, for digits that are divided in the same way."""
    pairs = zip(found["digits"], reading.probabilities, strict=True)
    return max((float(np.abs(np.subtract(one["probabilities"], row)).max()) for one, row in pairs), default=0.0)
