"""Real handwriting by source, part and writer, and what the terms of each source allow.

The files lie in `handwriting/` below the data folder: `strokes/*.json.gz`, lists of `{"label", "writer", "part",
"strokes"}`, and `pictures/*.npz`. A writer is in one part only: "train", or "validation", which is never learned from.
"""

import functools
import string
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.data.drawings import Drawing, read_strokes_file
from digits.errors import DatasetCorrupt, DatasetUnavailable, TermsForbidTraining

DEVELOPMENT_SHARE = 8  # one writer in so many of "train" is kept out, to choose by
KEPT_OUT_LETTERS = 5  # one of so many of EMNIST's letters, whose writers are unknown, is kept out to measure on
_HOLDS = {"digits": "0123456789", "upper": string.ascii_uppercase, "lower": string.ascii_lowercase}  # by a file's name


@dataclass(frozen=True)
class Source:
    """A collection of handwriting.

    Attributes:
        title: its name for people.
        files: below `handwriting/`.
        terms: its licence, in a phrase.
        may_train: whether a model that learned from it may be given to others.
        citation: who collected it, and where it is described.
    """

    title: str
    files: tuple[str, ...]
    terms: str
    may_train: bool
    citation: str


_CROHME = "symbols of handwritten formulas, from CROHME (H. Mouchère et al., IJDAR 19, 2016)"
_RESEARCH = "research only, no commercial use"
SOURCES = {
    "unipen": Source(
        "UNIPEN",
        tuple(f"strokes/unipen-{kind}.json.gz" for kind in ("digits", "upper", "lower", "lower-joined", "signs")),
        "CC BY 4.0 (Zenodo 1195803; an older notice inside says research only)",
        True,
        "I. Guyon et al., UNIPEN project of on-line data exchange and recognizer benchmarks, ICPR 1994",
    ),
    "pendigits": Source(
        "Pen-Based Recognition of Handwritten Digits",
        ("strokes/pendigits-train.json.gz",),
        "CC BY 4.0",
        True,
        "E. Alpaydin, F. Alimoglu, UCI Machine Learning Repository, 1998",
    ),
    "omniglot": Source(
        "Omniglot",
        ("strokes/omniglot-latin.json.gz", "strokes/omniglot-scripts.json.gz"),
        "MIT",
        True,
        "B. Lake, R. Salakhutdinov, J. Tenenbaum, Human-level concept learning, Science 350, 2015",
    ),
    "swiss": Source(
        "Swiss digits on paper",
        ("pictures/swiss-digits.npz",),
        "Apache-2.0",
        True,
        "BSI Business Systems Integration AG, anagnostes",
    ),
    "emnist-letters": Source(
        "EMNIST letters",
        ("pictures/emnist-letters.npz",),
        "public domain (NIST Special Database 19)",
        True,
        "G. Cohen, S. Afshar, J. Tapson, A. van Schaik, EMNIST, IJCNN 2017",
    ),
    **{
        f"crohme-{name}": Source(
            f"CROHME, {where}", (f"strokes/crohme-{name}.json.gz",), _RESEARCH, False, f"{where}: {_CROHME}"
        )
        for name, where in (
            ("hamex", "France"),
            ("mfrdb", "Czechia"),
            ("kaist", "Korea"),
            ("mathbrush", "Canada"),
            ("expressmatch", "Brazil"),
            ("extension", "extension"),
        )
    },
    "meza": Source(
        "Numbers in ruled logbooks",
        ("pictures/meza-numbers.npz",),
        "none stated",
        False,
        "Charitable Analytics International, Meza OCR challenge",
    ),
}


def require_trainable(names: Sequence[str]) -> None:
    """Raise `TermsForbidTraining` when a source may only be measured on."""
    for name in names:
        if not SOURCES[name].may_train:
            allowed = ", ".join(other for other, source in SOURCES.items() if source.may_train)
            raise TermsForbidTraining(
                f"A model may learn from {allowed}; received {name!r}, whose terms are: {SOURCES[name].terms}. "
                "Measure on it instead."
            )


def load_strokes(
    folder: Path, name: str, part: str, labels: Collection[str] | None, *, to_train: bool = False
) -> list[Drawing]:
    """Read a source's drawings whose label is one of `labels`, or all where that is None.

    Args:
        folder: the data folder, `Settings.data_dir`.
        name: a key of `SOURCES`.
        part: "train" (without the writers kept out to choose by), "development" (those writers), or "validation".
        to_train: whether a model will learn from them.

    Raises:
        TermsForbidTraining: `to_train`, and the source may only be measured on.
        DatasetUnavailable: a file is missing.
        DatasetCorrupt: a file is not as the module describes.
    """
    if to_train:
        require_trainable([name])
    drawings = []
    for file in SOURCES[name].files:
        if file.endswith(".json.gz") and _may_hold(file, labels):
            read = _read(_find(folder, file))
            drawings += [drawing for drawing in read if labels is None or drawing.label in labels]
    return [drawing for drawing in drawings if _part(drawing.part, drawing.writer) == part]


def load_pictures(folder: Path, part: str, *, to_train: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the Swiss digits on paper.

    Returns:
        Pictures uint8 (n, 64, 64), 0 is black; labels uint8 (n,); writers uint8 (n,).

    Raises:
        DatasetUnavailable, DatasetCorrupt: as `load_strokes`.
    """
    if to_train:
        require_trainable(["swiss"])
    path = _find(folder, SOURCES["swiss"].files[0])
    pictures, labels, writers, parts = _read_pictures(path, "x", "y", "writer", "part")
    chosen = parts == part
    return pictures[chosen], labels[chosen], writers[chosen]


def load_letters(folder: Path, part: str, *, to_train: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Read the letters of EMNIST.

    Args:
        folder: the data folder, `Settings.data_dir`.
        part: "train", or "validation": a fifth that is never learned from.
        to_train: whether a model will learn from them.

    Returns:
        Images uint8 (n, 28, 28), 0 is paper and 255 is ink; letters str (n,).

    Raises:
        DatasetUnavailable, DatasetCorrupt: as `load_strokes`.
    """
    if to_train:
        require_trainable(["emnist-letters"])
    images, letters = _read_pictures(_find(folder, SOURCES["emnist-letters"].files[0]), "x", "y")
    is_kept_out = np.arange(len(letters)) % KEPT_OUT_LETTERS == 0
    chosen = is_kept_out if part == "validation" else ~is_kept_out
    return images[chosen], letters[chosen]


def _read_pictures(path: Path, *names: str) -> list[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise DatasetCorrupt(f"{path} should hold {', '.join(names)}; {error}. Replace it.") from error


def _may_hold(file: str, labels: Collection[str] | None) -> bool:
    """Return whether a file may hold drawings of these labels; files of one kind of sign say so in their names."""
    kinds = [held for kind, held in _HOLDS.items() if f"-{kind}" in file]
    return labels is None or not kinds or not set(kinds[0]).isdisjoint(labels)


def _part(part: str | None, writer: str | int | None) -> str | None:
    """Keep a share of the training writers out, to choose by; a checksum decides, so that it is always the same."""
    if part == "train" and zlib.crc32(str(writer).encode()) % DEVELOPMENT_SHARE == 0:
        return "development"
    return part


def _find(folder: Path, file: str) -> Path:
    path = folder / "handwriting" / file
    if not path.is_file():
        raise DatasetUnavailable(f"{path} should be there; it is not. Put it there, or unset DIGITS_DATA_DIR.")
    return path


@functools.lru_cache(maxsize=16)
def _read(path: Path) -> list[Drawing]:
    return read_strokes_file(path)
