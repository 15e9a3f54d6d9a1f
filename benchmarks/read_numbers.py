"""Measure how well numbers are separated and read, by writers from whom nothing was learned.

    DIGITS_DATA_DIR=… python -m benchmarks.read_numbers [--model ID] [--count N] [--pictures N] [--sources NAME …]
        [--part development]

Numbers of two to six digits are composed of one writer's digits (`benchmarks.written_numbers`), with paper between the
ink, with ink that touches, and with pen paths that cross; in half of them, bars are drawn last. Single digits and
letters of several strokes are measured too: how many are split. Constants are chosen on
the development writers of UNIPEN. The folder holds `handwriting/` and `drawn/`. The
result goes to benchmarks/results/read_numbers.json.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import _results
from benchmarks.written_numbers import CANVAS, SPACINGS, Number, compose
from digits.data import handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing, load_writers
from digits.ink import pictures, segmentation
from digits.ink import strokes as pen
from digits.models import catalogue
from digits.models.drawn_accuracy import interval_by_writer
from digits.models.reading import Reading, mark_score, read_ink, read_strokes
from digits.settings import Settings

SOURCES = (
    "unipen",
    "crohme-hamex",
    "crohme-mfrdb",
    "crohme-kaist",
    "crohme-mathbrush",
    "crohme-expressmatch",
    "chars74k",
)
DIGITS = (2, 6)  # in a number
SAME_BOX = 0.8  # a box is correct if its intersection over union with the true box is larger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL, metavar="ID", help="a bundled model or a run's id")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES, metavar="NAME")
    parser.add_argument("--part", default="validation", choices=["development", "validation"])
    parser.add_argument("--count", type=int, default=300, help="numbers of each source and spacing, as strokes")
    parser.add_argument("--pictures", type=int, default=100, help="the same, as pictures")
    parser.add_argument("--most", type=int, default=2000, help="single digits and letters of each source, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/ and drawn/.")
    model = catalogue.find(options.model, settings)
    rows = []
    print(f"{'source':20} {'what':22} {'total':>6} {'separated, 95% interval':>26} {'read':>7} {'ms, p50 and p95':>20}")
    for source in options.sources:
        drawings = load(settings.data_dir, source, options.part)
        for row in (*marks(drawings, model, options.most), *numbers(drawings, model, options)):
            rows.append({"source": source, **row})
            print(describe(rows[-1]), flush=True)
    print("Written to", _results.save("read_numbers", {"model": options.model, "seed": options.seed, "rows": rows}))


def load(data_dir: Path, source: str, part: str = "validation") -> list[Drawing]:
    """Read a source's digits, letters and signs."""
    if source != "chars74k":
        return handwriting.load_strokes(data_dir, source, part, None)
    names = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    return [drawing for row in load_writers(data_dir / "drawn", names).values() for drawing in row]


