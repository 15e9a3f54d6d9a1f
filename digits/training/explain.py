"""The weights that a model's page shows, derived from a Keras model for the web process, which has no TensorFlow.

These are the whole network as one matrix if it is linear, the first layer's filters if it is convolutional, and
otherwise its strongest hidden units.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits.models.weights import MAX_FILTERS, UNITS
from digits.settings import IMAGE_SIZE

_LAYERS_THAT_CHANGE_NOTHING = {"InputLayer", "Flatten", "Reshape", "Identity", "Dropout", "Softmax"}


def derive(model: Any) -> dict[str, np.ndarray]:
    """Derive the arrays for display from a Keras model.

    Only the layers' class names, settings and `get_weights()` are used, so nothing here imports Keras.

    Args:
        model: a `keras.Model` with its layers in sequence, as `networks.build` makes them.

    Returns:
        Arrays to save: `linear_kernel` and `linear_bias`; `filters_kernel`, `filters_bias`, `filters_padded` and
        `filters_relu`; `units`, int8. The dict is empty for other kinds of networks.
    """
    layers = [layer for layer in model.layers if type(layer).__name__ not in _LAYERS_THAT_CHANGE_NOTHING]
    if not layers or type(layers[0]).__name__ != "Rescaling" or not np.isclose(layers[0].scale, 1 / 255):
        return {}
    layers = layers[1:]
    kinds = [type(layer).__name__ for layer in layers]
    if kinds[:1] == ["Conv2D"]:
        return _derive_filters(layers)
    if set(kinds) != {"Dense"}:
        return {}
    arrays: dict[str, np.ndarray] = {}
    if all(_activation(layer) == "linear" for layer in layers):
        arrays |= _derive_linear(layers)
    if len(layers) > 1:
        arrays["units"] = _derive_units(layers[0].get_weights()[0], layers[1].get_weights()[0])
    return arrays


def write(model: Any, path: Path) -> None:
    """Write the arrays for display of a Keras model to `path`; write no file if there are none."""
    if arrays := derive(model):
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # no array is called `allow_pickle`


def _activation(layer: Any) -> str:
    return getattr(layer.activation, "__name__", "linear") if hasattr(layer, "activation") else "linear"


def _derive_linear(layers: Sequence[Any]) -> dict[str, np.ndarray]:
    kernel, bias = (array.astype(np.float64) for array in layers[0].get_weights())
    for layer in layers[1:]:
        next_kernel, next_bias = layer.get_weights()
        kernel, bias = kernel @ next_kernel, bias @ next_kernel + next_bias
    return {"linear_kernel": _small(kernel), "linear_bias": bias.astype(np.float32)}


def _derive_filters(layers: Sequence[Any]) -> dict[str, np.ndarray]:
    first, followers = layers[0], list(layers[1:3])
    kernel, *biases = (array.astype(np.float64) for array in first.get_weights())
    if kernel.shape[2] != 1 or tuple(first.strides) != (1, 1) or tuple(first.dilation_rate) != (1, 1):
        return {}
    bias = biases[0] if biases else np.zeros(kernel.shape[-1])
    activation = _activation(first)
    if activation == "linear" and followers and type(followers[0]).__name__ == "BatchNormalization":
        factor, offset = _normalisation(followers.pop(0))
        kernel, bias = kernel * factor, bias * factor + offset
    if activation == "linear" and followers:
        kind = type(followers[0]).__name__
        activation = "relu" if kind == "ReLU" else _activation(followers[0]) if kind == "Activation" else "linear"
    return {
        "filters_kernel": _small(kernel[:, :, 0, :MAX_FILTERS]),
        "filters_bias": bias[:MAX_FILTERS].astype(np.float32),
        "filters_padded": np.array(first.padding == "same"),
        "filters_relu": np.array(activation == "relu"),
    }


def _normalisation(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return trained batch normalisation as a factor and an offset (Ioffe and Szegedy, 2015, algorithm 2)."""
    arrays = [array.astype(np.float64) for array in layer.get_weights()]
    gamma = arrays.pop(0) if layer.scale else 1.0
    beta = arrays.pop(0) if layer.center else 0.0
    mean, variance = arrays
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


def _derive_units(kernel: np.ndarray, next_kernel: np.ndarray) -> np.ndarray:
    """Pick the units with the largest product of the norms of their incoming and outgoing weights."""
    strength = np.linalg.norm(kernel, axis=0) * np.linalg.norm(next_kernel, axis=1)
    chosen = kernel[:, strength.argsort()[::-1][:UNITS]].T
    largest = np.maximum(np.abs(chosen).max(axis=1, keepdims=True), 1e-12)
    return np.rint(chosen / largest * 127).astype(np.int8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _small(array: np.ndarray) -> np.ndarray:
    """Return the array as float16 if its numbers fit, as exported weights do exactly, else as float32."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.isfinite(half).all() else array.astype(np.float32)
