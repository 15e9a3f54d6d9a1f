"""Measure models on the handwriting of people from whom nothing was learned, by source and by class.

    DIGITS_DATA_DIR=… python -m benchmarks.strangers [MODEL …]

The folder holds `handwriting/` (see `digits.data.handwriting`) and `drawn/`. Each drawing is placed once on the canvas,
at a random position and size, and read as the Draw page reads it. The Swiss digits are read as picture files.
Intervals are by the bootstrap over writers. The result goes to benchmarks/results/strangers.json.
"""

import argparse
import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import _results
from digits.data import handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing, Examples, load_writers, prepare
from digits.models import catalogue, reading
from digits.models.drawn_accuracy import Outcomes, interval_by_writer, read
from digits.settings import Settings

STROKES = ("unipen", "crohme-hamex", "crohme-mfrdb", "crohme-kaist", "crohme-mathbrush", "crohme-expressmatch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["drawing"], metavar="MODEL")
    parser.add_argument("--most", type=int, default=10_000, help="drawings of each source (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    figures: dict[str, dict] = {}
    for name, examples in _sources(settings.data_dir, options.most):
        for model in (catalogue.find(name, settings) for name in options.models):
            start = time.perf_counter()
            outcomes = read(model, examples)
            row = figures.setdefault(model.id, {})[name] = summarise(outcomes, examples.labels, examples.writers)
            print(f"{model.id:14} {name:22} {describe(row)}  {time.perf_counter() - start:.0f} s", flush=True)
    for model in (catalogue.find(name, settings) for name in options.models):
        row = figures[model.id]["swiss, pictures"] = _swiss(settings.data_dir, model)
        print(f"{model.id:14} {'swiss, pictures':22} {describe(row)}", flush=True)
    print("Written to", _results.save("strangers", figures))


def _sources(data_dir: Path, most: int) -> Iterator[tuple[str, Examples]]:
    """Yield each source's drawings, at most so many, chosen evenly."""
    for name in STROKES:
        drawings = handwriting.load_strokes(data_dir, name, "validation", CLASS_NAMES)
        yield name, prepare(_some(drawings, most), placings=1)
    slashed = [d for d in handwriting.load_strokes(data_dir, "unipen", "validation", CLASS_NAMES) if is_slashed(d)]
    yield "unipen, slashed zeros", prepare(slashed, placings=1)
    writers = load_writers(data_dir / "drawn", CLASS_NAMES)
    chars74k = [drawing for row in writers.values() for drawing in row]
    yield "chars74k", prepare(chars74k, placings=1)


def _some(drawings: list[Drawing], most: int) -> list[Drawing]:
    return drawings[:: max(1, -(-len(drawings) // most))]


def is_slashed(drawing: Drawing) -> bool:
    """Whether a zero has a slash of its own: a second stroke that is long and nearly straight."""
    if drawing.label != "0" or len(drawing.strokes) != 2:
        return False
    slash = drawing.strokes[1].astype(float)
    length = np.hypot(*np.diff(slash, axis=0).T).sum()
    return bool(length > 80 and np.hypot(*(slash[-1] - slash[0])) > 0.9 * length)


def _swiss(data_dir: Path, model: catalogue.Model) -> dict:
    pictures, labels, writers = handwriting.load_pictures(data_dir, "validation")
    readings = [reading.read_picture(_png(picture), model) for picture in pictures]
    correct = np.array([found.text == str(label) for found, label in zip(readings, labels, strict=True)])
    refused = np.array([not found.accepted.any() for found in readings])
    split = np.array([len(found.digits) > 1 for found in readings])
    return summarise(Outcomes(correct, refused, split), labels.astype(str), writers.astype(str))


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def summarise(outcomes: Outcomes, labels: np.ndarray, writers: np.ndarray) -> dict:
    """Return shares with their intervals, and the share read correctly and refused of each class."""
    return {
        "drawings": len(labels),
        "writers": len(np.unique(writers)),
        **{
            name: {"share": round(float(values.mean()), 4), "interval_95": interval_by_writer(values, writers)}
            for name, values in (
                ("correct", outcomes.correct),
                ("refused", outcomes.refused),
                ("split", outcomes.split),
            )
        },
        "classes": {
            label: [round(float(values[labels == label].mean()), 4) for values in (outcomes.correct, outcomes.refused)]
            for label in np.unique(labels)
        },
    }


def describe(row: dict) -> str:
    """Return a row in words and figures."""
    low, high = row["correct"]["interval_95"]
    worst = sorted(row["classes"].items(), key=lambda item: item[1][0])[:3]
    return (
        f"{row['drawings']:6,} by {row['writers']:3}: correct {row['correct']['share']:.2%} ({low:.2%} to {high:.2%}), "
        f"refused {row['refused']['share']:.2%}, split {row['split']['share']:.2%}; "
        f"worst: {', '.join(f'{label} {shares[0]:.1%}' for label, shares in worst)}"
    )


if __name__ == "__main__":
    main()
