"""What adding one person's digits to MNIST does, by the share of each batch that comes from them.

    DIGITS_DATA_DIR=… python -m benchmarks.joined [--part development|validation] [--writers N] [--shares S …]

For each of UNIPEN's writers with the most digits, a set is made as on the Data page, of 10 drawings of each digit. The
corrected network learns MNIST alone, the set alone, and both with each share, in 600 iterations. It is measured on the
drawings of the set that it has not seen, and on MNIST's test images. The result goes to benchmarks/results/joined.json.
"""

import argparse
import collections
import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import _results
from digits.data import collected, datasets, handwriting, joined, own, sets
from digits.data.datasets import CLASS_NAMES
from digits.models import figures
from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.store import open_store
from digits.training import export, loop, programs

EACH = 10  # drawings of a digit
CHOSEN = dataclasses.replace(PRESETS["corrected"].hyperparameters, iterations=600, batch_size=128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("development", "validation"), default="validation")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.5])
    options = parser.parse_args()
    folder = Settings.from_environment().data_dir
    if folder is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/ and mnist/.")
    read: dict[str, list[tuple[float, float]]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as runs_dir:
        os.environ["DIGITS_RUNS_DIR"] = runs_dir
        for name in _write_sets(folder, options.part, options.writers):
            both = joined.name_of(name)
            for title, learned, share in (
                ("MNIST alone", sets.MNIST, 0.5),
                ("the set alone", name, 0.5),
                *((f"both, {share:.0%} of each batch", both, share) for share in options.shares),
            ):
                read[title].append(_learn(learned, share, tested=both))
    for title, rows in read.items():
        mine, mnist = np.mean(rows, axis=0)
        print(f"{title}: the writer {mine:.1%}, MNIST {mnist:.2%}")
    print("Written to", _results.save("joined", {"part": options.part, "writer and MNIST": read}))


def _write_sets(folder: Path, part: str, most: int) -> list[str]:
    """Make a set of each of the writers with the most digits, and return their names."""
    found: dict[object, dict[str, list]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for drawing in handwriting.load_strokes(folder, "unipen", part, CLASS_NAMES):
        found[drawing.writer][drawing.label].append(drawing)
    people = [drawn for drawn in found.values() if min(len(drawn[name]) for name in CLASS_NAMES) >= EACH]
    names = []
    for place, drawn in enumerate(people[:most]):
        samples = [collected.of_strokes(name, one.strokes) for name in CLASS_NAMES for one in drawn[name][:EACH]]
        content = own.Batch("A writer", CLASS_NAMES, tuple(samples)).to_bytes()
        own.write(open_store(Settings.from_environment()), f"{place:016x}", 1, content)
        names.append(own.name_of(f"{place:016x}", 1))
    return names


def _learn(name: str, share: float, *, tested: str) -> tuple[float, float]:
    """Return the shares of a writer's and of MNIST's test images that a network reads after learning a data set."""
    settings = Settings.from_environment()
    dataset = sets.add_shares(
        sets.find(name).load(settings), "none", settings.runs_dir, lambda words: None, settings, own_share=share
    )
    program = programs.Program(CHOSEN.network, len(datasets.CLASS_NAMES), optimizer=CHOSEN.optimizer)
    for _ in loop.train(CHOSEN, dataset, program):
        pass
    measured = sets.find(tested).load_test(settings)
    mine, mnist = figures.by_set(export.predict(program.exportable_model(), measured.test.images), measured)
    return round(mine.share, 4), round(mnist.share, 4)


if __name__ == "__main__":
    main()
