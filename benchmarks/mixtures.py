"""What a network gains from each part of the mixture that is there without a folder of handwriting.

    DIGITS_DATA_DIR=… python -m benchmarks.mixtures [--network NETWORK] [--iterations N] [--images N]

The network is trained with its preset and augmentation "drawing" on some of MNIST's images, with more and more parts of
the mixture, and measured on UNIPEN's development writers, by their strokes. The result goes to
benchmarks/results/mixtures.json.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import _results
from digits.data import datasets, handwriting, mixture, mnist
from digits.data.shapes import RARE
from digits.ink import glyphs
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.training import export, loop, programs

PARTS = {"MNIST alone": (), "and redrawn": ("mnist",), "and allographs": ("allographs",), "and examples": ("examples",)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="convolutional")
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--images", type=int, default=12_000, help="of MNIST (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with mnist/ and handwriting/.")
    dataset = mnist.load_mnist(settings)
    dataset = dataclasses.replace(dataset, train=dataset.train.rows(0, options.images))
    drawings = handwriting.load_strokes(settings.data_dir, "unipen", "development", dataset.class_names)
    images = np.stack([glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings])
    labels = np.array([dataset.class_names.index(drawing.label) for drawing in drawings])
    members = {name: np.array([is_one(drawing) for drawing in drawings]) for name, is_one in RARE.items()}
    preset = PRESETS[options.network].hyperparameters.to_dict()
    chosen = Hyperparameters.from_dict(preset | {"iterations": options.iterations, "augmentation": "drawing"})
    figures, sources = {}, set()
    with tempfile.TemporaryDirectory() as memory:
        for name, added in PARTS.items():
            sources |= set(added)
            shares = [share for share in mixture.MIXTURE if share.source in sources]
            mixed = mixture.for_drawings(dataset, Path(memory), shares=shares)
            is_correct = _train(mixed, chosen, images) == labels
            figures[name] = {"train images": len(mixed.train), "correct": round(float(is_correct.mean()), 4)}
            figures[name] |= {name: round(float(is_correct[chosen].mean()), 4) for name, chosen in members.items()}
            print(name, figures[name], flush=True)
    print("Written to", _results.save("mixtures", figures | {"hyperparameters": chosen.to_dict()}))


def _train(dataset: datasets.Dataset, chosen: Hyperparameters, images: np.ndarray) -> np.ndarray:
    """Train a network, and return the classes that it reads in images."""
    program = programs.Program(
        chosen.network, len(dataset.class_names), optimizer=chosen.optimizer, augmentation=chosen.augmentation
    )
    for _ in loop.train(chosen, dataset, program):
        pass
    return export.predict(program.exportable_model(), images).argmax(axis=1)


if __name__ == "__main__":
    main()
