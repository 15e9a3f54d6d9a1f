"""The training data for drawings: MNIST, MNIST redrawn as the Draw page draws, and shapes that are rare in MNIST.

A drawing reaches a model as centre lines drawn with a pen of constant width. MNIST's own images are scans of ink, of
any width and grey. A network trained on both kinds reads both.
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

REDRAWN, SHAPES = 20_000, 8_000  # the largest numbers of added images; at most 1/3 and 1/6 of the training images
_LARGE = 112  # pixels; centre lines are found on an image enlarged to this size


def for_drawings(dataset: Dataset, memory: Path, say: Callable[[str], None] = lambda words: None) -> Dataset:
    """Add redrawn images and rare shapes to a data set's training images; validation and test images are unchanged.

    Args:
        dataset: the data set.
        memory: a folder that caches the added images; making them takes about a minute for the full MNIST.
        say: called with a short sentence about the progress.

    Returns:
        The data set with the added training images at the end.
    """
    train = dataset.train
    redrawn_count = min(REDRAWN, len(train) // 3)
    shapes_count = min(SHAPES, len(train) // 6) if dataset.class_names == CLASS_NAMES else 0
    name = hashlib.sha256(train.images.tobytes()).hexdigest()[:16]
    path = memory / f"mixture-1-{name}-{redrawn_count}-{shapes_count}.npz"
    added = _load_cached(path)
    if added is None:
        shapes = allographs.examples(shapes_count, np.random.default_rng(0)) if shapes_count else ()
        redrawn = []
        for number, image in enumerate(train.images[:redrawn_count]):
            if number % 500 == 0:
                say(f"Redrawing the training images, {number / redrawn_count:.0%}")
            redrawn.append(redraw(image))
        parts = [(np.stack(redrawn), train.labels[:redrawn_count]), *([shapes] if shapes else [])]
        added = Split(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        _save_cached(path, added)
    whole = Split(np.concatenate([train.images, added.images]), np.concatenate([train.labels, added.labels]))
    return replace(dataset, train=whole)


def redraw(image: np.ndarray) -> np.ndarray:
    """Redraw an image by its centre lines, as the app would redraw a picture of it.

    Args:
        image: uint8 (28, 28), 0 is paper and 255 is ink.

    Returns:
        uint8 (28, 28); `image` itself if it has no ink.
    """
    large = Image.fromarray(image).resize((_LARGE, _LARGE), Image.Resampling.BICUBIC)
    glyph = glyphs.fit(np.asarray(large, dtype=np.float32) / 255)
    return image if glyph is None else glyph.image


def _load_cached(path: Path) -> Split | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Split(arrays["images"], arrays["labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _save_cached(path: Path, split: Split) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(stream, images=split.images, labels=split.labels)
