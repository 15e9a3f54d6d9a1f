"""Fit the judge that decides what is a digit, models/judge.

    DIGITS_DATA_DIR=… python -m digits.training.judge.fit

The folder holds `mnist/` and `handwriting/` (see `digits.data.handwriting`). The judge learns from the writers of
"train" without those kept out, whose digits set its threshold; "validation" is for `benchmarks.judge`.
"""

import argparse
import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits.data import mnist
from digits.data.datasets import CLASS_NAMES, Split
from digits.models.judge import JUDGE_DIR, Facts
from digits.settings import Settings
from digits.training import export, programs
from digits.training.judge import thresholds
from digits.training.judge.examples import FIRST_TRAIN_IMAGE, examples
from digits.training.loop import batch_indices
from digits.training.precision import fastest_precision

ITERATIONS, BATCH_SIZE, LEARNING_RATE, DROPOUT = 9_000, 128, 2e-3, 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=JUDGE_DIR, help="the folder to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with mnist/ and handwriting/.")
    start = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    dataset = mnist.load_mnist(settings, first_train_image=FIRST_TRAIN_IMAGE)
    names, shown = zip(*examples(dataset.train, settings.data_dir, rng), strict=True)
    classes = (*CLASS_NAMES, *sorted(set(names) - set(CLASS_NAMES)))
    print(f"{len(shown):,} glyphs of {len(classes)} classes in {time.perf_counter() - start:.0f} s", flush=True)
    split = Split(np.stack(shown), np.array([classes.index(name) for name in names], np.uint8))
    program = train(split, len(classes), options.seed)
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    export.write_tflite(program.exportable_model(), options.output)
    data = f"{len(shown):,} glyphs: MNIST, UNIPEN, Pen-Based Recognition of Handwritten Digits, Omniglot, scribbles"
    command = f"python -m digits.training.judge.fit --seed={options.seed}"
    facts = Facts(classes=classes, threshold=0.0, characters_threshold=0.0, data=data, command=command)
    facts.save(options.output)
    kept = thresholds.collect(dataset.validation, settings.data_dir, rng)
    facts = thresholds.choose(facts, options.output, kept)
    seconds = round(time.perf_counter() - start, 1)
    dataclasses.replace(facts, seconds=seconds).save(options.output)
    print(f"Written to {options.output}; {seconds:.0f} s")


def train(split: Split, class_count: int, seed: int) -> programs.Program:
    """Fit the judge's network with Adam, a cosine schedule and distorted images."""
    program = programs.Program(
        "judge", class_count, optimizer="adam", augmentation="drawing", precision=fastest_precision()
    )
    program.reset(seed)
    images, labels = tf.constant(split.images), tf.constant(split.labels)
    for first in range(0, ITERATIONS, 50):
        steps = np.arange(first, first + 50)
        rates = (LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * steps / ITERATIONS))).astype(np.float32)
        batches = batch_indices(len(split), BATCH_SIZE, seed, first, first + 50)
        losses, accuracies = program.advance(
            images, labels, batches, rates, tf.constant(DROPOUT), tf.constant(seed, tf.int32)
        )
        if first % 500 == 0:
            loss, accuracy = float(tf.reduce_mean(losses)), float(tf.reduce_mean(accuracies))
            print(f"{first:6,}: loss {loss:.3f}, accuracy {accuracy:.3f}", flush=True)
    return program


if __name__ == "__main__":
    main()
