"""Two servers behind nginx: a visitor's server is killed, and the other one takes the visitor and the run over.

    DIGITS_DATA_DIR=… python -m benchmarks.two_servers
    DIGITS_DATA_DIR=… python -m benchmarks.two_servers --machine

Needs requirements-postgres.txt, PostgreSQL, nginx and Chromium. nginx has the configuration of docs/nginx.conf. A
visitor starts a run, and the server that has the visitor is killed (SIGKILL); with `--machine` its trainer is killed
too, as when their machine is lost. One of two tabs is then reloaded. Both must show the run, which goes on with the
other server's trainer, and only its owner can stop it.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from benchmarks import _app, _results
from digits.runs.registry import Registry
from digits.settings import PROJECT_DIR
from tests import postgresql
from tests.browser import actions

PORTS = (8501, 8502)  # in docs/nginx.conf
PATIENCE_SECONDS = 180
SETTINGS = """
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    log_format servers "$upstream_addr";
    access_log {folder}/servers.log servers;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    include {folder}/digits.conf;
}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machine", action="store_true", help="kill the server's trainer too")
    parser.add_argument("--ports", type=int, nargs=3, default=(8580, 8581, 8582), help="of nginx and the servers")
    options = parser.parse_args()
    programs, nginx = postgresql.find_programs(), shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if programs is None or nginx is None:
        raise SystemExit("PostgreSQL or nginx is not installed: apt-get install postgresql nginx.")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="digits-servers-")))
        database = stack.enter_context(postgresql.serve(programs))
        url = stack.enter_context(database.new_url())
        environment = {**os.environ, "DIGITS_RUNS_DIR": str(folder / "runs"), "DIGITS_REGISTRY_URL": url}
        servers = {}
        for port in options.ports[1:]:  # the first one starts the trainer
            servers[port] = stack.enter_context(_server(port, environment, folder))
        proxy = Proxy(nginx, folder, options.ports[0])
        stack.callback(proxy.stop)
        proxy.start(options.ports[1:])
        if proxy.chosen() != options.ports[1]:  # the visitor should meet the server that has the trainer
            proxy.stop()
            proxy.start(options.ports[:0:-1])
        registry = Registry(url)
        stack.callback(registry.close)
        browser = stack.enter_context(_app.chromium())
        figures = _visit(browser, proxy, servers, registry, is_machine_lost=options.machine)
        print(figures)
        print("Written to", _results.save("two-servers-machine" if options.machine else "two-servers", figures))


@contextlib.contextmanager
def _server(port: int, environment: dict[str, str], folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=PROJECT_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _app.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/ready"))
        yield process
    finally:
        process.terminate()
        process.wait(60)


class Proxy:
    """nginx with the documented configuration, on other ports."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        self._program, self._folder, self._port = program, folder, port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{port}"

    def start(self, ports: "tuple[int, ...]") -> None:
        """Start it in front of the servers at these ports."""
        text = (
            (PROJECT_DIR / "docs" / "nginx.conf")
            .read_text(encoding="utf-8")
            .replace("listen 80;", f"listen {self._port};")
        )
        for documented, port in zip(PORTS, ports, strict=True):
            text = text.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{port}")
        (self._folder / "digits.conf").write_text(text, encoding="utf-8")
        user = "root" if os.getuid() == 0 else "nobody"
        (self._folder / "nginx.conf").write_text(SETTINGS.format(folder=self._folder, user=user), encoding="utf-8")
        command = [self._program, "-c", str(self._folder / "nginx.conf"), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        _app.wait_until(lambda: _answers(f"{self.url}/health"))

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def chosen(self) -> int:
        """Return the port of the server that has the visitors of this machine's address."""
        log = self._folder / "servers.log"
        before = log.stat().st_size
        _answers(f"{self.url}/health")
        _app.wait_until(lambda: log.stat().st_size > before)
        return int(log.read_text(encoding="ascii").split()[-1].rpartition(":")[2])


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status == 200
    except OSError as error:
        if hasattr(error, "close"):
            error.close()
        return False


def _visit(
    browser: Any, proxy: Proxy, servers: dict[int, Any], registry: Registry, *, is_machine_lost: bool
) -> dict[str, Any]:
    visitor = browser.new_context(**_app.DESKTOP)
    page, tab = visitor.new_page(), visitor.new_page()
    actions.open_page(page, f"{proxy.url}/train?network=corrected&iterations=20000")
    actions.button(page, "Start").click()
    _expect_progress(page)
    actions.open_page(tab, page.url)
    run_id = re.search(r"run=([\w-]+)", page.url)[1]
    _app.wait_until(lambda: registry.get(run_id).step > 500, seconds=PATIENCE_SECONDS)

    has, before = proxy.chosen(), registry.get(run_id)
    killed = time.perf_counter()
    if is_machine_lost:
        os.kill(registry.trainer_status().pid, 9)
    servers[has].kill()
    page.reload()
    expect(page.get_by_text("Your run, started")).to_be_visible()
    shown = time.perf_counter() - killed
    assert proxy.chosen() != has, "the server that was killed answers"
    assert run_id in page.url
    _app.wait_until(lambda: registry.get(run_id).claims > before.claims, seconds=PATIENCE_SECONDS)
    taken = time.perf_counter() - killed
    _app.wait_until(lambda: registry.get(run_id).step > before.step, seconds=PATIENCE_SECONDS)
    gone_on = time.perf_counter() - killed
    _expect_progress(tab)
    expect(actions.button(tab, "Stop")).to_be_visible()

    stranger = browser.new_context(**_app.DESKTOP).new_page()
    actions.open_page(stranger, page.url)
    expect(stranger.get_by_text("A shared run, which you are watching")).to_be_visible()
    expect(actions.button(stranger, "Stop")).to_have_count(0)

    began = time.perf_counter()
    actions.button(page, "Stop").click()
    for one in (page, tab, stranger):
        expect(one.get_by_text("Stopped: ReLU layers")).to_be_visible(timeout=60_000)
    after = registry.get(run_id)
    return {
        "run_shown_by_the_other_server_seconds": round(shown, 1),
        "taken_by_another_trainer_seconds": round(taken, 1),
        "training_further_than_before_seconds": round(gone_on, 1),
        "stopped_by_its_owner_seconds": round(time.perf_counter() - began, 1),
        "iterations_when_killed": before.step,
        "iterations_at_the_end": after.step,
        "claims": after.claims,
        "records": len(registry.history(run_id)),
        "records_of_different_steps": len({row["step"] for row in registry.history(run_id)}),
        "test_accuracy": str(after.test_accuracy),
    }


def _expect_progress(page: Page) -> None:
    expect(page.get_by_text(re.compile(r"[\d,]+ of 20,000 iterations"))).to_be_visible(timeout=1000 * PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
