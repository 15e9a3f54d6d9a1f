"""diagrams: what is drawn of a network is what is trained."""

import xml.etree.ElementTree as ET

import pytest

from digits.runs.presets import PRESETS
from digits.views import diagrams


@pytest.mark.parametrize("network", PRESETS)
def test_the_drawing_has_the_layers_and_parameters_of_the_network(network):
    """Every layer that learns is drawn with its shape and its number of parameters."""
    from digits.training import networks

    model = networks.build(network, 10, is_folded=True)
    learning = [layer for layer in model.layers if layer.count_params()]
    drawn = diagrams.LAYERS[network]
    assert [layer.parameters for layer in drawn] == [layer.count_params() for layer in learning]
    assert diagrams.parameters(network) == model.count_params()
    units = [layer.shape.rpartition("×")[2].replace(",", "") for layer in drawn]
    assert [int(count) for count in units] == [layer.output.shape[-1] for layer in learning]


@pytest.mark.parametrize("network", PRESETS)
def test_the_drawing_is_an_image_with_a_text(network):
    """It is sound XML, and its text alternative names every layer."""
    picture = ET.fromstring(diagrams.drawing(network, 0.3))
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-label"] == diagrams.describe(network, 0.3)
    assert f"{diagrams.parameters(network):,} parameters" in picture.attrib["aria-label"]


def test_dropout_is_drawn_where_it_is_applied():
    """Dropped units are hollow, and those of the published network, whose dropout is never applied, are not."""
    assert "dropped" in diagrams.drawing("corrected", 0.5)
    assert "dropped" not in diagrams.drawing("corrected") + diagrams.drawing("published", 0.5)
    assert "50% of the units" in diagrams.describe("corrected", 0.5)
