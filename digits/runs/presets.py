"""Presets: the networks, each with suitable settings."""

from dataclasses import dataclass

from digits.runs.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Preset:
    """A network with suitable settings.

    Attributes:
        title: the network's name on the page.
        hyperparameters: its default settings.
        published: the accuracy that the source reports for the 10,000 test images, in words; empty if none.
    """

    title: str
    hyperparameters: Hyperparameters
    published: str = ""


PRESETS: dict[str, Preset] = {
    "softmax": Preset(
        "Softmax regression",
        Hyperparameters(network="softmax", learning_rate=0.5, iterations=1000, batch_size=100),
        published="about 92%",
    ),
    "published": Preset(
        "Three hidden layers, as published",
        Hyperparameters(
            network="published", learning_rate=1e-4, iterations=2000, dropout=0.5, batch_size=256, optimizer="adam"
        ),
        published="91.6%",
    ),
    "corrected": Preset(
        "Three hidden layers, corrected",
        Hyperparameters(
            network="corrected",
            learning_rate=1e-3,
            iterations=2000,
            dropout=0.5,
            batch_size=256,
            optimizer="adam",
            schedule="cosine",
        ),
    ),
    "convolutional": Preset(
        "Convolutional network",
        Hyperparameters(
            network="convolutional",
            learning_rate=2e-3,
            iterations=2500,
            dropout=0.5,
            batch_size=128,
            optimizer="adam",
            schedule="cosine",
        ),
        published="99.2%",
    ),
    "drawing": Preset(
        "Convolutional network for drawings",
        Hyperparameters(
            network="drawing",
            learning_rate=2e-3,
            iterations=16_000,
            dropout=0.3,
            batch_size=128,
            optimizer="adam",
            schedule="cosine",
            augmentation="drawing",
        ),
    ),
}
