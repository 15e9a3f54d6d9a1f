"""The networks in words: what each one is, and about how long it trains."""

from collections.abc import Mapping

from digits.runs.hyperparameters import Hyperparameters

EXPLANATIONS = {  # one to four sentences, by the names in `presets.PRESETS`
    "softmax": (
        "One layer: each class adds up the ink multiplied by its own weights, and the highest sum wins. "
        "Ten pictures of weights are the whole model."
    ),
    "published": (
        "784-1024-512-256-10, exactly as in a well-known tutorial. Without activations, its layers are equivalent to a "
        "single one, so it is softmax regression in disguise and stays near 92%. "
        "Its dropout is built but never connected, so the dropout slider has no effect here."
    ),
    "corrected": (
        "The same 784-1024-512-256-10, corrected: ReLU between the layers lets them build on each other, "
        "the initial weights are scaled to each layer's width, and dropout is connected."
    ),
    "convolutional": (
        "Small filters slide over the image and find strokes wherever they are. Three such layers are followed "
        "by two dense ones. Networks of this kind have read digits well since the 1990s."
    ),
    "drawing": (
        "Five convolutions with batch normalisation. It also learns from MNIST's digits redrawn as the Draw page "
        "draws them, from shapes that are rare in MNIST and, where there is any, from real handwriting. Every image is "
        "distorted at random each time it is used. Training takes many minutes."
    ),
}
SUMMARIES = {  # a few words for the network's card
    "softmax": "one layer of weights",
    "published": "three layers, no activations",
    "corrected": "three layers with ReLU",
    "convolutional": "filters that find strokes",
    "drawing": "five layers of filters",
}

# Seconds of training for an image, by network, as README's runs took on two cores. A server's own runs replace them.
_REFERENCE_PACES = {
    "softmax": 5e-6,
    "published": 2.3e-5,
    "corrected": 2.5e-5,
    "convolutional": 9.8e-5,
    "drawing": 9.4e-4,
}


def seconds(chosen: Hyperparameters, paces: Mapping[str, float], *, done: int = 0) -> float:
    """Return about how long a run trains.

    Args:
        paces: seconds for an image by network, as `Registry.paces` measured them here.
        done: iterations that are behind it.
    """
    pace = paces.get(chosen.network, _REFERENCE_PACES[chosen.network])
    return pace * chosen.batch_size * max(0, chosen.iterations - done)


def duration(length: float) -> str:
    """Return about how long something takes: "1 s", "12 s", "4 min", "2 h"."""
    if length < 90:
        return f"{max(1, length):.0f} s"
    return f"{length / 60:.0f} min" if length < 5400 else f"{length / 3600:.0f} h"
