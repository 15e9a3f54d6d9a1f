"""Measure how well numbers are read: one writer's digits side by side, as pen strokes and as a picture.

    python benchmarks/read_numbers.py --drawn FOLDER [--model ID] [--seed N] [--count N]

FOLDER holds *.json or *.json.gz, lists of `{"label": "7", "writer": 3, "strokes": [[[x, y], …], …]}`. The result goes
to benchmarks/results/read_numbers.json.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _results
from digits.accuracy import Accuracy
from digits.data.drawings import CANVAS_SIDE, Drawing, Placed, load_writers, place
from digits.ink import pictures, segmentation
from digits.ink import strokes as pen
from digits.models import catalogue
from digits.models.reading import Reading, read_digits
from digits.settings import Settings

CANVAS = (220, 700)  # height and width
DIGITS = (2, 6)  # in a number
HEIGHTS = (60.0, 150.0)  # pixels of an average digit, less if the number would not fit
SIZES = (0.8, 1.25)  # of one digit, relative to that height
WOBBLE = 0.1  # of the height, up or down
PEN_WIDTHS = (4.0, 16.0)
SPACINGS = {"apart": (0.05, 0.6), "touching": (-0.05, 0.05), "overlapping": (-0.2, -0.05)}  # of a digit's mean width
SAME_BOX = 0.8  # a box is correct if its intersection over union with the true box is larger


class Number(NamedTuple):
    """A number on the canvas.

    Attributes:
        text: its digits.
        digits: each digit's strokes.
        pen_width: in canvas pixels.
    """

    text: str
    digits: list[list[np.ndarray]]
    pen_width: float


class Counts:
    """The counts of numbers that were segmented correctly and read correctly."""

    def __init__(self) -> None:
        self.total = self.segmented = self.read = self.digits = self.digits_read = 0
        self.milliseconds: list[float] = []

    def add(self, number: Number, reading: Reading, is_segmented: bool, milliseconds: float) -> None:
        self.total += 1
        self.segmented += is_segmented
        self.read += reading.text == number.text
        if is_segmented:
            self.digits += len(number.text)
            self.digits_read += sum(a == b for a, b in zip(number.text, reading.text, strict=True))
        if len(number.text) == DIGITS[1]:
            self.milliseconds.append(milliseconds)


def main() -> None:
    """Measure, print a table and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True, metavar="FOLDER", help="labelled pen strokes with writers")
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL, metavar="ID", help="a bundled model or a run's id")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="numbers for each row; pictures take half as many")
    options = parser.parse_args()
    model = catalogue.find(options.model, Settings.from_environment())
    writers = load_writers(options.drawn, model.class_names)
    rows = [*single_rows(writers, model, options.seed)]
    rows += [*number_rows(writers, model, options.seed, options.count)]
    print_table(rows)
    figures = {"model": options.model, "seed": options.seed, "rows": [with_intervals(row) for row in rows]}
    print(f"Written to {_results.save('read_numbers', figures)}")


def single_rows(writers: dict[int | str, list[Drawing]], model: catalogue.Model, seed: int):
    """Put every digit alone on a square canvas, and yield how many are not split."""
    drawings = [drawing for row in writers.values() for drawing in row]
    for name, score in (("gaps alone", None), ("with recogniser", model.probabilities)):
        for way in ("strokes", "picture"):
            rng = np.random.default_rng(seed)
            placed = [place(drawing.strokes, rng) for drawing in drawings]
            whole = sum(count_single(one, way, score) == 1 for one in placed)
            yield {"way": way, "numbers": f"one digit, {name}", "total": len(placed), "segmented": whole}


def count_single(placed: Placed, way: str, score: segmentation.Score | None) -> int:
    """Count the digits found in a drawing of one digit."""
    if way == "strokes":
        return len(segmentation.split_strokes(placed.strokes, score=score))
    ink = pen.render(placed.strokes, size=(CANVAS_SIDE, CANVAS_SIDE), pen_width=placed.pen_width)
    return len(segmentation.split_ink(pictures.find_ink(1 - ink), score=score))


