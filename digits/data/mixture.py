"""The mixture to learn drawings from: MNIST, MNIST drawn anew as the Draw page draws, and shapes MNIST seldom shows.

A drawing reaches a model as centre lines drawn with an even pen. MNIST's own images are scans of ink, of any width and
grey. A network that has seen both does not mind which it is given.
"""

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import allographs
from digits.data.datasets import CLASS_NAMES, Dataset, Split
from digits.files import write_whole
from digits.ink import glyphs

REDRAWN, SHAPES = 20_000, 8_000  # at most, and of a small training set at most a third and a sixth
_LARGE = 112  # pixels; centre lines are found on an enlarged image


def for_drawings(dataset: Dataset, memory: Path, say: Callable[[str], None] = lambda words: None) -> Dataset:
    """Add to a data set's training images what drawings look like; validation and test stay as they are.

    Args:
        memory: a folder that keeps what was made, which takes about a minute for the whole of MNIST.
        say: told in a few words how far it is.
    """
    train = dataset.train
    redrawn_count = min(REDRAWN, len(train) // 3)
    shapes_count = min(SHAPES, len(train) // 6) if dataset.class_names == CLASS_NAMES else 0
    name = hashlib.sha256(train.images.tobytes()).hexdigest()[:16]
    path = memory / f"mixture-1-{name}-{redrawn_count}-{shapes_count}.npz"
    added = _remembered(path)
    if added is None:
        shapes = allographs.examples(shapes_count, np.random.default_rng(0)) if shapes_count else ()
        redrawn = []
        for number, image in enumerate(train.images[:redrawn_count]):
            if number % 500 == 0:
                say(f"Drawing the training images anew, {number / redrawn_count:.0%}")
            redrawn.append(redraw(image))
        parts = [(np.stack(redrawn), train.labels[:redrawn_count]), *([shapes] if shapes else [])]
        added = Split(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        _remember(path, added)
    whole = Split(np.concatenate([train.images, added.images]), np.concatenate([train.labels, added.labels]))
    return replace(dataset, train=whole)


def redraw(image: np.ndarray) -> np.ndarray:
    """Pass an image uint8 (28, 28) through `glyphs.fit`, as a picture of it would be."""
    large = Image.fromarray(image).resize((_LARGE, _LARGE), Image.Resampling.BICUBIC)
    glyph = glyphs.fit(np.asarray(large, dtype=np.float32) / 255)
    return image if glyph is None else glyph.image


def _remembered(path: Path) -> Split | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Split(arrays["images"], arrays["labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _remember(path: Path, split: Split) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(stream, images=split.images, labels=split.labels)
