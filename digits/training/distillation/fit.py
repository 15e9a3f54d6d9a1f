"""Train large networks and distil them into small ones (G. Hinton, O. Vinyals, J. Dean, 2015), on an accelerator.

    python -m digits.training.distillation.fit BANK.npz OUTPUT --seconds 600 [--tasks digits …]

This module needs NumPy, JAX and Optax alone. Each batch is made on the accelerator: strokes are varied and drawn as
`ink.pen` draws them, images are distorted as `training.augmentation` does. A small network learns what the mean of
its teachers says of the same batch. `finish` makes a model of the weights, OUTPUT/NAME.npz.
"""

import argparse
import json
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from digits.ink.pen import BOX_SIDE, CENTRE, PEN_WIDTH
from digits.settings import IMAGE_SIZE

SEGMENTS = 64
SMALLEST = 8.0  # canvas pixels; a smaller drawing is a dot
CLASSES = 192  # outputs of every network here, so that one compilation serves all tasks; the spare ones are masked
LISTED = 2**18  # rows of every task's lists, repeated, for the same reason
STEPS = 25  # between two looks at the clock
ITERATIONS = 20_000  # of a small network at most, as many as anybody may train in the app

_DTYPE = jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16  # of the layers' arithmetic
DROPOUT, TEACHER_DROPOUT = 0.15, 0.4
DECAY = 0.02
SOFTNESS, SOFT_SHARE = 2.0, 0.85  # the temperature of the teachers' probabilities, and their share of the loss

Array = Any
Tree = Any


@dataclass(frozen=True)
class Design:
    """A stack of 3×3 convolutions, each normalised over the batch, as `training.networks` builds it."""

    filters: tuple[int, ...]
    pooled: tuple[int, ...]
    hidden: int
    is_last_valid: bool = True
    rate: float = 3e-3
    dropout: float = DROPOUT


STUDENT = Design((32, 64, 64, 128, 128), (1, 3), 128)
JUDGE = Design((16, 32, 48), (1, 2), 96)
TEACHER = Design((64, 64, 128, 128, 256, 256), (2, 4), 256, False, 2e-3, TEACHER_DROPOUT)


@dataclass(frozen=True)
class Model:
    """A small network to make: its classes, and the class of each of the task's; a share of the task's time."""

    name: str
    design: Design
    seconds: float
    class_of: Mapping[str, str] | None = None  # of the task's classes; None for these as they are


def _folded(upper: str, lower: str, distinct: str = "") -> dict[str, str]:
    """Return the class of each character: small letters belong to their capitals, apart from distinct ones."""
    return {name: name for name in upper} | {name: name if name in distinct else name.upper() for name in lower}


_DISTINCT = "abdefghnqrt"
CHARACTERS = {name: name for name in string.digits} | _folded(string.ascii_uppercase, string.ascii_lowercase, _DISTINCT)
PLAN: dict[str, tuple[tuple[float, ...], tuple[Model, ...]]] = {  # seconds of each teacher; models, with theirs
    "digits": ((55, 55, 55), (Model("drawing", STUDENT, 135),)),
    "judge": ((40,), (Model("judge", JUDGE, 35),)),
    "characters": (
        (55, 55),
        (
            Model("capitals", STUDENT, 35, _folded(string.ascii_uppercase, "")),
            Model("small-letters", STUDENT, 35, {name: name for name in string.ascii_lowercase}),
            Model("letters", STUDENT, 35, _folded(string.ascii_uppercase, string.ascii_lowercase)),
            Model("characters", STUDENT, 40, CHARACTERS),
        ),
    ),
}


# --- what they learn from


