"""textweights: the numbers are the Keras model's, and NumPy reads the text."""

import keras
import numpy as np
import pytest

from digits.errors import ModelNotFound
from digits.models import catalogue, textweights


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
class TestBundledModel:
    def test_has_the_weights_that_keras_reads(self, model):
        """Every array equals the one that Keras loads, in the same order."""
        path = model.folder / catalogue.KERAS_FILE
        network = keras.models.load_model(path, safe_mode=True)
        weights = textweights.read(path)
        assert [weight.layer for weight in weights] == [weight.path.rsplit("/", 1)[0] for weight in network.weights]
        for weight, expected in zip(weights, network.get_weights(), strict=True):
            assert np.array_equal(weight.values, expected)


@pytest.mark.parametrize("content", [b"", b"PK no zip", b"\0" * 100])
def test_what_is_no_keras_file_is_an_error_in_words(tmp_path, content):
    """The error for a damaged file names the file and a remedy."""
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ModelNotFound, match=r"model\.keras should be a Keras file .* Train the model again"):
        textweights.read(tmp_path / "model.keras")
