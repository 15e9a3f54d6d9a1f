"""Memory under use: visits to every page, uploads and runs, and what the web process and the trainer hold meanwhile.

    DIGITS_DATA_DIR=… python -m benchmarks.soak
    DIGITS_DATA_DIR=… python -m benchmarks.soak --networks softmax published corrected --limit-mb 1000

The server is started with the Dockerfile's variables, without its limits by address, because all visitors come from
this machine. They come over WebSockets, without browsers: each draws a 7 and opens one more page. A picture that is
uploaded has 12 megapixels. `--limit-mb` puts the server, its trainer and its decoders into a memory cgroup of that
size; the system kills what exceeds it. Memory is resident memory in MB of 2^20 bytes; a peak is the highest of two
looks a second.
"""

import argparse
import asyncio
import contextlib
import io
import itertools
import os
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import _app, _results
from benchmarks._visits import visiting
from benchmarks.training_peers import wait_until_idle
from digits import memory
from digits.ink.strokes import render
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from tests.browser.actions import SEVEN
from tests.browser.serving import serve

PAGES = ("train", "runs", "models", "gallery")
AT_ONCE = 4  # visitors
RUNS_AT_ONCE = 4  # in the queue
NO_LIMIT = ("VISITS_A_MINUTE", "UPLOADS_A_MINUTE", "PAGES_OPEN_PER_ADDRESS")
SECONDS = 3600  # that all runs may take


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=500, help="visits (default: %(default)s)")
    parser.add_argument("--uploads", type=int, default=50, help="pictures uploaded (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=20, help="runs trained (default: %(default)s)")
    parser.add_argument("--networks", nargs="+", choices=PRESETS, default=list(PRESETS), help="(default: all)")
    parser.add_argument("--iterations", type=int, default=2000, help="of a run, at most (default: %(default)s)")
    parser.add_argument("--pause", type=int, default=180, help="seconds after the runs (default: %(default)s)")
    parser.add_argument("--limit-mb", type=int, help="the memory of the whole app (default: no limit)")
    options = parser.parse_args()
    os.environ |= {"DIGITS_PUBLIC": "1", **memory.FRUGAL, **{f"DIGITS_{name}": "0" for name in NO_LIMIT}}
    with tempfile.TemporaryDirectory(prefix="digits-soak-") as folder, contextlib.ExitStack() as stack:
        limited = stack.enter_context(memory_cgroup(options.limit_mb)) if options.limit_mb else None
        with inside(limited):
            server = stack.enter_context(serve(Path(folder)))
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        watch = stack.enter_context(Watch(server.pid))
        rows = [watch.row("started")]
        asyncio.run(visit_all(server.url, options.sessions))
        rows.append(watch.row(f"{options.sessions} sessions"))
        asyncio.run(upload_all(server.url, options.uploads))
        rows.append(watch.row(f"{options.uploads} uploads"))
        states = train_all(registry, options.networks, options.runs, options.iterations)
        rows.append(watch.row(f"{options.runs} runs"))
        time.sleep(options.pause)
        asyncio.run(visit_all(server.url, 1))  # Streamlit forgets old sessions when a new one comes
        time.sleep(15)
        rows.append(watch.row(f"{options.pause} s later"))
        figures = {"memory": rows, "runs": states, "limit_mb": options.limit_mb, "faults": server.new_faults()[-2000:]}
        if limited:
            figures |= {"mapped_and_cached_mb": int((limited / "memory.usage_in_bytes").read_text()) // 2**20}
        registry.close()
    print(figures["runs"], figures["faults"])
    name = f"soak-{options.limit_mb}-mb" if options.limit_mb else "soak"
    print("Written to", _results.save(name, figures))


@contextlib.contextmanager
def memory_cgroup(megabytes: int) -> Iterator[Path]:
    """Make a memory cgroup (version 1) for the server."""
    folder = Path("/sys/fs/cgroup/memory") / f"digits-soak-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(megabytes * 10**6))
    except OSError as error:
        raise SystemExit(
            f"No memory cgroup can be made here: {error}. Run as root, with cgroups of version 1."
        ) from error
    try:
        yield folder
    finally:
        folder.rmdir()


@contextlib.contextmanager
def inside(folder: Path | None) -> Iterator[None]:
    """Let processes that are started meanwhile belong to a cgroup."""
    if folder is None:
        yield
        return
    own = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line)
    home = Path("/sys/fs/cgroup/memory") / own.rpartition(":")[2].lstrip("/")
    (folder / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (home / "cgroup.procs").write_text(str(os.getpid()))


class Watch:
    """A thread that looks at the memory of a server and its children, twice a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_over = threading.Event()
        self._peaks: dict[str, int] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def row(self, after: str) -> dict[str, object]:
        """Print and return the memory now, and the peaks since the last row."""
        now = self._measure()
        with self._lock:
            peaks, self._peaks = self._peaks, {}
        row = {"after": after, **now, **{f"{name}_peak": max(now[name], peaks.get(name, 0)) for name in now}}
        print(row, flush=True)
        return row

    def _look(self) -> None:
        while not self._is_over.wait(0.5):
            now = self._measure()
            with self._lock:
                self._peaks = {name: max(value, self._peaks.get(name, 0)) for name, value in now.items()}

    def _measure(self) -> dict[str, int]:
        held = {"web_mb": _app.megabytes(self._pid), "trainer_mb": 0, "all_mb": 0}
        for pid in _children(self._pid):
            with contextlib.suppress(OSError, StopIteration):  # it has just ended
                size, command = _app.megabytes(pid), Path(f"/proc/{pid}/cmdline").read_bytes()
                held["all_mb"] += size
                if b"digits.training.trainer" in command:
                    held["trainer_mb"] += size
        held["all_mb"] += held["web_mb"]
        return held


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


async def visit_all(url: str, count: int) -> None:
    """Let so many visitors come, a few at a time."""
    numbers = iter(range(count))

    async def come() -> None:
        for number in numbers:
            async with visiting(url) as visit:
                await visit.run()
                await visit.draw(number % 40)
                if not visit.is_answered:
                    raise SystemExit("A stroke got no answer.")
                visit.page = PAGES[number % len(PAGES)]
                await visit.run()

    await asyncio.gather(*(come() for _ in range(AT_ONCE)))


async def upload_all(url: str, count: int) -> None:
    """Let so many visitors upload a picture and read it, a few at a time."""
    picture, numbers = photograph(), iter(range(count))

    async def come() -> None:
        for _ in numbers:
            async with visiting(url) as visit:
                await visit.run()
                visit.value("draw.source").string_array_value.data[:] = [":material/image: Picture"]
                await visit.run()
                file_id = str(uuid.uuid4())
                await asyncio.to_thread(send, f"{url}/_stcore/upload_file/{visit.session_id}/{file_id}", picture)
                chosen = visit.value("draw.file").file_uploader_state_value.uploaded_file_info.add()
                chosen.file_id, chosen.name, chosen.size = file_id, "seven.jpg", len(picture)
                await visit.run()

    await asyncio.gather(*(come() for _ in range(AT_ONCE)))


def photograph() -> bytes:
    """Return a JPEG of 12 megapixels with a 7 on grainy paper."""
    scale = 3000 / 280
    ink = render([np.array(SEVEN, np.float32) * scale], size=(3000, 4000), pen_width=16 * scale)
    grain = np.random.default_rng(0).normal(0, 4, ink.shape).astype(np.float32)
    pixels = np.clip(225 - 190 * ink + grain, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()


def send(address: str, picture: bytes) -> None:
    """Upload a picture as a browser does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address.partition("/_stcore")[0] + "/_stcore/health", timeout=30) as answer:
        cookies = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    token = next((cookie.partition("=")[2] for cookie in cookies if "xsrf" in cookie), "")
    head = b'--part\r\nContent-Disposition: form-data; name="file"; filename="seven.jpg"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=part", "Cookie": "; ".join(cookies), "X-Xsrftoken": token}
    request = urllib.request.Request(address, head + picture + b"\r\n--part--\r\n", headers, method="PUT")
    opener.open(request, timeout=60).close()


def train_all(registry: Registry, networks: list[str], count: int, iterations: int) -> dict[str, int]:
    """Train so many runs of the networks' presets, by one visitor each; return how many ended in each state."""
    waiting, ended = [], []
    numbers, deadline = iter(range(count)), time.monotonic() + SECONDS
    while waiting or len(ended) < count:
        for number in itertools.islice(numbers, RUNS_AT_ONCE - len(waiting)):
            chosen = PRESETS[networks[number % len(networks)]].hyperparameters.to_dict()
            chosen |= {"iterations": min(iterations, int(chosen["iterations"])), "seed": number}
            waiting.append(commands.submit(registry, Hyperparameters.from_dict(chosen), f"visitor {number}"))
        time.sleep(0.5)
        runs = {run_id: registry.get(run_id) for run_id in waiting}
        for run_id in [run_id for run_id, run in runs.items() if run.is_ended]:
            waiting.remove(run_id)
            ended.append(f"{runs[run_id].state} {runs[run_id].reason}".strip())
        if time.monotonic() > deadline:
            raise SystemExit(f"{len(ended)} of {count} runs ended within {SECONDS} s: {[*runs.values()]}")
    return {state: ended.count(state) for state in sorted(set(ended))}


if __name__ == "__main__":
    main()
