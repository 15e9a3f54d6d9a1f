"""networks: each design has the stated shape, and the published one is a single linear map."""

import keras
import numpy as np
import pytest

from digits.runs.presets import PRESETS
from digits.training import networks

PARAMETERS = {  # counted by hand: (inputs + 1 bias) x outputs of each layer
    "softmax": (784 + 1) * 10,
    "published": (784 + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * 256 + (256 + 1) * 10,
    "corrected": (784 + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * 256 + (256 + 1) * 10,
    "convolutional": (25 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64 + (5 * 5 * 64 + 1) * 256 + (256 + 1) * 10,
}


def logits_of(model):
    return keras.Model(model.input, model.get_layer(networks.LOGITS).output)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("network", PRESETS)
class TestEveryNetwork:
    @pytest.mark.parametrize("class_count", [2, 10, 26])
    def test_gives_a_probability_for_each_class(self, network, class_count, images):
        """Images of 0 to 255 give rows of probabilities that sum to 1, for digits and for letters."""
        model = networks.build(network, class_count)
        assert model.input_shape == (None, 28, 28)
        probabilities = model(images).numpy()
        assert (probabilities.shape, probabilities.dtype) == ((3, class_count), np.float32)
        assert (probabilities >= 0).all()
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)

    def test_begins_as_its_seed_says(self, network):
        """The same seed gives the same initial weights, and another seed gives others, unless all are zero."""
        first, again, other = (networks.build(network, 10, seed=seed).get_weights() for seed in (3, 3, 4))
        assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
        is_same = all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
        assert is_same == (network == "softmax")

    def test_keeps_float32_weights_when_it_computes_in_bfloat16(self, network, images):
        """With mixed precision the weights stay float32, and the answers change little."""
        exact, mixed = (networks.build(network, 10, precision=kind) for kind in ("float32", "mixed_bfloat16"))
        assert {weight.dtype for weight in mixed.get_weights()} == {np.dtype(np.float32)}
        assert np.abs(exact(images).numpy() - mixed(images).numpy()).max() < 0.3


@pytest.mark.parametrize("network", PARAMETERS)
def test_has_as_many_parameters_as_its_layers_say(network):
    """The number of parameters follows from the layers' sizes."""
    assert networks.build(network, 10).count_params() == PARAMETERS[network]


class TestPublished:
    def test_has_no_activation(self):
        """No layer has an activation except the final softmax."""
        model = networks.build("published", 10)
        dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
        assert [layer.units for layer in dense] == [1024, 512, 256, 10]
        assert all(layer.activation is keras.activations.linear for layer in dense)

    def test_collapses_into_one_linear_map(self, images):
        """Its logits equal those of one matrix and one vector, computed from its weights."""
        model = networks.build("published", 10, seed=1)
        matrix, vector = np.eye(784), np.zeros(784)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dense):
                kernel, bias = (value.astype(np.float64) for value in layer.get_weights())
                matrix, vector = matrix @ kernel, vector @ kernel + bias
        assert matrix.shape == (784, 10)
        expected = images.reshape(-1, 784) / 255 @ matrix + vector
        assert logits_of(model)(images).numpy() == pytest.approx(expected, rel=1e-3, abs=1e-3)

    def test_corrected_does_not(self, images):
        """The corrected network is not linear: its logits for a mean of images are not the mean of the logits."""
        middle = images[:2].mean(axis=0, keepdims=True)
        for network, is_linear in (("published", True), ("corrected", False)):
            logits = logits_of(networks.build(network, 10, seed=1))
            ends, between = logits(images[:2]).numpy().mean(axis=0), logits(middle).numpy()[0]
            assert np.allclose(ends, between, rtol=1e-3, atol=1e-3) == is_linear


def test_softmax_begins_undecided(images):
    """Softmax regression starts at zero, where all classes are equally likely."""
    assert networks.build("softmax", 10)(images).numpy() == pytest.approx(0.1)


def test_the_fused_normalisation_is_keras_own():
    """The same outputs and moving averages after three batches, and for inference."""
    fused, plain = networks.BatchNormalization(momentum=0.98), keras.layers.BatchNormalization(momentum=0.98)
    images = np.random.default_rng(0).normal(2, 3, (64, 6, 6, 8)).astype(np.float32)
    for _ in range(3):
        np.testing.assert_allclose(fused(images, training=True), plain(images, training=True), atol=1e-4)
    # Keras averages the variance of the batch, the kernel the estimate of that of all batches.
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(fused(images), plain(images), rtol=1e-3, atol=1e-3)
