"""Joined: a visitor's set of digits added to MNIST, of which it takes a share of each batch.

Only digits are: a network would tell other classes from MNIST's by their ink, which is drawn here and scanned there.
"""

from dataclasses import replace

import numpy as np

from digits.data import own
from digits.data.datasets import CLASS_NAMES, Dataset, Part, Split
from digits.data.mnist import load_mnist, load_test
from digits.data.own import OwnSet
from digits.errors import DatasetUnavailable
from digits.settings import Settings

_END = "-mnist"  # of the name, after that of the visitor's set


def name_of(own_name: str) -> str:
    """Return the name of a visitor's set with MNIST."""
    return own_name + _END


def own_name(name: str) -> str:
    """Return the name of the visitor's set of a joined one."""
    return name.removesuffix(_END)


def is_name(name: str) -> bool:
    """Return whether a name is that of a joined set, whether or not there is one."""
    return name.endswith(_END) and own.is_name(own_name(name))


def is_possible(found: OwnSet) -> bool:
    """Return whether a set can be added to MNIST: all of its classes are digits."""
    return set(found.class_names) <= set(CLASS_NAMES)


def find(name: str) -> OwnSet:
    """Read the visitor's set of a joined one; raises as `own.find`, and if it has other classes than digits."""
    found = own.find(own_name(name))
    if not is_possible(found):
        raise DatasetUnavailable(
            f"Only a set of digits can be added to MNIST; {found.title} has other classes. Train on it alone."
        )
    return found


def load(found: OwnSet, settings: Settings, *, is_test: bool = False) -> Dataset:
    """Load MNIST with a visitor's validation and test images; `learn` adds what is learned from.

    Args:
        found: a set of digits.
        settings: where MNIST is.
        is_test: leave the training and validation images out.

    Raises:
        DatasetUnavailable, DatasetCorrupt: as `own.load` and `mnist.load_mnist`.
    """
    mine = own.load(found, settings, is_test=is_test)
    mnist = load_test(settings) if is_test else load_mnist(settings)
    return replace(
        mnist,
        name=name_of(found.name),
        description=f"{mine.description} With {mnist.description}",
        validation=_halves(mnist.validation, _as_digits(mine.validation, found)),
        test=_join(_as_digits(mine.test, found), mnist.test),  # the visitor's first, where they are seen
        writers=(*mine.writers, *[""] * len(mnist.test)) if mine.writers else (),
        tests=((found.title, len(mine.test)), ("MNIST", len(mnist.test))),
    )


def learn(dataset: Dataset, mnist: Dataset, mine: Dataset, share: float) -> Dataset:
    """Add to a joined set what is learned from.

    Args:
        dataset: what `load` returned.
        mnist, mine: both sets with what is learned from.
        share: of the visitor's set, in (0, 1).
    """
    return replace(
        dataset,
        train=_join(mnist.train, _as_digits(mine.train, find(dataset.name))),
        mixture=(*(mnist.mixture or (Part(mnist.name, "", len(mnist.train)),)), *mine.mixture),
        batches=((len(mnist.train), 1 - share), (len(mine.train), share)),
    )


def _halves(mnist: Split, mine: Split) -> Split:
    """Return as many images of both, in turn; the fewer come several times, so that a checkpoint must suit both."""
    half = len(mnist) // 2
    rows = np.stack([np.arange(half), len(mnist) + np.arange(half) % max(1, len(mine))])
    both = _join(mnist, mine)
    return Split(both.images[rows.T.ravel()], both.labels[rows.T.ravel()])


def _as_digits(split: Split, found: OwnSet) -> Split:
    """Return images of a set with MNIST's labels."""
    return Split(split.images, np.array([int(name) for name in found.class_names], np.uint8)[split.labels])


def _join(one: Split, other: Split) -> Split:
    return Split(np.concatenate([one.images, other.images]), np.concatenate([one.labels, other.labels]))
