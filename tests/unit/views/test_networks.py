"""networks: every network has its words, and a duration that the server's own runs decide."""

import pytest

from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.views import networks
from digits.views.networks import EXPLANATIONS


def test_every_network_is_explained():
    """The pages have a sentence or two for every network, and a few words for its card."""
    assert list(EXPLANATIONS) == list(networks.SUMMARIES) == list(PRESETS)
    assert all(explanation.endswith(".") for explanation in EXPLANATIONS.values())


@pytest.mark.parametrize("network", PRESETS)
def test_a_duration_grows_with_the_images_that_are_left(network):
    """Half of the iterations take half of the time; the server's own pace counts if there is one."""
    chosen = Hyperparameters(network=network, iterations=1000, batch_size=100)
    assert networks.seconds(chosen, {}) == 2 * networks.seconds(chosen, {}, done=500) > 0
    assert networks.seconds(chosen, {network: 1e-3}) == pytest.approx(100)


def test_the_first_run_of_a_newcomer_takes_about_ten_seconds():
    """Long enough to be watched, short enough to be waited for."""
    assert 8 < networks.seconds(PRESETS["corrected"].hyperparameters, {}) < 16


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "1 s"), (12.4, "12 s"), (240, "4 min"), (7300, "2 h")])
def test_a_duration_is_told_in_one_unit(seconds, words):
    assert networks.duration(seconds) == words
