"""Cards in words: what a model's card says, in plain sentences."""

from digits.accuracy import Accuracy
from digits.errors import InvalidHyperparameter, ModelNotFound
from digits.models import layers
from digits.models.cards import Card
from digits.models.catalogue import TFLITE_FILE, Model
from digits.runs.hyperparameters import Hyperparameters
from digits.views import strangers
from digits.views.networks import EXPLANATIONS

DAMAGED = "The file is damaged."
_PROVISIONAL = (
    "Its accuracy is measured on some of the test images so far. It is being measured on all of them and on strangers' "
    "drawings, and its confidence calibrated; its page shows when that is done."
)


def facts(model: Model) -> list[tuple[str, str]]:
    """Return what a model's card says, as pairs of a heading and a sentence."""
    card = model.card
    rows = [
        ("Network", network(card)),
        ("Settings", settings(card)),
        ("Learned from", card.learned_from),
        ("Began as", f"The model {card.parent}, and went on with a visitor's corrections." if card.parent else ""),
        ("Trained", trained(card)),
        ("Test accuracy", f"{in_words(model.test_accuracy)} Measured on test images, which it was not trained on."),
        ("Still to come", _PROVISIONAL if card.provisional else ""),
        ("By test set", " ".join(f"{one.data}: {in_words(one)}" for one in card.tests)),
        ("Strangers' drawings", strangers.in_words(model.strangers) if model.strangers else "Not measured."),
        ("Parameters", f"{count:,} weights and biases" if (count := parameters(model)) else DAMAGED),
        ("Size", f"{size / 1e6:.2f} MB as .tflite" if (size := size_bytes(model)) else DAMAGED),
        ("Made with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
    ]
    return [(heading, sentence) for heading, sentence in rows if sentence]


def network(card: Card) -> str:
    """Return the network's title and a sentence about it."""
    name = card.network
    return f"{card.title}. {EXPLANATIONS[name]}" if name in EXPLANATIONS else card.title


def settings(card: Card) -> str:
    """Return a card's hyperparameters in one sentence."""
    try:
        chosen = Hyperparameters.from_dict(card.hyperparameters)
    except InvalidHyperparameter:  # from another version of Digits
        return ", ".join(f"{name} {value}" for name, value in card.hyperparameters.items())
    share = f", {chosen.own_share:.0%} of each batch from the visitor's set" if card.tests else ""
    return (
        f"{chosen.iterations:,} iterations of {chosen.batch_size} images with {chosen.optimizer}, learning rate "
        f"{chosen.learning_rate:g} ({chosen.schedule}), dropout {chosen.dropout:g}, augmentation "
        f"{chosen.augmentation}, seed {chosen.seed}{share}."
    )


def trained(card: Card) -> str:
    """Return when a model was trained, and for how long."""
    took = f", in {card.seconds:,.1f} s" if card.seconds is not None else ""
    return f"{card.date}{took}." if card.date else ""


def in_words(measured: Accuracy) -> str:
    """Return an accuracy with its counts, and explain its interval."""
    low, high = measured.interval
    independent = f", from {measured.independent:,} independent images" if measured.independent else ""
    return (
        f"{measured.share:.2%}, {measured.correct:,} of {measured.total:,}; "
        f"95% confidence interval {low:.2%} to {high:.2%}{independent}."
    )


def parameters(model: Model) -> int | None:
    """Return the number of a model's parameters; None if its LiteRT file is missing or damaged."""
    try:
        return layers.read(model.folder / TFLITE_FILE).parameter_count
    except ModelNotFound:
        return None


def size_bytes(model: Model) -> int | None:
    """Return the size of a model's LiteRT file; None if it is missing."""
    try:
        return (model.folder / TFLITE_FILE).stat().st_size
    except OSError:
        return None
