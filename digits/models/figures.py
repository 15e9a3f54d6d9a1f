"""Figures: how well a model reads its test sets and, by `drawn_accuracy`, strangers, as its card states it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
import numpy as np

from digits.accuracy import Accuracy, accuracy
from digits.data.datasets import Dataset
from digits.data.strangers import SAMPLE, TITLES

FALL = 0.002  # a smaller one after a lesson is not worth a warning
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]  # limits, because an imported card is untrusted
_Part = Annotated[float, msgspec.Meta(ge=0, le=1)]


def by_set(probabilities: np.ndarray, dataset: Dataset) -> tuple[Accuracy, ...]:
    """Return the accuracy on each of the sets that a data set's test images are of; empty if they are of one.

    Args:
        probabilities: float (n, classes), of the test images.
        dataset: the data set.
    """
    ends = np.cumsum([count for _, count in dataset.tests]).tolist()
    return tuple(
        replace(accuracy(probabilities[end - count : end], dataset.test.labels[end - count : end]), data=title)
        for (title, count), end in zip(dataset.tests, ends, strict=True)
    )


@dataclass(frozen=True)
class Share:
    """A share of drawings with its 95% interval over writers, all in [0, 1]."""

    share: _Part
    interval_95: tuple[_Part, _Part]

    def __str__(self) -> str:
        low, high = self.interval_95
        return f"{self.share:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True, kw_only=True)
class SourceFigures:
    """How a model reads the drawings of one source in one way.

    Attributes:
        source: a key of `strangers.TITLES`.
        way: "strokes" or "pictures".
        drawings: how many drawings there are.
        writers: how many people wrote them.
        correct: the share whose number is read as the label.
        refused: the share in which nothing looks like a digit; a refused drawing still counts by its reading.
        split: the share read as several digits.
        classes: the numbers of drawings, correct ones and refused ones, by label and by rare shape (`shapes.RARE`).
    """

    source: str
    way: str
    drawings: _Count
    writers: _Count
    correct: Share
    refused: Share
    split: Share
    classes: Mapping[str, tuple[_Count, _Count, _Count]]

    @property
    def title(self) -> str:
        """The source's name for people."""
        return TITLES.get(self.source, self.source)


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """How a model reads people from whom nothing was learned and on whom nothing was tuned.

    The headline is the mean over the sources, each of which counts the same however many drawings it has: otherwise the
    largest one, French formulas, would be half of the figure.

    Attributes:
        strokes: the mean share that is read correctly by the strokes, as on the Draw page.
        pictures: the same for pictures; None if it was not measured.
        sources: each source in each way.
    """

    strokes: Share
    pictures: Share | None = None
    sources: tuple[SourceFigures, ...] = ()

    @property
    def is_sample(self) -> bool:
        """Whether only the small sample was read that is part of Digits."""
        return all(figures.source == SAMPLE for figures in self.sources)

    def of(self, way: str) -> tuple[SourceFigures, ...]:
        """Return the sources that were read in one way."""
        return tuple(figures for figures in self.sources if figures.way == way)


@dataclass(frozen=True)
class BeforeAfter:
    """How many images of one kind a model reads correctly before and after it learned from corrections.

    Attributes:
        what: "corrections"; "variations", copies of them that were not learned from; "test"; or "strangers", the sample
            of their drawings that is part of Digits.
        total: how many there are.
        before, after: how many are read correctly.
    """

    what: str
    total: _Count
    before: _Count
    after: _Count

    @property
    def has_fallen(self) -> bool:
        """Whether noticeably fewer are read correctly than before."""
        return self.before - self.after > FALL * self.total
