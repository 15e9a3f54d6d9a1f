"""layers: what is read from a `.tflite` file computes what LiteRT computes from it."""

import numpy as np
import pytest

from digits.errors import ModelNotFound
from digits.models import catalogue, layers, textweights
from digits.models.judge import JUDGE_DIR
from digits.models.layers import CONVOLUTION, POOLING
from digits.models.recogniser import TFLITE_FILE, Recogniser, softmax
from digits.settings import BUNDLED_MODELS_DIR

FILES = [
    *(BUNDLED_MODELS_DIR / model.id / TFLITE_FILE for model in catalogue.bundled()),
    JUDGE_DIR / TFLITE_FILE,
]


def run(network, image):
    """Compute a network by the definitions of its layers."""
    values = image[:, :, None] * np.float32(network.scale)
    for layer in network.layers:
        if layer.kind == POOLING:
            height, width, channels = values.shape
            values = values.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
            continue
        kernel = layer.kernel.astype(np.float32)
        if layer.kind == CONVOLUTION:
            side = kernel.shape[0]
            reach = side // 2 * layer.is_padded
            padded = np.pad(values, [(reach, reach), (reach, reach), (0, 0)])
            windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
            values = np.einsum("yxirc,rcio->yxo", windows, kernel)
        else:
            values = values.reshape(-1) @ kernel
        values = values + layer.bias.astype(np.float32)
        values = np.maximum(values, 0) if layer.is_relu else values
    return softmax(values)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_layers_compute_what_litert_computes(path, sample):
    network, recogniser = layers.read(path), Recogniser(path)
    for image in sample.test.images[::250]:
        expected = recogniser.probabilities(image[None])[0]
        np.testing.assert_allclose(run(network, image.astype(np.float32)), expected, atol=2e-5)


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
def test_all_parameters_are_counted(model):
    """As many as the Keras file has."""
    expected = sum(weight.values.size for weight in textweights.read(model.folder / catalogue.KERAS_FILE))
    assert layers.read(model.folder / TFLITE_FILE).parameter_count == expected


def test_a_layer_without_a_bias_has_zeros():
    """LiteRT's converter leaves a bias out if the next layer can take it over."""
    published = layers.read(BUNDLED_MODELS_DIR / "published" / TFLITE_FILE)
    assert [bool(layer.bias.any()) for layer in published.layers] == [False, True, False, True]


def test_another_layer_is_refused(monkeypatch):
    """A network that could be computed wrongly is not computed at all."""
    known = {name: build for name, build in layers._BUILDERS.items() if name != "MAX_POOL_2D"}
    monkeypatch.setattr(layers, "_BUILDERS", known)
    with pytest.raises(ModelNotFound, match="convolutions, pooling and dense layers"):
        layers.read(BUNDLED_MODELS_DIR / "drawing" / TFLITE_FILE)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200])
def test_a_damaged_file_is_refused_without_its_path(content, tmp_path):
    path = tmp_path / TFLITE_FILE
    path.write_bytes(content)
    with pytest.raises(ModelNotFound) as caught:
        layers.read(path)
    assert str(tmp_path.parent) not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelNotFound):
        layers.read(tmp_path / TFLITE_FILE)
