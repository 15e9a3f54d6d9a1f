"""Keras and TensorFlow: `model.predict`, `model(x)` and a compiled `tf.function`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import _reading_clock
import keras
import numpy as np
import tensorflow as tf


def main() -> None:
    question = _reading_clock.read_question()
    model = keras.models.load_model(question.folder / "model.keras")
    compiled = tf.function(model, input_signature=[tf.TensorSpec((None, 28, 28), tf.float32)])

    def in_batches(read, size: int = 1000):
        return lambda x: np.concatenate([np.asarray(read(x[at : at + size])) for at in range(0, len(x), size)])

    _reading_clock.report(
        {
            "model.predict": lambda x: model.predict(x, verbose=0, batch_size=1000),
            "model(x)": in_batches(lambda x: model(x, training=False)),
            "tf.function": in_batches(compiled),
        },
        question.images,
        versions={"tensorflow": tf.__version__},
    )


if __name__ == "__main__":
    main()
