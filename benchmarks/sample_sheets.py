"""Photograph sheets of samples on blank, ruled and squared paper, and measure how many are cut out of them.

    DIGITS_DATA_DIR=… python -m benchmarks.sample_sheets [--part validation] [--count 10] [--seed 1]

Each sheet has six rows of eight digits by one of UNIPEN's writers, or allographs where there is no data folder. Paper,
light, lens, sensor and JPEG are synthesised. A row is right if it is cut into as many samples as were written, and a
sample if the network for drawings reads it too. The result goes to benchmarks/results/sample_sheets.json.
"""

import argparse
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks import _results
from digits.data import allographs, handwriting, photographs
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.errors import InvalidSet
from digits.ink import strokes
from digits.models import catalogue
from digits.settings import Settings

ROWS, COLUMNS = 6, 8
SIDE = 100  # pixels from one row to the next
DESK = 160  # pixels of a desk around the sheet


@dataclass(frozen=True)
class Paper:
    """What the samples are written on.

    Attributes:
        step: between two printed lines, as a share of the distance between two rows; 0 for none.
        squared: whether there are vertical lines, too.
        margin: whether there is a darker line down the side.
        desk: whether the sheet lies on a desk that is darker than it.
    """

    step: float = 0.0
    squared: bool = False
    margin: bool = False
    desk: bool = False


PAPERS = {
    "blank": Paper(),
    "ruled": Paper(step=1.0),
    "ruled, narrow": Paper(step=0.5),
    "ruled, margin": Paper(step=1.0, margin=True),
    "squared": Paper(step=0.5, squared=True),
    "squared, narrow": Paper(step=0.3, squared=True),
    "blank, on a desk": Paper(desk=True),
    "ruled, on a desk": Paper(step=1.0, desk=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", default="validation", choices=("development", "validation"))
    parser.add_argument("--count", type=int, default=10, help="sheets of each paper (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--papers", nargs="+", default=list(PAPERS), choices=list(PAPERS), metavar="PAPER")
    options = parser.parse_args()
    settings = Settings.from_environment()
    hands, model = load_hands(settings, options.part), catalogue.find(catalogue.DEFAULT_MODEL, settings)
    figures = {}
    for name in options.papers:
        rows = samples = 0
        for index in range(options.count):
            rng = np.random.default_rng([options.seed, list(PAPERS).index(name), index])
            labels, content = photograph(PAPERS[name], hands, rng)
            for row, images in zip(labels, match(labels, content), strict=True):
                rows += len(images) == len(row)
                if len(images) == len(row):
                    read = model.probabilities(images).argmax(axis=1)
                    samples += sum(CLASS_NAMES[best] == label for best, label in zip(read, row, strict=True))
        figures[name] = {"rows": rows, "of": ROWS * options.count, "samples": samples}
        print(f"{name:18} {rows} of {ROWS * options.count} rows, {samples} of {ROWS * COLUMNS * options.count} samples")
    print("Written to", _results.save("sample_sheets", {"part": options.part, "papers": figures}))


def load_hands(settings: Settings, part: str) -> list[list[Drawing]]:
    """Return drawings of digits by writer, of those with twenty or more."""
    rng = np.random.default_rng(0)
    drawings = [Drawing(str(turn % 10), allographs.draw(turn % 10, rng), writer=turn // 40) for turn in range(400)]
    if settings.data_dir is not None:
        drawings = handwriting.load_strokes(settings.data_dir, "unipen", part, CLASS_NAMES)
    hands: dict[object, list[Drawing]] = {}
    for drawing in drawings:
        hands.setdefault(drawing.writer, []).append(drawing)
    return [hand for hand in hands.values() if len(hand) >= 20]


def match(labels: list[list[str]], content: bytes) -> list[np.ndarray]:
    """Return what is cut out of each row; if there are more or fewer rows, all are empty."""
    try:
        found = [row.images for row in photographs.cut(content)]
    except InvalidSet:
        found = []
    return found if len(found) == len(labels) else [np.zeros((0, 28, 28), np.uint8)] * len(labels)


def photograph(paper: Paper, hands: list[list[Drawing]], rng: np.random.Generator) -> tuple[list[list[str]], bytes]:
    """Write samples on a sheet and photograph it; return the labels of each row, and a JPEG."""
    size = (SIDE * (ROWS + 1), SIDE * (COLUMNS + 1))
    hand = hands[rng.integers(len(hands))]
    labels: list[list[str]] = []
    drawn: list[np.ndarray] = []
    for row in range(ROWS):
        chosen = [hand[index] for index in rng.integers(len(hand), size=COLUMNS)]
        labels.append([one.label for one in chosen])
        for column, one in enumerate(chosen):
            points = np.concatenate(one.strokes)
            low, high = points.min(axis=0), points.max(axis=0)
            scale = SIDE * rng.uniform(0.45, 0.6) / max(float((high - low).max()), 1.0)
            place = np.array([column + 1, row + 1]) * SIDE + rng.uniform(-0.06, 0.06, 2) * SIDE
            drawn += [((stroke - (low + high) / 2) * scale + place).astype(np.float32) for stroke in one.strokes]
    ink = strokes.render(drawn, size=size, pen_width=rng.uniform(3, 6))
    sheet = rng.uniform(0.75, 0.95) * (1 - print_lines(paper, size, rng)) * (1 - rng.uniform(0.5, 0.85) * ink)
    if paper.desk:
        sheet = np.pad(sheet, DESK, constant_values=rng.uniform(0.15, 0.4))
    turned = ndimage.rotate(sheet, rng.uniform(-1.5, 1.5), reshape=False, order=1, mode="nearest")
    y, x = np.mgrid[-1 : 1 : turned.shape[0] * 1j, -1 : 1 : turned.shape[1] * 1j]
    lit = turned * (1 - 0.12 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y) - rng.uniform(0, 0.1) * (x**2 + y**2))
    seen = ndimage.gaussian_filter(lit, rng.uniform(0.4, 1.2)) + rng.normal(0, 0.015, turned.shape)
    stream = io.BytesIO()
    picture = Image.fromarray(np.rint(255 * np.clip(seen, 0, 1)).astype(np.uint8))
    picture.save(stream, "JPEG", quality=int(rng.integers(70, 95)))
    return labels, stream.getvalue()


def print_lines(paper: Paper, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the darkness of a paper's printed lines, float (height, width)."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    width, darkness = rng.uniform(1.0, 2.5), rng.uniform(0.15, 0.45)

    def lines(position: np.ndarray, step: float) -> np.ndarray:
        distance = np.abs((position - rng.uniform(0, step)) % step - step / 2)
        return np.clip(width / 2 + 0.5 - distance, 0, 1)

    dark = np.zeros(size, np.float32)
    if paper.step:
        dark = darkness * lines(y, paper.step * SIDE)
    if paper.squared:
        dark = np.maximum(dark, darkness * lines(x, paper.step * SIDE))
    if paper.margin:
        dark = np.maximum(dark, rng.uniform(0.2, 0.5) * np.clip(2 - np.abs(x - 0.4 * SIDE), 0, 1))
    return dark


if __name__ == "__main__":
    main()
