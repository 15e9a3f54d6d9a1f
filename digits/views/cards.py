"""Cards in words: what a model's card says, in plain sentences."""

from digits.accuracy import Accuracy
from digits.errors import InvalidHyperparameter
from digits.models import textweights
from digits.models.cards import Card
from digits.models.catalogue import KERAS_FILE, TFLITE_FILE, Model
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.views.networks import EXPLANATIONS


def facts(model: Model) -> list[tuple[str, str]]:
    """Return what a model's card says, as pairs of a heading and a sentence."""
    card = model.card
    drawn = model.drawn_accuracy
    told = [
        ("Network", network(card)),
        ("Settings", settings(card)),
        ("Learned from", card.data),
        ("Trained", trained(card)),
        ("Test accuracy", f"{in_words(model.test_accuracy)} Measured on test images that it never learned from."),
        ("Drawn digits", f"{in_words(drawn)} Measured on {drawn.data}." if drawn else "Not measured."),
        ("Numbers learned", f"{parameters(model):,} weights and biases"),
        ("Size", f"{(model.folder / TFLITE_FILE).stat().st_size / 1e6:.2f} MB as .tflite"),
        ("Made with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
    ]
    return [(heading, sentence) for heading, sentence in told if sentence]


def network(card: Card) -> str:
    """Return the network's title and a sentence about it."""
    name = card.network
    return f"{PRESETS[name].title}. {EXPLANATIONS[name]}" if name in PRESETS else card.title


def settings(card: Card) -> str:
    """Return a card's hyperparameters in one sentence."""
    try:
        chosen = Hyperparameters.from_dict(card.hyperparameters)
    except InvalidHyperparameter:  # from another version of Digits
        return ", ".join(f"{name} {value}" for name, value in card.hyperparameters.items())
    return (
        f"{chosen.iterations:,} iterations of {chosen.batch_size} images with {chosen.optimizer}, learning rate "
        f"{chosen.learning_rate:g} ({chosen.schedule}), dropout {chosen.dropout:g}, augmentation "
        f"{chosen.augmentation}, seed {chosen.seed}."
    )


def trained(card: Card) -> str:
    """Return when a model was trained, and for how long."""
    took = f", in {card.seconds:,.1f} s" if card.seconds is not None else ""
    return f"{card.date}{took}." if card.date else ""


def in_words(measured: Accuracy) -> str:
    """Return an accuracy with its counts, and explain its interval."""
    low, high = measured.interval
    again = measured.independent or measured.total
    return (
        f"{measured.share:.2%}, {measured.correct:,} of {measured.total:,}; "
        f"another {again:,} such images would give between {low:.2%} and {high:.2%}, 95 times in 100."
    )


def parameters(model: Model) -> int:
    """Return the number of a model's parameters."""
    return textweights.count(model.folder / KERAS_FILE)
