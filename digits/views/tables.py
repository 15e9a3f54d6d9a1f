"""Tables: what the Runs page lists, and the CSV files that spreadsheets open."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from digits.models.uploads import Outcome
from digits.runs.hyperparameters import KNOBS
from digits.runs.names import NETWORKS
from digits.runs.schema import METRIC_NAMES, Run, RunState

SHARES = ("Best validation accuracy", "Test accuracy")  # columns in [0, 1]
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # starts of a formula in a spreadsheet (OWASP, CSV injection)


def names(runs: Iterable[Run]) -> dict[str, str]:
    """Return a name for each run, by its id: the name from its owner, or the short one of its network.

    If several runs have the same name, the later ones are numbered: "wide", "wide (2)".
    """
    called, uses = {}, Counter[str]()
    for run in sorted(runs, key=lambda run: run.created):
        name = run.name or NETWORKS[run.hyperparameters.network]
        uses[name] += 1
        called[run.id] = name if uses[name] == 1 else f"{name} ({uses[name]})"
    return called


def best_first(runs: Iterable[Run]) -> list[Run]:
    """Return runs by their test accuracy, or else their best validation; those still waiting or training come first."""

    def quality(run: Run) -> tuple[bool, float, float]:
        tested = run.test_accuracy.share if run.has_model and run.test_accuracy else 0.0
        return not run.is_ended, tested or run.best_val_accuracy or 0.0, run.created

    return sorted(runs, key=quality, reverse=True)


def runs_table(
    runs: Sequence[Run], names: Mapping[str, str], states: Mapping[RunState, str], visitor: str
) -> pd.DataFrame:
    """Return a table of runs with all their facts, numbers at full precision.

    Args:
        runs: at least one; the table has one row for each, in this order.
        names: the runs' names, by id.
        states: the words for the states.
        visitor: the visitor whose runs are "yours"; those of Digits itself are "example", all others "shared".

    Returns:
        The columns that the page shows, then the settings by their labels, then "Id". Shares lie in [0, 1], and
        "Started" is a UTC time. Unknown values are missing. Text that a spreadsheet would run as a formula begins
        with an apostrophe.
    """
    rows = [
        {
            "Whose": "yours" if run.owner == visitor else "shared" if run.owner else "example",
            "Name": as_text(names[run.id]),
            "Network": NETWORKS[run.hyperparameters.network],
            "State": states[run.state],
            "Best validation accuracy": run.best_val_accuracy,
            "Test accuracy": run.test_accuracy.share if run.has_model and run.test_accuracy else None,
            "Seconds": run.seconds,
            "Started": datetime.fromtimestamp(run.created, UTC),
            "Note": as_text(run.note),
            **{knob.label: getattr(run.hyperparameters, name) for name, knob in KNOBS.items() if name != "network"},
            "Id": as_text(run.id),
        }
        for run in runs
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys((*SHARES, "Seconds"), float))


def history_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return a run's progress, as `registry.Registry.history` gives it, as CSV with every digit."""
    return pd.DataFrame(rows, columns=METRIC_NAMES).to_csv(index=False)


def outcomes_csv(outcomes: Sequence[Outcome]) -> str:
    """Return what several pictures gave as CSV: a header, then a line for each picture."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["file", "reading", "sure", "looks like a digit", "message"])
    for outcome in outcomes:
        sure = f"{outcome.confidence:.4f}" if outcome.is_read else ""
        table.writerow([as_text(outcome.name), outcome.reading, sure, outcome.looks, outcome.message])
    return stream.getvalue()


def as_text(text: str) -> str:
    """Return text that a spreadsheet does not run as a formula: an apostrophe is added before one."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
