"""Train large networks and distil them into small ones (G. Hinton, O. Vinyals, J. Dean, 2015), on an accelerator.

    python -m digits.training.distillation.fit BANK.npz OUTPUT [--seconds 570] [--tasks digits …]

This module needs NumPy, JAX and Optax alone. A small network learns what the mean of its teachers says of the same
batch. `finish` makes a model of the weights, OUTPUT/NAME.npz.
"""

import argparse
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from digits.training.distillation.batches import Rows, batch
from digits.training.distillation.layers import apply, folded, initialise
from digits.training.distillation.plan import CLASSES, PLAN, TEACHER, Decision, Design

STEPS = 25  # between two looks at the clock
DECAY = 0.02
SOFTNESS, SOFT_SHARE = 2.0, 0.85  # the temperature of the teachers' probabilities, and their share of the loss
DECIDED = 3.0  # the weight of a decision's loss

Array = Any
Tree = Any


@partial(jax.jit, static_argnames=("design", "size"), donate_argnames=("state",))
def advance(
    design: Design,
    size: int,
    state: Tree,
    rates: Array,
    key: Array,
    bank: tuple[Array, ...],
    sources: tuple[Array, ...],
    mask: Array,
    teachers: tuple[tuple[Tree, Tree], ...],
    fold: Array,
    verdicts: Array,
) -> tuple[Tree, Array]:
    """Carry out `STEPS` iterations, and return the new state and the means of loss and accuracy, float32 (2,).

    Args:
        state: weights, moving means and the optimizer's state.
        rates: float32 (STEPS,), the learning rate of each.
        mask: float32 (CLASSES,), 0 for a class and -1e9 for a spare output.
        teachers: weights and moving means of each; none to learn from labels alone.
        fold: float32 (CLASSES, CLASSES), the student's class of each of the teachers'.
        verdicts: float32 (n, CLASSES), of each decision: 1 for a class to accept, 0 to refuse, 0.5 for either.
    """

    def step(carry: Tree, inputs: tuple[Array, Array]) -> tuple[Tree, Array]:
        weights, moving, memory = carry
        rate, own = inputs
        data_key, dropout_key = random.split(own)
        images, labels = batch(size, bank, sources, data_key)
        targets, verdict = None, verdicts[:, labels].T
        for teacher in teachers:
            logits, _ = apply(TEACHER, *teacher, images, None)
            said = jax.nn.softmax(logits / SOFTNESS + _spare(fold)) @ fold
            targets = said if targets is None else targets + said
            decided = jax.nn.softmax(logits + _spare(fold)) @ fold @ verdicts.T
            verdict = verdict + decided / len(teachers)
        if targets is not None:
            targets, verdict = lax.stop_gradient((targets / targets.sum(axis=-1, keepdims=True), verdict / 2))

        def loss(trained: Tree) -> tuple[Array, tuple[Tree, Array]]:
            logits, seen = apply(design, trained, moving, images, dropout_key)
            logits = logits + mask
            hard = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
            if targets is None:
                return hard, (seen, logits)
            soft = optax.softmax_cross_entropy(jax.nn.log_softmax(logits / SOFTNESS), targets).mean()
            doubts = _doubts(logits, verdicts, verdict) * jnp.abs(2 * verdicts[:, labels].T - 1)
            weighed = SOFT_SHARE * SOFTNESS**2 * soft + (1 - SOFT_SHARE) * hard + DECIDED * doubts.mean(axis=0).sum()
            return weighed, (seen, logits)

        (value, (seen, logits)), slopes = jax.value_and_grad(loss, has_aux=True)(weights)
        changes, memory = _OPTIMIZER.update(slopes, memory, weights)
        weights = jax.tree.map(lambda weight, change: weight - rate * change, weights, changes)
        accuracy = (logits.argmax(-1) == labels).mean()
        return (weights, seen, memory), jnp.stack([value, accuracy])

    state, measured = lax.scan(step, state, (rates, random.split(key, STEPS)))
    return state, measured.mean(axis=0)


def _doubts(logits: Array, verdicts: Array, verdict: Array) -> Array:
    """Return the cross-entropy of each decision (size, n), which sums the probabilities of what it accepts."""
    whole = jax.nn.logsumexp(logits, axis=-1)[:, None]
    accepted, refused = (
        jax.nn.logsumexp(jnp.where(kept, logits[:, None], -1e9), axis=-1) - whole
        for kept in (verdicts == 1, verdicts < 1)
    )
    return -(verdict * accepted + (1 - verdict) * refused)


def _spare(fold: Array) -> Array:
    """Return -1e9 for what no class of the student comes from, else 0."""
    return jnp.where(fold.sum(axis=1) > 0, 0.0, -1e9)


_OPTIMIZER = optax.chain(
    optax.scale_by_adam(),
    optax.add_decayed_weights(DECAY, lambda weights: {name: weight.ndim > 1 for name, weight in weights.items()}),
)


class Clock:
    """Divides the time to a deadline among the networks that are still to be trained."""

    def __init__(self, seconds: float, planned: float) -> None:
        """Begin; `planned` are the seconds that the plan gives to all of them."""
        self._end, self._planned = time.perf_counter() + seconds, planned

    def share(self, planned: float) -> float:
        """Return the seconds of the next network, to which the plan gives `planned`."""
        share = max(0.0, self._end - time.perf_counter()) * planned / self._planned
        self._planned -= planned
        return share


