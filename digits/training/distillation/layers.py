"""The networks in JAX: convolutions, each normalised over the batch, as `training.networks` builds them in Keras."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from digits.settings import IMAGE_SIZE
from digits.training.distillation.plan import CLASSES, Design

_DTYPE = jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16  # of the layers' arithmetic

Array = Any
Tree = Any


def initialise(design: Design, key: Array) -> tuple[Tree, Tree]:
    """Return a network's weights, and the mean and variance of each normalisation."""
    weights: dict[str, Array] = {}
    moving: dict[str, Array] = {}
    channels, side = 1, IMAGE_SIZE
    he = jax.nn.initializers.he_normal()
    for index, count in enumerate(design.filters, start=1):
        key, own = random.split(key)
        weights[f"filters_{index}"] = he(own, (3, 3, channels, count))
        weights[f"gain_{index}"], weights[f"offset_{index}"] = jnp.ones(count), jnp.zeros(count)
        moving[f"mean_{index}"], moving[f"variance_{index}"] = jnp.zeros(count), jnp.ones(count)
        channels = count
        side -= 2 if design.is_last_valid and index == len(design.filters) else 0
        side //= 2 if index in design.pooled else 1
    first, second = random.split(key)
    weights |= {"hidden": he(first, (side * side * channels, design.hidden)), "hidden_bias": jnp.zeros(design.hidden)}
    glorot = jax.nn.initializers.glorot_uniform()
    return weights | {"logits": glorot(second, (design.hidden, CLASSES)), "logits_bias": jnp.zeros(CLASSES)}, moving


def apply(design: Design, weights: Tree, moving: Tree, images: Array, key: Array | None) -> tuple[Array, Tree]:
    """Return logits float32 (n, CLASSES), and the moving means; `key` is for dropout, None when not training."""
    x = images[..., None].astype(_DTYPE)
    seen: dict[str, Array] = {}
    for index in range(1, len(design.filters) + 1):
        padding = "VALID" if design.is_last_valid and index == len(design.filters) else "SAME"
        kernel = weights[f"filters_{index}"].astype(_DTYPE)
        x = lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        mean, variance = moving[f"mean_{index}"], moving[f"variance_{index}"]
        if key is not None:
            exact = x.astype(jnp.float32)
            now = exact.mean(axis=(0, 1, 2))
            spread = jnp.maximum((exact**2).mean(axis=(0, 1, 2)) - now**2, 0)
            seen[f"mean_{index}"] = 0.98 * mean + 0.02 * lax.stop_gradient(now)
            seen[f"variance_{index}"] = 0.98 * variance + 0.02 * lax.stop_gradient(spread)
            mean, variance = now, spread
        factor = weights[f"gain_{index}"] * lax.rsqrt(variance + 1e-3)
        x = jax.nn.relu(x.astype(jnp.float32) * factor + (weights[f"offset_{index}"] - mean * factor))
        x = x.astype(_DTYPE)
        if index in design.pooled:
            side = x.shape[1] // 2  # the gradient of XLA's own windows is slow
            x = x.reshape(len(x), side, 2, side, 2, -1).max(axis=(2, 4))
    x = x.reshape(len(x), -1)
    x = jax.nn.relu(x @ weights["hidden"].astype(_DTYPE) + weights["hidden_bias"].astype(_DTYPE))
    x = x.astype(jnp.float32)
    if key is not None:
        x = jnp.where(random.bernoulli(key, 1 - design.dropout, x.shape), x / (1 - design.dropout), 0)
    return x @ weights["logits"] + weights["logits_bias"], seen


def folded(design: Design, weights: Tree, moving: Tree, classes: int) -> list[np.ndarray]:
    """Return the weights in the order of `networks.build(…, is_folded=True)`."""
    found: list[np.ndarray] = []
    for index in range(1, len(design.filters) + 1):
        factor = weights[f"gain_{index}"] / jnp.sqrt(moving[f"variance_{index}"] + 1e-3)
        found += [weights[f"filters_{index}"] * factor, weights[f"offset_{index}"] - moving[f"mean_{index}"] * factor]
    found += [weights["hidden"], weights["hidden_bias"]]
    found += [weights["logits"][:, :classes], weights["logits_bias"][:classes]]
    return [np.asarray(one, np.float32) for one in found]
