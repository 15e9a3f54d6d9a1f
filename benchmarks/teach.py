"""Teach a model the hands of the writers whom it reads worst, with twenty corrections each.

    DIGITS_DATA_DIR=… python -m benchmarks.teach [--part validation] [--writers 10]

Each writer's drawings are divided at random. The corrections come from one half, misread ones first; the other half is
read before and after, so it is an ordinary sample of that hand. Nobody's drawings are among their own strangers.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _results
from digits.accuracy import accuracy
from digits.data import handwriting, lesson, samples, sets
from digits.data.datasets import Dataset
from digits.data.drawings import Drawing, prepare
from digits.models import catalogue, drawn_accuracy
from digits.models.catalogue import Model
from digits.models.reading import Classifier
from digits.models.recogniser import TFLITE_FILE, CalibratedRecogniser, Recogniser
from digits.settings import Settings
from digits.training import teaching

CORRECTIONS = 20
FEWEST = 2 * CORRECTIONS  # drawings of a writer
MOST = 200  # drawings of a writer to measure on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL)
    parser.add_argument("--part", default="validation", choices=("development", "validation"))
    parser.add_argument("--writers", type=int, default=10)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    model = catalogue.find(options.model, settings)
    declared = sets.find(model.card.dataset)
    dataset = declared.load(settings)
    found = handwriting.load_strokes(settings.data_dir, "unipen", options.part, declared.class_names)
    school = School(model, dataset)
    rows = [school.teach(writer, hand) for writer, hand in worst(model, found, options.writers)]
    means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in ("before", "after", "seconds")}
    total = sum(row["drawings"] for row in rows)
    for name in ("before", "after"):
        means[f"{name}_of_all_drawings"] = round(sum(row[name] * row["drawings"] for row in rows) / total, 4)
    print(means)
    figures = {"model": model.id, "part": options.part, "means": means, "writers": rows}
    print("Written to", _results.save("teach" if options.part == "validation" else f"teach-{options.part}", figures))


def worst(model: Model, drawings: Sequence[Drawing], count: int) -> list[tuple[str, list[Drawing]]]:
    """Return the writers of whom the model reads the smallest share, with their drawings."""
    hands: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        hands.setdefault(str(drawing.writer), []).append(drawing)
    shares = {writer: read(model, hand).mean() for writer, hand in hands.items() if len(hand) >= FEWEST}
    return [(writer, hands[writer]) for writer in sorted(shares, key=shares.__getitem__)[:count]]


def read(model: Classifier, drawings: Sequence[Drawing]) -> np.ndarray:
    """Return which drawings a model reads correctly, each as on the Draw page at a random place and size, bool (n,)."""
    return drawn_accuracy.read(model, prepare(drawings, placings=1)).correct


class School:
    """A model and its data, to be taught again and again from the same weights."""

    def __init__(self, model: Model, dataset: Dataset) -> None:
        from digits.training import export, programs

        self._model, self._dataset = model, dataset
        self._settings = teaching.hyperparameters(model.card)
        self._weights = export.read_weights(model.folder)
        classes = len(dataset.class_names)
        self._program = programs.Program(self._settings.network, classes, optimizer="adam", is_lesson=True)

    def teach(self, writer: str, hand: list[Drawing]) -> dict[str, Any]:
        """Teach the model a writer's hand, and return what changed."""
        order = np.random.default_rng(0).permutation(len(hand))
        first, other = ([hand[row] for row in half] for half in np.array_split(order, 2))
        is_read = read(self._model, first)
        learned = [first[row] for row in np.argsort(is_read, kind="stable")[:CORRECTIONS]]
        other = other[:MOST]
        start = time.perf_counter()
        taught = self._learn(learned)
        seconds = time.perf_counter() - start
        row: dict[str, Any] = {
            "writer": writer,
            "drawings": len(other),
            "misread_corrections": int((~is_read).sum().clip(max=CORRECTIONS)),
            "before": round(float(read(self._model, other).mean()), 4),
            "after": round(float(read(taught, other).mean()), 4),
            "seconds": round(seconds, 1),
            **self._compare(taught, learned, writer),
        }
        print(row, flush=True)
        return row

    def _learn(self, learned: Sequence[Drawing]) -> CalibratedRecogniser:
        """Do what a run does: prepare the lesson, train, and convert."""
        from digits.training import export, loop

        data = lesson.build(self._dataset, learned)
        for _ in loop.train(self._settings, data, self._program, first_weights=self._weights):
            pass
        with tempfile.TemporaryDirectory() as folder:
            export.write_tflite(self._program.exportable_model(), Path(folder))
            recogniser = Recogniser(Path(folder) / TFLITE_FILE)
        return CalibratedRecogniser(recogniser, self._dataset.class_names, self._model.temperature)

    def _compare(self, taught: CalibratedRecogniser, learned: Sequence[Drawing], writer: str) -> dict[str, Any]:
        test = accuracy(taught.probabilities(self._dataset.test.images), self._dataset.test.labels)
        rows = teaching.compare(self._model, taught, test, learned, self._dataset)
        changed = {one.what: [one.before, one.after, one.total] for one in rows}
        strangers = [one for one in samples.load(samples.STRANGERS) if str(one.writer) != writer]
        correct = [int(read(model, strangers).sum()) for model in (self._model, taught)]
        return changed | {"strangers": [*correct, len(strangers)]}


if __name__ == "__main__":
    main()
