"""A bank: what distilled networks learn from, in one file for a machine that has neither the data nor these packages.

    DIGITS_DATA_DIR=… python -m digits.training.distillation.bank BANK.npz [--tasks digits …]

Strokes are kept as strokes, so that `fit` can vary them anew each time it draws them; what came to 28×28 in another
way, as a picture or in low resolution, is kept as an image. The shares are those of `data.mixture` and of the judge.
"""

import argparse
import json
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from digits.data import allographs, handwriting, letters, mixture
from digits.data.datasets import CLASS_NAMES, Dataset
from digits.data.mixture import Share
from digits.data.mnist import load_mnist
from digits.files import write_whole
from digits.settings import IMAGE_SIZE, Settings, work_dir
from digits.training.distillation.plan import PLAN, SEGMENTS
from digits.training.judge import examples as judge
from digits.training.judge import scribbles

SIDE = 1000  # units of a drawing's longer side
ALLOGRAPHS = {"digits": 27_000, "judge": 13_000}
SCRIBBLES = {
    "named": 700,
    "composed": 2000,
    "curves": 2000,
    "signs": 300,
    "spoilt": 2000,
    "mixed": 2500,
}  # of each kind
COPIES = {"sign": 5, "script": 3}  # of a sign or a character of another script, for the judge
DIGITS_AMONG_LETTERS = 10_000  # images of MNIST
# The other pictures of digits are also by the writers on whom the judge's threshold is chosen.
OF_STRANGERS = (("swiss", "picture"), ("mnist", "low resolution"))
ALL_CHARACTERS = (*CLASS_NAMES, *string.ascii_uppercase, *string.ascii_lowercase)

Say = Callable[[str], None]


@dataclass
class Task:
    """What one network learns.

    Attributes:
        name: "digits", "characters" (all 62, apart) or "judge".
        class_of: the class of each label that it knows.
        drawings, images: rows of the bank; a row that stands there twice is learned from twice as often.
    """

    name: str
    class_of: Mapping[str, str]
    drawings: list[int] = field(default_factory=list)
    images: list[int] = field(default_factory=list)


