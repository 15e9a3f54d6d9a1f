"""Keras `fit` on this project's networks: `default` as a newcomer calls it, `best` as an expert would on a CPU."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import _clock

from digits.training import networks
from digits.training.precision import fastest_precision


def main() -> None:
    task = _clock.read_task()
    keras.utils.set_random_seed(0)
    is_best = task.variant == "best"
    precision = fastest_precision() if is_best and task.network != "softmax" else "float32"
    model = networks.build(task.network, 10, precision=precision)
    optimizer = keras.optimizers.SGD if task.network == "softmax" else keras.optimizers.Adam
    # One call of the compiled function for many batches is Keras's own remedy for short iterations.
    how = {"steps_per_execution": 50, "jit_compile": False} if is_best else {}
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer(task.learning_rate), loss, metrics=["accuracy"], **how)
    images, labels = task.images.astype(np.float32), task.labels
    kept = tf.constant(task.images), tf.constant(labels)

    def gather(rows):
        return tf.cast(tf.gather(kept[0], rows), tf.float32), tf.gather(kept[1], rows)

    # Rows are shuffled, not images: a buffer of images would have to be filled again for every call of `fit`.
    data = tf.data.Dataset.range(len(images)).shuffle(len(images)).repeat()
    data = data.batch(task.batch_size, drop_remainder=True).map(gather).prefetch(tf.data.AUTOTUNE)

    def advance(steps: int) -> float:
        if is_best:
            return model.fit(data, steps_per_epoch=steps, epochs=1, verbose=0).history["loss"][0]
        count = steps * task.batch_size
        given = np.resize(images, (count, 28, 28)), np.resize(labels, count)
        return model.fit(*given, batch_size=task.batch_size, epochs=1, verbose=0).history["loss"][0]

    _clock.report(
        task, advance, versions={"keras": keras.__version__, "tensorflow": tf.__version__}, precision=precision
    )


if __name__ == "__main__":
    main()
