"""Many visitors at once: sessions that each draw a stroke per second, also while a run trains.

    DIGITS_DATA_DIR=… python -m benchmarks.many_visitors --sessions 1 5 20 50

In three ways: by a visitor whose browser reads by itself and has the server confirm each stroke by a request, and who
draws on and on; by one who pauses for three seconds after every third stroke, in which the page runs; and by one whose
browser does not read, for whom the page runs at every stroke. Times are from sending a stroke to the end of the answer.
A visitor also waits for the browser: see `benchmarks.pen_up`.
"""

import argparse
import asyncio
import contextlib
import itertools
import time
from dataclasses import dataclass, field

from benchmarks import _app, _results
from benchmarks._visits import ERRORS, Visit, visiting
from benchmarks.training_peers import wait_until_idle
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from tests.browser.serving import Server

WAYS = ("drawing on", "with pauses", "the page runs")
REST_SECONDS, PAUSE_SECONDS = 1.2, 3.0  # the first as in `delivery.js`


@dataclass
class Tally:
    """The results of all sessions' strokes.

    Attributes:
        milliseconds: the response time of each stroke.
        errors: a message for each failure.
        wanted: the strokes that should have been answered.
        opening, drawing: the server's processor seconds for opening all pages, and for all strokes.
    """

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wanted: int = 0
    opening: float = 0.0
    drawing: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 5, 20, 50], help="(default: %(default)s)")
    parser.add_argument(
        "--seconds", type=int, default=20, help="duration for each number of sessions (default: %(default)s)"
    )
    parser.add_argument("--visits", type=int, default=500, help="sessions opened and closed (default: %(default)s)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="(default: all)")
    parser.add_argument("--idle", action="store_true", help="leave out the times while a run trains")
    options = parser.parse_args()
    figures, memory = [], []
    with _app.running_app() as server:
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        for visits in range(0, options.visits + 1, 50):
            if visits:
                asyncio.run(come_and_go(server.url, 50))
            memory.append({"visits": visits, "web_mb": _app.megabytes(server.pid)})
        print(memory, flush=True)
        for is_training in (False,) if options.idle else (False, True):
            if is_training:
                long = PRESETS["convolutional"].hyperparameters.to_dict() | {"iterations": 20_000}
                commands.submit(registry, Hyperparameters.from_dict(long), "benchmark")
            for count, way in itertools.product(options.sessions, options.ways):
                tally = asyncio.run(draw_together(server, count, options.seconds, way))
                row = {
                    "sessions": count,
                    "way": way,
                    "while_training": is_training,
                    **(_app.quantiles(tally.milliseconds) if tally.milliseconds else {}),
                    "wanted": tally.wanted,
                    "processor_ms_a_stroke": round(1000 * tally.drawing / tally.wanted, 1),
                    "processor_ms_a_page": round(1000 * tally.opening / count, 1),
                    "errors": len(tally.errors),
                    "web_mb": _app.megabytes(server.pid),
                }
                figures.append(row)
                print(row, *tally.errors[:2], flush=True)
    print("Written to", _results.save("many_visitors", {"drawing": figures, "visits": memory}))


async def come_and_go(url: str, count: int) -> None:
    """Open and close sessions one after another, each with one stroke."""
    for _ in range(count):
        async with visiting(url) as visit:
            await visit.run()
            await visit.draw(0)
            if not visit.is_answered:
                raise SystemExit("A visit's stroke got no answer.")


async def draw_together(server: Server, count: int, seconds: int, way: str) -> Tally:
    """Open `count` sessions that then draw, each once a second, at times spread evenly over the second.

    Args:
        way: one of `WAYS`.
    """
    tally = Tally()
    async with contextlib.AsyncExitStack() as visits:
        start = _app.processor_seconds(server.pid)
        opened = [await visits.enter_async_context(visiting(server.url)) for _ in range(count)]
        await asyncio.gather(*(visit.run() for visit in opened))
        middle = _app.processor_seconds(server.pid)
        await asyncio.gather(*(draw(visit, place / count, seconds, way, tally) for place, visit in enumerate(opened)))
        tally.opening, tally.drawing = middle - start, _app.processor_seconds(server.pid) - middle
    return tally


async def draw(visit: Visit, offset: float, seconds: int, way: str, tally: Tally) -> None:
    """Act as one visitor: send a stroke every second, wait for each answer, and rest at the end."""
    due = time.monotonic() + offset
    end = due + seconds
    number = 0
    try:
        while due < end:
            tally.wanted += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            start = time.perf_counter()
            await (visit.draw if way == WAYS[2] else visit.ask)(number % 40)
            tally.milliseconds.append((time.perf_counter() - start) * 1000)
            if not visit.is_answered:
                tally.errors.append("a stroke got no prediction")
            number += 1
            due += 1
            if way == WAYS[1] and number % 3 == 0:
                await rest(visit)
                due += PAUSE_SECONDS - 1
        if way == WAYS[0]:
            await rest(visit)
    except ERRORS as error:
        tally.errors.append(f"{type(error).__name__}: {error}")


async def rest(visit: Visit) -> None:
    """Rest until the page has been given the drawing."""
    await asyncio.sleep(REST_SECONDS)
    await visit.rest()


if __name__ == "__main__":
    main()
