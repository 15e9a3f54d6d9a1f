"""Batches, made on the accelerator: strokes varied and drawn as `ink.pen` draws them, images distorted.

Distortions are those of `training.augmentation`, of a strength that differs from image to image.
"""

import json
import string
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from digits.ink.pen import BOX_SIDE, CENTRE, PEN_WIDTH
from digits.settings import IMAGE_SIZE
from digits.training.distillation.plan import SEGMENTS

SMALLEST = 8.0  # canvas pixels; a smaller drawing is a dot
LISTED = 2**19  # rows of every task's lists, repeated, so that one compilation serves all tasks

Array = Any


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
