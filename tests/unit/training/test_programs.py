"""programs: what is written by hand does what it stands for in Keras, TensorFlow or its formula, over 20 steps."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.data.datasets import Split
from digits.training import networks, programs
from digits.training.programs import Program

STEPS = 20
RATES = np.linspace(0.02, 0.001, STEPS, dtype=np.float32)  # as a schedule lowers them
CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # float32 rounds to 6e-8 of a number; after 20 steps 2e-6 were measured


@pytest.fixture
def gradients():
    """20 random gradients for the weights and biases of softmax regression, some of them zero as dark pixels make."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(STEPS):
        weights = rng.normal(0, 1, (784, 10)).astype(np.float32)
        weights[rng.random(784) < 0.2] = 0
        made.append([weights, rng.normal(0, 1, 10).astype(np.float32)])
    return made


def softmax_regression(optimizer, **options):
    """A program whose weights are no longer zero."""
    program = Program("softmax", 10, optimizer=optimizer, **options)
    program.reset(0)
    rng = np.random.default_rng(1)
    program.model.set_weights([rng.normal(0, 1, weight.shape) for weight in program.model.get_weights()])
    return program


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def advance(program, dataset, batches, *, learning_rate):
    """Train on these batches at a constant rate, without dropout."""
    rates = np.full(len(batches), learning_rate, np.float32)
    images, labels = dataset.train.images, dataset.train.labels
    return program.advance(images, labels, batches.astype(np.int32), rates, tf.constant(0.0), tf.constant(0))


class TestOptimizers:
    def follow(self, program, reference, gradients, rates):
        """Give both the same gradients; returns the weights after every step, ours and Keras's."""
        theirs = [keras.Variable(weight) for weight in program.model.get_weights()]
        reference.build(theirs)
        for given, rate in zip(gradients, rates, strict=True):
            program._update([tf.constant(gradient) for gradient in given], tf.constant(rate))
            reference.learning_rate = rate
            reference.apply([tf.constant(gradient) for gradient in given])
            yield program.model.get_weights(), [weight.numpy() for weight in theirs]

    @pytest.mark.parametrize(
        ("optimizer", "reference"),
        [("sgd", keras.optimizers.SGD), ("adam", keras.optimizers.Adam)],
    )
    def test_are_those_of_keras(self, optimizer, reference, gradients):
        """Given the same gradients and falling learning rates, the weights are those of Keras's optimizer."""
        program = softmax_regression(optimizer)
        for ours, theirs in self.follow(program, reference(), gradients, RATES):
            assert_same(ours, theirs)

    def test_momentum_is_that_of_keras(self, gradients):
        """At a constant learning rate the weights are those of Keras's SGD with momentum 0.9."""
        program = softmax_regression("momentum")
        rates = np.full(STEPS, 0.02, np.float32)
        for ours, theirs in self.follow(program, keras.optimizers.SGD(momentum=0.9), gradients, rates):
            assert_same(ours, theirs)

    def test_a_new_learning_rate_scales_the_whole_velocity(self, gradients):
        """TensorFlow's momentum multiplies the velocity by the present rate; Keras's keeps the rates of the past."""
        program = softmax_regression("momentum")
        expected = [weight.astype(np.float64) for weight in program.model.get_weights()]
        velocities = [np.zeros_like(weight) for weight in expected]
        for given, rate in zip(gradients, RATES, strict=True):
            program._update([tf.constant(gradient) for gradient in given], tf.constant(rate))
            velocities = [0.9 * velocity + gradient for velocity, gradient in zip(velocities, given, strict=True)]
            expected = [weight - rate * velocity for weight, velocity in zip(expected, velocities, strict=True)]
            assert_same(program.model.get_weights(), expected)

    def test_whole_iterations_are_those_of_keras(self, small):
        """Loss, gradients and updates together: losses and weights are those of Keras's `train_on_batch`.

        With momentum, because Adam divides tiny gradients by their own size and so magnifies how they were rounded.
        """
        program, model = Program("corrected", 10, optimizer="momentum"), networks.build("corrected", 10, seed=3)
        program.reset(3)
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
        batches = np.random.default_rng(0).permutation(len(small.train)).astype(np.int32).reshape(STEPS, -1)
        losses, _ = advance(program, small, batches, learning_rate=0.02)
        expected = [
            model.train_on_batch(small.train.images[rows].astype(np.float32), small.train.labels[rows])
            for rows in batches
        ]
        np.testing.assert_allclose(losses.numpy(), expected, **CLOSE)
        assert_same(program.model.get_weights(), model.get_weights())


