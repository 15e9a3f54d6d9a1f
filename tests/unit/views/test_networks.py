"""networks: every network has an explanation."""

from digits.runs.hyperparameters import PRESETS
from digits.views.networks import EXPLANATIONS


def test_every_network_is_explained():
    """The pages have a sentence or two for every network."""
    assert list(EXPLANATIONS) == list(PRESETS)
    assert all(explanation.endswith(".") for explanation in EXPLANATIONS.values())
