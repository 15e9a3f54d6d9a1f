"""Many visitors at once: sessions that each draw a stroke per second over a WebSocket, also while a run trains.

    DIGITS_DATA_DIR=… python -m benchmarks.many_visitors --sessions 1 5 20 50

Times are from sending a stroke to the end of the response. A visitor also waits for the browser: see
`benchmarks.pen_up`.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass, field

from benchmarks import _app, _results
from benchmarks._visits import ERRORS, visiting
from benchmarks.training_peers import wait_until_idle
from digits.runs import commands
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.runs.registry import Registry


@dataclass
class Tally:
    """The results of all sessions' strokes.

    Attributes:
        milliseconds: the response time of each stroke.
        errors: a message for each failure.
    """

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 5, 20, 50], help="(default: %(default)s)")
    parser.add_argument(
        "--seconds", type=int, default=20, help="duration for each number of sessions (default: %(default)s)"
    )
    parser.add_argument("--visits", type=int, default=500, help="sessions opened and closed (default: %(default)s)")
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
        for is_training in (False, True):
            if is_training:
                long = PRESETS["convolutional"].hyperparameters.to_dict() | {"iterations": 20_000}
                commands.submit(registry, Hyperparameters.from_dict(long), "benchmark")
            for count in options.sessions:
                busy = _app.processor_seconds(server.pid)
                tally = asyncio.run(draw_together(server.url, count, options.seconds))
                busy = _app.processor_seconds(server.pid) - busy
                row = {
                    "sessions": count,
                    "while_training": is_training,
                    **(_app.quantiles(tally.milliseconds) if tally.milliseconds else {}),
                    "wanted": count * options.seconds,
                    "processor_ms_a_stroke": round(1000 * busy / (count * options.seconds), 1),  # with opening the page
                    "errors": len(tally.errors),
                    "web_mb": _app.megabytes(server.pid),
                }
                figures.append(row)
                print(row, *tally.errors[:2], flush=True)
    print("Written to", _results.save("many_visitors", {"drawing": figures, "visits": memory}))


async def come_and_go(url: str, count: int) -> None:
    """Open and close sessions one after another, each with one stroke."""
    for _ in range(count):
        tally = Tally()
        await draw_alone(url, 0.0, 1, tally, pause=0.0)
        if tally.errors:
            raise SystemExit(f"A visit failed: {tally.errors}")


async def draw_together(url: str, count: int, seconds: int) -> Tally:
    """Open `count` sessions that each draw once a second, at times spread evenly over the second."""
    tally = Tally()
    await asyncio.gather(*(draw_alone(url, index / count, seconds, tally) for index in range(count)))
    return tally


async def draw_alone(url: str, offset: float, strokes: int, tally: Tally, *, pause: float = 1.0) -> None:
    """Act as one visitor: open the Draw page, then send a stroke every second and wait for each response."""
    try:
        async with visiting(url) as visit:
            await visit.run()
            await asyncio.sleep(pause + offset)
            due = time.monotonic()
            for number in range(strokes):
                await asyncio.sleep(max(0.0, due + number - time.monotonic()))
                start = time.perf_counter()
                await visit.draw(number % 40)
                tally.milliseconds.append((time.perf_counter() - start) * 1000)
                if not visit.is_answered:
                    tally.errors.append("a stroke got no prediction")
    except ERRORS as error:
        tally.errors.append(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
