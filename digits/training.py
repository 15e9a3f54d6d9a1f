"""The training loop: hyperparameters and data in, a stream of progress out. It knows no database and no page."""

import functools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from digits import networks
from digits.augmentation import augment
from digits.datasets import Dataset, Split
from digits.errors import TrainingDiverged
from digits.hyperparameters import Hyperparameters
from digits.settings import IMAGE_SIZE

tf.config.experimental.enable_op_determinism()  # the same seed gives the same run; measured, it costs nothing here

EVALUATION_BATCH = 1000  # images a call; large enough to be quick, small enough to let a stop through
_VALIDATIONS = 25  # times a run looks at the validation images
_MOMENTUM = 0.9
_ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}  # Kingma and Ba, 2015, and Keras's epsilon


@dataclass(frozen=True)
class Progress:
    """What a run has come to after `step` iterations.

    Attributes:
        step: iterations done.
        seconds: time spent so far, validation included.
        loss, accuracy: the mean over the training batches since the last progress, before their updates.
        val_loss, val_accuracy: over all validation images; None between validations.
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None


@functools.cache
def fastest_precision() -> str:
    """Return "mixed_bfloat16" where this processor multiplies bfloat16 clearly faster, else "float32". Takes 0.1 s."""

    def seconds(dtype: str) -> float:
        matrix = tf.ones((768, 768), dtype)
        product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
        product()
        times = []
        for _ in range(5):
            start = time.perf_counter()
            product().numpy()
            times.append(time.perf_counter() - start)
        return min(times)

    return "mixed_bfloat16" if seconds("bfloat16") < 0.6 * seconds("float32") else "float32"


class Program:
    """A network, its optimizer's state and the compiled functions that train and evaluate it.

    Compiling takes about a second, so the trainer keeps one program for each network and optimizer; `reset` makes it
    as new. The learning rate, the dropout rate and the batch size are inputs: changing them compiles nothing.
    One thread at a time.
    """

    def __init__(
        self,
        network: str,
        class_count: int,
        *,
        optimizer: str,
        augmentation: str = "none",
        precision: str = "float32",
    ) -> None:
        self.network, self.class_count = network, class_count
        self.optimizer, self.augmentation = optimizer, augmentation
        # One matrix product of a few thousand numbers gains nothing from bfloat16.
        self.precision = "float32" if network == "softmax" else precision
        self.model = networks.build(network, class_count, precision=self.precision)
        self._features = keras.Model(self.model.input, self.model.get_layer(networks.FEATURES).output)
        self._logits = self.model.get_layer(networks.LOGITS)
        self._weights = [weight.value for weight in self.model.trainable_weights]
        self._slots = [[tf.Variable(tf.zeros_like(w)) for w in self._weights] for _ in range(_SLOTS[optimizer])]
        self._step = tf.Variable(0, dtype=tf.int32)
        # Any number of steps, batch size and number of images: one compilation serves them all.
        matrix, vector = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.float32)
        data = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE), tf.uint8), tf.TensorSpec((None,), tf.uint8)
        rate, number = tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.int32)
        self.advance = tf.function(self._advance, input_signature=[*data, matrix, vector, rate, number])
        self.measure = tf.function(self._measure, input_signature=data)

    def reset(self, seed: int) -> None:
        """Start anew from the first weights that `seed` gives."""
        fresh = networks.build(self.network, self.class_count, seed=seed)
        self.model.set_weights(fresh.get_weights())
        for slot in self._slots:
            for value in slot:
                value.assign(tf.zeros_like(value))
        self._step.assign(0)

    def _advance(self, images, labels, batches, learning_rates, dropout, seed):
        """Train on `batches`, one update for each row.

        Args:
            images, labels: uint8 (n, 28, 28) and uint8 (n,), the training set.
            batches: int32 (steps, batch), the rows of the training set that each step learns from.
            learning_rates: float32 (steps,).
            dropout: float32 scalar.
            seed: int32 scalar, for the dropout masks.

        Returns:
            Losses and accuracies, float32 (steps,) each.
        """
        steps = tf.shape(batches)[0]
        losses = tf.TensorArray(tf.float32, steps)
        accuracies = tf.TensorArray(tf.float32, steps)
        for index in tf.range(steps):
            batch_images = tf.cast(tf.gather(images, batches[index]), tf.float32)
            batch_labels = tf.cast(tf.gather(labels, batches[index]), tf.int32)
            if self.augmentation == "drawing":
                batch_images = augment(batch_images, tf.stack([seed, self._step]))
            with tf.GradientTape() as tape:
                features = self._features(batch_images, training=True)
                if self.network != "published":  # as published: dropout is there but is never used
                    features = _drop(features, dropout, tf.stack([seed, self._step]))
                logits = tf.cast(self._logits(features), tf.float32)
                loss = _cross_entropy(batch_labels, logits)
            self._update(tape.gradient(loss, self._weights), learning_rates[index])
            losses = losses.write(index, loss)
            accuracies = accuracies.write(
                index, _hits(batch_labels, logits) / tf.cast(tf.size(batch_labels), tf.float32)
            )
        return losses.stack(), accuracies.stack()

    def _measure(self, images, labels):
        """Return the summed loss and the number of hits, float32 scalars, over uint8 images (n, 28, 28)."""
        labels = tf.cast(labels, tf.int32)
        logits = tf.cast(self._logits(self._features(tf.cast(images, tf.float32))), tf.float32)
        return _cross_entropy(labels, logits) * tf.cast(tf.size(labels), tf.float32), _hits(labels, logits)

    def evaluate(self, split: Split) -> tuple[float, float]:
        """Return the mean loss and the accuracy over `split`."""
        starts = range(0, len(split), EVALUATION_BATCH)
        parts = [
            self.measure(split.images[start : start + EVALUATION_BATCH], split.labels[start : start + EVALUATION_BATCH])
            for start in starts
        ]
        loss, hits = (float(sum(column)) for column in zip(*parts, strict=True))
        return loss / len(split), hits / len(split)

    def exportable_model(self) -> keras.Model:
        """Return a float32 copy with the present weights, batch normalisations folded in."""
        return networks.fold(self.model, self.class_count)

    def _update(self, gradients, learning_rate) -> None:
        self._step.assign_add(1)
        # Raw kernels: one fused operation for each weight, where Keras's optimizers take several.
        if self.optimizer == "sgd":
            for weight, gradient in zip(self._weights, gradients, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(var=weight.handle, alpha=learning_rate, delta=gradient)
        elif self.optimizer == "momentum":
            for weight, gradient, velocity in zip(self._weights, gradients, *self._slots, strict=True):
                tf.raw_ops.ResourceApplyMomentum(
                    var=weight.handle, accum=velocity.handle, lr=learning_rate, grad=gradient, momentum=_MOMENTUM
                )
        else:
            step = tf.cast(self._step, tf.float32)
            powers = {"beta1_power": _ADAM["beta1"] ** step, "beta2_power": _ADAM["beta2"] ** step}
            for weight, gradient, mean, variance in zip(self._weights, gradients, *self._slots, strict=True):
                tf.raw_ops.ResourceApplyAdam(
                    var=weight.handle,
                    m=mean.handle,
                    v=variance.handle,
                    lr=learning_rate,
                    grad=gradient,
                    **powers,
                    **_ADAM,
                )


_SLOTS = {"sgd": 0, "momentum": 1, "adam": 2}  # variables that each optimizer keeps for every weight


def train(hyperparameters: Hyperparameters, dataset: Dataset, program: Program) -> Iterator[Progress]:
    """Train `program` from its first weights and yield progress after every chunk of iterations.

    Whoever iterates may stop at any time; the program then holds the weights reached.

    Raises:
        TrainingDiverged: when the loss is no longer a number.
    """
    program.reset(hyperparameters.seed)
    images, labels = tf.constant(dataset.train.images), tf.constant(dataset.train.labels)
    dropout, seed = tf.constant(hyperparameters.dropout, tf.float32), tf.constant(hyperparameters.seed, tf.int32)
    chunk = 50 if hyperparameters.network == "softmax" else 10  # its iterations are so short that calls would show
    every = max(chunk, math.ceil(hyperparameters.iterations / _VALIDATIONS / chunk) * chunk)
    start = time.perf_counter()
    for first in range(0, hyperparameters.iterations, chunk):
        last = min(first + chunk, hyperparameters.iterations)
        batches = batch_indices(len(dataset.train), hyperparameters.batch_size, hyperparameters.seed, first, last)
        rates = np.array([hyperparameters.learning_rate_at(step) for step in range(first, last)], np.float32)
        losses, accuracies = program.advance(images, labels, batches, rates, dropout, seed)
        loss, accuracy = float(np.mean(losses)), float(np.mean(accuracies))
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss should stay a finite number; after {last:,} iterations it was {loss}. "
                f"Start again with a learning rate below {hyperparameters.learning_rate:g}."
            )
        val_loss = val_accuracy = None
        if first == 0 or last % every == 0 or last == hyperparameters.iterations:
            val_loss, val_accuracy = program.evaluate(dataset.validation)
        yield Progress(last, time.perf_counter() - start, loss, accuracy, val_loss, val_accuracy)


def batch_indices(count: int, batch_size: int, seed: int, first: int, last: int) -> np.ndarray:
    """Return which images the iterations from `first` up to `last` learn from.

    Every epoch goes through all images once, in an order drawn from the seed and the epoch's number alone, so any
    iteration's batch is known without those before it.

    Returns:
        int32 (last - first, batch_size), each in [0, count).
    """
    positions = np.arange(first * batch_size, last * batch_size)
    epochs = positions // count
    orders = np.concatenate([_epoch_order(count, seed, epoch) for epoch in range(epochs[0], epochs[-1] + 1)])
    return orders[positions - epochs[0] * count].reshape(last - first, batch_size)


@functools.lru_cache(maxsize=4)
def _epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int32)


def warm_up(program: Program) -> None:
    """Compile the program's functions on blank images, so that the first run does not wait for it."""
    blank = tf.zeros((2, IMAGE_SIZE, IMAGE_SIZE), tf.uint8), tf.zeros((2,), tf.uint8)
    program.advance(*blank, np.zeros((2, 2), np.int32), np.zeros(2, np.float32), tf.constant(0.0), tf.constant(0))
    program.measure(*blank)


def _drop(features, rate, seed):
    """Silence a share `rate` of the features and scale the rest to make up for it (Srivastava et al., 2014)."""

    def dropped():
        keep = tf.random.stateless_uniform(tf.shape(features), seed) >= rate
        return tf.where(keep, features / tf.cast(1 - rate, features.dtype), tf.zeros_like(features))

    return tf.cond(rate > 0, dropped, lambda: features)


def _cross_entropy(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def _hits(labels, logits):
    return tf.reduce_sum(tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == labels, tf.float32))
