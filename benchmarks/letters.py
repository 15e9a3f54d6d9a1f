"""How well models of letters read people from whom they learned nothing, by source.

    DIGITS_DATA_DIR=… python -m benchmarks.letters capitals characters

Strokes are drawn with the pen and given to the network alone, without the division into characters. EMNIST's letters
are given as they are; a fifth of them is learned from by no model.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import _results
from digits.data import handwriting, sets
from digits.data.drawings import Drawing, load_drawings
from digits.ink import glyphs
from digits.models import catalogue
from digits.models.drawn_accuracy import interval_by_writer
from digits.settings import Settings

FORMULAS = [name for name in handwriting.SOURCES if name.startswith("crohme-")]

Source = tuple[str, np.ndarray, np.ndarray, np.ndarray]  # a name, images, the names of their classes, and writers


def main() -> None:
    """Measure the models that were named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    found = {}
    for model in (catalogue.find(name, settings) for name in options.models):
        rows = {}
        names = np.array(model.class_names)
        for source, images, labels, writers in _sources(settings.data_dir, sets.find(model.card.dataset).labels):
            read = names[model.probabilities(images).argmax(axis=1)]
            is_right = read == labels
            low, high = interval_by_writer(is_right, writers)
            worst = _confusions(labels[~is_right], read[~is_right])
            rows[source] = {
                "images": len(labels),
                "right": round(float(is_right.mean()), 4),
                "interval_95": [round(low, 4), round(high, 4)],
                "errors": worst,
            }
            interval = f"({low:.1%} to {high:.1%})"
            print(f"{model.id:12} {source:28} {is_right.mean():7.2%} of {len(labels):6,} {interval}  {worst}")
        found[model.id] = rows
    print("Written to", _results.save("letters", found))


def _sources(data_dir: Path, labels: dict[str, str]) -> Iterator[Source]:
    yield _drawn(
        "UNIPEN, validation writers", handwriting.load_strokes(data_dir, "unipen", "validation", labels), labels
    )
    formulas = [one for name in FORMULAS for one in handwriting.load_strokes(data_dir, name, "validation", labels)]
    yield _drawn("formulas (CROHME)", [one for one in formulas if one.label.isalpha()], labels)
    yield _drawn("Chars74K, tablet", load_drawings(data_dir / "drawn", tuple(labels)), labels)
    images, letters = handwriting.load_letters(data_dir, "validation")
    known = np.array([letter in labels for letter in letters])
    classes = np.array([labels[letter] for letter in letters[known]])
    yield "EMNIST, letters kept out", images[known], classes, np.arange(len(classes)).astype(str)


def _drawn(name: str, drawings: list[Drawing], labels: dict[str, str]) -> Source:
    images = np.stack([glyphs.fit_strokes(one.strokes, size=(1, 1)).image for one in drawings])
    classes = np.array([labels[one.label] for one in drawings])
    return name, images, classes, np.array([str(one.writer) for one in drawings])


def _confusions(labels: np.ndarray, read: np.ndarray) -> list[str]:
    """Return the five most frequent errors, as "O as 0 (12)"."""
    pairs, counts = np.unique(np.stack([labels, read]), axis=1, return_counts=True)
    order = counts.argsort()[::-1][:5]
    return [f"{pairs[0, place]} as {pairs[1, place]} ({counts[place]})" for place in order]


if __name__ == "__main__":
    main()