def number_rows(writers: dict[int | str, list[Drawing]], model: catalogue.Model, seed: int, count: int):
    """Compose numbers with their digits apart, touching and overlapping, and yield how well each way reads them."""
    for spacing in SPACINGS:
        for way in ("strokes", "picture"):
            for name, score in (("gaps alone", None), ("with recogniser", model.probabilities)):
                rng = np.random.default_rng(seed)
                counts = Counts()
                for _ in range(count if way == "strokes" else max(1, count // 2)):
                    number = compose(writers, rng, SPACINGS[spacing], is_picture=way == "picture")
                    counts.add(number, *(read_strokes if way == "strokes" else read_picture)(number, score, model))
                row = {key: value for key, value in vars(counts).items() if key != "milliseconds"}
                times = np.percentile(counts.milliseconds or [0], [50, 95]).round(1).tolist()
                yield {"way": way, "numbers": f"{spacing}, {name}", **row, "milliseconds_six_p50_p95": times}


def compose(
    writers: dict[int | str, list[Drawing]],
    rng: np.random.Generator,
    spacing: tuple[float, float],
    *,
    is_picture: bool,
) -> Number:
    """Compose a number from the digits of one writer.

    In a picture the spacing is between the edges of the ink, not between the pen's paths.
    """
    drawings = writers[int(rng.choice(list(writers)))]
    chosen = [drawings[i] for i in rng.integers(len(drawings), size=int(rng.integers(DIGITS[0], DIGITS[1] + 1)))]
    pen_width = float(rng.uniform(*PEN_WIDTHS))
    outside = pen_width if is_picture else 0.0
    height = float(rng.uniform(*HEIGHTS))
    shapes = []  # each digit's strokes, one unit high, with their bottom left corner at (0, 0)
    for drawing in chosen:
        points = np.concatenate(drawing.strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        size = rng.uniform(*SIZES) / max(high[1] - low[1], 1.0)
        shapes.append([(stroke - [low[0], high[1]]) * size for stroke in drawing.strokes])
    widths = [max(stroke[:, 0].max() for stroke in shape) for shape in shapes]
    gaps = rng.uniform(*spacing, size=len(shapes)) * np.mean(widths)
    room = CANVAS[1] - 2 * PEN_WIDTHS[1] - outside * len(shapes)
    height = min(height, room / (sum(widths) + float(np.maximum(gaps, 0).sum())))
    digits, x = [], PEN_WIDTHS[1]
    for shape, width, gap in zip(shapes, widths, gaps, strict=True):
        foot = CANVAS[0] / 2 + height * (0.5 + rng.uniform(-WOBBLE, WOBBLE))
        digits.append([(stroke * height + [x, foot]).astype(np.float32) for stroke in shape])
        x += (width + gap) * height + outside
    return Number("".join(drawing.label for drawing in chosen), digits, pen_width)


def read_strokes(number: Number, score: segmentation.Score | None, model: catalogue.Model):
    """Read the number from its strokes; return the reading, whether its segments are correct, and the milliseconds."""
    strokes = [stroke for digit in number.digits for stroke in digit]
    start = time.perf_counter()
    digits = segmentation.find_digits(strokes, size=CANVAS, pen_width=number.pen_width, score=score)
    reading = read_digits(digits, model)
    milliseconds = (time.perf_counter() - start) * 1e3
    ends = np.cumsum([0, *map(len, number.digits)])
    truth = [list(range(first, last)) for first, last in itertools.pairwise(ends.tolist())]
    return reading, segmentation.split_strokes(strokes, score=score) == truth, milliseconds


def read_picture(number: Number, score: segmentation.Score | None, model: catalogue.Model):
    """Read the number from a picture, dark on white; return the same as `read_strokes`."""
    strokes = [stroke for digit in number.digits for stroke in digit]
    picture = 1 - pen.render(strokes, size=CANVAS, pen_width=number.pen_width)
    start = time.perf_counter()
    reading = read_digits(segmentation.find_digits_in_ink(pictures.find_ink(picture), score=score), model)
    milliseconds = (time.perf_counter() - start) * 1e3
    boxes = [_box(digit, number.pen_width) for digit in number.digits]
    is_correct = len(reading.boxes) == len(boxes) and all(
        _overlap(found, box) > SAME_BOX for found, box in zip(reading.boxes, boxes, strict=True)
    )
    return reading, is_correct, milliseconds


def _box(digit: list[np.ndarray], pen_width: float) -> tuple[float, float, float, float]:
    points = np.concatenate(digit)
    return (*(points.min(axis=0) - pen_width / 2).tolist(), *(points.max(axis=0) + pen_width / 2).tolist())


def _overlap(a: tuple, b: tuple) -> float:
    """Return the intersection over union of two boxes."""
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def print_table(rows: list[dict]) -> None:
    """Print a line for each row."""
    print(f"{'way':8} {'numbers':28} {'total':>6} {'segmented':>10} {'read':>8} {'digits*':>8} {'6 digits, ms':>14}")
    for row in rows:
        read = f"{row['read'] / row['total']:.1%}" if "read" in row else ""
        digits = f"{row['digits_read'] / max(1, row['digits']):.2%}" if "read" in row else ""
        times = " ".join(f"{value:6.1f}" for value in row.get("milliseconds_six_p50_p95", []))
        share = f"{row['segmented'] / row['total']:.2%}"
        print(f"{row['way']:8} {row['numbers']:28} {row['total']:6} {share:>10} {read:>8} {digits:>8} {times:>14}")
    print("* digits read correctly within correctly segmented numbers; ms: median and 95th percentile")


def with_intervals(row: dict) -> dict:
    """Add the 95 % intervals of the row's shares."""
    shares = {key: Accuracy(row[key], row["total"]).interval for key in ("segmented", "read") if key in row}
    return row | {f"{key}_interval_95": [round(end, 4) for end in ends] for key, ends in shares.items()}


if __name__ == "__main__":
    main()
