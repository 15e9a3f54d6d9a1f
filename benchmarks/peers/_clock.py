"""What every peer's script shares: its options, the data, and the median time of an iteration. NumPy alone."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

BLOCKS = 5  # timed parts of a run; the median leaves out what the machine did beside it


class Task(NamedTuple):
    """What to train: `images` uint8 (n, 28, 28), `labels` uint8 (n,), and the preset's settings."""

    network: str
    variant: str
    iterations: int
    batch_size: int
    learning_rate: float
    images: np.ndarray
    labels: np.ndarray


def read_task() -> Task:
    """Read the command line that `benchmarks.training_peers` writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="an .npz with images and labels")
    parser.add_argument("--network", choices=("softmax", "published", "corrected", "convolutional"), required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    options = parser.parse_args()
    with np.load(options.data) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return Task(
        options.network,
        options.variant,
        options.iterations,
        options.batch_size,
        options.learning_rate,
        images,
        labels,
    )


def report(task: Task, advance: Callable[[int], float], **facts: object) -> None:
    """Time `advance(steps)`, which trains so many iterations and returns a finished loss, and print one JSON line."""
    steps = max(1, task.iterations // BLOCKS)
    first_loss = advance(steps)  # compiles, and fills caches
    times = []
    for _ in range(BLOCKS):
        start = time.perf_counter()
        loss = advance(steps)
        times.append((time.perf_counter() - start) / steps * 1000)
    figures = {"ms": statistics.median(times), "first_loss": first_loss, "last_loss": loss}
    print(json.dumps(figures | facts))
