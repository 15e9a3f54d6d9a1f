"""The server's cost of the Runs page for a visitor with ten thousand runs: reading the list and drawing the page.

Streamlit's AppTest draws the page without a browser: with no run selected, and with two runs compared.

    python -m benchmarks.many_runs --runs 10000
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from benchmarks import _results
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import RunState
from digits.settings import PROJECT_DIR, RUNS_LISTED, Settings

_OWNER = "one of many"
_POINTS = range(10, 2001, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000, help="the visitor's number of runs (default: %(default)s)")
    parser.add_argument("--times", type=int, default=15, help="repetitions of each (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_RUNS_DIR"] = folder
        registry = open_registry(Settings.from_environment().registry_url)
        run_ids = [
            registry.add_imported(
                Hyperparameters(seed=seed), _OWNER, name=f"run {seed}", data="", test_correct=9_000, test_total=10_000
            )
            for seed in range(options.runs)
        ]
        pair = [_trained(registry) for _ in "ab"]
        page = AppTest.from_file(PROJECT_DIR / "pages" / "navigation.py", default_timeout=60)
        page.session_state["visitor"] = _OWNER
        page.run().switch_page("runs.py").run()
        assert len(page.dataframe(key="runs.table").value) == RUNS_LISTED
        figures = {
            "runs": options.runs,
            "read_the_listed_ms": _median_ms(lambda: registry.list_runs(_OWNER, limit=RUNS_LISTED + 1), options.times),
            "draw_the_page_ms": _median_ms(page.run, options.times),
        }
        page.session_state["runs.chosen"] = ".".join(pair)
        figures["draw_the_page_with_two_compared_ms"] = _median_ms(page.run, options.times)
        while any(button.key == "runs.more" for button in page.button):
            page.button(key="runs.more").click().run()
        figures["draw_the_page_with_all_listed_ms"] = _median_ms(page.run, options.times)
        assert len(page.dataframe(key="runs.table").value) == len(run_ids) + len(pair)
    print(figures)
    print(_results.save("many_runs", figures))


def _trained(registry: Registry) -> str:
    """Make a run with curves, and return its id."""
    run_id = registry.create(Hyperparameters(iterations=2000), _OWNER)
    registry.claim()
    measured = {"loss": 0.5, "accuracy": 0.9, "val_loss": None, "val_accuracy": None}
    validated = measured | {"val_loss": 0.5, "val_accuracy": 0.9}
    registry.record(
        run_id,
        [{"step": step, "seconds": step / 1000} | (measured if step % 80 else validated) for step in _POINTS],
    )
    registry.finish(run_id, RunState.FINISHED)
    return run_id


def _median_ms(work: Callable[[], object], times: int) -> float:
    """Return the median time of `work`, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    main()
