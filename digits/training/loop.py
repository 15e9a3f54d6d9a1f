"""The training loop: hyperparameters and data in, a stream of progress out. It uses no database and no page."""

import functools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from digits.data.datasets import Dataset, Split
from digits.errors import CheckpointUnusable, TrainingDiverged
from digits.runs.changes import Change, value_at
from digits.runs.hyperparameters import Hyperparameters
from digits.training import timeline
from digits.training.checkpoints import State
from digits.training.programs import Program

CHUNK_SECONDS = 0.1  # of training between two reads of the owner's commands


@dataclass(frozen=True)
class Progress:
    """A run's progress after `step` iterations.

    Attributes:
        step: iterations done.
        seconds: training time so far, including validation.
        loss, accuracy: means over the training batches since the previous point, measured before each update.
        val_loss, val_accuracy: over all validation images; None between validations.
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None


class Training:
    """A run in progress, advanced a few iterations at a time; it can be paused, and its hyperparameters changed.

    The result depends only on the hyperparameters, the data and the changes, to the last bit. Pauses, and how the
    iterations are divided into chunks, make no difference.

        training = Training(hyperparameters, dataset, program)
        progress = training.advance()  # a `Progress` when a point of the curves is complete, else None

    Attributes:
        dataset, program: the data, and the network that learns from it.
        step: iterations done.
        seconds: training time so far, including validation.
        changes: the changes of hyperparameters, made and planned.
        best_step, best_val_accuracy: the highest validation accuracy and its step; of equals, the earliest.
        best_weights: the network's weights at that step; None before the first validation.
        snapshot: the network at the last validation; None before the first.
        drawing: uint8 (28, 28), an image whose reading every snapshot holds; it influences nothing. None for none.
    """

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        dataset: Dataset,
        program: Program,
        *,
        changes: Sequence[Change] = (),
        state: State | None = None,
        first_weights: list[np.ndarray] | None = None,
    ) -> None:
        """Start a run, or continue it from a checkpoint's `state`.

        Args:
            first_weights: what it starts from, in the order of the program's model; None for those of its seed.

        Raises:
            CheckpointUnusable: `state` is not this network's; the program then holds any weights.
        """
        self._chosen, self.program = hyperparameters, program
        self._images, self._labels = tf.constant(dataset.train.images), tf.constant(dataset.train.labels)
        # Views of TensorFlow's copies, so that the caller's need not stay: a mixture's images take 120 MB.
        images, labels = (np.asarray(memoryview(tensor)) for tensor in (self._images, self._labels))
        self.dataset = replace(dataset, train=Split(images, labels))
        self._seed = tf.constant(hyperparameters.seed, tf.int32)
        self.changes = [change for change in changes if change.step is not None]
        self.step, self.seconds = 0, 0.0
        self._seconds_per_iteration = 0.0  # of the last chunk; 0 before the first
        self.best_step, self.best_val_accuracy = 0, -1.0
        self.best_weights: list[np.ndarray] | None = None
        self._validations_since_best = 0
        self._losses: list[np.ndarray] = []  # of the iterations since the last point of the curves
        self._accuracies: list[np.ndarray] = []
        self.snapshot: timeline.Snapshot | None = None
        self.drawing: np.ndarray | None = None
        if state is None:
            program.reset(hyperparameters.seed, first_weights)
        else:
            self._restore(state)

    @property
    def is_done(self) -> bool:
        is_patient = not self._chosen.patience or self._validations_since_best < self._chosen.patience
        return self.step >= self._chosen.iterations or not is_patient

    def knob(self, name: str) -> float:
        """Return the value that one of `LIVE_KNOBS` has in the next iteration."""
        return value_at(self._chosen, self.changes, name, self.step)

    def turn(self, name: str, value: float) -> Change:
        """Change one of `LIVE_KNOBS` from the next iteration on, and return the change."""
        change = Change(self.step, name, self.knob(name), value)
        self.changes.append(change)
        return change

    def advance(self, *, until: int | None = None) -> Progress | None:
        """Train for about `CHUNK_SECONDS`, but not beyond iteration `until`.

        Returns:
            A point of the learning curves if one is complete, else None.

        Raises:
            TrainingDiverged: the loss is not finite.
        """
        start, first = time.perf_counter(), self.step
        point = self._next_point()
        self._train_to(self._chunk_end(point, until))
        self._seconds_per_iteration = (time.perf_counter() - start) / (self.step - first)
        progress = self._complete_point(start) if self.step == point else None
        self.seconds += time.perf_counter() - start
        return progress

    def _next_point(self) -> int:
        """Return the iteration that completes the next point of the learning curves."""
        size = self._chosen.point_size
        return min((self.step // size + 1) * size, self._chosen.iterations)

    def _chunk_end(self, point: int, until: int | None) -> int:
        """Return the iteration that ends the next chunk, which has at least one iteration.

        The chunk ends at the next point, the next change, `until`, or after `CHUNK_SECONDS`, whichever comes first.
        """
        ends = [point, *(change.step for change in self.changes if change.step is not None and change.step > self.step)]
        if until is not None:
            ends.append(max(until, self.step + 1))
        if self._seconds_per_iteration:
            ends.append(self.step + max(1, int(CHUNK_SECONDS / self._seconds_per_iteration)))
        return min(ends)

    def _train_to(self, last: int) -> None:
        chosen, steps = self._chosen, range(self.step, last)
        batches = self._batches(last)
        rate = self.knob("learning_rate")
        rates = np.array([chosen.learning_rate_at(step, rate) for step in steps], np.float32)
        dropout = tf.constant(self.knob("dropout"), tf.float32)
        losses, accuracies = self.program.advance(self._images, self._labels, batches, rates, dropout, self._seed)
        self._losses.append(losses.numpy())
        self._accuracies.append(accuracies.numpy())
        self.step = last

    def _batches(self, last: int) -> np.ndarray:
        """Return the images of each batch up to iteration `last`, int32 (n, batch_size)."""
        where = self._chosen.batch_size, self._chosen.seed, self.step, last
        if self.dataset.batches:
            (count, _), (added, share) = self.dataset.batches
            return joined_indices(count, added, share, *where)
        return batch_indices(len(self.dataset.train), *where)

    def _complete_point(self, start: float) -> Progress:
        loss, accuracy = (float(np.mean(np.concatenate(part))) for part in (self._losses, self._accuracies))
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss should stay a finite number; after {self.step:,} iterations it was {loss}. "
                f"Start again with a learning rate below {self.knob('learning_rate'):g}."
            )
        self._losses, self._accuracies = [], []
        val_loss = val_accuracy = None
        chosen = self._chosen
        is_first = self.step <= chosen.point_size
        if is_first or self.step % chosen.validation_interval == 0 or self.step == chosen.iterations:
            val_loss, val_accuracy = self._validate()
        seconds = self.seconds + time.perf_counter() - start
        return Progress(self.step, seconds, loss, accuracy, val_loss, val_accuracy)

    def _validate(self) -> tuple[float, float]:
        """Measure the validation images, take a snapshot of the samples, and keep the weights if they are the best."""
        validation, classes = self.dataset.validation, len(self.dataset.class_names)
        loss, probabilities = self.program.evaluate(validation)
        predicted = probabilities.argmax(axis=1)
        accuracy = float((predicted == validation.labels).mean())
        self._validations_since_best += 1
        if accuracy > self.best_val_accuracy:
            self.best_step, self.best_val_accuracy, self._validations_since_best = self.step, accuracy, 0
            self.best_weights = self.program.weights()
        _, seen = self.program.evaluate(self.dataset.test.rows(0, timeline.SAMPLES))
        pairs = validation.labels.astype(np.int64) * classes + predicted
        self.snapshot = timeline.Snapshot(
            self.step,
            seen.argmax(axis=1).astype(np.uint8),
            seen.max(axis=1),
            np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int32),
            *self.program.first_layer(),
            self._read_drawing(),
        )
        return loss, accuracy

    def _read_drawing(self) -> np.ndarray | None:
        if self.drawing is None:
            return None
        return self.program.evaluate(Split(self.drawing[None], np.zeros(1, np.uint8)))[1][0]

    def state(self) -> State:
        """Return everything that a later `Training` needs to continue from here."""
        state: State = {f"variable_{index}": value.numpy() for index, value in enumerate(self.program.variables)}
        best: list[np.ndarray] = self.best_weights or []
        state |= {f"best_{index}": weights for index, weights in enumerate(best)}
        state |= {name: np.array(getattr(self, attribute)) for name, attribute in _NUMBERS.items()}
        for name, parts in (("losses", self._losses), ("accuracies", self._accuracies)):
            state[name] = np.concatenate([np.zeros(0, np.float32), *parts])
        return state

    def _restore(self, state: State) -> None:
        try:
            for index, variable in enumerate(self.program.variables):
                variable.assign(state[f"variable_{index}"])
            for name, attribute in _NUMBERS.items():
                setattr(self, attribute, state[name].item())
            self._losses, self._accuracies = [state["losses"]], [state["accuracies"]]
            if "best_0" in state:
                self.best_weights = [state[f"best_{index}"] for index in range(len(self.program.model.weights))]
        except (KeyError, ValueError, TypeError) as error:
            raise CheckpointUnusable(
                f"A checkpoint should hold the arrays of this network; it does not ({error}). Train from an older one."
            ) from error


_NUMBERS = {  # a checkpoint's numbers, and the attributes that hold them
    "step": "step",
    "seconds": "seconds",
    "best_step": "best_step",
    "best_val_accuracy": "best_val_accuracy",
    "validations_since_best": "_validations_since_best",
}


def train(
    hyperparameters: Hyperparameters,
    dataset: Dataset,
    program: Program,
    *,
    first_weights: list[np.ndarray] | None = None,
) -> Iterator[Progress]:
    """Train `program` from its first weights, or from given ones, and yield every point of the learning curves.

    The caller may stop iterating at any time; the program then holds the current weights.

        for progress in train(hyperparameters, dataset, program):
            print(progress.step, progress.loss)

    Raises:
        TrainingDiverged: the loss is not finite.
    """
    training = Training(hyperparameters, dataset, program, first_weights=first_weights)
    while not training.is_done:
        if progress := training.advance():
            yield progress


def batch_indices(count: int, batch_size: int, seed: int, first: int, last: int) -> np.ndarray:
    """Return the images of each batch, for the iterations from `first` up to, but not including, `last`.

    Every epoch uses each image once, in a random order that depends only on the seed and the epoch's number. So any
    iteration's batch can be computed without the earlier ones.

    Returns:
        int32 (last - first, batch_size), each in [0, count).
    """
    return _images_at(first * batch_size, last * batch_size, count, seed).reshape(last - first, batch_size)


def joined_indices(
    count: int, added: int, share: float, batch_size: int, seed: int, first: int, last: int
) -> np.ndarray:
    """Return the images of each batch as `batch_indices`, of two sets whose images follow each other.

    Each set is used image by image in its own epochs. A batch has its share of the second to the next image above or
    below, and all batches together have exactly that.

    Args:
        count, added: how many images the first and the second set have.
        share: of the second, in (0, 1).

    Returns:
        int32 (last - first, batch_size), each in [0, count + added).
    """
    places = np.arange(first * batch_size, last * batch_size + 1)
    passed = np.floor(places * share + 1e-9).astype(np.int64)  # images of the second set before each place
    is_second = np.diff(passed) > 0
    rows = np.empty(len(is_second), np.int32)
    rows[is_second] = count + _images_at(passed[0], passed[-1], added, seed)
    rows[~is_second] = _images_at(places[0] - passed[0], places[-1] - passed[-1], count, seed)
    return rows.reshape(last - first, batch_size)


def _images_at(first: int, last: int, count: int, seed: int) -> np.ndarray:
    """Return the images at the places from `first` up to, but not including, `last` of the epochs' orders, int32."""
    places = np.arange(first, last)
    if not len(places):
        return places.astype(np.int32)
    epochs = places // count
    orders = np.concatenate([_epoch_order(count, seed, epoch) for epoch in range(epochs[0], epochs[-1] + 1)])
    return orders[places - epochs[0] * count]


@functools.lru_cache(maxsize=8)
def _epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int32)
