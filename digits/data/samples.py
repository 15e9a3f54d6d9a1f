"""Samples: small collections of real handwriting that are part of Digits, as labelled pen strokes.

They are taken from UNIPEN (I. Guyon et al., ICPR 1994; Zenodo 1195803) and from Pen-Based Recognition of Handwritten
Digits (E. Alpaydin, F. Alimoglu, 1998), both under CC BY 4.0.

    DIGITS_DATA_DIR=… python -m digits.data.samples

makes them again.
"""

import functools
import gzip
import json
import string
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from digits.data import handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing, read_strokes_file
from digits.files import write_whole
from digits.ink import glyphs
from digits.settings import Settings

STRANGERS = "strangers"  # of UNIPEN's validation writers, to measure on; nothing learns from them
EXAMPLES = "examples"  # of training writers, to show; every shape in which a digit is written is among them
LETTER_STRANGERS, LETTER_EXAMPLES = "letter-strangers", "letter-examples"  # the same for letters of both cases

_EACH = {STRANGERS: 46, EXAMPLES: 160, LETTER_STRANGERS: 40, LETTER_EXAMPLES: 60}  # drawings of each class
_ALPHABETS = (string.ascii_uppercase, string.ascii_lowercase)
_SHAPES = 40  # clusters of a class; each gives as many examples
_FEWEST = 4  # drawings of a cluster; fewer may have wrong labels

_T = TypeVar("_T")


@functools.cache
def load(name: str) -> tuple[Drawing, ...]:
    """Read a sample by its name; raises `DatasetCorrupt` if its file is damaged or missing."""
    return tuple(read_strokes_file(_path(name)))


def _path(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.json.gz")


def choose_strangers(
    drawings: Sequence[Drawing], each: int = _EACH[STRANGERS], labels: Iterable[str] = CLASS_NAMES
) -> list[Drawing]:
    """Choose so many drawings of each class, from every writer about as many."""
    chosen: list[Drawing] = []
    for label in labels:
        row = [drawing for drawing in drawings if drawing.label == label]
        chosen += _in_turn(row, [drawing.writer for drawing in row])[:each]
    return chosen


def choose_examples(
    drawings: Sequence[Drawing], each: int = _EACH[EXAMPLES], names: Iterable[str] = CLASS_NAMES
) -> list[Drawing]:
    """Choose so many drawings of each class, of every shape about as many, and of each shape by different writers.

    Left out is what may have a wrong label: a shape with few drawings, or a drawing among those of another class.
    """
    pixels, labels = _pixels(drawings), np.array([drawing.label for drawing in drawings])
    is_typical = (labels[_nearest(pixels)] == labels[:, None]).mean(axis=1) > 0.5
    chosen: list[Drawing] = []
    for label in names:
        rows = np.flatnonzero((labels == label) & is_typical)
        shapes = _cluster(pixels[rows])
        common = np.flatnonzero(np.bincount(shapes)[shapes] >= _FEWEST).tolist()
        mixed = _in_turn(common, [drawings[rows[place]].writer for place in common])
        chosen += [drawings[rows[place]] for place in _in_turn(mixed, shapes[mixed].tolist())[:each]]
    return chosen


def _in_turn(items: Sequence[_T], keys: Sequence[Hashable]) -> list[_T]:
    """Order items so that there is one of each key, then a second of each, and so on."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for key in keys:
        turns.append(seen[key])
        seen[key] += 1
    return [items[place] for place in sorted(range(len(items)), key=turns.__getitem__)]


def _pixels(drawings: Iterable[Drawing]) -> np.ndarray:
    """Return the drawings' 28×28 images at half their size, float32 (n, 196)."""
    images = np.stack([glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings])
    return images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4), dtype=np.float32).reshape(len(images), -1)


def _nearest(pixels: np.ndarray, count: int = 10) -> np.ndarray:
    """Return the nearest others of each row, integer (n, count)."""
    squares = (pixels**2).sum(axis=1)
    found = []
    for start in range(0, len(pixels), 1000):
        distances = squares - 2 * pixels[start : start + 1000] @ pixels.T  # but for what is the same in a row
        distances[np.arange(len(distances)), start + np.arange(len(distances))] = np.inf
        found.append(np.argpartition(distances, count)[:, :count])
    return np.concatenate(found)


def _cluster(pixels: np.ndarray) -> np.ndarray:
    """Group images of one class by their shape, by k-means: integer (n,)."""
    from scipy.cluster.vq import kmeans2

    return kmeans2(pixels, min(_SHAPES, len(pixels)), minit="++", rng=np.random.default_rng(0))[1]


def _write(name: str, drawings: list[Drawing]) -> None:
    rows = [
        {
            "label": one.label,
            "writer": one.writer,
            "strokes": [np.rint(stroke).astype(int).tolist() for stroke in one.strokes],
        }
        for one in drawings
    ]
    text = json.dumps(rows, separators=(",", ":")).encode()
    with write_whole(_path(name)) as stream:
        stream.write(gzip.compress(text, 9, mtime=0))


def _to_learn_from(folder: Path, sources: Iterable[str], labels: Iterable[str]) -> list[Drawing]:
    wanted = set(labels)
    return [
        drawing
        for source in sources
        for drawing in handwriting.load_strokes(folder, source, "train", wanted, to_train=True)
    ]


def main() -> None:
    """Choose all samples from the folder of handwriting, and write them beside this module."""
    folder = Settings.from_environment().data_dir
    if folder is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    chosen = {
        STRANGERS: choose_strangers(handwriting.load_strokes(folder, "unipen", "validation", CLASS_NAMES)),
        EXAMPLES: choose_examples(_to_learn_from(folder, ("unipen", "pendigits"), CLASS_NAMES)),
        LETTER_STRANGERS: [],
        LETTER_EXAMPLES: [],
    }
    for letters in _ALPHABETS:
        strangers = handwriting.load_strokes(folder, "unipen", "validation", letters)
        known = _to_learn_from(folder, ("unipen",), letters)
        chosen[LETTER_STRANGERS] += choose_strangers(strangers, _EACH[LETTER_STRANGERS], letters)
        chosen[LETTER_EXAMPLES] += choose_examples(known, _EACH[LETTER_EXAMPLES], letters)
    for name, drawings in chosen.items():
        _write(name, drawings)
        writers = len({drawing.writer for drawing in drawings})
        print(f"{len(drawings):,} drawings by {writers} writers in {_path(name).name}")


if __name__ == "__main__":
    main()
