"""The accuracy and the training time of every preset with its own settings, over several seeds.

python -m benchmarks.presets --seeds 5 softmax published corrected convolutional
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import _results
from digits.data import mnist
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.training import export, loop, programs
from digits.training.precision import fastest_precision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["softmax", "published", "corrected", "convolutional"])
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    dataset = mnist.load_mnist(settings)
    precision = fastest_precision()
    print(f"{dataset.description} Computing in {precision}.")
    figures = {}
    for network in options.networks:
        preset = PRESETS[network].hyperparameters
        program = programs.Program(
            network,
            len(dataset.class_names),
            optimizer=preset.optimizer,
            augmentation=preset.augmentation,
            precision=precision,
        )
        programs.warm_up(program)
        runs = []
        for seed in range(options.seeds):
            hyperparameters = Hyperparameters.from_dict(preset.to_dict() | {"seed": seed})
            start = time.perf_counter()
            for _progress in loop.train(hyperparameters, dataset, program):
                pass
            trained = time.perf_counter() - start
            with tempfile.TemporaryDirectory() as folder:
                card = export.save_model(
                    program.exportable_model(),
                    Path(folder) / "model",
                    hyperparameters=hyperparameters,
                    dataset=dataset,
                    facts={},
                )
            total = time.perf_counter() - start
            runs.append(
                {
                    "seed": seed,
                    "test": round(card.test.share, 4),
                    "strangers": card.strangers and card.strangers.strokes.share,
                    "training_seconds": round(trained, 2),
                    "seconds_with_test_and_export": round(total, 2),
                }
            )
            print(network, runs[-1], flush=True)
        figures[network] = {
            "precision": program.precision,
            "test_median": statistics.median(run["test"] for run in runs),
            "test_range": [min(run["test"] for run in runs), max(run["test"] for run in runs)],
            "training_seconds_median": statistics.median(run["training_seconds"] for run in runs),
            "runs": runs,
        }
    print("Written to", _results.save("presets", {"data": dataset.description, "presets": figures}))


if __name__ == "__main__":
    main()
