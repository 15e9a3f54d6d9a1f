"""Augmentation: training images distorted at random, as hands, pens and cameras distort digits."""

from typing import Any

import tensorflow as tf

from digits.settings import IMAGE_SIZE

_ROTATION = 0.2  # radians either way, 11 degrees
_SHEAR = 0.15
_LOG_SCALE, _LOG_ASPECT = 0.1, 0.1
_SHIFT = 1.5  # pixels; a drawing is centred by its mass before the network sees it
_WAVES = ((4, 0.6), (8, 0.3))  # elastic distortion (Simard et al., 2003): control points a side, deviation in pixels
_ERASED_SHARE, _ERASED_SIDE = 0.05, (3.0, 6.0)  # one image in twenty loses a square: pens skip, and paper hides ink


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Distort each image at random: pen width, slant, size, position, tremor and gaps.

    Args:
        images: float32 (batch, 28, 28), 0 is paper and 255 is ink.
        seed: int32 (2,); the same seed gives the same distortions.

    Returns:
        float32 (batch, 28, 28), 0 is paper and 255 is ink.
    """
    seeds = tf.unstack(tf.random.split(seed, 5))
    images = _change_pen(images[..., tf.newaxis], seeds[0])
    x, y = _bend(*_affine(tf.shape(images)[0], seeds[1]), seeds[2])
    return _erase(_sample(images, x, y), seeds[3])


def _uniform(seed: tf.Tensor, shape: Any, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, low, high)


def _change_pen(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Blend each image with a thickened or thinned copy, (batch, 28, 28, 1)."""
    strength = _uniform(seed, (tf.shape(images)[0], 1, 1, 1), -1.0, 1.0)
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 2, 1, "SAME")
    # Half of the images keep their width.
    return images + tf.maximum(strength - 0.5, 0) * (thick - images) + tf.maximum(-strength - 0.5, 0) * (thin - images)


def _affine(count: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the source coordinates of each pixel, x and y float32 (batch, 28, 28)."""
    angle, scale, aspect, shear, right, down = tf.unstack(_uniform(seed, (6, count, 1, 1), -1.0, 1.0))
    angle, scale = angle * _ROTATION, tf.exp(scale * _LOG_SCALE)
    aspect, shear = tf.exp(aspect * _LOG_ASPECT), shear * _SHEAR
    middle = (IMAGE_SIZE - 1) / 2
    line = tf.range(IMAGE_SIZE, dtype=tf.float32) - middle
    x, y = line[tf.newaxis, tf.newaxis, :], line[tf.newaxis, :, tf.newaxis]
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    from_x = (cosine * x - sine * y) * aspect + shear * y + right * _SHIFT + middle
    from_y = (sine * x + cosine * y) / aspect + down * _SHIFT + middle
    return from_x, from_y


def _bend(x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Displace the coordinates by smooth random waves."""
    for index, (points, pixels) in enumerate(_WAVES):
        shape = (tf.shape(x)[0], points, points, 2)
        waves = tf.random.stateless_normal(shape, seed + index, stddev=pixels)
        waves = tf.image.resize(waves, (IMAGE_SIZE, IMAGE_SIZE), "bilinear")
        x, y = x + waves[..., 0], y + waves[..., 1]
    return x, y


def _sample(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Sample the images at fractional coordinates, bilinearly; outside is paper. Returns (batch, 28, 28)."""
    padded = tf.pad(images[..., 0], ((0, 0), (1, 1), (1, 1)))
    side = IMAGE_SIZE + 2
    flat = tf.reshape(padded, (-1, side * side))
    x, y = tf.clip_by_value(x + 1, 0.0, side - 1.001), tf.clip_by_value(y + 1, 0.0, side - 1.001)
    left, top = tf.cast(x, tf.int32), tf.cast(y, tf.int32)
    right_share, low_share = x - tf.floor(x), y - tf.floor(y)
    corner = top * side + left

    def value(offset: int) -> tf.Tensor:
        return tf.gather(flat, corner + offset, batch_dims=1)

    upper = value(0) * (1 - right_share) + value(1) * right_share
    lower = value(side) * (1 - right_share) + value(side + 1) * right_share
    return upper * (1 - low_share) + lower * low_share


def _erase(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Replace a random square of some images with paper."""
    count = tf.shape(images)[0]
    left, top, side, chance = tf.unstack(_uniform(seed, (4, count, 1, 1), 0.0, 1.0))
    side = (_ERASED_SIDE[0] + side * (_ERASED_SIDE[1] - _ERASED_SIDE[0])) * tf.cast(chance < _ERASED_SHARE, tf.float32)
    line = tf.range(IMAGE_SIZE, dtype=tf.float32)
    in_columns = tf.abs(line[tf.newaxis, tf.newaxis, :] - left * IMAGE_SIZE) * 2 < side
    in_rows = tf.abs(line[tf.newaxis, :, tf.newaxis] - top * IMAGE_SIZE) * 2 < side
    return tf.where(in_columns & in_rows, 0.0, images)
