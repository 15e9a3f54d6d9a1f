"""Teaching: a model learns from a visitor's corrections, in a run that begins with its weights.

The run keeps a copy of the corrections, so it can be repeated and goes on from its checkpoints as any other run.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digits.accuracy import Accuracy, accuracy
from digits.data import corrections, lesson, sets
from digits.data.corrections import Correction
from digits.data.datasets import Dataset, Split
from digits.data.drawings import Drawing
from digits.errors import CannotTeach, DatasetUnavailable, ModelNotFound
from digits.models import cards, catalogue, drawn_accuracy
from digits.models.cards import Card
from digits.models.catalogue import Model
from digits.models.figures import BeforeAfter
from digits.models.reading import Classifier
from digits.models.recogniser import CARD, CalibratedRecogniser
from digits.runs import admission, commands, names
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.runs.schema import Run
from digits.settings import Settings
from digits.store import Store, open_store
from digits.training.beginnings import with_files

_TAUGHT = ", taught"  # after the name of a network, in that of a run or a model
# Of each network; that of "drawing" was chosen on drawings of UNIPEN's development writers, slanted or turned a lot.
# Softmax, published and corrected lose test images at every rate (benchmarks/results/teach-rates.json); convolutional's
# is a guess.
_RATES = {"softmax": 2e-2, "published": 3e-4, "corrected": 1e-3, "convolutional": 2e-3, "drawing": 4e-3}


def suited(found: Sequence[Correction], model: Model) -> list[Correction]:
    """Return the corrections whose class a model knows."""
    return [one for one in found if one.label in model.class_names]


def hyperparameters(card: Card) -> Hyperparameters:
    """Return the settings with which a model learns from corrections.

    Raises:
        CannotTeach: its network or its data are not of this version of Digits.
    """
    try:
        declared = sets.find(card.dataset)
    except DatasetUnavailable as error:
        raise CannotTeach(f"A model can be taught if its data are known here. {error}") from error
    if card.network not in PRESETS or declared.class_names != card.class_names:
        raise CannotTeach(
            f"A model can be taught if its network is one of {', '.join(PRESETS)} and its classes are those of its "
            f"data; {card.title} is another one. Choose another model."
        )
    return Hyperparameters(
        network=card.network,
        dataset=card.dataset,
        learning_rate=_RATES[card.network],
        iterations=200,
        batch_size=64,
        optimizer="adam",
        schedule="cosine",
    )


def start(
    registry: Registry, store: Store, model: Model, owner: str, chosen: Sequence[Correction], *, address: str = ""
) -> str:
    """Queue a run in which a model learns from corrections, and return its id.

    Args:
        chosen: the corrections; those whose class the model does not know are left out.

    Raises:
        CannotTeach: there is no correction for this model, or as in `hyperparameters`.
        TooManyRuns, QuotaReached: as `commands.submit`.
        OSError: the corrections cannot be kept beside the run, for example because the disk is full.
    """
    fitting = suited(chosen, model)
    if not fitting:
        raise CannotTeach("A model learns from one correction or more; there are none of its classes. Draw one first.")
    settings = hyperparameters(model.card)
    name = f"{names.NETWORKS[settings.network]}{_TAUGHT}"
    return _submit(registry, store, settings, owner, fitting, parent=model.id, name=name, address=address)


def repeat(registry: Registry, store: Store, run: Run, owner: str, *, address: str = "") -> str:
    """Queue the same lesson again, for any visitor, and return its id; raises as `start`."""
    return _submit(
        registry,
        store,
        run.hyperparameters,
        owner,
        corrections.load_of_run(store, run.id),
        parent=run.parent,
        name=run.name,
        changes=registry.changes(run.id),
        address=address,
    )


def _submit(
    registry: Registry,
    store: Store,
    settings: Hyperparameters,
    owner: str,
    chosen: Sequence[Correction],
    **how: Any,
) -> str:
    admission.require_submission(registry.usage(owner))  # before anything is written, and then once more
    asked = ("lesson", owner, how["parent"], settings, tuple(one.id for one in chosen))
    with with_files(registry, store, *asked) as run_id:
        corrections.write_of_run(store, run_id, chosen)
        return commands.submit(registry, settings, owner, id=run_id, **how)


def drawings(store: Store, run_id: str) -> list[Drawing]:
    """Return what a run learns from; raises `CannotTeach` if its corrections are gone."""
    found = [one.drawing for one in corrections.load_of_run(store, run_id)]
    if not found:
        raise CannotTeach("The corrections that this run learns from should be beside it; they are gone. Start again.")
    return found


def complete_card(folder: Path, card: Card, run: Run, dataset: Dataset, settings: Settings) -> None:
    """Write to the card of a model that has learned from corrections which model it was, and what has changed."""
    changed: tuple[BeforeAfter, ...] = ()
    with contextlib.suppress(ModelNotFound):  # it has been removed meanwhile; the new model is kept all the same
        parent, learned = catalogue.find(run.parent, settings), drawings(open_store(settings), run.id)
        changed = compare(parent, CalibratedRecogniser.load(folder), card.test, learned, dataset)
    title = f"{card.title.removesuffix(_TAUGHT)}{_TAUGHT}"
    cards.write(folder / CARD, dataclasses.replace(card, title=title, parent=run.parent, taught=changed))


def compare(
    parent: Model, taught: Classifier, measured: Accuracy, learned: Sequence[Drawing], dataset: Dataset
) -> tuple[BeforeAfter, ...]:
    """Measure what a lesson has changed.

    Args:
        parent: the model before the lesson.
        taught: the model after it.
        measured: its accuracy on the data set's test images.
        learned: the corrections.
        dataset: the data set of both.
    """
    classes = dataset.class_names
    before = accuracy(parent.test_probabilities(dataset), dataset.test.labels)
    rows = [
        _read("corrections", lesson.as_drawn(learned, classes), parent, taught),
        _read("variations", lesson.variations(learned, classes), parent, taught),
        BeforeAfter("test", measured.total, before.correct, measured.correct),
    ]
    if declared := sets.with_classes(tuple(classes)):
        _, strangers = drawn_accuracy.prepare_sample(declared.name)
        shares = [int(drawn_accuracy.read(model, strangers).correct.sum()) for model in (parent, taught)]
        rows.append(BeforeAfter("strangers", len(strangers.labels), *shares))
    return tuple(rows)


def _read(what: str, split: Split, *models: Classifier) -> BeforeAfter:
    correct = [int((model.probabilities(split.images).argmax(axis=1) == split.labels).sum()) for model in models]
    return BeforeAfter(what, len(split), *correct)
