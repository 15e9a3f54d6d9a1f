"""Measure how long the reader in the browser takes from a move of the pen to an answer, in a real Chromium.

    python -m benchmarks.live_reading [--models ID …] [--rounds N]

A digit, a number of six digits and a scribble of 2,000 points are drawn point by point, and the whole sheet is read at
every move: with the SIMD kernel and in plain JavaScript, at full speed and with the processor throttled four times. The
time of a move runs from the event to the answer. The bytes that each model fetches are written too, compressed as they
travel. The result goes to benchmarks/results/live_reading.json.
"""

import argparse
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks import _app, _results
from digits.data import samples
from digits.models import catalogue
from digits.views import live as served
from tests.browser import live

SIZE = (300, 900)
EDGES = [0.5, 1, 2, 4, 8, 16, 33, 50, 120]  # ms, of the histogram's bins
SCRIBBLE_POINTS = 2000

DRAW = """async ({ path, model, engine, drawings, size: [height, width] }) => {
  const { openReader } = await import(path)
  const reader = await openReader({ model, engine })
  const sheet = document.body
  const times = []
  let strokes = []
  sheet.onpointermove = event => {
    strokes[strokes.length - 1].push([event.clientX, event.clientY])
    reader.read(strokes, { width, height, penWidth: 12 })
    times.push(performance.now() - event.timeStamp)
  }
  for (const drawing of drawings) {
    strokes = []
    for (const stroke of drawing) {
      strokes.push([stroke[0]])
      for (const [clientX, clientY] of stroke.slice(1)) {
        sheet.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY }))
        await new Promise(resolve => setTimeout(resolve)) // the browser does what else it has to do
      }
    }
  }
  return times
}"""

FETCHED = """async ({ path, model }) => {
  const { openReader } = await import(path)
  performance.clearResourceTimings()
  await openReader({ model, engine: "simd" })
  const of = name => performance.getEntriesByType("resource").filter(({ name: url }) => url.includes(name))
  const bytes = name => of(name).reduce((sum, entry) => sum + entry.encodedBodySize, 0)
  return { network: bytes(`/${model}`), judge: bytes("/judge"), kernel: bytes("kernel.wasm") }
}"""

SCRIPTS = """async path => {
  await import(path)
  const scripts = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
  return scripts.reduce((sum, entry) => sum + entry.encodedBodySize, 0)
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[catalogue.DEFAULT_MODEL], metavar="ID")
    parser.add_argument("--rounds", type=int, default=10, help="digits and numbers drawn (default: %(default)s)")
    options = parser.parse_args()
    drawn = {
        "a digit": digits(options.rounds),
        "six digits": list(numbers(max(1, options.rounds // 3))),
        "a scribble of 2,000 points": [scribble()],
    }
    rows: list[dict[str, Any]] = []
    with live.served() as address, _app.chromium() as browser:
        with live.empty_page(browser, address) as page:
            fetched: dict[str, Any] = {"scripts": page.evaluate(SCRIPTS, served.reader_path())}
        for model in catalogue.bundled():
            with live.empty_page(browser, address) as page:
                fetched[model.id] = page.evaluate(FETCHED, {"path": served.reader_path(), "model": model.id})
        print(f"bytes fetched: {fetched}\n")
        print(f"{'':52}{'p50':>7}{'p95':>7}{'p99':>7}{'most':>7}  ms")
        for model_id in options.models:
            for engine in ("simd", "plain"):
                for throttled in (1, 4):
                    with live.empty_page(browser, address) as page:
                        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": throttled})
                        for what, drawings in drawn.items():
                            row = {"model": model_id, "engine": engine, "throttled": throttled, "what": what}
                            rows.append(row | describe(draw(page, drawings, model_id, engine)))
                            print(in_words(rows[-1]), flush=True)
    load = os.getloadavg()[0]
    print("Written to", _results.save("live_reading", {"load": load, "fetched_bytes": fetched, "moves": rows}))


def draw(page: Page, drawings: list[list[np.ndarray]], model: str, engine: str) -> list[float]:
    """Draw drawings point by point; return the milliseconds from each move to its answer."""
    sheets = [[stroke.tolist() for stroke in drawing] for drawing in drawings]
    arguments = {"path": served.reader_path(), "model": model, "engine": engine, "drawings": sheets, "size": SIZE}
    times: list[float] = page.evaluate(DRAW, arguments)
    return times


def digits(count: int) -> list[list[np.ndarray]]:
    """Return real digits as a sheet's pixels, with a point at about every third pixel, as a mouse gives them."""
    drawings = samples.load(samples.STRANGERS)
    return [dense(drawings[place].strokes) for place in np.linspace(0, len(drawings) - 1, count).astype(int)]


def numbers(count: int) -> Iterator[list[np.ndarray]]:
    """Yield numbers of six real digits, side by side."""
    row = digits(6 * count)
    for first in range(0, len(row), 6):
        strokes, right = [], 20.0
        for digit in row[first : first + 6]:
            points = np.concatenate(digit)
            strokes += [
                stroke * np.float32(0.6) + np.float32([right - 0.6 * points[:, 0].min(), 0]) for stroke in digit
            ]
            right += 0.6 * float(np.ptp(points[:, 0])) + 18
        yield strokes


def dense(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Return strokes about 200 pixels high, with a point at about every third pixel."""
    points = np.concatenate(strokes)
    low, scale = points.min(axis=0), 200 / max(1.0, float(np.ptp(points, axis=0).max()))
    found = []
    for stroke in strokes:
        path = (stroke.astype(float) - low) * scale + 30
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
        places = np.linspace(0, along[-1], int(along[-1] / 3) + 2)
        found.append(np.stack([np.interp(places, along, path[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32))
    return found


def scribble() -> list[np.ndarray]:
    """Return a scribble over the whole sheet, half of it in one stroke and half in five that cross it."""
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.normal(0, 1, (SCRIBBLE_POINTS, 2)), axis=0)
    low, high = steps.min(axis=0), steps.max(axis=0)
    points = ((steps - low) / (high - low) * [260, 260] + 20).astype(np.float32)
    half = SCRIBBLE_POINTS // 2
    return [points[:half], *np.split(points[half:], 5)]


def describe(milliseconds: list[float]) -> dict[str, Any]:
    """Return percentiles, the longest, and a histogram."""
    p50, p95, p99, most = np.percentile(milliseconds, [50, 95, 99, 100]).round(2).tolist()
    counts = np.histogram(milliseconds, [0, *EDGES, np.inf])[0].tolist()
    names = [f"< {edge:g}" for edge in EDGES] + [f">= {EDGES[-1]:g}"]
    histogram = dict(zip(names, counts, strict=True))
    return {"moves": len(milliseconds), "p50": p50, "p95": p95, "p99": p99, "most": most, "histogram": histogram}


def in_words(row: dict[str, Any]) -> str:
    what = f"{row['model']}, {row['engine']}, {row['what']}" + ", throttled 4×" * (row["throttled"] > 1)
    figures = "".join(f"{row[name]:7.1f}" for name in ("p50", "p95", "p99", "most"))
    return f"{what:52}{figures}  {row['moves']:,} moves"


if __name__ == "__main__":
    main()
