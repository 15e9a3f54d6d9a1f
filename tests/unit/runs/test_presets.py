"""presets: one for every network, valid, on the stops of the sliders."""

import pytest

from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.presets import PRESETS


def test_there_is_one_for_every_network():
    """Every network has its own preset, in the same order as the networks."""
    assert tuple(PRESETS) == KNOBS["network"].choices


@pytest.mark.parametrize("network", PRESETS)
def test_presets_suit_their_network(network):
    """A preset is valid, belongs to its network, and has a title."""
    preset = PRESETS[network]
    assert preset.hyperparameters.network == network
    assert Hyperparameters.from_dict(preset.hyperparameters.to_dict()) == preset.hyperparameters
    assert preset.title


@pytest.mark.parametrize("network", PRESETS)
def test_presets_stand_on_the_sliders_stops(network):
    """A preset's values are stops of the sliders, so a visitor can return to them."""
    for name, value in PRESETS[network].hyperparameters.to_dict().items():
        knob = KNOBS[name]
        if knob.choices:
            assert value in knob.choices
        elif knob.step:
            assert (value - knob.low) / knob.step == pytest.approx(round((value - knob.low) / knob.step))
