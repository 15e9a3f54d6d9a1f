"""Milliseconds an iteration: this project's training loop against Keras `fit`, in turn in one process.

`fit` runs with its defaults on the same network, batch size, optimizer and precision; both train on the same images,
for the same number of iterations, and neither validates. Both run with TensorFlow's determinism on, as the app does.

    python -m benchmarks.training_speed --rounds 3
"""

import argparse
import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks import _results
from digits import datasets, networks, programs, training
from digits.hyperparameters import PRESETS
from digits.settings import Settings

_ITERATIONS = {"softmax": 500, "published": 50, "corrected": 50, "convolutional": 50}
_OPTIMIZERS = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, in turn (default: %(default)s)")
    options = parser.parse_args()
    keras.utils.set_random_seed(0)  # which determinism asks for
    dataset = datasets.load_mnist(Settings.from_environment())
    images, labels = tf.constant(dataset.train.images), tf.constant(dataset.train.labels)
    precision = programs.fastest_precision()
    figures = {}
    for network, iterations in _ITERATIONS.items():
        preset = PRESETS[network].hyperparameters
        program = programs.Program(network, len(dataset.class_names), optimizer=preset.optimizer, precision=precision)
        programs.warm_up(program)
        batches = training.batch_indices(len(dataset.train), preset.batch_size, 0, 0, iterations)
        rates = np.full(iterations, preset.learning_rate, np.float32)

        def ours(program=program, batches=batches, rates=rates, dropout=preset.dropout) -> None:
            for first in range(0, len(batches), 10):
                chunk = slice(first, first + 10)
                losses, _ = program.advance(
                    images, labels, batches[chunk], rates[chunk], tf.constant(dropout), tf.constant(0)
                )
                losses.numpy()

        count = iterations * preset.batch_size
        fit_images = np.resize(dataset.train.images, (count, 28, 28)).astype(np.float32)
        fit_labels = np.resize(dataset.train.labels, count)
        model = networks.build(network, len(dataset.class_names), precision=program.precision)
        model.compile(
            _OPTIMIZERS[preset.optimizer](preset.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )

        def keras_fit(model=model, images=fit_images, labels=fit_labels, batch_size=preset.batch_size) -> None:
            model.fit(images, labels, batch_size=batch_size, epochs=1, verbose=0)

        seconds = {"digits": [], "keras_fit": []}
        for _ in range(options.rounds + 1):
            for name, run in (("digits", ours), ("keras_fit", keras_fit)):
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
        medians = {name: statistics.median(times[1:]) / iterations * 1000 for name, times in seconds.items()}
        ratio = statistics.median(b / a for a, b in zip(seconds["digits"][1:], seconds["keras_fit"][1:], strict=True))
        figures[network] = {
            "precision": program.precision,
            "batch_size": preset.batch_size,
            "ms_per_iteration": {name: round(value, 3) for name, value in medians.items()},
            "times_faster_than_fit": round(ratio, 2),
        }
        print(network, figures[network], flush=True)
    print("Written to", _results.save("training_speed", figures))


if __name__ == "__main__":
    main()
