"""Strangers: handwriting of people from whom no model learned anything, and on whom nothing was tuned, to measure on.

They are UNIPEN's validation writers, the writers of CROHME's formulas, and two of the Swiss writers on paper. Chars74K
is not among them, because constants of the segmentation were tuned on it.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import handwriting, samples
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.settings import Settings

DIGITS = {name: name for name in CLASS_NAMES}
SAMPLE = "sample"  # the source that is part of Digits
SOURCES = ("unipen", "crohme-hamex", "crohme-mfrdb", "crohme-kaist", "crohme-mathbrush", "crohme-expressmatch")
TITLES = {
    SAMPLE: "UNIPEN, a sample of its validation writers",
    "unipen": "UNIPEN, validation writers",
    "crohme-hamex": "formulas, France (HAMEX)",
    "crohme-mfrdb": "formulas, Czechia (MfrDB)",
    "crohme-kaist": "formulas, Korea (KAIST)",
    "crohme-mathbrush": "formulas, Canada (MathBrush)",
    "crohme-expressmatch": "formulas, Brazil (ExpressMatch)",
    "swiss": "Swiss digits on paper",
}
STROKES, PICTURES = "strokes", "pictures"  # the ways in which drawings are read
MOST = {STROKES: 10_000, PICTURES: 1_000}  # drawings of a source; reading one as a picture takes twenty times as long


@dataclass(frozen=True, eq=False)
class Group:
    """Drawings of one source, and the way in which they are read.

    Attributes:
        source: a key of `TITLES`.
        way: `STROKES` or `PICTURES`.
        drawings: each with its label and its writer.
    """

    source: str
    way: str
    drawings: list[Drawing]


def load(data_dir: Path, most: int | None = None, labels: Mapping[str, str] = DIGITS) -> Iterator[Group]:
    """Yield all sources, by strokes and as pictures.

    Args:
        data_dir: the folder with `handwriting/`.
        most: the drawings of a source, chosen evenly; None for `MOST`.
        labels: the labels that are wanted, each with the name of its class.

    Raises:
        DatasetUnavailable, DatasetCorrupt: as in `handwriting.load_strokes`.
    """
    for way in (STROKES, PICTURES):
        for source in SOURCES:
            found = handwriting.load_strokes(data_dir, source, "validation", labels)
            drawings = [replace(drawing, label=labels[drawing.label]) for drawing in found]
            if drawings:
                yield Group(source, way, _some(drawings, most or MOST[way]))
    if labels == DIGITS:
        yield Group("swiss", PICTURES, _some(_on_paper(data_dir), most or MOST[PICTURES]))


def load_for(settings: Settings, most: int | None = None, labels: Mapping[str, str] = DIGITS) -> Iterable[Group]:
    """Return all sources if there is a folder of handwriting, else the sample; see `load`."""
    if settings.data_dir and (settings.data_dir / "handwriting").is_dir():
        return load(settings.data_dir, most, labels)
    return [load_sample(labels)]


def load_sample(labels: Mapping[str, str] = DIGITS) -> Group:
    """Return the sample that is part of Digits; raises `DatasetCorrupt`."""
    known = [*samples.load(samples.STRANGERS), *samples.load(samples.LETTER_STRANGERS)]
    drawings = [replace(drawing, label=labels[drawing.label]) for drawing in known if drawing.label in labels]
    return Group(SAMPLE, STROKES, drawings)


def _some(drawings: list[Drawing], most: int) -> list[Drawing]:
    rows = np.linspace(0, len(drawings) - 1, min(most, len(drawings))).astype(int)
    return [drawings[row] for row in rows]


def _on_paper(data_dir: Path) -> list[Drawing]:
    pictures, labels, writers = handwriting.load_pictures(data_dir, "validation")
    return [
        Drawing(str(label), [], _png(picture), writer=int(writer))
        for picture, label, writer in zip(pictures, labels, writers, strict=True)
    ]


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()
