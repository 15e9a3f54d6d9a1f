"""The networks, as Keras models. This module loads TensorFlow, so only training code and tests import it.

Every network maps images float32 (batch, 28, 28), 0 is paper and 255 is ink, to probabilities float32
(batch, classes). The network itself scales the images to [0, 1], so an exported model takes the same images.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers

from digits.settings import IMAGE_SIZE

FEATURES = "features"  # the layer whose output dropout is applied to
LOGITS = "logits"
NORMAL = "normal_"  # the prefix of batch-normalisation layers' names


def build(
    network: str, class_count: int, *, seed: int = 0, precision: str = "float32", is_folded: bool = False
) -> keras.Model:
    """Build an untrained network.

    Args:
        network: a name from `presets.PRESETS`.
        class_count: the number of classes.
        seed: the seed of the initial weights.
        precision: the precision of the layers' arithmetic, "float32" or "mixed_bfloat16"; weights are always float32.
        is_folded: leave batch normalisation out, for weights from `fold`.
    """
    body, output_initializers = _DESIGNS[network](seed)
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE), name="images", dtype="float32")
    x = layers.Rescaling(1 / 255, name="scaled")(images)
    for layer in body:
        if is_folded and layer.name.startswith(NORMAL):
            continue
        layer.dtype_policy = precision
        x = layer(x)
    features = layers.Identity(name=FEATURES, dtype=precision)(x)
    logits = layers.Dense(class_count, name=LOGITS, dtype=precision, **output_initializers)(features)
    return keras.Model(images, layers.Softmax(name="probabilities", dtype="float32")(logits), name=network)


def fold(model: keras.Model, class_count: int) -> keras.Model:
    """Return a float32 copy of a trained network with batch normalisation folded into the preceding layers.

    After training, a normalisation is a fixed scale and shift. The weights and biases of the layer before it can
    include both, and the folded network is faster.
    """
    folded = build(model.name, class_count, is_folded=True)
    for layer in folded.layers:
        weights = model.get_layer(layer.name).get_weights()
        name = layer.name.replace("filters_", NORMAL)
        if name != layer.name and any(other.name == name for other in model.layers):
            normal = model.get_layer(name)
            gain, offset, mean, variance = normal.get_weights()
            factor = gain / np.sqrt(variance + normal.epsilon)
            weights = [weights[0] * factor, (weights[1] - mean) * factor + offset]
        layer.set_weights(weights)
    return folded


def freeze_convolutions(model: keras.Model) -> None:
    """Exclude the convolutions' weights from `trainable_weights`, so that training changes only the dense layers."""
    for layer in model.layers:
        layer.trainable = not isinstance(layer, layers.Conv2D)


def reading_batch(model: keras.Model) -> int:
    """Return the batch size for inference: larger is faster, but a convolution of 1,000 images takes 100 MB."""
    return 200 if any(isinstance(layer, layers.Conv2D) for layer in model.layers) else 5000


def _softmax(seed: int) -> tuple[list[layers.Layer], dict]:
    """Multinomial logistic regression; zero initial weights are safe because there is no symmetry to break."""
    return [layers.Flatten(name="pixels")], {"kernel_initializer": "zeros"}


def _published(seed: int) -> tuple[list[layers.Layer], dict]:
    """784-1024-512-256 as printed in the tutorial: without activations, so the network is one linear map."""
    as_printed = [
        {
            "kernel_initializer": initializers.TruncatedNormal(stddev=0.1, seed=seed + index),
            "bias_initializer": initializers.Constant(0.1),
        }
        for index in range(4)
    ]
    hidden = [
        layers.Dense(units, name=f"hidden_{index + 1}", **as_printed[index])
        for index, units in enumerate((1024, 512, 256))
    ]
    return [layers.Flatten(name="pixels"), *hidden], as_printed[3]


