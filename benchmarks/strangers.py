"""Measure models on the handwriting of people from whom nothing was learned, by source and by class.

    DIGITS_DATA_DIR=… python -m benchmarks.strangers [MODEL …]

`python -m digits evaluate --drawn` prints the same figures as tables. This command writes them to
benchmarks/results/strangers.json with the machine and the versions, and with `--write` to the models' cards as well.
"""

import argparse
import dataclasses

import msgspec

from benchmarks import _results
from digits.data import strangers
from digits.models import cards, catalogue, drawn_accuracy
from digits.settings import Settings
from digits.views.strangers import in_words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["drawing"], metavar="MODEL")
    parser.add_argument("--most", type=int, help="drawings of each source (default: as on the cards)")
    parser.add_argument("--write", action="store_true", help="write the figures to the models' cards, too")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    models = [catalogue.find(name, settings) for name in options.models]
    measured = drawn_accuracy.measure_strangers(models, strangers.load(settings.data_dir, options.most))
    for model, found in zip(models, measured, strict=True):
        print(f"{model.id:14} {in_words(found)}")
        if options.write:
            cards.write(model.folder / catalogue.CARD, dataclasses.replace(model.card, strangers=found))
    print(
        "Written to",
        _results.save(
            "strangers", {model.id: msgspec.to_builtins(found) for model, found in zip(models, measured, strict=True)}
        ),
    )


if __name__ == "__main__":
    main()