def train(
    name: str,
    design: Design,
    clock: Clock,
    planned: float,
    bank: tuple[Array, ...],
    sources: tuple[Array, ...],
    classes: int,
    *,
    seed: int,
    size: int,
    teachers: tuple[tuple[Tree, Tree], ...] = (),
    fold: Array | None = None,
    iterations: int | None = None,
    decisions: Sequence[Array] = (),
) -> tuple[Tree, Tree, int, float]:
    """Train a network, and return its weights, its moving means, the number of iterations and the seconds they took.

    It trains for its share of the time that is left when it has been compiled, and for `iterations` at most.
    """
    weights, moving = initialise(design, random.key(seed))
    state = weights, moving, _OPTIMIZER.init(weights)
    mask = jnp.where(jnp.arange(CLASSES) < classes, 0.0, -1e9)
    fold = jnp.eye(CLASSES) * (jnp.arange(CLASSES) < classes) if fold is None else fold
    verdicts = jnp.stack([jnp.zeros(CLASSES), *decisions])[1:]
    key, done, begun = random.key(1000 + seed), 0, time.perf_counter()
    start = passed = said = seconds = 0.0
    while passed < 1:
        warm, decay = min(1.0, (done + STEPS) / 500), 0.5 * (1 + np.cos(np.pi * passed))
        key, own = random.split(key)
        rates = jnp.full(STEPS, design.rate * warm * decay, jnp.float32)
        state, measured = advance(design, size, state, rates, own, bank, sources, mask, teachers, fold, verdicts)
        loss, accuracy = (float(one) for one in measured)  # waits for it
        done += STEPS
        if done == STEPS:
            start, seconds = time.perf_counter(), clock.share(planned)
            print(f"{name}: compiled in {start - begun:.1f} s; {seconds:.1f} s to train", flush=True)
            continue
        passed = max((time.perf_counter() - start) / max(seconds, 0.01), done / iterations if iterations else 0)
        if time.perf_counter() - said > 5 or passed >= 1:
            said = time.perf_counter()
            pace = (done - STEPS) * size / (said - start)
            print(f"{name}: {done:,}, {passed:.0%}, {pace:,.0f} images/s, {loss:.4f}, {accuracy:.4f}", flush=True)
    return *state[:2], done, said - start


def _verdict(decision: Decision, names: Sequence[str]) -> Array:
    verdict = np.zeros(CLASSES, np.float32)
    for row, name in enumerate(names):
        if len(name) == 1:
            verdict[row] = 1 if name in decision.accepted else 0.5 if name in decision.either else 0
    return jnp.asarray(verdict)


def fit_task(rows: Rows, task: str, output: Path, clock: Clock, *, seed: int, sizes: tuple[int, int]) -> None:
    """Train a task's teachers and distil them into its models."""
    bank = rows.segments, rows.smallest, rows.images
    classes, sources = rows.sources(task)
    shares, models = PLAN[task]
    taught = [
        train(
            f"{task}, teacher {index + 1}", TEACHER, clock, seconds, bank, sources, len(classes),
            seed=seed + index, size=sizes[0],
        )
        for index, seconds in enumerate(shares)
    ]  # fmt: skip
    teachers = tuple((weights, moving) for weights, moving, _, _ in taught)
    for model in models:
        names, own = rows.sources(task, model.class_of)
        fold = np.zeros((CLASSES, CLASSES), np.float32)
        for row, name in enumerate(classes):
            of = name if model.class_of is None else model.class_of.get(name)
            if of is not None:
                fold[row, names.index(of)] = 1
        weights, moving, done, seconds = train(
            model.name, model.design, clock, model.seconds, bank, own, len(names),
            seed=seed, size=sizes[1], teachers=teachers, fold=jnp.asarray(fold), iterations=model.iterations,
            decisions=[_verdict(decision, names) for decision in model.decisions],
        )  # fmt: skip
        arrays: dict[str, Any] = {
            f"weights_{row}": one for row, one in enumerate(folded(model.design, weights, moving, len(names)))
        }
        facts = {"classes": names, "iterations": done, "batch_size": sizes[1], "device": str(jax.devices()[0])}
        facts |= {"seconds": round(sum(one[3] for one in taught) + seconds, 1), "teachers": len(teachers), "seed": seed}
        facts |= {"learning_rate": model.design.rate, "dropout": model.design.dropout}
        np.savez(output / f"{model.name}.npz", facts=np.array(json.dumps(facts)), **arrays)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bank", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument(
        "--seconds", type=float, default=570, help="for all, compilation included (default: %(default)s)"
    )
    parser.add_argument("--tasks", nargs="+", choices=PLAN, default=list(PLAN))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", nargs=2, type=int, default=(1000, 1000), help="images a batch: teacher's, student's")
    options = parser.parse_args(arguments)
    planned = sum(sum(PLAN[task][0]) + sum(model.seconds for model in PLAN[task][1]) for task in options.tasks)
    clock = Clock(options.seconds, planned)
    options.output.mkdir(parents=True, exist_ok=True)
    with np.load(options.bank, allow_pickle=False) as arrays:
        rows = Rows({name: arrays[name] for name in arrays.files})
    for task in options.tasks:
        fit_task(rows, task, options.output, clock, seed=options.seed, sizes=tuple(options.sizes))


if __name__ == "__main__":
    main()
