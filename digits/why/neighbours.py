"""Neighbours: real handwriting that a network finds most similar to a drawing.

Two images are similar if the network's features of them, what its last layer is given, point the same way: the cosine
of their angle is near 1. Chosen on UNIPEN's development writers over the Euclidean distance, over features of equal
variance and over logits. The examples are the 1,600 of `samples.EXAMPLES`, so a slashed zero finds slashed zeros.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.data import letters, own, sets
from digits.errors import DatasetError, InvalidImage
from digits.ink import glyphs
from digits.models import features
from digits.models.catalogue import TFLITE_FILE, Model
from digits.settings import IMAGE_SIZE


@dataclass(frozen=True, eq=False)
class Neighbour:
    """An example near a drawing.

    Attributes:
        image: uint8 (28, 28), 0 is paper and 255 is ink, read-only.
        label: the index of its class among the model's.
        distance: 1 minus the cosine between the features, in [0, 2]; 0 for an identical image.
    """

    image: np.ndarray
    label: int
    distance: float


class Index:
    """Labelled images, searchable for those nearest to another image. It never changes, so threads may share it."""

    def __init__(self, reader: features.FeatureReader, images: np.ndarray, labels: np.ndarray) -> None:
        """Index labelled images.

        Args:
            reader: gives the features.
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink; made read-only.
            labels: integer (n,).
        """
        self._reader, self._images, self._labels = reader, images.view(), labels
        self._images.setflags(write=False)
        self._directions = self._direct(images) if len(images) else np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._labels)

    def find(self, image: np.ndarray, count: int = 8) -> list[Neighbour]:
        """Return the `count` nearest images, the nearest first, or all if there are fewer.

        Args:
            image: uint8 (28, 28), 0 is paper and 255 is ink.
            count: at least 1.

        Raises:
            InvalidImage: `image` has another shape or type.
        """
        if image.shape != (IMAGE_SIZE, IMAGE_SIZE) or image.dtype != np.uint8:
            raise InvalidImage(f"`image` must be uint8 (28, 28); received {image.dtype} {image.shape}.")
        if not len(self):
            return []
        distances = 1 - self._directions @ self._direct(image[np.newaxis])[0]
        nearest = distances.argsort(kind="stable")[:count]
        return [Neighbour(self._images[row], int(self._labels[row]), float(distances[row])) for row in nearest]

    def _direct(self, images: np.ndarray) -> np.ndarray:
        """Return the directions of the images' features: float32 (n, features), each of length 1."""
        found = self._reader.features(images)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def find(model: Model, image: np.ndarray, count: int = 8) -> list[Neighbour]:
    """Return the examples that a model finds most similar to an image, the nearest first; none if it has other classes.

    The first call for a model computes the features of all examples, which takes some tenths of a second; the first
    call of all draws them too, which takes a second or two.

    Args:
        model: any model; classes that nobody here has written have no examples.
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        count: at least 1.

    Raises:
        InvalidImage: `image` has another shape or type.
        DatasetCorrupt: the examples are missing or damaged.
        ModelNotFound: the model's file cannot be read.

    Example:
        >>> [neighbour.label for neighbour in find(model, glyph.image, 3)]
        [7, 7, 7]
    """
    return index(model).find(image, count)


def index(model: Model) -> Index:
    """Return a model's index of the examples, built once for each version of its file."""
    path = model.folder / TFLITE_FILE
    modified = path.stat().st_mtime_ns if path.is_file() else 0
    return _index(path, modified, model.class_names, model.card.dataset)


@functools.lru_cache(maxsize=4)  # up to 17 MB each, with their readers
def _index(path: Path, modified: int, class_names: tuple[str, ...], dataset: str) -> Index:
    images, names = _own_examples(dataset) if own.is_name(dataset) else examples(class_names)
    return Index(features.load(path), images, np.array([class_names.index(name) for name in names], int))


def _own_examples(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model learned from in a visitor's set, as `examples` does; nothing if the set is gone."""
    try:
        learned = own.find(dataset).parts()["train"]
    except DatasetError:
        learned = []
    images = [sample.glyph for sample in learned]
    names = np.array([sample.label for sample in learned], str)
    return np.array(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE), names


@functools.lru_cache(maxsize=8)
def examples(class_names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples of these classes: images uint8 (n, 28, 28), drawn once, and their classes, str (n,)."""
    labels = _labels(class_names)
    drawings = letters.examples(labels)
    images = [glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings]
    names = np.array([labels[drawing.label] for drawing in drawings], str)
    return np.array(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE), names


def writers(model: Model) -> int:
    """Return how many people wrote a model's examples; raises `DatasetError` if its data set is gone."""
    if own.is_name(model.card.dataset):
        return len({sample.writer for sample in own.find(model.card.dataset).parts()["train"]})
    return len({drawing.writer for drawing in letters.examples(_labels(model.class_names))})


def _labels(class_names: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of handwriting that belong to these classes, each with its class."""
    declared = sets.with_classes(class_names)
    return declared.labels if declared else {name: name for name in class_names}


def describe(neighbours: list[Neighbour], class_names: tuple[str, ...]) -> str:
    """Return a sentence like "Of the 8 nearest examples, 6 are labelled 7 and 2 are labelled 9", with a full stop."""
    if not neighbours:
        return "There are no examples to compare with."
    labels, counts = np.unique([neighbour.label for neighbour in neighbours], return_counts=True)
    if len(labels) == 1:
        return f"The {len(neighbours)} nearest examples are all labelled {class_names[labels[0]]}."
    order = counts.argsort(kind="stable")[::-1]
    parts = [f"{counts[at]} {'is' if counts[at] == 1 else 'are'} labelled {class_names[labels[at]]}" for at in order]
    return f"Of the {len(neighbours)} nearest examples, {', '.join(parts[:-1])} and {parts[-1]}."
