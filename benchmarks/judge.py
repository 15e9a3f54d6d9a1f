"""Measure the judge that decides what is a digit.

    DIGITS_DATA_DIR=… python -m benchmarks.judge --drawn FOLDER

FOLDER is as for `digits.training.judge.fit`; only writers held out from the fit are measured. The result goes to
benchmarks/results/judge.json.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _results
from digits.data import datasets
from digits.data.datasets import CLASS_NAMES, Dataset
from digits.data.drawings import Drawing, load_writers
from digits.models.judge import JUDGE_FILE, Judge
from digits.settings import Settings
from digits.training.judge import held_out, scribbles, spoilt
from digits.training.judge.compositions import COMPOSITIONS, SIGNS
from digits.training.judge.fit import (
    FIRST_TRAIN_IMAGE,
    FIT_WRITERS,
    LOOKALIKES,
    THRESHOLD_WRITERS,
    characters,
    read,
    redraw,
    scribble,
)

PLACINGS = 2  # of each drawing on the canvas; `glyphs.fit` removes nearly all differences between them
SCRIBBLES = 150  # of each kind; every fifth is read as a picture
GROUPS = {
    "scribbles, kinds fitted": scribbles.NAMED,
    "composed at random, fitted": COMPOSITIONS,
    "signs, fitted": SIGNS,
    "scribbles, new kinds": held_out.FIRST,
    "scribbles, second new kinds": held_out.SECOND,
}
SHARES = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.02,
    0.05,
)  # of MNIST's test digits to refuse, one for each point of the trade-off curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True, metavar="FOLDER", help="pen strokes with writers")
    parser.add_argument("--judge", type=Path, default=JUDGE_FILE, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dataset = datasets.load_mnist(Settings.from_environment(), first_train_image=FIRST_TRAIN_IMAGE)
    used = {*FIT_WRITERS, *THRESHOLD_WRITERS}
    writers = load_writers(options.drawn, characters())
    drawings = [drawing for writer, row in writers.items() if writer not in used for drawing in row]
    judge = Judge.load(options.judge)
    rng = np.random.default_rng(options.seed)
    scores = score_all(judge, dataset, drawings, rng)
    scores |= score_spoilt(judge, [row for writer, row in writers.items() if writer not in used], rng)
    curve = trade_off(scores, judge.threshold)
    refused = {name: round(float((values < judge.threshold).mean()), 4) for name, values in scores.items()}
    speed = measure_speed(judge, dataset.test.images)
    print_report(curve, refused)
    print(f"{speed:.2f} ms per image, one at a time")
    figures = {"threshold": judge.threshold, "trade_off": curve, "refused": refused, "milliseconds": round(speed, 3)}
    print("Written to", _results.save("judge", figures))


def score_all(
    judge: Judge, dataset: Dataset, drawings: list[Drawing], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the scores of each group of glyphs; a group of one letter or kind has its name."""
    shown: dict[str, list[np.ndarray]] = {}
    for drawing in drawings:
        for way in ("strokes", "pictures"):
            glyphs = [read(drawing.strokes, rng, as_picture=way == "pictures") for _ in range(PLACINGS)]
            shown.setdefault(f"{_group(drawing.label)}, {way}", []).extend(glyphs)
            if way == "strokes":
                shown.setdefault(f"character {drawing.label}", []).extend(glyphs)
    for group, kinds in GROUPS.items():
        for kind in kinds:
            glyphs = [scribble(kind, rng, as_picture=number % 5 == 0) for number in range(SCRIBBLES)]
            shown.setdefault(group, []).extend(glyphs)
            shown[f"kind {kind}"] = glyphs
    images, labels = dataset.test.images, dataset.test.labels
    groups = {name: np.stack(glyphs) for name, glyphs in shown.items()}
    groups |= {"MNIST test": images, "MNIST test, redrawn": np.stack([redraw(image) for image in images[:2000]])}
    groups |= {f"MNIST test {name}": images[labels == index] for index, name in enumerate(dataset.class_names)}
    return {name: judge.score(glyphs) for name, glyphs in groups.items()}


def score_spoilt(judge: Judge, writers: list[list[Drawing]], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the scores of corrupted digits of held-out writers: all of them, and by kind."""
    scores = {}
    for kind in spoilt.KINDS:
        drawings = [spoilt.spoil(kind, writers[int(rng.integers(len(writers)))], rng) for _ in range(SCRIBBLES)]
        scores[f"kind {kind}"] = judge.score(np.stack([read(strokes, rng, as_picture=False) for strokes in drawings]))
    return {"spoilt digits, new writers": np.concatenate(list(scores.values()))} | scores


def _group(label: str) -> str:
    if label in CLASS_NAMES:
        return "pen digits"
    return "look-alike letters" if label in LOOKALIKES else "letters"


def trade_off(scores: dict[str, np.ndarray], chosen: float) -> list[dict[str, Any]]:
    """Return the share refused of every large group, at the judge's threshold and at those of `SHARES`."""
    thresholds = [("chosen", chosen)]
    thresholds += [(f"{share:.2%} of MNIST test", float(np.quantile(scores["MNIST test"], share))) for share in SHARES]
    groups = [name for name in scores if not name.startswith(("character ", "kind ", "MNIST test "))]
    return [
        {"point": point, "threshold": round(threshold, 4)}
        | {name: round(float((scores[name] < threshold).mean()), 4) for name in groups}
        for point, threshold in thresholds
    ]


def measure_speed(judge: Judge, images: np.ndarray, count: int = 300) -> float:
    """Return the median milliseconds to score one image."""
    seconds = []
    for row in range(count):
        start = time.perf_counter()
        judge.score(images[row : row + 1])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1000


def print_report(curve: list[dict[str, Any]], refused: dict[str, float]) -> None:
    """Print the trade-off curve, and the share refused of each letter and kind."""
    for name in curve[0]:
        print(f"{name:26}", *(f"{row[name]:>14}" if name == "point" else f"{row[name]:>9.4f}" for row in curve))
    for prefix in ("character ", "kind ", "MNIST test "):
        rows = (
            f"{name.removeprefix(prefix)} {share:.1%}" for name, share in refused.items() if name.startswith(prefix)
        )
        print(f"{prefix.strip()} refused:", ", ".join(rows))


if __name__ == "__main__":
    main()