class Rows:
    """A bank on the accelerator."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        segments = unpack(arrays["points"], arrays["counts"], arrays["is_end"])
        self.segments = jnp.asarray(segments)
        self.smallest = jnp.asarray(SMALLEST / np.maximum(arrays["sides"], 1e-6), jnp.float32)
        self.images = jnp.asarray(arrays["images"])
        self._names = [str(name) for name in arrays["names"]]
        self._labels = arrays["drawn_labels"], arrays["image_labels"]
        self._lists = {name: value for name, value in arrays.items() if name.endswith(("_drawings", "_images"))}
        self.tasks: dict[str, dict[str, str]] = json.loads(str(arrays["tasks"]))

    def classes(self, task: str) -> list[str]:
        """Return a task's classes: digits first, then in order of their names."""
        return sorted(set(self.tasks[task].values()), key=lambda name: (name not in set(string.digits), name))

    def sources(self, task: str, class_of: Mapping[str, str] | None = None) -> tuple[list[str], tuple[Array, ...]]:
        """Return the classes of a task, folded, and what `batch` draws from: rows and classes of both kinds."""
        known = {
            label: name if class_of is None else class_of[name]
            for label, name in self.tasks[task].items()
            if class_of is None or name in class_of
        }
        names = sorted(set(known.values()), key=(list(class_of.values()) if class_of else self.classes(task)).index)
        place = {name: row for row, name in enumerate(names)}
        of_label = np.array([place.get(known.get(name, ""), -1) for name in self._names])
        found: list[Array] = []
        for kind, labels in zip(("drawings", "images"), self._labels, strict=True):
            rows = self._lists[f"{task}_{kind}"]
            rows = rows[of_label[labels[rows]] >= 0]
            listed = np.resize(np.random.default_rng(0).permutation(rows), LISTED)
            found += [jnp.asarray(listed, jnp.int32), jnp.asarray(of_label[labels[listed]], jnp.int32)]
        return names, tuple(found)


def unpack(points: np.ndarray, counts: np.ndarray, is_end: np.ndarray) -> np.ndarray:
    """Return both ends of every line, int16 (n, SEGMENTS, 2, 2); a drawing's last line is repeated."""
    ends = np.unpackbits(is_end)[: len(points)].astype(bool)
    segments = np.zeros((len(counts), SEGMENTS, 2, 2), np.int16)
    start = 0
    for row, count in enumerate(counts.astype(int)):
        own, last = points[start : start + count], ends[start : start + count]
        first = np.flatnonzero(~last)
        begins = np.concatenate([[True], last[:-1]])
        dots = np.flatnonzero(last & begins)
        pairs = np.concatenate([np.stack([own[first], own[first + 1]], 1), np.stack([own[dots], own[dots]], 1)])
        segments[row] = pairs[np.minimum(np.arange(SEGMENTS), len(pairs) - 1)]
        start += count
    return segments


def vary(segments: Array, strength: Array, key: Array) -> Array:
    """Slant, stretch, turn and shake lines (n, s, 2, 2) of unit size, as `data.allographs.vary` does."""
    count = len(segments)
    keys = random.split(key, 4)
    slant, turn, stretch = random.normal(keys[0], (3, count)) * jnp.array([[0.14], [0.08], [0.17]]) * strength
    stretch = jnp.exp(stretch)
    cosine, sine = jnp.cos(turn), jnp.sin(turn)
    x, y = segments[..., 0], segments[..., 1]
    x, y = _each(cosine) * x - _each(sine) * y, _each(sine) * x + _each(cosine) * y
    x = _each(stretch) * x - _each(slant) * y
    points = jnp.stack([x, y], -1)
    sizes = random.normal(keys[1], (2, count, 1, 1, 2)) * 0.014 * strength[:, None, None, None]
    frequencies = random.uniform(keys[2], (2, count, 1, 1, 2), minval=4.0, maxval=14.0)
    phases = random.uniform(keys[3], (2, count, 1, 1, 2), maxval=6.3)
    for size, frequency, phase in zip(sizes, frequencies, phases, strict=True):
        points = points + size * jnp.sin(points[..., ::-1] * frequency + phase)
    return points


def _each(values: Array) -> Array:
    return values[:, None, None]


def draw(segments: Array, smallest: Array) -> Array:
    """Draw lines (n, s, 2, 2) as `ink.pen.draw` does; returns float32 (n, 28, 28), 1 is ink."""
    low, high = segments.min(axis=(1, 2)), segments.max(axis=(1, 2))
    extent = high - low
    scale = (BOX_SIDE - PEN_WIDTH) / jnp.maximum(extent.max(axis=1), smallest)
    centre = (low + high) / 2

    def placed(at: Array) -> Array:
        return (segments - at[:, None, None]) * scale[:, None, None, None] + CENTRE

    image = render(placed(centre))
    line = jnp.arange(IMAGE_SIZE) + 0.5
    mass = jnp.maximum(image.sum(axis=(1, 2)), 1e-3)
    middle = jnp.stack([image.sum(axis=1) @ line, image.sum(axis=2) @ line], -1) / mass[:, None]
    offset = (middle - CENTRE) / scale[:, None]
    slack = ((IMAGE_SIZE - PEN_WIDTH - extent * scale[:, None]) / 2 - 0.5) / scale[:, None]
    return render(placed(centre + jnp.clip(offset, -slack, slack)))