def marks(drawings: list[Drawing], model: catalogue.Model, most: int) -> Iterator[dict]:
    """Yield how many single digits, and letters of several strokes, are not split; and how long a digit takes."""
    kinds = {
        "single digits": [drawing for drawing in drawings if drawing.label in CLASS_NAMES],
        "letters, 2+ strokes": [
            drawing
            for drawing in drawings
            if len(drawing.label) == 1 and drawing.label.isalpha() and len(drawing.strokes) > 1
        ],
    }
    for what, chosen in kinds.items():
        if not chosen:
            continue
        chosen = chosen[:: max(1, -(-len(chosen) // most))]
        readings, milliseconds = [], []
        for drawing in chosen:
            start = time.perf_counter()
            readings.append(read_strokes(drawing.strokes, model))
            milliseconds.append((time.perf_counter() - start) * 1e3)
        is_whole = np.array([len(reading.digits) == 1 for reading in readings])
        is_number = np.array([len(reading.digits) > 1 and reading.doubtful == 0 for reading in readings])
        yield {
            "what": what,
            **_shares(is_whole, [str(drawing.writer) for drawing in chosen], milliseconds),
            "read": float(np.mean([a.text == b.label for a, b in zip(readings, chosen, strict=True)])),
            "taken for a number": float(is_number.mean()),
        }


def numbers(drawings: list[Drawing], model: catalogue.Model, options: argparse.Namespace) -> Iterator[dict]:
    """Compose numbers at every spacing, and yield how well each way of reading separates and reads them."""
    writers: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        if drawing.label in CLASS_NAMES:
            writers.setdefault(str(drawing.writer), []).append(drawing)
    names = list(writers)
    for spacing in SPACINGS:
        for way, count in (("strokes", options.count), ("picture", options.pictures)):
            rng = np.random.default_rng(options.seed)
            separated, read, owners, milliseconds = [], [], [], []
            for turn in range(count):
                owners.append(names[rng.integers(len(names))])
                row = writers[owners[-1]]
                chosen = rng.integers(len(row), size=int(rng.integers(DIGITS[0], DIGITS[1] + 1)))
                number = compose([row[index] for index in chosen.tolist()], rng, spacing, is_late=turn % 2 == 1)
                start = time.perf_counter()
                is_separated, reading = (as_strokes if way == "strokes" else as_picture)(number, model)
                milliseconds.append((time.perf_counter() - start) * 1e3)
                separated.append(is_separated)
                read.append(reading.text == number.text)
            if count:
                shares = _shares(np.array(separated), owners, milliseconds)
                yield {"what": f"{spacing}, {way}", **shares, "read": float(np.mean(read))}


def as_strokes(number: Number, model: catalogue.Model) -> tuple[bool, Reading]:
    """Read a number from its strokes; return whether its digits are separated correctly, and the reading."""
    reading = read_strokes(number.strokes, model, size=CANVAS, pen_width=number.pen_width)
    return segmentation.split_strokes(number.strokes, score=mark_score(model)) == number.groups, reading


def as_picture(number: Number, model: catalogue.Model) -> tuple[bool, Reading]:
    """Read a number from a picture, dark on white; return the same as `as_strokes`."""
    picture = 1 - pen.render(number.strokes, size=CANVAS, pen_width=number.pen_width)
    reading = read_ink(pictures.find_ink(picture), model)
    boxes = [_box([number.strokes[index] for index in group], number.pen_width) for group in number.groups]
    is_separated = len(reading.boxes) == len(boxes) and all(
        _overlap(found, box) > SAME_BOX for found, box in zip(reading.boxes, boxes, strict=True)
    )
    return is_separated, reading


def _shares(is_separated: np.ndarray, writers: list[str], milliseconds: list[float]) -> dict:
    return {
        "total": len(is_separated),
        "separated": float(is_separated.mean()),
        "interval_95": interval_by_writer(is_separated, np.array(writers)),
        "milliseconds": np.percentile(milliseconds, [50, 95]).round(1).tolist(),
    }


def describe(row: dict) -> str:
    """Return a row of the table."""
    low, high = row["interval_95"]
    separated = f"{row['separated']:.2%} ({low:.1%} to {high:.1%})"
    taken = f"  {row['taken for a number']:.2%} taken for a number" if row.get("taken for a number") else ""
    times = " ".join(f"{value:.1f}" for value in row["milliseconds"])
    return (
        f"{row['source']:20} {row['what']:22} {row['total']:6,} {separated:>26} {row['read']:>7.1%} {times:>20}{taken}"
    )


def _box(digit: list[np.ndarray], pen_width: float) -> tuple[float, float, float, float]:
    points = np.concatenate(digit)
    return (*(points.min(axis=0) - pen_width / 2).tolist(), *(points.max(axis=0) + pen_width / 2).tolist())


def _overlap(a: tuple, b: tuple) -> float:
    """Return the intersection over union of two boxes."""
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


if __name__ == "__main__":
    main()
