"""Drawn accuracy: how well a model reads labelled drawings, read in the same way as a visitor's drawings.

A drawing is correct if the number read is its label, so a digit read as two is wrong. A drawing that the judge refuses
still counts by its reading; the number of refused drawings is reported separately.
"""

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from digits.accuracy import Accuracy
from digits.data import sets, shapes, strangers
from digits.data.drawings import Examples, prepare
from digits.data.strangers import Group
from digits.errors import InvalidImage
from digits.models.figures import Share, SourceFigures, Strangers
from digits.models.reading import Classifier, looks_like_digits, read_ink, read_strokes

RESAMPLES = 2000  # of the writers, for an interval

_AT_A_TIME = 250  # drawings


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What came of each drawing, bool (n,) each.

    Attributes:
        correct: whether the number read is its label.
        refused: whether nothing in it looks like a digit.
        split: whether it was read as several digits.
    """

    correct: np.ndarray
    refused: np.ndarray
    split: np.ndarray


def measure(model: Classifier, examples: Examples) -> Accuracy:
    """Read every drawing with a model, and count the readings that equal the label."""
    outcomes = read(model, examples)
    return Accuracy(
        int(outcomes.correct.sum()),
        len(outcomes.correct),
        independent=examples.drawings,
        refused=int(outcomes.refused.sum()),
        data=examples.description,
    )


def read(model: Classifier, examples: Examples) -> Outcomes:
    """Read every drawing with a model."""
    is_correct = np.zeros(len(examples.labels), bool)
    counts = np.bincount(examples.owners, minlength=len(is_correct))
    is_refused = _refused(examples, model.class_names).copy()
    if len(examples.images):
        names = np.array(model.class_names)[model.probabilities(examples.images).argmax(axis=1)]
        is_correct[examples.owners] = names == examples.labels[examples.owners]
        is_correct &= counts == 1
    for place, drawing in examples.doubtful.items():
        try:
            reading = read_ink(drawing, model) if isinstance(drawing, np.ndarray) else read_strokes(drawing, model)
        except InvalidImage:  # too many marks
            continue
        counts[place] = len(reading.digits)
        is_correct[place] = reading.text == examples.labels[place]
        is_refused[place] = not reading.accepted.any()
    return Outcomes(is_correct, is_refused, counts > 1)


def measure_strangers(models: Sequence[Classifier], groups: Iterable[Group]) -> list[Strangers]:
    """Read every group of drawings with every model, each drawing once, at a random place and size.

    Args:
        models: what is measured; preparing a drawing takes longer than reading it, so measure several at once.
        groups: each source in each way, such as `strangers.load` yields; at least one is read by its strokes.

    Returns:
        The figures of each model.
    """
    rows: list[list[tuple[Group, Outcomes]]] = [[] for _ in models]
    for group in groups:
        for row, outcomes in zip(rows, _read_group(models, group), strict=True):
            row.append((group, outcomes))
    return [_summarise(row) for row in rows]


def measure_sample(model: Classifier) -> Strangers | None:
    """Read the sample of strangers that is part of Digits, in about a second; None for classes it does not have."""
    declared = sets.with_classes(tuple(model.class_names))
    if declared is None or not strangers.load_sample(declared.labels).drawings:  # as of clothes
        return None
    group, examples = prepare_sample(declared.name)
    return _summarise([(group, read(model, examples))])


@functools.cache
def prepare_sample(dataset: str = sets.MNIST) -> tuple[Group, Examples]:
    """Prepare the sample of a declared data set, once; this takes longer than reading it."""
    group = strangers.load_sample(sets.find(dataset).labels)
    return group, prepare(group.drawings, placings=1)


def interval_by_writer(is_true: np.ndarray, writers: np.ndarray) -> tuple[float, float]:
    """Return the 95% interval of a share, by the bootstrap over writers (B. Efron, Annals of Statistics 7, 1979).

    Drawings by one writer resemble each other, so what is drawn again is writers, each with all that they drew. Where
    nothing, or nearly nothing, is wrong, that says too little; so the interval is never narrower than Wilson's.

    Args:
        is_true: bool (n,), n >= 1.
        writers: str (n,), who drew each.
    """
    low, high = np.quantile(_resample(is_true, writers, np.random.default_rng(0)), [0.025, 0.975])
    wilson = Accuracy(int(is_true.sum()), len(is_true)).interval
    return min(float(low), wilson[0]), max(float(high), wilson[1])


def _resample(is_true: np.ndarray, writers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the shares among as many writers, drawn again with replacement, float64 (RESAMPLES,)."""
    _, owners = np.unique(writers, return_inverse=True)
    totals = np.bincount(owners)
    hits = np.bincount(owners, weights=is_true)
    chosen = rng.integers(len(totals), size=(RESAMPLES, len(totals)))
    return hits[chosen].sum(axis=1) / totals[chosen].sum(axis=1)


