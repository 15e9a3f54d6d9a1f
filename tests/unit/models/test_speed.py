"""speed: a model is timed once, in milliseconds."""

from digits.models import catalogue, speed
from digits.settings import Settings


def test_a_model_is_timed_once():
    """A second question gets the same answer, which a new measurement would hardly give."""
    model = catalogue.find("softmax", Settings.from_environment())
    first = speed.milliseconds(model)
    assert 0.001 < first < 1000
    assert speed.milliseconds(model) == first
