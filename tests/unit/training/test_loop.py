"""loop: losses fall, the seed alone decides all random numbers, and errors are reported."""

import dataclasses
import functools
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.accuracy import accuracy
from digits.errors import TrainingDiverged
from digits.runs.changes import Change
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.presets import PRESETS
from digits.training import precision
from digits.training.loop import Training, batch_indices, joined_indices, train
from digits.training.precision import PRECISIONS, fastest_precision, memory_file, processor
from digits.training.programs import Program, warm_up

SHORT = Hyperparameters(network="corrected", learning_rate=1e-3, iterations=100, batch_size=16, optimizer="adam")


@functools.cache
def program_for(network, optimizer, augmentation="none"):
    """One compiled program for each network and optimizer, as the trainer keeps them."""
    return Program(network, 10, optimizer=optimizer, augmentation=augmentation)


def run(chosen, dataset):
    """Train to the end, and return the progress and the weights."""
    program = program_for(chosen.network, chosen.optimizer, chosen.augmentation)
    progress = list(train(chosen, dataset, program))
    return progress, program.model.get_weights()


def are_equal(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


class TestLearning:
    @pytest.mark.parametrize("optimizer", KNOBS["optimizer"].choices)
    def test_works_with_every_optimizer(self, optimizer, small):
        """With each optimizer the loss falls, and the validation accuracy is far above chance."""
        rate = {"sgd": 0.5, "momentum": 0.1, "adam": 0.01}[optimizer]
        chosen = Hyperparameters(network="softmax", learning_rate=rate, iterations=150, optimizer=optimizer)
        progress, _ = run(chosen, small)
        assert progress[-1].loss < 0.5 * progress[0].loss
        assert progress[-1].val_accuracy > 0.7

    @pytest.mark.parametrize("network", ["published", "corrected"])
    def test_works_for_deep_networks(self, network, small):
        """The deep networks learn too."""
        progress, _ = run(dataclasses.replace(PRESETS[network].hyperparameters, iterations=100, batch_size=32), small)
        assert progress[-1].loss < 0.7 * progress[0].loss
        assert progress[-1].val_accuracy > 0.6

    def test_works_for_convolutions_on_64_images(self, small):
        """The convolutional network memorises a few images."""
        few = dataclasses.replace(small, train=small.train.rows(0, 64))
        chosen = Hyperparameters(
            network="convolutional", learning_rate=2e-3, iterations=100, batch_size=16, optimizer="adam"
        )
        progress, _ = run(chosen, few)
        assert progress[-1].accuracy > 0.9
        assert progress[-1].loss < 0.5 * progress[0].loss

    def test_works_when_a_batch_is_larger_than_the_data_set(self, small):
        """A batch of 1,000 from 64 images uses each of them several times."""
        few = dataclasses.replace(small, train=small.train.rows(0, 64))
        progress, _ = run(Hyperparameters(iterations=100, batch_size=1000), few)
        assert progress[-1].step == 100
        assert progress[-1].accuracy > 0.95


class TestProgress:
    @pytest.mark.parametrize("iterations", [100, 130, 199])
    @pytest.mark.parametrize("network", ["softmax", "corrected"])
    def test_ends_at_the_iterations_asked_for(self, network, iterations, small):
        """Steps rise to exactly the requested number, even if it is not a multiple of a chunk."""
        optimizer = PRESETS[network].hyperparameters.optimizer
        chosen = Hyperparameters(
            network=network, learning_rate=1e-3, iterations=iterations, batch_size=4, optimizer=optimizer
        )
        progress, _ = run(chosen, small)
        steps = [item.step for item in progress]
        assert steps == sorted(set(steps))
        assert steps[-1] == iterations
        assert all(item.seconds > 0 for item in progress)
        assert [item.seconds for item in progress] == sorted(item.seconds for item in progress)

    def test_validates_first_last_and_about_25_times(self, small):
        """There is an early validation, one at the end, and about 25 in all."""
        progress, _ = run(Hyperparameters(iterations=3000, batch_size=2, learning_rate=0.01), small)
        validated = [item.step for item in progress if item.val_loss is not None]
        assert validated[0] == progress[0].step
        assert validated[-1] == 3000
        assert 15 <= len(validated) <= 27
        assert all((item.val_loss is None) == (item.val_accuracy is None) for item in progress)

    def test_may_be_left_at_any_time(self, small):
        """A caller who stops iterating has the current weights, which differ from the initial ones."""
        program = program_for("softmax", "sgd")
        for progress in train(Hyperparameters(iterations=10_000), small, program):
            if progress.step >= 100:
                break
        assert progress.step == 100
        assert np.abs(program.model.get_weights()[0]).max() > 0
        assert accuracy(program.evaluate(small.validation)[1], small.validation.labels).share > 0.5

    def test_follows_the_schedule(self, small):
        """With a cosine schedule, the last chunks change the weights less than with a constant rate."""
        moved = {}
        for schedule in KNOBS["schedule"].choices:
            program = program_for("softmax", "sgd")
            before = None
            for progress in train(Hyperparameters(iterations=200, schedule=schedule), small, program):
                if progress.step == 150:
                    before = program.model.get_weights()[0]
            moved[schedule] = np.abs(program.model.get_weights()[0] - before).sum()
        assert moved["cosine"] < 0.3 * moved["constant"]


class TestSeed:
    @pytest.mark.parametrize("dropout", [0.0, 0.5])
    def test_alone_decides(self, dropout, small):
        """The same seed gives exactly the same weights and losses, and another seed does not."""
        chosen = dataclasses.replace(SHORT, dropout=dropout, seed=5)
        first, weights = run(chosen, small)
        again, weights_again = run(chosen, small)
        _, other = run(dataclasses.replace(chosen, seed=6), small)
        assert are_equal(weights, weights_again)
        assert [item.loss for item in first] == [item.loss for item in again]
        assert not are_equal(weights, other)

    def test_decides_the_order_of_images_too(self, small):
        """Softmax regression starts at zero for every seed; another seed still gives other weights, by the batches."""
        chosen = Hyperparameters(iterations=100)
        assert not are_equal(run(chosen, small)[1], run(dataclasses.replace(chosen, seed=1), small)[1])

    def test_does_not_depend_on_what_was_trained_before(self, small):
        """A program that has trained other runs gives the same result as a new one."""
        weights = run(SHORT, small)[1]
        fresh = Program("corrected", 10, optimizer="adam")
        warm_up(fresh)
        list(train(SHORT, small, fresh))
        assert are_equal(weights, fresh.model.get_weights())


class TestSteering:
    LONG = dataclasses.replace(SHORT, iterations=300, dropout=0.3, schedule="cosine", seed=3)

    def whole(self, small, changes=()):
        """Train without a pause, once for the same changes; return the points and the last and best weights."""
        return self.whole_once(small, tuple(changes))

    @classmethod
    @functools.cache
    def whole_once(cls, small, changes):
        return cls().finish(Training(cls.LONG, small, program_for("corrected", "adam"), changes=changes))

    def finish(self, training, turns=None, until=None):
        points = []
        while not training.is_done:
            if turns and training.step == turns[0]:
                training.turn(*turns[1:])
                turns = None
            limit = min((step for step in [until, turns and turns[0]] if step and step > training.step), default=None)
            if point := training.advance(until=limit):
                points.append((point.step, point.loss, point.accuracy, point.val_loss, point.val_accuracy))
            if until and training.step == until:
                return points
        return points, training.program.model.get_weights(), training.best_weights

    @pytest.mark.parametrize("at", [1, 7, 10, 123, 299])
    def test_a_run_paused_and_resumed_ends_the_same(self, small, at):
        """A run interrupted anywhere, even within a point of the curves, has the weights and history of a whole one."""
        points, weights, best = self.whole(small)
        first = Training(self.LONG, small, program_for("corrected", "adam"))
        before = self.finish(first, until=at)
        state = first.state()
        program_for("corrected", "adam").reset(99)
        after, weights_again, best_again = self.finish(
            Training(self.LONG, small, program_for("corrected", "adam"), state=state)
        )
        assert before + after == points
        assert are_equal(weights_again, weights)
        assert are_equal(best_again, best)

    def test_a_change_affects_the_rest_and_is_recorded(self, small):
        """A recorded change repeated in another run gives the same weights; at another step it gives others."""
        training = Training(self.LONG, small, program_for("corrected", "adam"))
        turned = self.finish(training, turns=(123, "learning_rate", 1e-4))
        assert training.changes == [Change(123, "learning_rate", 1e-3, 1e-4)]
        repeated = self.whole(small, changes=training.changes)
        assert repeated[0] == turned[0]
        assert are_equal(repeated[1], turned[1])
        assert not are_equal(self.whole(small)[1], turned[1])
        assert not are_equal(self.whole(small, [Change(124, "learning_rate", 1e-3, 1e-4)])[1], turned[1])

    def test_dropout_changes_too(self, small):
        """Setting dropout to its current value changes nothing; another value does."""
        same = self.whole(small, [Change(50, "dropout", 0.3, 0.3)])
        other = self.whole(small, [Change(50, "dropout", 0.3, 0.8)])
        assert are_equal(same[1], self.whole(small)[1])
        assert not are_equal(other[1], same[1])

    def test_keeps_the_best_weights(self, small):
        """The best weights are from the validation with the highest accuracy, the earliest of equals."""
        training = Training(self.LONG, small, program_for("corrected", "adam"))
        points, _, best = self.finish(training)
        accuracies = {point[0]: point[4] for point in points if point[4] is not None}
        assert training.best_val_accuracy == max(accuracies.values())
        assert training.best_step == min(step for step in accuracies if accuracies[step] == max(accuracies.values()))
        program = training.program
        folded = program.exportable_model(best)
        seen = folded(small.validation.images.astype(np.float32)).numpy()
        assert accuracy(seen, small.validation.labels).share == pytest.approx(training.best_val_accuracy)

    def test_patience_ends_a_run_that_gets_no_better(self, small):
        """With a learning rate too small to learn, early stopping ends the run after `patience` validations."""
        idle = Hyperparameters(learning_rate=1e-5, iterations=5000, patience=2)
        training = Training(idle, small, program_for("softmax", "sgd"))
        steps = []
        while not training.is_done:
            if (point := training.advance()) and point.val_loss is not None:
                steps.append(point.step)
        assert training.step < 5000
        assert len([step for step in steps if step > training.best_step]) == 2

    def test_shows_what_it_learns(self, small):
        """A validation gives a snapshot of the samples, the confusion matrix and the first layer."""
        training = Training(self.LONG, small, program_for("corrected", "adam"))
        assert training.snapshot is None
        self.finish(training, until=20)
        snapshot = training.snapshot
        assert snapshot.step == 20
        assert (snapshot.predicted.shape, snapshot.confidence.shape) == ((100,), (100,))
        assert snapshot.confusion.sum() == len(small.validation)
        assert (snapshot.kind, snapshot.pictures.shape) == ("units", (16, 28, 28))


class TestDropout:
    def test_changes_nothing_as_published(self, small):
        """The published network's dropout is never connected, so every rate gives the same weights."""
        chosen = dataclasses.replace(SHORT, network="published", learning_rate=1e-4)
        assert are_equal(run(chosen, small)[1], run(dataclasses.replace(chosen, dropout=0.9), small)[1])

    def test_changes_the_corrected_network(self, small):
        """In the corrected network dropout works: the training loss is higher with it."""
        plain, weights = run(SHORT, small)
        dropped, other = run(dataclasses.replace(SHORT, dropout=0.9), small)
        assert not are_equal(weights, other)
        assert np.mean([item.loss for item in dropped]) > np.mean([item.loss for item in plain])

    def test_is_left_out_of_validation(self, small):
        """Evaluating twice gives the same numbers, because dropout is off."""
        run(dataclasses.replace(SHORT, dropout=0.9), small)
        program = program_for("corrected", "adam")
        (loss, seen), (loss_again, seen_again) = (program.evaluate(small.validation) for _ in range(2))
        assert loss == loss_again
        assert np.array_equal(seen, seen_again)


class TestDivergence:
    def test_is_noticed(self, small):
        """A learning rate that makes the loss infinite or NaN ends the run; the error names the rate and a remedy."""
        chosen = Hyperparameters(network="published", learning_rate=1.0, iterations=1000, optimizer="sgd")
        with pytest.raises(TrainingDiverged, match=r"finite number; after \d+ iterations .* below 1\."):
            run(chosen, small)

    def test_leaves_the_program_fit_for_the_next_run(self, small):
        """After a diverged run, the same program trains normally."""
        test = dataclasses.replace(PRESETS["published"].hyperparameters, optimizer="sgd", learning_rate=1e-3)
        chosen = dataclasses.replace(test, iterations=100, batch_size=16)
        before = run(chosen, small)[1]
        with pytest.raises(TrainingDiverged):
            run(dataclasses.replace(chosen, learning_rate=1.0), small)
        assert are_equal(run(chosen, small)[1], before)


class TestEvaluate:
    def test_agrees_with_the_model_itself(self, small):
        """Loss and probabilities over a split equal the model's own, for any batch size."""
        program = program_for("softmax", "sgd")
        list(train(Hyperparameters(iterations=100), small, program))
        split = small.train.rows(0, 637)
        probabilities = program.model(split.images.astype(np.float32)).numpy()
        loss, evaluated = program.evaluate(split)
        assert evaluated == pytest.approx(probabilities, abs=1e-5)
        assert loss == pytest.approx(-np.log(probabilities[np.arange(637), split.labels]).mean(), rel=1e-4)

    def test_gives_a_copy_to_export(self, small):
        """The exported model has the current weights in float32, and the next run does not change it."""
        program = program_for("softmax", "sgd")
        list(train(Hyperparameters(iterations=100), small, program))
        copy, weights = program.exportable_model(), program.model.get_weights()
        program.reset(0)
        assert are_equal(copy.get_weights(), weights)
        assert not are_equal(copy.get_weights(), program.model.get_weights())


class TestAveraging:
    def test_uses_moving_averages_after_distorted_training(self, small):
        """With distorted images, the moving averages of the weights are evaluated and exported."""
        chosen = dataclasses.replace(SHORT, augmentation="drawing")
        program = program_for("corrected", "adam", "drawing")
        list(train(chosen, small, program))
        means, present = program.weights(), program.model.get_weights()
        assert not are_equal(means, present)
        assert np.abs(means[0] - present[0]).mean() < 0.5 * np.abs(present[0]).mean()
        assert are_equal(program.exportable_model().get_weights(), means)
        seen = program.exportable_model()(small.validation.images.astype(np.float32)).numpy()
        assert program.evaluate(small.validation)[1] == pytest.approx(seen, abs=1e-5)
        assert are_equal(program.model.get_weights(), present)

    def test_leaves_plain_training_alone(self, small):
        """Without distortion, the last weights are used."""
        run(SHORT, small)
        program = program_for("corrected", "adam")
        assert are_equal(program.weights(), program.model.get_weights())


class TestBatchIndices:
    @given(
        count=st.integers(1, 60),
        batch_size=st.integers(1, 90),
        seed=st.integers(0, 2**31 - 1),
        first=st.integers(0, 40),
        steps=st.integers(1, 30),
    )
    def test_of_any_window_are_a_slice_of_the_whole(self, count, batch_size, seed, first, steps):
        """An iteration's batch can be computed without the earlier ones."""
        window = batch_indices(count, batch_size, seed, first, first + steps)
        whole = batch_indices(count, batch_size, seed, 0, first + steps)
        assert (window.dtype, window.shape) == (np.int32, (steps, batch_size))
        assert np.array_equal(window, whole[first:])

    @given(count=st.integers(1, 60), batch_size=st.integers(1, 90), seed=st.integers(0, 2**31 - 1))
    def test_go_through_every_epoch_once(self, count, batch_size, seed):
        """Each epoch uses every image exactly once."""
        steps = math.ceil(3 * count / batch_size)
        epochs = batch_indices(count, batch_size, seed, 0, steps).ravel()[: 3 * count].reshape(3, count)
        assert np.array_equal(np.sort(epochs, axis=1), np.tile(np.arange(count), (3, 1)))

    def test_differ_between_epochs_and_seeds(self):
        """Different epochs, and different seeds, use different orders."""
        orders = [batch_indices(50, 50, seed, epoch, epoch + 1)[0] for seed in (0, 1) for epoch in (0, 1)]
        assert len({order.tobytes() for order in orders}) == 4


class TestBatchesOfTwoSets:
    @given(
        counts=st.tuples(st.integers(1, 60), st.integers(1, 60)),
        share=st.sampled_from([0.05, 0.3, 0.5, 0.95]),
        batch_size=st.integers(1, 40),
        first=st.integers(0, 30),
    )
    def test_have_their_share_in_every_window(self, counts, share, batch_size, first):
        count, added = counts
        whole = joined_indices(count, added, share, batch_size, 7, 0, first + 9)
        window = joined_indices(count, added, share, batch_size, 7, first, first + 9)
        assert (window.dtype, window.shape) == (np.int32, (9, batch_size))
        assert np.array_equal(window, whole[first:])
        assert (np.abs((window >= count).sum(axis=1) - share * batch_size) <= 1).all()
        assert abs((whole >= count).sum() - share * whole.size) < 1

    @given(counts=st.tuples(st.integers(1, 40), st.integers(1, 40)), share=st.sampled_from([0.25, 0.8]))
    def test_go_through_every_epoch_of_each_set_once(self, counts, share):
        count, added = counts
        rows = joined_indices(count, added, share, 1, 3, 0, 1_000).ravel()
        for of_set, size in ((rows[rows < count], count), (rows[rows >= count] - count, added)):
            epochs = of_set[: len(of_set) // size * size].reshape(-1, size)
            assert np.array_equal(np.sort(epochs, axis=1), np.tile(np.arange(size), (len(epochs), 1)))


def test_precision_is_measured_once(tmp_path):
    """The faster precision is one of those that networks support; a stored answer is not measured again."""
    memory = tmp_path / "folder" / "precision"
    assert fastest_precision(memory) in PRECISIONS
    assert fastest_precision() == fastest_precision(memory) == memory.read_text()
    other = next(name for name in PRECISIONS if name != memory.read_text())
    memory.write_text(other)
    assert fastest_precision(memory) == other
    memory.write_text("nonsense")
    assert fastest_precision(memory) == fastest_precision()


def test_new_trainers_agree_on_the_precision(tmp_path, monkeypatch):
    """Two that begin at once on a busy machine could measure different ones, and their runs would not be the same."""
    answers, begin = iter(PRECISIONS), threading.Barrier(2)
    monkeypatch.setattr(precision, "_measure", lambda: time.sleep(0.05) or next(answers))

    def ask():
        begin.wait()
        return fastest_precision(tmp_path / "new" / "precision")

    with ThreadPoolExecutor(2) as pool:
        found = [asked.result() for asked in [pool.submit(ask), pool.submit(ask)]]
    assert found == [PRECISIONS[0]] * 2


def test_precision_is_remembered_for_each_kind_of_processor(tmp_path, monkeypatch):
    """A registry that moves to a machine with another processor is measured there again."""
    here = memory_file(tmp_path)
    assert here == memory_file(tmp_path)
    assert processor()
    monkeypatch.setattr("digits.training.precision.processor", lambda: "another kind")
    assert memory_file(tmp_path) != here
