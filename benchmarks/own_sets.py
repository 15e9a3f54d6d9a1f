"""How well a network reads one person after a few drawings of each letter by this person.

    DIGITS_DATA_DIR=… python -m benchmarks.own_sets [--writers N] [--networks NETWORK …] [--each N …]

For each of UNIPEN's validation writers with the most small letters, a set is made as on the Data page, of the first N
drawings of each letter. A network learns from it with its preset, and reads this writer's next drawings of the letters.
The same network without varied copies shows what these are worth. The result goes to benchmarks/results/own_sets.json.
"""

import argparse
import collections
import os
import string
import tempfile

import numpy as np

from benchmarks import _results
from digits.data import collected, handwriting, mixture, own, sets
from digits.data.drawings import Drawing
from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.store import open_store
from digits.training import export, loop, programs

FEWEST, MOST = 15, 20  # drawings of a letter by a writer; those after the first ten are read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--networks", nargs="+", default=["softmax", "corrected"])
    parser.add_argument("--each", type=int, nargs="+", default=[5, 10])
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    labels = {letter: place for place, letter in enumerate(string.ascii_lowercase)}
    people = _by_writer(handwriting.load_strokes(settings.data_dir, "unipen", "validation", labels), options.writers)
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_RUNS_DIR"] = folder
        for network in options.networks:
            for each in options.each:
                for name, copies in (("varied", mixture.OWN_COPIES), ("as drawn", (1, 1))):
                    mixture.OWN_COPIES = copies
                    shares = [_learn(network, each, drawn) for drawn in people]
                    figures[f"{network}, {each} of each, {name}"] = [round(share, 4) for share in shares]
                    print(
                        f"{network}, {each} of each, {name}: {np.mean(shares):.1%} (worst {min(shares):.1%})",
                        flush=True,
                    )
                mixture.OWN_COPIES = (4, 40)
    letters = [len(drawn) for drawn in people]
    print("Written to", _results.save("own_sets", {"letters of each writer": letters, "read": figures}))


def _by_writer(drawings: list[Drawing], most: int) -> list[dict[str, list[Drawing]]]:
    """Return the drawings of the writers with the most letters that are there often enough, by letter."""
    found: dict[object, dict[str, list[Drawing]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for drawing in drawings:
        found[drawing.writer][drawing.label].append(drawing)
    people = [
        {label: drawn[:MOST] for label, drawn in sorted(letters.items()) if len(drawn) >= FEWEST}
        for letters in found.values()
    ]
    return sorted(people, key=len, reverse=True)[:most]


def _learn(network: str, each: int, drawn: dict[str, list[Drawing]]) -> float:
    """Return the share of a writer's further drawings that a network reads after learning `each` of each letter."""
    store, set_id, names = open_store(Settings.from_environment()), os.urandom(8).hex(), tuple(drawn)
    samples = tuple(collected.of_strokes(name, drawing.strokes) for name in names for drawing in drawn[name][:each])
    own.write(store, set_id, 1, own.Batch("A writer", names, samples).to_bytes())
    declared, settings = sets.find(own.name_of(set_id, 1)), Settings.from_environment()
    chosen = PRESETS[network].hyperparameters
    dataset = sets.add_shares(
        declared.load(settings), chosen.augmentation, settings.runs_dir, lambda words: None, settings
    )
    program = programs.Program(network, len(names), optimizer=chosen.optimizer, augmentation=chosen.augmentation)
    for _ in loop.train(chosen, dataset, program):
        pass
    further = [collected.of_strokes(name, drawing.strokes) for name in names for drawing in drawn[name][10:]]
    read = collected.split(further, {name: place for place, name in enumerate(names)})
    return float((export.predict(program.exportable_model(), read.images).argmax(axis=1) == read.labels).mean())


if __name__ == "__main__":
    main()
