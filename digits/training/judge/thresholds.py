"""The judge's thresholds, chosen on digits and letters by writers kept out of its training."""

import dataclasses
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.data import ways
from digits.data.datasets import CLASS_NAMES, Split
from digits.models.judge import Facts, Judge
from digits.training.judge import scribbles
from digits.training.judge.examples import LOOKALIKE_SIGNS, LOOKALIKES, drawings, read, scribble

REFUSED = 0.004  # the largest share of each kind of held-out digits that is refused
REFUSED_LETTERS = 0.05  # and of each letter, many of which UNIPEN has cut out of words, or look like none it knows
SCRIBBLES = 20  # of each kind

Shown = dict[str, np.ndarray]  # glyphs uint8 (n, 28, 28) by group


@dataclass(frozen=True)
class Kept:
    """Glyphs of what writers drew who are kept out. All are drawn by the pen, as everything is that the app judges.

    Attributes:
        digits: by source.
        letters: by letter.
        others: signs, scripts and scribbles.
    """

    digits: Shown
    letters: Shown
    others: Shown


def collect(validation: Split, data_dir: Path, rng: np.random.Generator) -> Kept:
    """Return what the thresholds are chosen on: MNIST's validation images, redrawn, and development writers."""
    written = {source: drawings(data_dir, source, "development") for source in ("unipen", "pendigits", "omniglot")}
    digits = {"redrawn": [ways.redraw(image) for image in validation.images]}
    letters: dict[str, list[np.ndarray]] = {}
    others: dict[str, list[np.ndarray]] = {}
    for source, drawing in ((source, one) for source, found in written.items() for one in found):
        label = drawing.label
        if label in CLASS_NAMES:
            digits.setdefault(source, []).append(read(drawing.strokes, rng))
        elif source == "omniglot" and len(label) > 1:
            others.setdefault("scripts", []).append(read(drawing.strokes, rng))
        elif source == "unipen" and label in string.ascii_letters:
            letters.setdefault(label, []).append(read(drawing.strokes, rng))
        elif source == "unipen" and label not in LOOKALIKE_SIGNS:
            others.setdefault("signs", []).append(read(drawing.strokes, rng))
    kinds = scribbles.FITTED
    others["scribbles"] = [scribble(kind, rng, as_picture=False) for kind in kinds for _ in range(SCRIBBLES)]
    return Kept(*({name: np.stack(images) for name, images in group.items()} for group in (digits, letters, others)))


def choose(facts: Facts, folder: Path, kept: Kept) -> Facts:
    """Return what is known of the judge in a folder, with its thresholds.

    They are the highest that refuse at most the share `REFUSED` of each kind of held-out digits and, as a digit or a
    letter, `REFUSED_LETTERS` of each letter.
    """
    judge = Judge(folder)
    return dataclasses.replace(
        facts,
        threshold=_highest(judge, kept.digits, REFUSED),
        characters_threshold=_highest(judge.of_characters(), kept.letters, REFUSED_LETTERS),
    )


def refused(folder: Path, kept: Kept) -> dict[str, float]:
    """Return the shares refused by the judge in a folder: of what is no digit, and of what is no character either."""
    judge = Judge(folder)
    distinct = np.concatenate([images for letter, images in kept.letters.items() if letter not in LOOKALIKES])
    shares = {name: _share(judge, images) for name, images in (kept.others | {"letters": distinct}).items()}
    characters = judge.of_characters()
    return shares | {f"{name}, with letters": _share(characters, images) for name, images in kept.others.items()}


def _share(judge: Judge, images: np.ndarray) -> float:
    return round(float((~judge.accepts(images)).mean()), 4)


def _highest(judge: Judge, shown: Mapping[str, np.ndarray], most: float) -> float:
    """Return the highest threshold that refuses at most the share `most` of each kind."""
    limits = {kind: float(np.quantile(judge.score(images), most)) for kind, images in shown.items()}
    print(
        "Thresholds, the lowest:",
        {kind: round(limits[kind], 4) for kind in sorted(limits, key=lambda kind: limits[kind])[:5]},
    )
    return round(min(limits.values()), 4)