def render(segments: Array) -> Array:
    """Return the ink of lines (n, s, 2, 2), in pixels: how deep each pixel lies in the path of the pen."""
    start, along = segments[:, :, 0], segments[:, :, 1] - segments[:, :, 0]
    length = jnp.maximum((along**2).sum(-1), 1e-9)
    line = jnp.arange(IMAGE_SIZE) + 0.5

    def each(values: Array) -> Array:
        return values[:, :, None, None]

    x, y = line[None, None, None, :] - each(start[..., 0]), line[None, None, :, None] - each(start[..., 1])
    dx, dy = each(along[..., 0]), each(along[..., 1])
    t = jnp.clip((x * dx + y * dy) / each(length), 0, 1)
    squared = (x - t * dx) ** 2 + (y - t * dy) ** 2
    return jnp.clip(PEN_WIDTH / 2 + 0.5 - jnp.sqrt(squared.min(axis=1)), 0, 1)


def distort(images: Array, strength: Array, key: Array) -> Array:
    """Distort images float32 (n, 28, 28), as `training.augmentation.augment` does at strength 1."""
    count, side = len(images), IMAGE_SIZE
    keys = random.split(key, 6)
    pen = random.uniform(keys[0], (count, 1, 1), minval=-1.0, maxval=1.0)
    thick = lax.reduce_window(images, -jnp.inf, lax.max, (1, 3, 3), (1, 1, 1), "SAME")
    thin = lax.reduce_window(images, jnp.inf, lax.min, (1, 2, 2), (1, 1, 1), "SAME")
    images = images + jnp.maximum(pen - 0.5, 0) * (thick - images) + jnp.maximum(-pen - 0.5, 0) * (thin - images)

    by = _each(strength)
    angle, size, aspect, shear, right, down = random.uniform(keys[1], (6, count, 1, 1), minval=-1.0, maxval=1.0) * by
    middle, line = (side - 1) / 2, jnp.arange(side, dtype=jnp.float32) - (side - 1) / 2
    x, y = line[None, None, :], line[None, :, None]
    size, aspect = jnp.exp(size * 0.1), jnp.exp(aspect * 0.1)
    cosine, sine = jnp.cos(angle * 0.2) / size, jnp.sin(angle * 0.2) / size
    from_x = (cosine * x - sine * y) * aspect + 0.15 * shear * y + right * 1.5 + middle
    from_y = (sine * x + cosine * y) / aspect + down * 1.5 + middle
    for wave_key, (points, pixels) in zip(keys[2:4], ((4, 0.6), (8, 0.3)), strict=True):
        waves = random.normal(wave_key, (count, points, points, 2)) * pixels * strength[:, None, None, None]
        waves = jax.image.resize(waves, (count, side, side, 2), "linear")
        from_x, from_y = from_x + waves[..., 0], from_y + waves[..., 1]
    images = _sample(images, from_x, from_y)

    left, top, edge, chance = random.uniform(keys[4], (4, count, 1, 1))
    edge = jnp.where(chance < 0.05, 3 + 3 * edge, 0)
    pixel = jnp.arange(side)
    in_columns = jnp.abs(pixel[None, None, :] - left * side) * 2 < edge
    in_rows = jnp.abs(pixel[None, :, None] - top * side) * 2 < edge
    return jnp.where(in_columns & in_rows, 0.0, images)


def _sample(images: Array, x: Array, y: Array) -> Array:
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)))
    side = IMAGE_SIZE + 2
    flat = padded.reshape(len(images), -1)
    x, y = jnp.clip(x + 1, 0, side - 1.001), jnp.clip(y + 1, 0, side - 1.001)
    left, top = jnp.floor(x), jnp.floor(y)
    right_share, low_share = x - left, y - top
    corner = (top * side + left).astype(jnp.int32).reshape(len(images), -1)

    def value(offset: int) -> Array:
        return jnp.take_along_axis(flat, corner + offset, axis=1).reshape(images.shape)

    upper = value(0) * (1 - right_share) + value(1) * right_share
    lower = value(side) * (1 - right_share) + value(side + 1) * right_share
    return upper * (1 - low_share) + lower * low_share


