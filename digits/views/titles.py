"""Titles: what models are called where one is chosen, with their accuracy; short enough for a phone."""

from digits.models.catalogue import Model
from digits.models.identity import Weights
from digits.runs.names import NETWORKS

_ALPHABETS = {"capitals": "Letters A–Z", "characters": "Characters"}  # short names of what bundled models read
_WEIGHTS = {Weights.BEST: "best checkpoint", Weights.LAST: "final", Weights.SAVED: "saved"}


def of_bundled(model: Model) -> str:
    """Return a bundled model's short name with its accuracy, such as "Drawings: 99.7% test, 98.9% strangers"."""
    read = f", {model.strangers.strokes.share:.1%} strangers" if model.strangers else ""
    return f"{short(model)}: {model.test_accuracy.share:.1%} test{read}"


def short(model: Model) -> str:
    """Return a bundled model's short name: its network or, if it reads letters, these."""
    if model.card.dataset != "mnist":
        return _ALPHABETS.get(model.card.dataset, model.title.partition(":")[0])
    return NETWORKS.get(model.card.network, model.title)


def of_run(name: str, share: float | None, weights: Weights | None = None, step: int | None = None) -> str:
    """Return the title of one of a run's models, such as "Convolutional 3, 99.4%".

    Args:
        name: the run's name.
        share: the model's accuracy on the test images, in [0, 1]; None if unknown.
        weights: which of the run's weights the model has; None if the run has only one model.
        step: the iteration of its weights, if that is to be said.
    """
    which = f", {_WEIGHTS[weights]}" if weights else ""
    return f"{name}{which}" + (f" at {step:,}" if step else "") + (f", {share:.1%}" if share is not None else "")
