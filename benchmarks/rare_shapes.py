"""Measure a model on shapes of digits that few people write, such as slashed zeros, and on Chars74K.

    DIGITS_DATA_DIR=… python -m benchmarks.rare_shapes [--model ID]

The drawings are all those of UNIPEN's validation writers and of CROHME's formulas that have the shape, by the rules of
`digits.data.shapes`, each placed once at random. Chars74K's 550 digits are no strangers', because constants of the
segmentation were tuned on them. Intervals are the bootstrap's over writers.
"""

import argparse

import numpy as np

from benchmarks import _results
from digits.data import handwriting, shapes
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing, load_writers, prepare
from digits.data.strangers import SOURCES
from digits.models import catalogue, drawn_accuracy
from digits.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL, metavar="ID", help="a bundled model or a run's id")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/ and drawn/.")
    model = catalogue.find(options.model, settings)
    groups: dict[str, list[Drawing]] = {}
    for source in SOURCES:
        for drawing in handwriting.load_strokes(settings.data_dir, source, "validation", CLASS_NAMES):
            for shape, has_shape in shapes.RARE.items():
                if has_shape(drawing):
                    groups.setdefault(f"{shape}, {source}", []).append(drawing)
    groups["digits of Chars74K"] = [
        drawing for row in load_writers(settings.data_dir / "drawn", CLASS_NAMES).values() for drawing in row
    ]
    rows = {}
    for name, drawings in sorted(groups.items()):
        outcomes = drawn_accuracy.read(model, prepare(drawings, placings=1))
        low, high = drawn_accuracy.interval_by_writer(outcomes.correct, np.array([str(one.writer) for one in drawings]))
        rows[name] = {
            "drawings": len(drawings),
            "right": int(outcomes.correct.sum()),
            "interval_95": [round(low, 4), round(high, 4)],
            "refused": int(outcomes.refused.sum()),
        }
        print(
            f"{name:45} {len(drawings):6} {outcomes.correct.mean():7.2%} ({low:.2%} to {high:.2%}), refused "
            f"{outcomes.refused.mean():.2%}"
        )
    print("Written to", _results.save("rare_shapes", {"model": model.id, "rows": rows}))


if __name__ == "__main__":
    main()