def batch(size: int, bank: tuple[Array, ...], sources: tuple[Array, ...], key: Array) -> tuple[Array, Array]:
    """Make a batch, half of it drawings, half of it images: float32 (size, 28, 28) and int32 (size,)."""
    segments, smallest, images = bank
    drawings, drawn_classes, shown, shown_classes = sources
    keys = random.split(key, 6)
    first = random.randint(keys[0], (size // 2,), 0, LISTED)
    second = random.randint(keys[1], (size - size // 2,), 0, LISTED)
    rows = drawings[first]
    lines = segments[rows].astype(jnp.float32) / 1000
    lines = vary(lines, random.uniform(keys[2], (len(first),), maxval=1.4), keys[3])
    inked = jnp.concatenate([draw(lines, smallest[rows]), images[shown[second]].astype(jnp.float32) / 255])
    strength = random.uniform(keys[4], (size,))
    # What was varied as strokes needs less.
    strength = strength.at[: size // 2].multiply(0.7)
    return distort(inked, strength, keys[5]), jnp.concatenate([drawn_classes[first], shown_classes[second]])


# --- the networks


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


# --- training


@partial(jax.jit, static_argnames=("design", "size"), donate_argnames=("state",))
def advance(
    design: Design,
    size: int,
    state: Tree,
    rates: Array,
    key: Array,
    bank: tuple[Array, ...],
    sources: tuple[Array, ...],
    mask: Array,
    teachers: tuple[tuple[Tree, Tree], ...],
    fold: Array,
) -> tuple[Tree, Array]:
    """Carry out `STEPS` iterations, and return the new state and the mean of loss, accuracy and agreement.

    Args:
        state: weights, moving means and the optimizer's state.
        rates: float32 (STEPS,), the learning rate of each.
        mask: float32 (CLASSES,), 0 for a class and -1e9 for a spare output.
        teachers: weights and moving means of each; none to learn from labels alone.
        fold: float32 (CLASSES, CLASSES), the student's class of each of the teachers'.
    """

    def step(carry: Tree, inputs: tuple[Array, Array]) -> tuple[Tree, Array]:
        weights, moving, memory = carry
        rate, own = inputs
        data_key, dropout_key = random.split(own)
        images, labels = batch(size, bank, sources, data_key)
        targets = None
        for teacher in teachers:
            logits, _ = apply(TEACHER, *teacher, images, None)
            said = jax.nn.softmax(logits / SOFTNESS + _spare(fold)) @ fold
            targets = said if targets is None else targets + said
        if targets is not None:
            targets = lax.stop_gradient(targets / targets.sum(axis=-1, keepdims=True))

        def loss(trained: Tree) -> tuple[Array, tuple[Tree, Array]]:
            logits, seen = apply(design, trained, moving, images, dropout_key)
            logits = logits + mask
            hard = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
            if targets is None:
                return hard, (seen, logits)
            soft = optax.softmax_cross_entropy(jax.nn.log_softmax(logits / SOFTNESS), targets).mean()
            return SOFT_SHARE * SOFTNESS**2 * soft + (1 - SOFT_SHARE) * hard, (seen, logits)

        (value, (seen, logits)), slopes = jax.value_and_grad(loss, has_aux=True)(weights)
        changes, memory = _OPTIMIZER.update(slopes, memory, weights)
        weights = jax.tree.map(lambda weight, change: weight - rate * change, weights, changes)
        accuracy = (logits.argmax(-1) == labels).mean()
        return (weights, seen, memory), jnp.stack([value, accuracy])

    state, measured = lax.scan(step, state, (rates, random.split(key, STEPS)))
    return state, measured.mean(axis=0)


def _spare(fold: Array) -> Array:
    """Return -1e9 for what no class of the student comes from, else 0."""
    return jnp.where(fold.sum(axis=1) > 0, 0.0, -1e9)


_OPTIMIZER = optax.chain(
    optax.scale_by_adam(),
    optax.add_decayed_weights(DECAY, lambda weights: {name: weight.ndim > 1 for name, weight in weights.items()}),
)


def train(
    name: str,
    design: Design,
    seconds: float,
    bank: tuple[Array, ...],
    sources: tuple[Array, ...],
    classes: int,
    *,
    seed: int,
    size: int,
    teachers: tuple[tuple[Tree, Tree], ...] = (),
    fold: Array | None = None,
) -> tuple[Tree, Tree, int]:
    """Train a network, and return its weights, its moving means and the number of iterations.

    It trains for so many seconds, compilation not counted; with teachers, for `ITERATIONS` at most.
    """
    weights, moving = initialise(design, random.key(seed))
    state = weights, moving, _OPTIMIZER.init(weights)
    mask = jnp.where(jnp.arange(CLASSES) < classes, 0.0, -1e9)
    fold = jnp.eye(CLASSES) * (jnp.arange(CLASSES) < classes) if fold is None else fold
    key, done, begun = random.key(1000 + seed), 0, time.perf_counter()
    start, passed, said = None, 0.0, 0.0
    while passed < 1:
        warm, decay = min(1.0, (done + STEPS) / 500), 0.5 * (1 + np.cos(np.pi * passed))
        key, own = random.split(key)
        rates = jnp.full(STEPS, design.rate * warm * decay, jnp.float32)
        state, measured = advance(design, size, state, rates, own, bank, sources, mask, teachers, fold)
        loss, accuracy = (float(one) for one in measured)  # waits for it
        done += STEPS
        if start is None:
            start = time.perf_counter()
            print(f"{name}: compiled in {start - begun:.1f} s", flush=True)
            continue
        passed = max((time.perf_counter() - start) / seconds, done / ITERATIONS if teachers else 0)
        if time.perf_counter() - said > 5 or passed >= 1:
            said = time.perf_counter()
            pace = (done - STEPS) * size / (said - start)
            print(f"{name}: {done:,}, {passed:.0%}, {pace:,.0f} images/s, {loss:.4f}, {accuracy:.4f}", flush=True)
    return state[0], state[1], done


def fit_task(rows: Rows, task: str, output: Path, share: float, *, seed: int, sizes: tuple[int, int]) -> None:
    """Train a task's teachers and distil them into its models."""
    bank = rows.segments, rows.smallest, rows.images
    classes, sources = rows.sources(task)
    shares, models = PLAN[task]
    teachers = tuple(
        train(
            f"{task}, teacher {index + 1}", TEACHER, seconds * share, bank, sources, len(classes),
            seed=seed + index, size=sizes[0],
        )[:2]
        for index, seconds in enumerate(shares)
    )  # fmt: skip
    for model in models:
        names, own = rows.sources(task, model.class_of)
        fold = np.zeros((CLASSES, CLASSES), np.float32)
        for row, name in enumerate(classes):
            of = name if model.class_of is None else model.class_of.get(name)
            if of is not None:
                fold[row, names.index(of)] = 1
        weights, moving, done = train(
            model.name, model.design, model.seconds * share, bank, own, len(names),
            seed=seed, size=sizes[1], teachers=teachers, fold=jnp.asarray(fold),
        )  # fmt: skip
        arrays: dict[str, Any] = {
            f"weights_{row}": one for row, one in enumerate(folded(model.design, weights, moving, len(names)))
        }
        facts = {"classes": names, "iterations": done, "batch_size": sizes[1], "device": str(jax.devices()[0])}
        facts |= {"seconds": round((sum(shares) + model.seconds) * share, 1), "teachers": len(teachers), "seed": seed}
        facts |= {"learning_rate": model.design.rate, "dropout": model.design.dropout}
        np.savez(output / f"{model.name}.npz", facts=np.array(json.dumps(facts)), **arrays)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bank", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seconds", type=float, default=630, help="of training all tasks (default: %(default)s)")
    parser.add_argument("--tasks", nargs="+", choices=PLAN, default=list(PLAN))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", nargs=2, type=int, default=(1000, 1000), help="images a batch: teacher's, student's")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with np.load(options.bank, allow_pickle=False) as arrays:
        rows = Rows({name: arrays[name] for name in arrays.files})
    planned = sum(sum(PLAN[task][0]) + sum(model.seconds for model in PLAN[task][1]) for task in options.tasks)
    for task in options.tasks:
        fit_task(rows, task, options.output, options.seconds / planned, seed=options.seed, sizes=tuple(options.sizes))


if __name__ == "__main__":
    main()
