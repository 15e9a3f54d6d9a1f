"""How often the eight examples that a model finds most similar to a drawing have the drawing's own label.

    DIGITS_DATA_DIR=… python -m benchmarks.likeness [MODEL …]

The drawings are strangers' (see `digits.data.strangers`), of those that the model reads correctly. Rare shapes are
counted on their own, all that there are. The result goes to benchmarks/results/likeness.json.
"""

import argparse
import itertools
import time

import numpy as np

from benchmarks import _results
from digits.data import strangers
from digits.data.shapes import RARE
from digits.ink import glyphs
from digits.models import catalogue
from digits.settings import Settings
from digits.why import neighbours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["drawing"], metavar="MODEL")
    parser.add_argument("--most", type=int, default=500, help="drawings of each source (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    figures: dict[str, dict] = {}
    for group in itertools.islice(strangers.load(settings.data_dir), len(strangers.SOURCES)):
        every = max(1, len(group.drawings) // options.most)
        chosen = {group.source: group.drawings[::every]}
        chosen |= {
            f"{group.source}, {name}": [drawing for drawing in group.drawings if is_one(drawing)][: options.most]
            for name, is_one in RARE.items()
        }
        drawings = list(itertools.chain(*chosen.values()))
        images = np.stack([glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings])
        labels = np.array([drawing.label for drawing in drawings])
        names = np.repeat(list(chosen), [len(row) for row in chosen.values()])
        members = {name: names == name for name in chosen}
        for model in (catalogue.find(name, settings) for name in options.models):
            row = figures.setdefault(model.id, {})
            row |= _measure(model, images, labels, members)
    for name, row in figures.items():
        for members_name, shares in row.items():
            print(f"{name:14} {members_name:45} {shares}")
    print("Written to", _results.save("likeness", figures))


def _measure(model: catalogue.Model, images: np.ndarray, labels: np.ndarray, members: dict[str, np.ndarray]) -> dict:
    names = np.array(model.class_names)
    is_right = names[model.probabilities(images).argmax(axis=1)] == labels
    index = neighbours.index(model)
    start = time.perf_counter()
    near = names[[[neighbour.label for neighbour in index.find(image)] for image in images]]
    milliseconds = (time.perf_counter() - start) / len(images) * 1000
    is_same = near == labels[:, None]
    return {
        name: {
            "read correctly": int((chosen & is_right).sum()),
            "share with the same label": round(float(is_same[chosen & is_right].mean()), 4),
            "all eight have it": round(float(is_same[chosen & is_right].all(axis=1).mean()), 4),
            "ms": round(milliseconds, 2),
        }
        for name, chosen in members.items()
        if (chosen & is_right).any()
    }


if __name__ == "__main__":
    main()