def _corrected(seed: int) -> tuple[list[layers.Layer], dict]:
    """The same widths with ReLU and initial weights scaled for ReLU (He et al., 2015, section 2.2)."""
    hidden = [
        layers.Dense(
            units, activation="relu", name=f"hidden_{index + 1}", kernel_initializer=initializers.HeNormal(seed + index)
        )
        for index, units in enumerate((1024, 512, 256))
    ]
    return [layers.Flatten(name="pixels"), *hidden], {"kernel_initializer": initializers.GlorotUniform(seed + 3)}


def _convolutional(seed: int) -> tuple[list[layers.Layer], dict]:
    """Convolutions and pooling in the manner of LeNet-5 (LeCun et al., 1998), with ReLU."""

    def convolution(index: int, filters: int, size: int, padding: str = "same") -> layers.Layer:
        weights = initializers.HeNormal(seed + index)
        return layers.Conv2D(
            filters, size, padding=padding, activation="relu", name=f"filters_{index}", kernel_initializer=weights
        )

    body = [
        layers.Reshape((IMAGE_SIZE, IMAGE_SIZE, 1), name="channel"),
        convolution(1, 32, 5),
        layers.MaxPooling2D(name="pool_1"),
        convolution(2, 64, 3),
        layers.MaxPooling2D(name="pool_2"),
        convolution(3, 64, 3, padding="valid"),
        layers.Flatten(name="flat"),
        layers.Dense(256, activation="relu", name="hidden", kernel_initializer=initializers.HeNormal(seed + 4)),
    ]
    return body, {"kernel_initializer": initializers.GlorotUniform(seed + 5)}


def _drawing(seed: int) -> tuple[list[layers.Layer], dict]:
    return _normalised(seed, filters=(32, 64, 64, 128, 128), pooled=(1, 3), hidden=128)


def _judge(seed: int) -> tuple[list[layers.Layer], dict]:
    return _normalised(seed, filters=(16, 32, 48, 48), pooled=(1, 2), hidden=96)


def _normalised(
    seed: int, *, filters: tuple[int, ...], pooled: tuple[int, ...], hidden: int
) -> tuple[list[layers.Layer], dict]:
    """Small convolutions, each normalised over the batch (Ioffe and Szegedy, 2015), for distorted images.

    Args:
        filters: of each convolution; the last has no padding.
        pooled: the convolutions, from 1, that are followed by pooling: the first ones, because they cost the most.
        hidden: units of the layer before the output.
    """
    body: list[layers.Layer] = [layers.Reshape((IMAGE_SIZE, IMAGE_SIZE, 1), name="channel")]
    for index, count in enumerate(filters, start=1):
        weights, padding = initializers.HeNormal(seed + index), "same" if index < len(filters) else "valid"
        body += [
            layers.Conv2D(count, 3, padding=padding, name=f"filters_{index}", kernel_initializer=weights),
            BatchNormalization(momentum=0.98, name=f"{NORMAL}{index}"),
            layers.ReLU(name=f"relu_{index}"),
        ]
        if index in pooled:
            body.append(layers.MaxPooling2D(name=f"pool_{pooled.index(index) + 1}"))
    weights = initializers.HeNormal(seed + len(filters) + 1)
    body += [
        layers.Flatten(name="flat"),
        layers.Dense(hidden, activation="relu", name="hidden", kernel_initializer=weights),
    ]
    return body, {"kernel_initializer": initializers.GlorotUniform(seed + len(filters) + 2)}


class BatchNormalization(layers.BatchNormalization):
    """Keras's layer, computed by TensorFlow's fused kernel.

    That saves a quarter of an iteration's processor time in bfloat16. The layer never reaches a model's file, because
    `fold` removes it.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=self.moving_mean.value,
            variance=self.moving_variance.value,
            epsilon=self.epsilon,
            is_training=bool(training),
        )
        if training:
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


_DESIGNS = {
    "drawing": _drawing,
    "judge": _judge,
    "softmax": _softmax,
    "published": _published,
    "corrected": _corrected,
    "convolutional": _convolutional,
}