class Bank:
    """Rows of drawings and of images, each with a label, and the tasks that use them."""

    def __init__(self) -> None:
        self._drawings: list[list[np.ndarray]] = []
        self._drawn_labels: list[str] = []
        self._images: list[np.ndarray] = []
        self._image_labels: list[str] = []
        self._tasks: list[Task] = []

    def add_drawings(self, drawings: Iterable[tuple[str, Sequence[np.ndarray]]]) -> range:
        """Add labelled strokes, float32 (n, 2) each in canvas pixels, and return their rows."""
        first = len(self._drawings)
        for label, strokes in drawings:
            self._drawings.append(shorten(strokes))
            self._drawn_labels.append(label)
        return range(first, len(self._drawings))

    def add_images(self, images: np.ndarray, labels: Sequence[str]) -> range:
        """Add images uint8 (n, 28, 28), and return their rows."""
        first = len(self._image_labels)
        self._images.append(images)
        self._image_labels += labels
        return range(first, len(self._image_labels))

    def add_task(self, task: Task) -> None:
        self._tasks.append(task)

    def label(self, row: int) -> str:
        """Return the label of a drawing."""
        return self._drawn_labels[row]

    def image_label(self, row: int) -> str:
        """Return the label of an image."""
        return self._image_labels[row]

    def arrays(self) -> dict[str, Any]:
        """Return the bank as the arrays of its file.

        Points are in thousandths of their drawing's longer side, `sides` holds that side in canvas pixels; `is_end`
        marks the last point of a stroke, and `counts` how many points a drawing has.
        """
        names = sorted({*self._drawn_labels, *self._image_labels})
        place = {name: index for index, name in enumerate(names)}
        points, sides = zip(*(_normalised(strokes) for strokes in self._drawings), strict=True)
        ends = [np.arange(1, len(stroke) + 1) == len(stroke) for strokes in self._drawings for stroke in strokes]
        arrays: dict[str, Any] = {
            "points": np.concatenate(points),
            "counts": np.array([len(one) for one in points], np.uint16),
            "sides": np.array(sides, np.float32),
            "is_end": np.packbits(np.concatenate(ends)),
            "drawn_labels": np.array([place[label] for label in self._drawn_labels], np.uint16),
            "images": np.concatenate([np.zeros((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8), *self._images]),
            "image_labels": np.array([place[label] for label in self._image_labels], np.uint16),
            "names": np.array(names),
            "tasks": np.array(json.dumps({task.name: dict(task.class_of) for task in self._tasks})),
        }
        for task in self._tasks:
            arrays |= {
                f"{task.name}_drawings": np.array(task.drawings, np.int32),
                f"{task.name}_images": np.array(task.images, np.int32),
            }
        return arrays


def shorten(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Leave out points, evenly, of a drawing with more than `SEGMENTS` lines; ends of strokes stay.

    A drawing of more strokes than that loses the last ones.
    """
    strokes = list(strokes[:SEGMENTS])
    lines = sum(max(1, len(stroke) - 1) for stroke in strokes)
    if lines <= SEGMENTS:
        return strokes
    share = (SEGMENTS - len(strokes)) / lines
    kept = []
    for stroke in strokes:
        count = 1 + max(1, int((len(stroke) - 1) * share)) if len(stroke) > 1 else 1
        kept.append(stroke[np.round(np.linspace(0, len(stroke) - 1, count)).astype(int)])
    return kept


def _normalised(strokes: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max())
    return np.rint((points - low) * (SIDE / max(side, 1e-6))).astype(np.int16), side


def build(settings: Settings, tasks: Sequence[str], say: Say = print) -> Bank:
    """Collect everything in the data folder that some tasks learn from, and that the terms allow to learn from."""
    assert settings.data_dir is not None
    bank, rng = Bank(), np.random.default_rng(0)
    drawn = _add_handwriting(bank, settings.data_dir, ("train", "development") if "digits" in tasks else ("train",))
    synthetic = {
        task: bank.add_drawings((CLASS_NAMES[row % 10], allographs.draw(row % 10, rng)) for row in range(count))
        for task, count in ALLOGRAPHS.items()
        if task in tasks
    }
    mnist = load_mnist(settings, first_train_image=judge.FIRST_TRAIN_IMAGE)
    characters = letters.load(
        letters.Alphabet("all", "All", ALL_CHARACTERS, {name: row for row, name in enumerate(ALL_CHARACTERS)}), settings
    )
    known = mnist.train if "digits" in tasks else mnist.train.rows(0, DIGITS_AMONG_LETTERS)
    as_they_are = bank.add_images(known.images, [CLASS_NAMES[label] for label in known.labels])
    shares = (
        mixture.MIXTURE
        if "digits" in tasks
        else [share for share in mixture.MIXTURE if (share.source, share.way) in OF_STRANGERS]
    )
    of_digits = _add_shares(bank, mnist, shares, settings, say)
    if "digits" in tasks:
        digits = Task("digits", {name: name for name in CLASS_NAMES})
        digits.drawings = [*_rows(bank, drawn, mixture.MIXTURE, CLASS_NAMES), *synthetic["digits"]]
        digits.images = [*as_they_are, *(row for rows in of_digits.values() for row in rows)]
        bank.add_task(digits)

    apart = Task("characters", {name: name for name in ALL_CHARACTERS})
    apart.drawings = _rows(bank, drawn, mixture.VARIED_LETTERS, ALL_CHARACTERS)
    shares = [share for share in mixture.VARIED_LETTERS if (share.source, share.way) != ("mnist", "image")]
    of_characters = _add_shares(bank, characters, shares, settings, say)
    apart.images = [*as_they_are[:DIGITS_AMONG_LETTERS], *(row for rows in of_characters.values() for row in rows)]
    if "characters" in tasks:
        bank.add_task(apart)
    if "judge" in tasks:
        others = [row for share, rows in of_digits.items() if share in OF_STRANGERS for row in rows]
        bank.add_task(_judge_task(bank, drawn, synthetic["judge"], [*apart.images, *others], settings.data_dir, rng))
    return bank


Drawn = Mapping[tuple[str, str], range]  # the rows of a source's part


def _add_handwriting(bank: Bank, data_dir: Path, parts: Sequence[str]) -> dict[tuple[str, str], range]:
    return {
        (source, part): bank.add_drawings(
            (drawing.label, drawing.strokes)
            for drawing in handwriting.load_strokes(data_dir, source, part, None, to_train=True)
        )
        for source in ("unipen", "pendigits", "omniglot")
        for part in parts
    }


def _rows(bank: Bank, drawn: Drawn, shares: Iterable[Share], labels: Sequence[str]) -> list[int]:
    """Return the rows of a mixture's strokes, each as often as its share says."""
    return [
        row
        for share in shares
        if share.way == "strokes"
        for part in share.parts
        for row in drawn.get((share.source, part), ())
        if bank.label(row) in labels
        for _ in range(int(share.images))
    ]


def _add_shares(
    bank: Bank, dataset: Dataset, shares: Iterable[Share], settings: Settings, say: Say
) -> dict[tuple[str, str], range]:
    """Make the images of a mixture that do not come by strokes, and return their rows by source and way."""
    rows: dict[tuple[str, str], range] = {}
    memory = work_dir(settings.runs_dir, "mixture")
    for share in shares:
        if share.way == "strokes" or share.source == "examples":  # examples stand for the folder, which is there
            continue
        made = mixture.for_drawings(dataset, memory, data_dir=settings.data_dir, shares=(share,)).train
        known = len(dataset.train)
        labels = [dataset.class_names[label] for label in made.labels[known:]]
        rows[share.source, share.way] = bank.add_images(made.images[known:], labels)
        say(f"{len(labels):,} images: {share.source}, {share.way}")
    return rows


def _judge_task(
    bank: Bank, drawn: Drawn, synthetic: range, images: Sequence[int], data_dir: Path, rng: np.random.Generator
) -> Task:
    """Declare what the judge learns, as `training.judge.examples` does, with more scribbles and letters."""
    task = Task("judge", {name: name for name in ALL_CHARACTERS})
    class_of = dict(task.class_of)
    for row in (row for source in ("unipen", "pendigits", "omniglot") for row in drawn[source, "train"]):
        if (name := judge.class_of(bank.label(row))) is not None:
            class_of[bank.label(row)] = name
            task.drawings += [row] * (3 if name.isdigit() else COPIES.get(name.split(" ")[0], 1))
    task.drawings += synthetic
    task.images = list(images)
    for group, kind in ((group, kind) for group, kinds in judge.GROUPS.items() for kind in kinds):
        task.drawings += bank.add_drawings((kind, scribbles.draw(kind, rng)) for _ in range(SCRIBBLES[group]))
        shown = [judge.scribble(kind, rng, as_picture=True) for _ in range(SCRIBBLES[group] // judge.PICTURES)]
        task.images += bank.add_images(np.stack(shown), [kind] * len(shown))
        class_of[kind] = kind
    characters = [one for source in ("unipen", "omniglot") for one in judge.drawings(data_dir, source, "train")]
    corrupted = list(judge.corrupted(characters, SCRIBBLES, rng))
    task.drawings += bank.add_drawings(corrupted)
    class_of |= {kind: kind for kind, _ in corrupted}
    task.class_of = class_of
    return task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--tasks", nargs="+", choices=PLAN, default=list(PLAN))
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with mnist/ and handwriting/.")
    arrays = build(settings, options.tasks).arrays()
    with write_whole(options.output) as stream:
        np.savez_compressed(stream, **arrays)
    print(f"{options.output}: {options.output.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
