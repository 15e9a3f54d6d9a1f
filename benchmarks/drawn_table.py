"""How well every bundled model reads drawings as strokes and as pictures, by size, pen and position, with baselines.

    DIGITS_DATA_DIR=… python -m benchmarks.drawn_table --drawn FOLDER

The baselines are what most drawing pages do: the whole canvas reduced to 28×28, or its ink scaled into 20×20 and
centred by its centre of mass, but neither thinned nor redrawn. Every drawing counts as one digit.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks import _results
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import CANVAS_SIDE, Placed, load_drawings, place, read_as_picture, read_as_strokes
from digits.ink import strokes as pen
from digits.models import catalogue

PLACINGS = 2
SIDE = CANVAS_SIDE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True, metavar="FOLDER", help="labelled pen strokes")
    options = parser.parse_args()
    drawings = load_drawings(options.drawn, CLASS_NAMES)
    placed, names = [], []
    for seed in range(PLACINGS):
        rng = np.random.default_rng(seed)
        placed += [place(drawing.strokes, rng) for drawing in drawings]
        names += [CLASS_NAMES.index(drawing.label) for drawing in drawings]
    labels = np.array(names)
    ways = {
        "strokes": read_as_strokes,
        "pictures": read_as_picture,
        "20×20 box, centre of mass": boxed,
        "canvas shrunk to 28×28": shrunk,
    }
    images = {way: np.stack([read(one) for one in placed]) for way, read in ways.items()}
    groups = group(placed)
    figures = {}
    for model in catalogue.bundled():
        is_correct = {
            way: model.recogniser.probabilities(given).argmax(axis=1) == labels for way, given in images.items()
        }
        row = {"MNIST test": model.test_accuracy.share, "bytes": (model.folder / catalogue.TFLITE_FILE).stat().st_size}
        row |= {way: round(float(found.mean()), 4) for way, found in is_correct.items()}
        row |= {name: round(float(is_correct["strokes"][members].mean()), 4) for name, members in groups.items()}
        row["ms an image"] = round(milliseconds(model, images["strokes"][:200]), 3)
        figures[model.id] = row
        print(model.id, row, flush=True)
    print("Written to", _results.save("drawn_table", figures | {"drawings": len(drawings), "placings": PLACINGS}))


def group(placed: list[Placed]) -> dict[str, np.ndarray]:
    """Return which drawings belong to each range of sizes, pens and positions."""
    sizes, pens = np.array([one.size for one in placed]), np.array([one.pen_width for one in placed])
    points = [np.concatenate(one.strokes) for one in placed]
    centres = np.array([(stroke.min(axis=0) + stroke.max(axis=0)) / 2 for stroke in points]) / SIDE
    aside = (np.abs(centres - 0.5) > 0.2).sum(axis=1)
    return {
        "40 to 110 px": sizes < 110,
        "110 to 190 px": (sizes >= 110) & (sizes < 190),
        "190 to 260 px": sizes >= 190,
        "pen 4 to 12 px": pens < 12,
        "pen 12 to 40 px": pens >= 12,
        "in the middle": aside == 0,
        "at an edge": aside == 1,
        "in a corner": aside == 2,
    }


def _ink(placed: Placed) -> np.ndarray:
    return pen.render(placed.strokes, size=(SIDE, SIDE), pen_width=placed.pen_width)


def shrunk(placed: Placed) -> np.ndarray:
    """Reduce the whole canvas to 28×28."""
    picture = Image.fromarray(np.rint(_ink(placed) * 255).astype(np.uint8))
    return np.asarray(picture.resize((28, 28), Image.Resampling.BOX))


def boxed(placed: Placed) -> np.ndarray:
    """Scale the ink into 20×20 with its aspect ratio kept, and centre it by its centre of mass."""
    ink = _ink(placed)
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = 20 / max(cut.shape)
    size = tuple(max(1, round(length * scale)) for length in cut.shape[::-1])
    small = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BOX))
    y, x = ndimage.center_of_mass(small)
    top, left = (int(np.clip(round(13.5 - at), 0, 28 - length)) for at, length in zip((y, x), small.shape, strict=True))
    image = np.zeros((28, 28), np.float32)
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.rint(image * 255).astype(np.uint8)


def milliseconds(model: catalogue.Model, images: np.ndarray) -> float:
    """Return the median time to predict one image, on one core."""
    times = []
    for row in range(len(images)):
        start = time.perf_counter()
        model.recogniser.probabilities(images[row : row + 1])
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times))


if __name__ == "__main__":
    main()
