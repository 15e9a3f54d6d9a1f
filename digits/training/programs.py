"""Programs: a network, its optimizer's state, and the compiled functions that train and evaluate it."""

import contextlib
import functools
import itertools
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from digits.data.datasets import Split
from digits.runs.presets import PRESETS
from digits.settings import IMAGE_SIZE
from digits.training import gpus, networks, timeline
from digits.training.augmentation import augment

gpus.prepare()
tf.config.experimental.enable_op_determinism()  # the same seed gives the same run; no measurable cost here

ALWAYS_FLOAT32 = ("softmax",)  # one small matrix product, which gains nothing from bfloat16
_MOMENTUM = 0.9
_DECAY = 0.999  # of the exponential moving averages of the weights, which cover about a thousand iterations
_ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}  # Kingma and Ba, 2015, and Keras's epsilon


def start() -> None:
    """Start TensorFlow's threads, which inherit the priority of the calling thread."""
    tf.constant(0)


class Program:
    """A network, its optimizer's state and the compiled functions that train and evaluate it.

    Compiling takes about a second, so the trainer keeps one program for each network and optimizer, and resets it
    between runs. Learning rate, dropout rate and batch size are inputs, so changing them does not recompile anything.
    Only one thread may use a program at a time.
    """

    def __init__(
        self,
        network: str,
        class_count: int,
        *,
        optimizer: str,
        augmentation: str = "none",
        precision: str = "float32",
        is_lesson: bool = False,
    ) -> None:
        """Build a network and compile its functions at their first use.

        Args:
            network, class_count: as for `networks.build`.
            optimizer, augmentation, precision: as in `Hyperparameters` and `networks.build`.
            is_lesson: whether it goes on from the weights of a finished model, in which batch normalisation is folded.
                Then only the dense layers learn: few corrections are not enough to learn to see by, and what the
                convolutions see serves other people's handwriting, too.
        """
        self.network, self.class_count = network, class_count
        self.optimizer, self.augmentation, self._is_lesson = optimizer, augmentation, is_lesson
        self.precision = "float32" if network in ALWAYS_FLOAT32 else precision
        self.model = networks.build(network, class_count, precision=self.precision, is_folded=is_lesson)
        if is_lesson:
            networks.freeze_convolutions(self.model)
        self._features = keras.Model(self.model.input, self.model.get_layer(networks.FEATURES).output)
        self._logits = self.model.get_layer(networks.LOGITS)
        self._weights = [weight.value for weight in self.model.trainable_weights]
        self._slots = [[tf.Variable(tf.zeros_like(w)) for w in self._weights] for _ in range(_SLOTS[optimizer])]
        self._step = tf.Variable(0, dtype=tf.int32)
        present = [weight.value for weight in self.model.weights]
        # Distorted batches make the weights noisy; their exponential moving average is more accurate.
        is_averaging = is_lesson or augmentation != "none"
        self._averages = [tf.Variable(tf.zeros_like(weight)) for weight in present] if is_averaging else []
        self._before = networks.build(network, class_count, is_folded=True) if is_lesson else None
        before = [weight.value for weight in self._before.weights] if self._before else []
        # Everything that training changes or compares with; a checkpoint holds these variables in this order.
        self.variables = [*present, *itertools.chain(*self._slots), *self._averages, *before, self._step]
        self._compile()

    def _compile(self) -> None:
        """Declare `advance` and `measure`; one compilation serves any number of steps and images and any batch size."""
        matrix, vector = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.float32)
        data = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE), tf.uint8), tf.TensorSpec((None,), tf.uint8)
        rate, number = tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.int32)
        self.advance = tf.function(self._advance, input_signature=[*data, matrix, vector, rate, number])
        self.measure = tf.function(self._measure, input_signature=data)

    def reset(self, seed: int, weights: list[np.ndarray] | None = None) -> None:
        """Restart from `weights`, in the model's order, or from the initial ones that `seed` gives."""
        self.model.set_weights(_first_weights(self.network, self.class_count, seed) if weights is None else weights)
        if self._before:
            self._before.set_weights(self.model.get_weights())
        for slot in self._slots:
            for value in slot:
                value.assign(tf.zeros_like(value))
        for average, weight in zip(self._averages, self.model.weights, strict=False):
            average.assign(weight.value)
        self._step.assign(0)

    def _advance(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        batches: tf.Tensor,
        learning_rates: tf.Tensor,
        dropout: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train on `batches`, one update for each row.

        Args:
            images, labels: uint8 (n, 28, 28) and uint8 (n,), the training set.
            batches: int32 (steps, batch), the rows of the training set in each step's batch.
            learning_rates: float32 (steps,).
            dropout: float32 scalar.
            seed: int32 scalar, for dropout and distortions.

        Returns:
            Each step's loss and accuracy before its update, float32 (steps,) each.
        """
        steps = tf.shape(batches)[0]
        losses, accuracies = tf.TensorArray(tf.float32, steps), tf.TensorArray(tf.float32, steps)
        next_images, next_labels = _load(images, labels, batches[0])
        for index in tf.range(steps):
            # By default TensorFlow runs ten iterations in parallel; each of these needs the weights of the one before.
            tf.autograph.experimental.set_loop_options(
                parallel_iterations=1,
                shape_invariants=[
                    (next_images, tf.TensorShape((None, IMAGE_SIZE, IMAGE_SIZE))),
                    (next_labels, tf.TensorShape((None,))),
                ],
            )
            batch_images, batch_labels = next_images, next_labels
            # One processor fetches the next batch while another learns from this one.
            next_images, next_labels = _load(images, labels, batches[tf.minimum(index + 1, steps - 1)])
            loss, accuracy = self._learn(batch_images, batch_labels, learning_rates[index], dropout, seed)
            losses, accuracies = losses.write(index, loss), accuracies.write(index, accuracy)
        return losses.stack(), accuracies.stack()

    def _learn(
        self, images: tf.Tensor, labels: tf.Tensor, learning_rate: tf.Tensor, dropout: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Update the weights once, on a batch from `_load`; return its loss and accuracy before the update."""
        step_seed = tf.stack([seed, self._step])
        if self.augmentation == "drawing":
            images = augment(images, step_seed)
        with tf.GradientTape() as tape:
            features = self._features(images, training=True)
            if self.network != "published":  # the published code builds a dropout layer but never uses it
                features = _drop(features, dropout, step_seed)
            logits = tf.cast(self._logits(features), tf.float32)
            loss = _cross_entropy(labels, logits, self._before(images) if self._before else None)
        self._update(tape.gradient(loss, self._weights), learning_rate)
        self._average()
        return loss, _correct(labels, logits) / tf.cast(tf.size(labels), tf.float32)

    def _measure(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the summed loss over uint8 images (n, 28, 28), and their probabilities float32 (n, classes)."""
        labels = tf.cast(labels, tf.int32)
        logits = tf.cast(self._logits(self._features(tf.cast(images, tf.float32))), tf.float32)
        return _cross_entropy(labels, logits) * tf.cast(tf.size(labels), tf.float32), tf.nn.softmax(logits)

    def evaluate(self, split: Split) -> tuple[float, np.ndarray]:
        """Return the mean loss over `split`, and the probabilities float32 (n, classes) of its images."""
        if self._averages:
            with self._holding(self.weights()):
                return self._evaluate(split)
        return self._evaluate(split)

    def weights(self) -> list[np.ndarray]:
        """Return the weights for inference, in the model's order: the moving averages if it has them."""
        return [average.numpy() for average in self._averages] or self.model.get_weights()

    @contextlib.contextmanager
    def _holding(self, weights: list[np.ndarray]) -> Iterator[None]:
        present = self.model.get_weights()
        try:
            self.model.set_weights(weights)
            yield
        finally:
            self.model.set_weights(present)

    def _evaluate(self, split: Split) -> tuple[float, np.ndarray]:
        size = networks.reading_batch(self.model)
        parts = [
            self.measure(split.images[start : start + size], split.labels[start : start + size])
            for start in range(0, len(split), size)
        ]
        losses, probabilities = zip(*parts, strict=True)
        return float(sum(losses)) / len(split), np.concatenate([part.numpy() for part in probabilities])

    def exportable_model(self, weights: list[np.ndarray] | None = None) -> keras.Model:
        """Return a float32 copy with batch normalisation folded in, with `weights` or those for inference."""
        with self._holding(self.weights() if weights is None else weights):
            return networks.fold(self.model, self.class_count)

    def first_layer(self) -> tuple[str, np.ndarray]:
        """Return the first layer's weights as pictures: `kind` and `pictures` as in `timeline.Snapshot`."""
        layer = next(layer for layer in self.model.layers if layer.get_weights())
        kernel = layer.get_weights()[0]
        if kernel.ndim == 4:
            return "filters", np.moveaxis(kernel[:, :, 0], -1, 0)
        pictures = kernel.T.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
        return ("classes", pictures) if self.network == "softmax" else ("units", pictures[: timeline.UNITS])

    def _average(self) -> None:
        """Update the exponential moving averages of the weights (Polyak and Juditsky, 1992); early steps count more."""
        step = tf.cast(self._step, tf.float32)
        # A lesson's mean covers all of its way, from the weights of before, and so stays nearer to these, which costs
        # others' handwriting less (as M. Wortsman et al., CVPR 2022, found for the mean of both ends).
        share = 1 / (1 + step) if self._is_lesson else tf.maximum(1 - _DECAY, 9 / (10 + step))
        for average, weight in zip(self._averages, self.model.weights, strict=False):
            average.assign_add(share * (weight.value - average))

    def _update(self, gradients: list[tf.Tensor], learning_rate: tf.Tensor) -> None:
        self._step.assign_add(1)
        # Raw kernels: one fused operation for each weight; Keras's optimizers use several.
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


@functools.lru_cache(maxsize=len(PRESETS))  # most runs use the same seed, and drawing the weights takes 50 ms
def _first_weights(network: str, class_count: int, seed: int) -> list[np.ndarray]:
    return networks.build(network, class_count, seed=seed).get_weights()


_SLOTS = {"sgd": 0, "momentum": 1, "adam": 2}  # the optimizer's variables for each weight


def warm_up(program: Program) -> None:
    """Compile the program's functions on blank images, so that the first run does not wait for the compiler."""
    blank = tf.zeros((2, IMAGE_SIZE, IMAGE_SIZE), tf.uint8), tf.zeros((2,), tf.uint8)
    program.advance(*blank, np.zeros((2, 2), np.int32), np.zeros(2, np.float32), tf.constant(0.0), tf.constant(0))
    program.measure(*blank)


def _load(images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a batch: images float32 (batch, 28, 28) and labels int32 (batch,)."""
    return tf.cast(tf.gather(images, rows), tf.float32), tf.cast(tf.gather(labels, rows), tf.int32)


def _drop(features: tf.Tensor, rate: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Set a share `rate` of the features to zero and scale up the rest (dropout, Srivastava et al., 2014)."""

    def dropped() -> tf.Tensor:
        keep = tf.random.stateless_uniform(tf.shape(features), seed) >= rate
        return tf.where(keep, features / tf.cast(1 - rate, features.dtype), tf.zeros_like(features))

    return tf.cond(rate > 0, dropped, lambda: features)


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor, before: tf.Tensor | None = None) -> tf.Tensor:
    """Return the mean cross entropy.

    In a lesson, the probabilities that the model gave `before` take the labels' place where they are right: what it
    knows stays as it is, not even surer ("learning without forgetting", Z. Li and D. Hoiem, ECCV 2016).
    """
    entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    if before is not None:
        is_right = tf.argmax(before, -1, output_type=tf.int32) == labels
        kept = tf.nn.softmax_cross_entropy_with_logits(labels=before, logits=logits)
        entropies = tf.where(is_right, kept, entropies)
    return tf.reduce_mean(entropies)


def _correct(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return how many predictions are correct: the highest logit is the label's."""
    return tf.reduce_sum(tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == labels, tf.float32))
