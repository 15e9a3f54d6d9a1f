"""Teach models the hands of the writers whom they read worst, with twenty corrections each.

    DIGITS_DATA_DIR=… python -m benchmarks.teach [--models drawing capitals] [--part validation] [--writers 10]
    DIGITS_DATA_DIR=… python -m benchmarks.teach --part development --rates 2e-3 4e-3 8e-3 [--models …] [--writers 5]

Each writer's drawings are divided at random. The corrections come from one half, misread ones first; the other half is
read before and after, so it is an ordinary sample of that hand. Nobody's drawings are among their own strangers.

With --rates, each lesson is given once at each learning rate. The highest share of other drawings decides, of the rates
that cost the test images and strangers' drawings at most 0.2 points. Results are kept by model.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _results
from digits.accuracy import accuracy
from digits.data import handwriting, lesson, sets, strangers
from digits.data.datasets import Dataset
from digits.data.drawings import Drawing, Examples, prepare
from digits.data.sets import DataSet
from digits.models import catalogue, drawn_accuracy
from digits.models.catalogue import Model
from digits.models.reading import Classifier
from digits.models.recogniser import TFLITE_FILE, CalibratedRecogniser, Recogniser
from digits.settings import Settings
from digits.training import teaching

MODELS = ("drawing", "capitals", "characters")
CORRECTIONS = 20
FEWEST = 2 * CORRECTIONS  # drawings of a writer
MOST = 200  # drawings of a writer to measure on
LARGEST_FALL = 0.002  # of the share of test images, and of strangers' drawings, that are read correctly


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="ID")
    parser.add_argument("--part", default="validation", choices=("development", "validation"))
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--rates", nargs="+", type=float, help="compare these learning rates")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    kind = "teach-rates" if options.rates else "teach" if options.part == "validation" else "teach-development"
    for name in options.models:
        school = School(catalogue.find(name, settings), settings)
        pupils = school.worst(options.part, options.writers)
        if options.rates:
            found = compare_rates(school, pupils, options.rates)
        else:
            rows = [school.teach(pupil) for pupil in pupils]
            found = {"means": means(rows), "writers": rows}
            print(name, found["means"], flush=True)
        print("Written to", _results.save(kind, _kept(kind) | {name: found}))


def means(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return what the lessons changed in the mean, and at worst, of 1."""
    total = sum(row["drawings"] for row in rows)
    found = {name: float(np.mean([row[name] for row in rows])) for name in ("before", "after", "seconds", "processor")}
    for name in ("before", "after"):
        found[f"{name}_of_all_drawings"] = sum(row[name] * row["drawings"] for row in rows) / total
    for name in ("test", "strangers"):
        changes = [(after - before) / count for before, after, count in (row[name] for row in rows)]
        found |= {f"{name}_change": float(np.mean(changes)), f"{name}_worst_change": min(changes)}
    return {name: round(value, 4) for name, value in found.items()}


def compare_rates(school: "School", pupils: Sequence["Pupil"], rates: Sequence[float]) -> dict[str, Any]:
    """Teach each writer's hand at each learning rate; return what came of it, by rate, and the best one."""
    rows = {f"{rate:g}": means([school.teach(pupil, rate) for pupil in pupils]) for rate in rates}
    for rate, row in rows.items():
        print(f"{school.model.id} at {rate}: {row}", flush=True)
    harmless = {
        rate: row["after"]
        for rate, row in rows.items()
        if min(row["test_change"], row["strangers_change"]) >= -LARGEST_FALL
    }
    best = max(harmless, key=harmless.__getitem__, default="")
    print(f"{school.model.id}: {best or 'none of these rates'}", flush=True)
    return {"writers": len(pupils), "rates": rows, "best": best}


def _kept(name: str) -> dict[str, Any]:
    path = _results.RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    return found


@dataclass(frozen=True, eq=False)
class Pupil:
    """A writer of whom a model misreads much.

    Attributes:
        writer: their name.
        learned: the corrections.
        misread: how many of these the model misreads.
        others: further drawings, placed.
        strangers: drawings of everybody else, placed.
        before: of both, how many the model reads correctly.
    """

    writer: str
    learned: list[Drawing]
    misread: int
    others: Examples
    strangers: Examples
    before: tuple[int, int]


