"""JAX, data on the device: `scan` puts 50 iterations into one call, `step` one; `_bfloat16` multiplies in bfloat16."""

import functools

import _clock
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

_A_CALL = 50


def main() -> None:
    task = _clock.read_task()
    dtype = jnp.bfloat16 if task.variant.endswith("bfloat16") else jnp.float32
    a_call = _A_CALL if task.variant.startswith("scan") else 1
    rng = np.random.default_rng(0)
    parameters = jax.tree.map(jnp.asarray, _first_weights(task.network, rng))
    optimizer = optax.sgd(task.learning_rate) if task.network == "softmax" else optax.adam(task.learning_rate)
    images, labels = jnp.asarray(task.images), jnp.asarray(task.labels.astype(np.int32))

    def loss_of(parameters, batch, wanted, key):
        logits = _logits(task.network, parameters, batch.astype(dtype) / 255, key, dtype).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(logits, wanted).mean()

    @functools.partial(jax.jit, donate_argnums=0)
    def train(state, rows, keys):
        def step(state, given):
            parameters, slots = state
            chosen, key = given
            loss, gradients = jax.value_and_grad(loss_of)(parameters, images[chosen], labels[chosen], key)
            updates, slots = optimizer.update(gradients, slots)
            return (optax.apply_updates(parameters, updates), slots), loss

        return lax.scan(step, state, (rows, keys))

    state, key = (parameters, optimizer.init(parameters)), jax.random.key(0)

    def advance(steps: int) -> float:
        nonlocal state, key
        losses = []
        for _ in range(steps // a_call):
            rows = rng.integers(0, len(images), (a_call, task.batch_size), dtype=np.int32)
            key, chosen = jax.random.split(key)
            state, loss = train(state, rows, jax.random.split(chosen, a_call))
            losses.append(loss.mean())
        return float(np.mean(losses))

    whole_calls = max(task.iterations, _clock.BLOCKS * a_call) // (_clock.BLOCKS * a_call) * _clock.BLOCKS * a_call
    precision = "bfloat16" if dtype == jnp.bfloat16 else "float32"
    _clock.report(
        task._replace(iterations=whole_calls), advance, versions={"jax": jax.__version__}, precision=precision
    )


def _first_weights(network: str, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    shapes = {
        "softmax": [(784, 10)],
        "published": [(784, 1024), (1024, 512), (512, 256), (256, 10)],
        "corrected": [(784, 1024), (1024, 512), (512, 256), (256, 10)],
        "convolutional": [(5, 5, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64), (1600, 256), (256, 10)],
    }[network]
    return [
        (
            rng.normal(size=shape).astype(np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:-1]))),
            np.zeros(shape[-1], np.float32),
        )
        for shape in shapes
    ]


def _logits(network, parameters, batch, key, dtype):
    cast = [(weights.astype(dtype), biases.astype(dtype)) for weights, biases in parameters]
    if network == "convolutional":
        x = batch[..., None]
        for index, (weights, biases) in enumerate(cast[:3]):
            x = jax.nn.relu(_convolve(x, weights, is_padded=index < 2) + biases)
            if index < 2:
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        cast = cast[3:]
    else:
        x = batch
    x = x.reshape(len(batch), -1)
    for weights, biases in cast[:-1]:
        x = x @ weights + biases
        x = x if network == "published" else jax.nn.relu(x)
    if network in ("corrected", "convolutional"):
        x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0).astype(dtype)
    weights, biases = cast[-1]
    return x @ weights + biases


def _convolve(x, weights, *, is_padded):
    """Convolve by one matrix product over shifted copies: XLA's own took 13 times as long to train."""
    side, margin = weights.shape[0], (weights.shape[0] - 1) // 2 * is_padded
    x = jnp.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    height, width = x.shape[1] - side + 1, x.shape[2] - side + 1
    shifted = [x[:, i : i + height, j : j + width] for i in range(side) for j in range(side)]
    return jnp.concatenate(shifted, -1) @ weights.reshape(-1, weights.shape[-1])


if __name__ == "__main__":
    main()