def _read_group(models: Sequence[Classifier], group: Group) -> list[Outcomes]:
    """Read a group with every model; a few hundred drawings at a time, because the ink of pictures is large."""
    parts: list[list[Outcomes]] = [[] for _ in models]
    for start in range(0, len(group.drawings), _AT_A_TIME):
        some = group.drawings[start : start + _AT_A_TIME]
        examples = prepare(some, placings=1, as_picture=group.way == strangers.PICTURES)
        for part, model in zip(parts, models, strict=True):
            part.append(read(model, examples))
    fields = [field.name for field in dataclasses.fields(Outcomes)]
    return [Outcomes(*(np.concatenate([getattr(one, name) for one in part]) for name in fields)) for part in parts]


def _summarise(row: Sequence[tuple[Group, Outcomes]]) -> Strangers:
    return Strangers(
        strokes=_mean([(group, read) for group, read in row if group.way == strangers.STROKES]),
        pictures=_mean(pictured) if (pictured := [one for one in row if one[0].way == strangers.PICTURES]) else None,
        sources=tuple(_figures(group, outcomes) for group, outcomes in row),
    )


def _mean(row: Sequence[tuple[Group, Outcomes]]) -> Share:
    """Return the mean share read correctly, each source counting the same, and its interval over their writers."""
    shares = [float(outcomes.correct.mean()) for _, outcomes in row]
    if len(row) == 1:
        return _share(row[0][1].correct, _writers(row[0][0]))
    rng = np.random.default_rng(0)
    resampled = np.mean([_resample(outcomes.correct, _writers(group), rng) for group, outcomes in row], axis=0)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Share(round(float(np.mean(shares)), 4), (round(float(low), 4), round(float(high), 4)))


def _figures(group: Group, outcomes: Outcomes) -> SourceFigures:
    writers = _writers(group)
    shares = {name: _share(getattr(outcomes, name), writers) for name in ("correct", "refused", "split")}
    labels = sorted({one.label for one in group.drawings})
    members = {label: [one.label == label for one in group.drawings] for label in labels}
    members |= {name: [is_one(one) for one in group.drawings] for name, is_one in shapes.RARE.items()}
    classes = {
        name: (sum(chosen), int(outcomes.correct[chosen].sum()), int(outcomes.refused[chosen].sum()))
        for name, chosen in members.items()
        if any(chosen)
    }
    count = len(group.drawings)
    return SourceFigures(
        source=group.source, way=group.way, drawings=count, writers=len(set(writers)), classes=classes, **shares
    )


def _share(is_true: np.ndarray, writers: np.ndarray) -> Share:
    low, high = interval_by_writer(is_true, writers)
    return Share(round(float(is_true.mean()), 4), (round(low, 4), round(high, 4)))


def _writers(group: Group) -> np.ndarray:
    return np.array([str(drawing.writer) for drawing in group.drawings])


@functools.lru_cache(maxsize=4)  # the judge does not depend on the model, so all models share its answers
def _refused(examples: Examples, class_names: tuple[str, ...]) -> np.ndarray:
    """Return the drawings in which the judge accepts no digit, bool (n,); True for those that still need a model."""
    is_refused = np.ones(len(examples.labels), bool)
    is_refused[examples.owners[looks_like_digits(examples.images, class_names)]] = False
    return is_refused
