"""The tutorials' own loop: a TensorFlow 1 session, a feed dictionary for every iteration, float32."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import _clock
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def main() -> None:
    task = _clock.read_task()
    rng = np.random.default_rng(0)
    v1.disable_eager_execution()
    images, labels = v1.placeholder(tf.float32, (None, 784)), v1.placeholder(tf.float32, (None, 10))
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=_logits(task.network, images, rng))
    )
    if task.network == "softmax":
        train = v1.train.GradientDescentOptimizer(task.learning_rate).minimize(loss)
    else:
        train = v1.train.AdamOptimizer(task.learning_rate).minimize(loss)
    pixels = (task.images.reshape(-1, 784) / 255).astype(np.float32)
    one_hot = np.eye(10, dtype=np.float32)[task.labels]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())

        def advance(steps: int) -> float:
            total = 0.0
            for _ in range(steps):
                rows = rng.integers(0, len(pixels), task.batch_size)
                _, value = session.run([train, loss], {images: pixels[rows], labels: one_hot[rows]})
                total += float(value)
            return total / steps

        _clock.report(task, advance, versions={"tensorflow": tf.__version__}, precision="float32")


def _logits(network: str, images, rng: np.random.Generator):
    def layer(x, *shape):
        weights = rng.normal(size=shape).astype(np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:-1])))
        kernel, bias = tf.Variable(weights), tf.Variable(tf.zeros(shape[-1:]))
        if len(shape) == 2:
            return tf.matmul(x, kernel) + bias
        return tf.nn.conv2d(x, kernel, 1, "VALID" if shape[2] == 64 else "SAME") + bias

    if network == "softmax":
        return layer(images, 784, 10)
    if network in ("published", "corrected"):
        x = images
        for shape in ((784, 1024), (1024, 512), (512, 256)):
            x = layer(x, *shape) if network == "published" else tf.nn.relu(layer(x, *shape))
    else:
        x = tf.reshape(images, (-1, 28, 28, 1))
        x = tf.nn.max_pool2d(tf.nn.relu(layer(x, 5, 5, 1, 32)), 2, 2, "SAME")
        x = tf.nn.max_pool2d(tf.nn.relu(layer(x, 3, 3, 32, 64)), 2, 2, "SAME")
        x = tf.nn.relu(layer(x, 3, 3, 64, 64))
        x = tf.nn.relu(layer(tf.reshape(x, (-1, 1600)), 1600, 256))
    return layer(x if network == "published" else tf.nn.dropout(x, 0.5), 256, 10)


if __name__ == "__main__":
    main()