class School:
    """A model and its data, to be taught again and again from the same weights."""

    def __init__(self, model: Model, settings: Settings) -> None:
        from digits.training import export, programs

        self.model = model
        self._declared: DataSet = sets.find(model.card.dataset)
        self._dataset: Dataset = self._declared.load(settings)
        self._data_dir = settings.data_dir
        self._chosen = teaching.hyperparameters(model.card)
        self._weights = export.read_weights(model.folder)
        classes = len(self._dataset.class_names)
        self._program = programs.Program(self._chosen.network, classes, optimizer="adam", is_lesson=True)
        lesson.prepare(self._dataset)  # as a trainer that has given a lesson before

    def worst(self, part: str, count: int) -> list[Pupil]:
        """Return the writers of whom the model reads the smallest share."""
        labels = self._declared.labels
        hands: dict[str, list[Drawing]] = {}
        for drawing in handwriting.load_strokes(Path(str(self._data_dir)), "unipen", part, labels):
            hands.setdefault(str(drawing.writer), []).append(dataclasses.replace(drawing, label=labels[drawing.label]))
        hands = {writer: hand for writer, hand in hands.items() if len(hand) >= FEWEST}
        shares = {writer: read(self.model, prepare(hand, placings=1)).mean() for writer, hand in hands.items()}
        return [self._pupil(writer, hands[writer]) for writer in sorted(shares, key=shares.__getitem__)[:count]]

    def _pupil(self, writer: str, hand: list[Drawing]) -> Pupil:
        order = np.random.default_rng(0).permutation(len(hand))
        first, other = ([hand[row] for row in half] for half in np.array_split(order, 2))
        is_read = read(self.model, prepare(first, placings=1))
        others = [one for one in strangers.load_sample(self._declared.labels).drawings if str(one.writer) != writer]
        placed = prepare(other[:MOST], placings=1), prepare(others, placings=1)
        return Pupil(
            writer,
            [first[row] for row in np.argsort(is_read, kind="stable")[:CORRECTIONS]],
            int((~is_read).sum().clip(max=CORRECTIONS)),
            *placed,
            (int(read(self.model, placed[0]).sum()), int(read(self.model, placed[1]).sum())),
        )

    def teach(self, pupil: Pupil, rate: float | None = None) -> dict[str, Any]:
        """Teach the model a writer's hand, at a learning rate or that of its lessons, and return what changed."""
        start, processor = time.perf_counter(), time.process_time()
        taught = self._learn(pupil.learned, rate or self._chosen.learning_rate)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        changed = self._compare(taught, pupil) if rate is None else {"test": self._sample(taught)}
        count = len(pupil.others.labels)
        row = {
            "writer": pupil.writer,
            "drawings": count,
            "misread_corrections": pupil.misread,
            "before": round(pupil.before[0] / count, 4),
            "after": round(float(read(taught, pupil.others).mean()), 4),
            "seconds": round(seconds, 1),
            "processor": round(processor, 1),
            **changed,
            "strangers": [pupil.before[1], int(read(taught, pupil.strangers).sum()), len(pupil.strangers.labels)],
        }
        print(row, flush=True)
        return row

    def _compare(self, taught: CalibratedRecogniser, pupil: Pupil) -> dict[str, list[int]]:
        """Return what a run's page says: what is read correctly before and after, and of how many."""
        test = accuracy(taught.probabilities(self._dataset.test.images), self._dataset.test.labels)
        rows = teaching.compare(self.model, taught, test, pupil.learned, self._dataset)
        return {one.what: [one.before, one.after, one.total] for one in rows}

    def _sample(self, taught: CalibratedRecogniser) -> list[int]:
        """Return how many of a quarter of the test images are read before and after, and how many there are."""
        images, labels = self._dataset.test.images[::4], self._dataset.test.labels[::4]
        before = accuracy(self.model.test_probabilities(self._dataset)[::4], labels)
        return [before.correct, accuracy(taught.probabilities(images), labels).correct, len(labels)]

    def _learn(self, learned: Sequence[Drawing], rate: float) -> CalibratedRecogniser:
        """Do what a run does: prepare the lesson, train, and convert."""
        from digits.training import export, loop

        data = lesson.build(self._dataset, learned)
        chosen = dataclasses.replace(self._chosen, learning_rate=rate)
        for _ in loop.train(chosen, data, self._program, first_weights=self._weights):
            pass
        with tempfile.TemporaryDirectory() as folder:
            export.write_tflite(self._program.exportable_model(), Path(folder))
            recogniser = Recogniser(Path(folder) / TFLITE_FILE)
        return CalibratedRecogniser(
            recogniser, self._dataset.class_names, self.model.temperature, frozenset(self.model.folded)
        )


def read(model: Classifier, drawings: Examples) -> np.ndarray:
    """Return which drawings a model reads correctly, each as on the Draw page at a random place and size, bool (n,)."""
    return drawn_accuracy.read(model, drawings).correct


if __name__ == "__main__":
    main()
