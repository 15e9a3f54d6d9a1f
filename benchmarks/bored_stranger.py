"""What a bored stranger reaches behind a public link, and what an honest visitor waits meanwhile.

    python -m benchmarks.bored_stranger

Each trick is played twice on an empty registry, with the limits for home and with those for a public link, through the
commands that the pages use. The stranger has 17 browsers. The queue is the real one; training is not: how long the
honest visitor waits is computed from their place and the length of a turn, with one trainer.
"""

import asyncio
import functools
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from benchmarks import _results
from digits import web
from digits.errors import DigitsError
from digits.runs import admission, commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.training.session import TURN_SECONDS

BROWSERS = 17
COOKIES = 30
TRIES = 100  # of each trick that is a loop
SESSIONS = 300
HEAVY = Hyperparameters(network="drawing", iterations=20_000, batch_size=1000)
HEAVIEST_ALLOWED = PRESETS["drawing"].hyperparameters
QUICK = PRESETS["softmax"].hyperparameters
HONEST = "honest"


@dataclass
class Tally:
    """How often the stranger got what they asked for, and the last refusal."""

    granted: int = 0
    refused: int = 0
    words: str = ""

    def ask(self, command: Callable[..., object], *arguments: object) -> object:
        try:
            result = command(*arguments)
        except DigitsError as error:
            self.refused += 1
            self.words = str(error)
            return None
        self.granted += 1
        return result


def fill_the_queue(registry: Registry, tally: Tally) -> None:
    """17 browsers start three runs of `drawing` at 20,000 × 1,000, and then the heaviest that is allowed."""
    for chosen in (HEAVY, HEAVIEST_ALLOWED):
        for browser in range(BROWSERS):
            for _ in range(3):
                tally.ask(commands.submit, registry, chosen, f"stranger {browser}")


def fill_the_queue_long_ago(registry: Registry, tally: Tally) -> None:
    """The same, and each browser's runs have had their turns."""
    fill_the_queue(registry, tally)
    for _ in range(2 * BROWSERS):
        if run := registry.claim():
            registry.requeue(run.id)


def fill_the_queue_from_one_address(registry: Registry, tally: Tally) -> None:
    """30 browsers behind one address start three runs each."""
    submit = functools.partial(commands.submit, address="192.0.2.1")
    for browser in range(COOKIES):
        for _ in range(3):
            tally.ask(submit, registry, HEAVIEST_ALLOWED, f"stranger {browser}")


def pause_and_resume(registry: Registry, tally: Tally) -> None:
    """Start and Pause twelve times, then Resume all."""
    paused = []
    for _ in range(12):
        if run_id := tally.ask(commands.submit, registry, QUICK, "stranger"):
            tally.ask(commands.pause, registry, run_id, "stranger")
            paused.append(run_id)
    for run_id in paused:
        tally.ask(commands.resume, registry, run_id, "stranger")


def save_in_a_loop(registry: Registry, tally: Tally) -> None:
    """Save now again and again; each copy is saved before the next is asked for."""
    run_id = commands.submit(registry, QUICK, "stranger")
    registry.claim()
    for _ in range(TRIES):
        tally.ask(commands.save_now, registry, run_id, "stranger")
        registry.set_activity(run_id, "", save_requested=False)


def command_in_a_loop(registry: Registry, tally: Tally) -> None:
    """Rename a run again and again."""
    run_id = commands.submit(registry, QUICK, "stranger")
    for number in range(TRIES):
        tally.ask(commands.rename, registry, run_id, "stranger", f"run {number}")


def check_in_a_loop(registry: Registry, tally: Tally) -> None:
    """30 browsers behind one address check packages again and again; the honest visitor has another one."""
    for browser in range(COOKIES):
        for _ in range(TRIES):
            tally.ask(admission.require_check, f"stranger {browser}", "192.0.2.1")
    admission.require_check(HONEST, "192.0.2.2")


def open_sessions(registry: Registry, tally: Tally) -> None:
    """Open the page 300 times from one address; the honest visitor has another one."""
    page = Starlette(routes=[Route("/", lambda request: HTMLResponse("page"))], middleware=web.middleware())
    for _ in range(SESSIONS):
        status, words = asyncio.run(visit(page, "192.0.2.1"))
        tally.granted += status == 200
        tally.refused += status != 200
        tally.words = tally.words if status == 200 else words
    status, words = asyncio.run(visit(page, "192.0.2.2"))
    assert status == 200, words


async def visit(page: Starlette, address: str) -> tuple[int, str]:
    """Ask for the page from an address; return the status and the text of the answer."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"accept", b"text/html")],
        "client": (address, 1),
    }
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        messages.append(message)

    await page(scope, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages).decode()


TRICKS = (
    fill_the_queue,
    fill_the_queue_long_ago,
    fill_the_queue_from_one_address,
    pause_and_resume,
    save_in_a_loop,
    command_in_a_loop,
    check_in_a_loop,
    open_sessions,
)


def main() -> None:
    rows = [play(trick, public) for trick in TRICKS for public in ("0", "1")]
    print("| trick | link | granted | refused | honest visitor: runs ahead | starts after, at most |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        wait = f"{row['starts_after_s']:,.0f} s" if row["runs_ahead"] is not None else "never: not admitted"
        ahead = "–" if row["runs_ahead"] is None else row["runs_ahead"]
        print(f"| {row['trick']} | {row['link']} | {row['granted']} | {row['refused']} | {ahead} | {wait} |")
    for row in rows:
        if row["refusal"]:
            print(f"{row['trick']}, {row['link']}: {row['refusal']}")
    print("Written to", _results.save("bored_stranger", rows))


def play(trick: Callable[[Registry, Tally], None], public: str) -> dict[str, object]:
    """Play a trick on a new registry, then let the honest visitor start a run."""
    tally, honest = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"DIGITS_PUBLIC": public}):
        registry = Registry(f"sqlite:///{Path(folder) / 'registry.sqlite'}")
        admission._limiter.cache_clear()
        admission.addresses = admission.Addresses()
        start = time.perf_counter()
        trick(registry, tally)
        seconds = time.perf_counter() - start
        registry.claim()
        run_id = honest.ask(commands.submit, registry, QUICK, HONEST)
        ahead = registry.runs_ahead(registry.get(str(run_id))) if run_id else None
        registry.close()
    return {
        "trick": trick.__name__.replace("_", " "),
        "link": "public" if public == "1" else "home",
        "seconds": round(seconds, 2),
        "granted": tally.granted,
        "refused": tally.refused,
        "refusal": tally.words,
        "runs_ahead": ahead,
        "starts_after_s": None if ahead is None else ahead * TURN_SECONDS,
        "honest_refusal": honest.words,
    }


if __name__ == "__main__":
    main()
