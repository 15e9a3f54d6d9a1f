"""parameters: a model's numbers come back exactly, and a file with anything else is refused."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from digits.errors import InvalidPackage
from digits.models import catalogue, textweights
from digits.models.textweights import Weight
from digits.packages import parameters
from digits.runs.presets import PRESETS
from digits.settings import BUNDLED_MODELS_DIR


def own(network):
    return textweights.read(BUNDLED_MODELS_DIR / network / catalogue.KERAS_FILE)


CONTENT = parameters.write(own("softmax"))


@pytest.mark.parametrize("network", PRESETS)
def test_every_networks_numbers_come_back(network):
    """All arrays are the same to the bit, in the order of the layers."""
    weights = own(network)
    found = parameters.read(parameters.write(weights), PRESETS[network].hyperparameters)
    assert [weight.layer for weight in found] == [weight.layer for weight in weights]
    assert all(np.array_equal(one.values, other.values) for one, other in zip(found, weights, strict=True))
    assert {weight.values.dtype for weight in found} == {np.dtype(np.float32)}


def test_the_names_say_what_the_arrays_are():
    """Other programs find kernels and biases by their layers, as float16."""
    arrays = load(CONTENT)
    assert {name: (array.shape, array.dtype) for name, array in arrays.items()} == {
        "logits.kernel": ((784, 10), np.float16),
        "logits.bias": ((10,), np.float16),
    }


def test_numbers_that_float16_does_not_hold_are_rounded():
    """They are written as float32 and rounded when they are read, as every exported model's are."""
    kernel, bias = own("softmax")
    content = parameters.write([Weight("logits", kernel.values + 1e-6), bias])
    assert load(content)["logits.kernel"].dtype == np.float32
    rounded = (kernel.values + 1e-6).astype(np.float16)
    assert np.array_equal(parameters.read(content, PRESETS["softmax"].hyperparameters)[0].values, rounded)


KERNEL, BIAS = np.zeros((784, 10), np.float16), np.zeros(10, np.float16)


@pytest.mark.parametrize(
    "arrays",
    [
        {"logits.kernel": KERNEL},
        {"logits.kernel": KERNEL, "logits.bias": BIAS, "more": BIAS},
        {"logits.kernel": KERNEL.T, "logits.bias": BIAS},
        {"logits.kernel": KERNEL.reshape(28, 28, 10), "logits.bias": BIAS},
        {"logits.kernel": KERNEL, "logits.bias": BIAS[:9]},
        {"../evil": KERNEL, "logits.bias": BIAS},
    ],
    ids=lambda arrays: " ".join(arrays),
)
def test_the_arrays_must_be_the_networks(arrays):
    """Names and shapes are those of the network that the hyperparameters name, no more and no fewer."""
    with pytest.raises(InvalidPackage, match="By its hyperparameters the model must be “Softmax regression”"):
        parameters.read(
            save({name: np.ascontiguousarray(array) for name, array in arrays.items()}),
            PRESETS["softmax"].hyperparameters,
        )


@pytest.mark.parametrize("network", [name for name in PRESETS if name != "softmax"])
def test_another_networks_numbers_are_refused(network):
    """Softmax regression's numbers are those of no other network."""
    with pytest.raises(InvalidPackage, match=f"“{PRESETS[network].title}”"):
        parameters.read(CONTENT, PRESETS[network].hyperparameters)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 65_520.0, -1e30])
def test_numbers_must_be_finite(value):
    """Numbers that are not finite, or not in float16, are refused."""
    bias = BIAS.astype(np.float32)
    bias[3] = value
    with pytest.raises(InvalidPackage, match="finite numbers up to 65,504"):
        parameters.read(save({"logits.kernel": KERNEL, "logits.bias": bias}), PRESETS["softmax"].hyperparameters)


@pytest.mark.parametrize("kind", [np.float64, np.int8, np.uint16, np.bool_, np.int64])
def test_numbers_must_be_floats(kind):
    """Other types than float16 and float32 are refused."""
    with pytest.raises(InvalidPackage, match="arrays of float16 or float32"):
        parameters.read(
            save({"logits.kernel": KERNEL.astype(kind), "logits.bias": BIAS}), PRESETS["softmax"].hyperparameters
        )


def header(facts, data=b"", length=None):
    text = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"PK\x03\x04 and more",
        b"cos\nsystem\n(S'echo evil'\ntR.",  # a pickle
        CONTENT[:-1],
        CONTENT + b"\0",
        header(b"{}", length=2**63),
        header(b" " * 20_000),
        header(b"[" * 10_000),
        header({"a": {"dtype": "F16", "shape": [5], "data_offsets": [0, 2**60]}}),
        header({"a": {"dtype": "F16", "shape": [2**62, 2**62], "data_offsets": [0, 2]}}, b"ab"),
        header({"a": {"dtype": "F16", "shape": [-1], "data_offsets": [0, 2]}}, b"ab"),
        header({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}, b"abcd"),
        header(b'{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"a":{"dtype":"F16","shape":[0]}}', b"ab"),
    ],
    ids=range(14),
)
def test_a_damaged_file_is_refused(content):
    """A header that is too long, no JSON, or describes other bytes than there are."""
    with pytest.raises(InvalidPackage, match=r"model\.safetensors must hold arrays"):
        parameters.read(content, PRESETS["softmax"].hyperparameters)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda text: header(text, b"abcd")))
def test_any_bytes_are_refused(content):
    """Any bytes raise `InvalidPackage` and nothing else."""
    with pytest.raises(InvalidPackage):
        parameters.read(content, PRESETS["softmax"].hyperparameters)


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 255))
def test_a_changed_file_is_read_or_refused(place, value):
    """With one byte replaced, it is refused or gives arrays of the same shapes."""
    changed = bytearray(CONTENT)
    changed[place] = value
    with contextlib.suppress(InvalidPackage):
        kernel, bias = parameters.read(bytes(changed), PRESETS["softmax"].hyperparameters)
        assert (kernel.values.shape, bias.values.shape) == ((784, 10), (10,))


def test_numbers_with_which_a_drawing_could_have_no_probabilities_are_refused():
    """Each of them is allowed; what the layers could make of them together exceeds float32."""
    large = [Weight(weight.layer, np.full_like(weight.values, 65_504)) for weight in own("drawing")]
    with pytest.raises(InvalidPackage, match="whatever is drawn"):
        parameters.read(parameters.write(large), PRESETS["drawing"].hyperparameters)
