"""Where an iteration's time goes: the time of each kind of operation in TensorFlow's profiler, for each preset.

    DIGITS_DATA_DIR=… python -m benchmarks.step_profile

Operations run in parallel, and the time that one waits for a processor is included, so their sum exceeds the time of an
iteration. The shares show where to look.
"""

import argparse
import collections
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import _results
from digits.data import mnist
from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.training.loop import batch_indices
from digits.training.precision import fastest_precision
from digits.training.programs import Program

STEPS = {"softmax": 500, "published": 50, "corrected": 50, "convolutional": 20, "drawing": 10}
KINDS = {  # prefixes of TensorFlow's operation names, without their "_Mkl" or "_MklNative"
    "matrix products": ("MatMul", "FusedMatMul", "BatchMatMul"),
    "convolutions": ("Conv2D", "FusedConv2D"),
    "pooling": ("MaxPool",),
    "normalisation": ("FusedBatchNorm",),
    "optimizer": ("ResourceApply",),
    "fetching the batch": ("Gather",),
    "changing the number format": ("Cast",),
    "bias gradients": ("BiasAddGrad",),
    "random numbers": ("Stateless",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(STEPS), help="(default: all)")
    figures = {}
    for network in parser.parse_args().networks:
        figures[network] = profile(network)
        print(network, figures[network], flush=True)
    print("Written to", _results.save("step_profile", figures))


def profile(network: str) -> dict[str, Any]:
    """Train a preset for some steps; return its milliseconds per iteration and each kind of operation's share."""
    chosen, steps = PRESETS[network].hyperparameters, STEPS[network]
    train = mnist.load_mnist(Settings.from_environment()).train
    data = tf.constant(train.images), tf.constant(train.labels)
    program = Program(
        network, 10, optimizer=chosen.optimizer, augmentation=chosen.augmentation, precision=fastest_precision()
    )
    program.reset(chosen.seed)
    rates = np.full(steps, chosen.learning_rate, np.float32)

    def advance() -> float:
        batches = batch_indices(len(train), chosen.batch_size, chosen.seed, 0, steps)
        start = time.perf_counter()
        losses, _ = program.advance(*data, batches, rates, tf.constant(chosen.dropout), tf.constant(chosen.seed))
        losses.numpy()
        return (time.perf_counter() - start) / steps * 1000

    unprofiled = min(advance() for _ in range(4))
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, tf.profiler.experimental.ProfilerOptions(python_tracer_level=0))
        advance()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    spent = by_kind(space)
    whole = sum(spent.values())
    return {
        "ms": round(unprofiled, 3),
        "precision": program.precision,
        "shares": {kind: round(seconds / whole, 3) for kind, seconds in spent.most_common()},
    }


def by_kind(space: xplane_pb2.XSpace) -> collections.Counter[str]:
    """Return the time spent in operations of each kind, over all threads."""
    spent: collections.Counter[str] = collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            path, _, operation = plane.event_metadata[event.metadata_id].name.rpartition(":")
            if "/" not in path:  # an executor, a thread pool or a call, which contains operations
                continue
            bare = operation.removeprefix("_").removeprefix("Mkl").removeprefix("Native")
            kind = next((kind for kind, names in KINDS.items() if bare.startswith(names)), "all others")
            spent[kind] += event.duration_ps
    return spent


if __name__ == "__main__":
    main()
