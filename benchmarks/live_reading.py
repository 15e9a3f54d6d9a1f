"""Measure how long the reader in the browser takes from a move of the pen to an answer, in a real Chromium.

    python -m benchmarks.live_reading [--models ID …] [--rounds N]

Digits, numbers of six digits and a scribble of 2,000 points are drawn. The whole sheet is read at every move, in haste
as on the Draw page, and without haste at the end of every stroke: with the SIMD kernel and in plain JavaScript, at full
speed and with the processor throttled four times. The time of a move runs from the event to the answer; `processor` is
the mean time that the page's thread worked for a move, which other programs on the machine do not lengthen. The bytes
that each model fetches are counted compressed, as they travel. The result goes to benchmarks/results/live_reading.json.
"""

import argparse
import itertools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page

from benchmarks import _app, _results
from digits.data import samples
from digits.models import catalogue
from digits.views import live as served
from tests.browser import live

SIZE = (300, 900)
ENGINES = ("simd", "plain")
SCRIBBLE = "a scribble of 2,000 points"
EDGES = [0.5, 1, 2, 4, 8, 16, 33, 50, 120]  # ms, of the histogram's bins
SCRIBBLE_POINTS = 2000
SCRIBBLE_STEP = 5  # points between two moves, as a quick pen has

OPEN = """async ({ path, model, engine }) => {
  const { openReader } = await import(path)
  window.reader = await openReader({ model, engine })
}"""

DRAW = """async ({ drawings, step, size: [height, width] }) => {
  const times = []
  let strokes = []
  document.body.onpointermove = document.body.onpointerup = event => {
    window.reader.read(strokes, { width, height, penWidth: 12, isHurried: event.type === "pointermove" })
    times.push(performance.now() - event.timeStamp)
  }
  for (const drawing of drawings) {
    strokes = []
    for (const stroke of drawing) {
      strokes.push([])
      for (let first = 0; first < stroke.length; first += step) {
        strokes[strokes.length - 1].push(...stroke.slice(first, first + step))
        document.body.dispatchEvent(new PointerEvent("pointermove"))
        await new Promise(resolve => setTimeout(resolve)) // the browser does what else it has to do
      }
      document.body.dispatchEvent(new PointerEvent("pointerup"))
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
        SCRIBBLE: [scribble()],
    }
    rows: list[dict[str, Any]] = []
    with live.served() as address, _app.chromium() as browser:
        fetched = count_bytes(browser, address)
        print(f"bytes fetched: {fetched}\n{'':60}{'processor':>10}{'p50':>7}{'p95':>7}{'p99':>7}{'most':>8}  ms")
        for model_id, engine, throttled in itertools.product(options.models, ENGINES, (1, 4)):
            with live.empty_page(browser, address) as page:
                session = page.context.new_cdp_session(page)
                session.send("Performance.enable", {"timeDomain": "threadTicks"})
                page.evaluate(OPEN, {"path": served.reader_path(), "model": model_id, "engine": engine})
                session.send("Emulation.setCPUThrottlingRate", {"rate": throttled})
                for what, drawings in drawn.items():
                    row = {"model": model_id, "engine": engine, "throttled": throttled, "what": what}
                    step = SCRIBBLE_STEP if what == SCRIBBLE else 1
                    rows.append(row | draw(page, session, drawings, step))
                    print(in_words(rows[-1]), flush=True)
    load = os.getloadavg()[0]
    print("Written to", _results.save("live_reading", {"load": load, "fetched_bytes": fetched, "moves": rows}))


def count_bytes(browser: Browser, address: str) -> dict[str, Any]:
    """Return the compressed bytes of the scripts, and of what each bundled model needs on top."""
    with live.empty_page(browser, address) as page:
        fetched: dict[str, Any] = {"scripts": page.evaluate(SCRIPTS, served.reader_path())}
    for model in catalogue.bundled():
        with live.empty_page(browser, address) as page:
            fetched[model.id] = page.evaluate(FETCHED, {"path": served.reader_path(), "model": model.id})
    return fetched


def draw(page: Page, session: CDPSession, drawings: list[list[np.ndarray]], step: int) -> dict[str, Any]:
    """Draw drawings with so many points at each move; return how long the moves took."""
    sheets = [[stroke.tolist() for stroke in drawing] for drawing in drawings]
    before = processor_seconds(session)
    times = page.evaluate(DRAW, {"drawings": sheets, "step": step, "size": SIZE})
    processor = 1e3 * (processor_seconds(session) - before) / len(times)
    return {"processor": round(processor, 2)} | describe(times)


def processor_seconds(session: CDPSession) -> float:
    """Return how long the page's thread has run scripts."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "ScriptDuration")


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
    figures = "".join(f"{row[name]:7.1f}" for name in ("p50", "p95", "p99"))
    return f"{what:60}{row['processor']:10.1f}{figures}{row['most']:8.1f}  {row['moves']:,} moves"


if __name__ == "__main__":
    main()
