"""Visits under a low limit on open files: 500 one after another, then many tabs at once, and one more visitor.

    python -m benchmarks.open_files --limit 256 --visits 500 --tabs 300

The server starts with this soft limit, as macOS gives it, and no trainer. Each visit opens the Draw page and leaves.
"""

import argparse
import asyncio
import contextlib
import resource
import tempfile
import time
from pathlib import Path

from benchmarks import _app, _results
from benchmarks._visits import ERRORS, visiting
from tests.browser.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=256, help="the server's first soft limit (default: %(default)s)")
    parser.add_argument("--visits", type=int, default=500, help="one after another (default: %(default)s)")
    parser.add_argument("--tabs", type=int, default=300, help="open at the same time (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="digits-benchmark-") as folder, contextlib.ExitStack() as stack:
        own = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (options.limit, own[1]))
        server = stack.enter_context(serve(Path(folder), with_trainer=False))
        resource.setrlimit(resource.RLIMIT_NOFILE, (own[1], own[1]))
        before = _figures(server.pid)
        answered = asyncio.run(visit_in_turn(server.url, options.visits))
        after_visits = _figures(server.pid)
        print({"visits": options.visits, "answered": answered, **after_visits}, flush=True)
        tabs, last_milliseconds = asyncio.run(open_together(server.url, options.tabs))
        figures = {
            "limit": options.limit,
            "before": before,
            "visits": options.visits,
            "visits_answered": answered,
            "after_visits": after_visits,
            "tabs": options.tabs,
            "tabs_answered": tabs,
            "one_more_visitor_ms": last_milliseconds,
            "after_tabs": _figures(server.pid),
        }
        print(figures)
    print("Written to", _results.save("open_files", figures))


def _figures(pid: int) -> dict[str, int]:
    return {"open_files": len(list(Path(f"/proc/{pid}/fd").iterdir())), "web_mb": _app.megabytes(pid)}


async def visit_in_turn(url: str, count: int) -> int:
    """Open and leave the Draw page so many times; return how often it came."""
    answered = 0
    for _ in range(count):
        with contextlib.suppress(*ERRORS):
            async with asyncio.timeout(20), visiting(url) as visit:
                await visit.run()
                answered += visit.has_sheet
    return answered


async def open_together(url: str, count: int) -> tuple[int, float | None]:
    """Keep so many pages open; return how many came, and the milliseconds in which one more visitor's page comes."""
    async with contextlib.AsyncExitStack() as tabs:
        answered = 0
        for _ in range(count):
            with contextlib.suppress(*ERRORS):
                async with asyncio.timeout(20):
                    visit = await tabs.enter_async_context(visiting(url))
                    await visit.run()
                    answered += visit.has_sheet
        start = time.perf_counter()
        if not await visit_in_turn(url, 1):
            return answered, None
        return answered, round((time.perf_counter() - start) * 1000)


if __name__ == "__main__":
    main()
