"""Examples: two runs that come with Digits, for visitors who have none yet. They are those of bundled models.

A model's folder holds its `history.csv`, which the card's command writes with `--history=models/<model>/history.csv`.
"""

import csv
import functools
from datetime import UTC, datetime, time
from typing import Any

from digits.models import catalogue
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.names import NETWORKS
from digits.runs.schema import Run, RunState
from digits.settings import BUNDLED_MODELS_DIR

OWNER = ""  # no visitor
_MODELS = ("convolutional", "softmax")
_HISTORY = "history.csv"


def runs() -> list[Run]:
    """Return the example runs, the best first; a run has the id of its model."""
    by_id = {model.id: model for model in catalogue.bundled()}
    return [_run(by_id[model_id]) for model_id in _MODELS if model_id in by_id]


def find(run_id: str) -> Run | None:
    """Return the example run with this id, or None."""
    return next((run for run in runs() if run.id == run_id), None) if run_id in _MODELS else None


@functools.cache
def history(run_id: str) -> tuple[dict[str, Any], ...]:
    """Return an example run's progress, as `registry.Registry.history` returns it."""
    text = (BUNDLED_MODELS_DIR / run_id / _HISTORY).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple({name: _number(name, value) for name, value in row.items()} for row in rows)


def _number(name: str, text: str) -> float | int | None:
    if not text:
        return None
    return int(text) if name == "step" else float(text)


def _run(model: catalogue.Model) -> Run:
    card, rows = model.card, history(model.id)
    validated = [row for row in rows if row["val_accuracy"] is not None]
    best = max(validated, key=lambda row: row["val_accuracy"])
    return Run(
        id=model.id,
        owner=OWNER,
        state=RunState.FINISHED,
        hyperparameters=Hyperparameters.from_dict(card.hyperparameters),
        created=datetime.combine(card.date, time(), UTC).timestamp() if card.date else 0.0,
        started=None,
        ended=None,
        step=rows[-1]["step"],
        activity="",
        stop_requested=False,
        reason="",
        data=card.data,
        test_correct=card.test.correct,
        test_total=card.test.total,
        name=f"{NETWORKS[card.network]} (example)",
        note="",
        deleted=None,
        pause_at=None,
        save_requested=False,
        seconds=card.seconds or 0.0,
        best_step=best["step"],
        best_val_accuracy=best["val_accuracy"],
        val_accuracy=validated[-1]["val_accuracy"],
        attempts=0,
    )