class TestDropout:
    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
    def test_is_that_of_keras(self, rate):
        """From the same seed the mask, the scaled features and the gradients are those of `keras.random.dropout`."""
        features = tf.constant(np.random.default_rng(0).normal(1, 1, (50, 256)).astype(np.float32))
        made = []
        for drop in (
            lambda x: programs._drop(x, tf.constant(rate, tf.float32), tf.constant([7, 0])),
            lambda x: keras.random.dropout(x, rate, seed=7),
        ):
            with tf.GradientTape() as tape:
                tape.watch(features)
                dropped = drop(features)
                loss = tf.reduce_sum(dropped**2)
            made.append((dropped.numpy(), tape.gradient(loss, features).numpy()))
        (ours, our_gradients), (theirs, their_gradients) = made
        assert np.array_equal(ours == 0, theirs == 0)
        np.testing.assert_allclose(ours, theirs, rtol=3e-7)  # a division against a product with the reciprocal
        np.testing.assert_allclose(our_gradients, their_gradients, rtol=6e-7)

    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
    def test_silences_its_share_anew_at_every_step(self, rate):
        """Each step drops a share near the rate, independently of the step before, and keeps the mean."""
        ones = tf.ones((400, 250))
        masks = []
        for step in (1, 2):
            dropped = programs._drop(ones, tf.constant(rate, tf.float32), tf.constant([7, step])).numpy()
            masks.append(dropped == 0)
            spread = np.sqrt(rate * (1 - rate) / dropped.size)  # of a share: the standard deviation of a binomial
            assert masks[-1].mean() == pytest.approx(rate, abs=4 * spread)
            assert dropped.mean() == pytest.approx(1, abs=4 * spread / (1 - rate))
        assert abs(np.corrcoef(masks[0].ravel(), masks[1].ravel())[0, 1]) < 4 / np.sqrt(ones.shape.num_elements())

    def test_of_nothing_changes_nothing(self):
        """At a rate of 0 the features pass as they are."""
        features = tf.constant(np.random.default_rng(0).normal(0, 1, (5, 8)).astype(np.float32))
        assert np.array_equal(programs._drop(features, tf.constant(0.0), tf.constant([7, 1])), features)


class TestAverages:
    """The exponential moving averages of the weights."""

    def follow(self, program, gradients):
        for given in gradients:
            program._update([tf.constant(gradient) for gradient in given], tf.constant(0.02))
            program._average()
            yield program.model.get_weights()

    @pytest.mark.parametrize("first", [0, 8_980])
    def test_are_those_of_tensorflow(self, gradients, first):
        """They are `tf.train.ExponentialMovingAverage` with the number of updates, also where its warm-up ends."""
        program = softmax_regression("sgd", augmentation="drawing")
        program._step.assign(first)
        copies = [tf.Variable(weight) for weight in program.model.get_weights()]
        for average, weight in zip(program._averages, copies, strict=True):
            average.assign(weight)
        reference = tf.train.ExponentialMovingAverage(0.999, num_updates=program._step)
        reference.apply(copies)  # its averages begin as the weights
        for weights in self.follow(program, gradients):
            for copy, weight in zip(copies, weights, strict=True):
                copy.assign(weight)
            reference.apply(copies)
            assert_same(program.weights(), [reference.average(copy).numpy() for copy in copies])

    def test_are_those_of_keras_after_the_warm_up(self, gradients):
        """From iteration 8,990 on they are those of Keras's `use_ema` with a momentum of 0.999."""
        program = softmax_regression("sgd", augmentation="drawing")
        program._step.assign(8_990)
        theirs = [keras.Variable(weight) for weight in program.model.get_weights()]
        reference = keras.optimizers.SGD(0.02, use_ema=True, ema_momentum=0.999)
        reference.build(theirs)
        for index, (given, _) in enumerate(zip(gradients, self.follow(program, gradients), strict=True)):
            reference.apply([tf.constant(gradient) for gradient in given])
            averages = [average.numpy() for average in reference._model_variables_moving_average]
            if index == 0:  # Keras's averages begin after the first update
                for average, start in zip(program._averages, averages, strict=True):
                    average.assign(start)
            assert_same(program.weights(), averages)


class TestFolding:
    def test_keeps_what_trained_statistics_predict(self, small):
        """With means and variances far from their start the network without normalisations predicts the same."""
        program = Program("drawing", 10, optimizer="adam")
        program.reset(0)
        advance(program, small, np.random.default_rng(0).integers(0, len(small.train), (40, 32)), learning_rate=2e-3)
        images = small.test.images.astype(np.float32)
        expected = program.model(images, training=False).numpy()
        folded = networks.fold(program.model, 10)
        assert not [layer for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
        probabilities = folded(images).numpy()
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)  # six layers, each rounded a little otherwise
        assert np.array_equal(probabilities.argmax(axis=1), expected.argmax(axis=1))

        for layer in program.model.layers:  # the statistics matter: those of the start predict something else
            if layer.name.startswith(networks.NORMAL):
                gain, offset, mean, variance = layer.get_weights()
                layer.set_weights([gain, offset, np.zeros_like(mean), np.ones_like(variance)])
        assert np.abs(program.model(images, training=False).numpy() - expected).max(axis=1).mean() > 0.1


def test_a_lesson_changes_only_what_was_wrong(sample):
    """What the model was right about it goes on saying as surely as before; what it misread it learns."""
    program = softmax_regression("adam", is_lesson=True)
    program.reset(0, [weight / 50 for weight in program.model.get_weights()])
    train = sample.train.rows(0, 64)
    _, before = program.evaluate(train)
    batches = np.tile(np.arange(64, dtype=np.int32), (STEPS, 1))
    known = dataclasses.replace(sample, train=Split(train.images, before.argmax(axis=1).astype(np.uint8)))
    advance(program, known, batches, learning_rate=0.01)
    np.testing.assert_allclose(program.evaluate(train)[1], before, atol=0.02)  # Adam makes steps of rounding errors
    advance(program, dataclasses.replace(sample, train=train), batches, learning_rate=0.01)
    assert (program.evaluate(train)[1].argmax(axis=1) == train.labels).mean() > 0.8
