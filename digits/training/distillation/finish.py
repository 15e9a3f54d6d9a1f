"""Make the bundled models of distilled weights: their files, their cards, and the judge's threshold.

    DIGITS_DATA_DIR=… python -m digits.training.distillation.finish WEIGHTS [NAME …]

WEIGHTS is the folder that `fit` wrote.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits.data import mnist, sets
from digits.models.judge import JUDGE_DIR, Facts
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, Settings, work_dir
from digits.training import export, networks
from digits.training.judge import thresholds
from digits.training.judge.examples import FIRST_TRAIN_IMAGE

DATA_SETS = {"drawing": sets.MNIST}  # of a model; the others are named after theirs
JUDGE_SOFTNESS = (1.0, 1.5, 2.0, 3.0, 4.0)  # its logits are divided by one of these
COMMAND = (
    "python -m digits.training.distillation.bank BANK.npz; "
    "python -m digits.training.distillation.fit BANK.npz WEIGHTS; "
    "python -m digits.training.distillation.finish WEIGHTS"
)


def read(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return a model's weights, in the order of its folded network, and the facts of its training."""
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[f"weights_{row}"] for row in range(len(arrays.files) - 1)], json.loads(str(arrays["facts"]))


def save(name: str, weights: Sequence[np.ndarray], facts: Mapping[str, Any], settings: Settings, output: Path) -> None:
    """Write a recogniser's files and its card, tested once on the test images, into the folder `output`."""
    declared = sets.find(DATA_SETS.get(name, name))
    if declared.name == sets.MNIST:
        dataset = mnist.load_mnist(settings, first_train_image=FIRST_TRAIN_IMAGE)
    else:
        dataset = declared.load(settings)
    memory = work_dir(settings.runs_dir, "mixture")
    dataset = sets.add_shares(dataset, "drawing", memory, lambda words: None, settings)
    if tuple(facts["classes"]) != dataset.class_names:
        raise ValueError(f"{name} should know {dataset.class_names}; its weights are of {facts['classes']}.")
    model = networks.build("drawing", len(dataset.class_names), is_folded=True)
    model.set_weights(list(weights))
    chosen = Hyperparameters(network="drawing", dataset=declared.name, optimizer="adam", augmentation="drawing")
    known = ("learning_rate", "iterations", "dropout", "batch_size", "seed")
    told = {
        # Longer than anybody may train in the app.
        "hyperparameters": chosen.to_dict() | {"schedule": "cosine"} | {name: facts[name] for name in known},
        "command": COMMAND,
        "seconds": facts["seconds"],
        "precision": "mixed_bfloat16",
    }
    card = export.save_model(model, output / name, hyperparameters=chosen, dataset=dataset, facts=told)
    print(f"{name}: test accuracy {card.test}, temperature {card.temperature}")


def save_judge(weights: Sequence[np.ndarray], facts: Mapping[str, Any], settings: Settings, folder: Path) -> None:
    """Write the judge, its thresholds and its softness chosen on writers kept out of its training.

    The softness is the one with which most of what is no digit, and no character, is refused.
    """
    assert settings.data_dir is not None
    known = Facts(
        classes=tuple(facts["classes"]),
        threshold=0.0,
        characters_threshold=0.0,
        data="MNIST, UNIPEN, Pen-Based Recognition of Handwritten Digits, Omniglot, EMNIST letters, scribbles",
        command=COMMAND,
        seconds=facts["seconds"],
    )
    validation = mnist.load_mnist(settings, first_train_image=FIRST_TRAIN_IMAGE).validation
    kept = thresholds.collect(validation, settings.data_dir, np.random.default_rng(0))
    refused = {}
    for softness in JUDGE_SOFTNESS:
        _write_judge(weights, softness, known, kept, folder)
        shares = thresholds.refused(folder, kept)
        refused[softness] = sum(shares.values()) / len(shares)
        print(f"softness {softness}: {refused[softness]:.2%} refused in the mean; {shares}")
    _write_judge(weights, max(refused, key=lambda softness: refused[softness]), known, kept, folder)
    print(f"judge: {len(known.classes)} classes")


def _write_judge(
    weights: Sequence[np.ndarray], softness: float, known: Facts, kept: thresholds.Kept, folder: Path
) -> None:
    model = networks.build("judge", len(known.classes), is_folded=True)
    *others, kernel, bias = weights
    model.set_weights([*others, kernel / softness, bias / softness])
    folder.mkdir(parents=True, exist_ok=True)
    export.write_tflite(model, folder)
    known.save(folder)
    thresholds.choose(known, folder, kept).save(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("names", nargs="*", help="of models (default: all that are there)")
    parser.add_argument("--output", type=Path, default=BUNDLED_MODELS_DIR)
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with mnist/ and handwriting/.")
    for name in options.names or sorted(path.stem for path in options.weights.glob("*.npz")):
        weights, facts = read(options.weights / f"{name}.npz")
        if name == JUDGE_DIR.name:
            save_judge(weights, facts, settings, options.output / name)
        else:
            save(name, weights, facts, settings, options.output)


if __name__ == "__main__":
    main()
