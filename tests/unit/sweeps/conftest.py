"""A trainer without TensorFlow: it ends each trial at once, with curves made from its settings."""

import pytest

from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import RunState
from digits.sweeps.driver import Driver
from digits.sweeps.plan import Plan
from digits.sweeps.space import Space

BEST_RATE = 0.05  # of the made-up curves


def make_plan(**how):
    """A plan of a few trials of softmax regression, in which only the learning rate matters."""
    base = Hyperparameters(network="softmax", learning_rate=0.5, iterations=900, batch_size=100)
    space = Space.from_dict(how.pop("space", {"learning_rate": [0.001, 1.0], "batch_size": [50, 200]}))
    return Plan(base, space, **{"sampler": "random", "pruner": "none", "trials": 5} | how)


def accuracy_of(run, step):
    """How much a trial reads after some iterations: the more, the nearer its rate is to the best one."""
    rate = run.hyperparameters.learning_rate
    return (0.9 - 0.1 * abs(rate / BEST_RATE - 1) / (1 + rate / BEST_RATE)) * step / (step + 20)


class FakeTrainer:
    """A trainer of a registry that trains a trial a validation at a time, and drives the sweeps."""

    def __init__(self, registry):
        self.registry, self.driver = registry, Driver(registry)
        registry.beat(1, "testing")

    def drive(self):
        return self.driver.drive(at_once=True)

    def train(self, run=None, *, then=lambda run: None):
        """Train one run to its end; `then` is called after each validation. Return it, or None if none waits."""
        run = run or self.registry.claim()
        if run is None:
            return None
        chosen = run.hyperparameters
        for step in range(100, chosen.iterations + 1, 100):
            accuracy = accuracy_of(run, step)
            row = {"step": step, "seconds": step / 100, "loss": 1.0, "accuracy": accuracy}
            facts = {"best_step": step, "best_val_accuracy": accuracy, "val_accuracy": accuracy, "seconds": step / 100}
            orders = self.registry.record(run.id, [row | {"val_loss": 1.0, "val_accuracy": accuracy}], **facts)
            if orders.stop_requested:
                self.registry.finish(run.id, RunState.STOPPED, test_correct=8, test_total=10)
                return self.registry.get(run.id)
            then(run)
        self.registry.finish(run.id, RunState.FINISHED, test_correct=9, test_total=10)
        return self.registry.get(run.id)

    def work(self, *, while_training=False, most=400):
        """Drive and train until nothing is left to do; `while_training`, drive after each validation too."""
        for _ in range(most):
            self.drive()
            if self.train(then=lambda run: while_training and self.drive()) is None and not self.drive():
                return
        raise AssertionError("The sweep does not end.")


@pytest.fixture
def trainer(registry):
    return FakeTrainer(registry)
