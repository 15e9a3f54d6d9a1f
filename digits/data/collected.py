"""Collected drawings: labelled drawings, or pictures of them, that anybody may have sent; checked, read and written."""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digits.data.datasets import Split
from digits.errors import InvalidImage, InvalidSet
from digits.ink import glyphs, strokes
from digits.settings import IMAGE_SIZE

MAX_CLASSES, MAX_CLASS_NAME, MAX_TITLE = 62, 12, 60
_MAX_STROKES, _MAX_POINTS = 50, 2_000  # of a drawing
_SAMPLE_ID = re.compile("[0-9a-z]{8,32}")


@dataclass(frozen=True, eq=False)
class Sample:
    """A labelled drawing, or a picture of one.

    Attributes:
        id: tells it from the others of its set; one that comes again is the same drawing.
        label: a class's name.
        strokes: float32 (n, 2) each; none for a picture.
        image: uint8 (28, 28), of a picture; None for strokes.
        writer: who wrote it; "" if that is unknown.
    """

    id: str
    label: str
    strokes: list[np.ndarray] = field(default_factory=list)
    image: np.ndarray | None = None
    writer: str = ""

    @property
    def glyph(self) -> np.ndarray:
        """Its image as a network reads it, uint8 (28, 28)."""
        return glyphs.fit_strokes(self.strokes, size=(1, 1)).image if self.image is None else self.image


def check_classes(names: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of classes, composed as Unicode has it.

    Raises:
        InvalidSet: there are too many, or one is too long, empty, there twice, or has characters that do not show.
    """
    checked = tuple(unicodedata.normalize("NFC", str(name)).strip() for name in names)
    if not 1 <= len(checked) <= MAX_CLASSES:
        raise InvalidSet(
            f"A set has 1 to {MAX_CLASSES} classes; received {len(checked):,}. Name them, as in: a e i o u."
        )
    for name in checked:
        if not 1 <= len(name) <= MAX_CLASS_NAME or not name.isprintable():
            raise InvalidSet(
                f"A class's name has 1 to {MAX_CLASS_NAME} characters that can be seen; received {name[:40]!a}. "
                "Shorten it, as to a letter or a word."
            )
    if twice := [name for name, count in Counter(checked).items() if count > 1]:
        raise InvalidSet(f"Each class is named once; {twice[0]} is there twice. Remove one.")
    return checked


def parse_classes(text: str) -> list[str]:
    """Return the names of classes that somebody typed, with commas between or, without any, with spaces.

    >>> parse_classes("tick, cross mark"), parse_classes("a e")
    (['tick', 'cross mark'], ['a', 'e'])
    """
    return [name for name in map(str.strip, text.split(",")) if name] if "," in text else text.split()


def write_classes(names: Sequence[str]) -> str:
    """Return names of classes as `parse_classes` reads them."""
    has_spaces = any(" " in name for name in names)
    return ", ".join(names) + "," * (len(names) == 1) if has_spaces else " ".join(names)


def check_title(title: Any) -> str:
    """Return a set's name on one line; raises `InvalidSet` if it is empty or too long."""
    checked = "".join(part for part in " ".join(str(title).split()) if part.isprintable())
    if not 1 <= len(checked) <= MAX_TITLE:
        raise InvalidSet(f"A set's name has 1 to {MAX_TITLE} characters; this one has {len(checked)}. Change it.")
    return checked


def read_row(row: Any, class_names: Sequence[str] | None = None) -> Sample:
    """Read a drawing from JSON that anybody may have written.

    Args:
        row: a dict with a label and strokes, or a label and an image of 784 bytes in base64; its writer and id are
            optional.
        class_names: the allowed labels; None for any that can be a class's name.

    Raises:
        InvalidSet: it is something else.
    """
    if not isinstance(row, dict) or not isinstance(row.get("label"), str | int):
        raise InvalidSet('A drawing should be {"label": …, "strokes": [[[x, y], …], …]}; it is something else.')
    (label,) = check_classes([row["label"]])
    if class_names is not None and label not in class_names:
        raise InvalidSet(f"A drawing's label should be one of {', '.join(class_names)}; it is {label}. Correct it.")
    writer = "".join(part for part in str(row.get("writer") or "")[:40] if part.isprintable())
    if "image" in row:
        return of_image(label, _decode(row["image"]), writer, row.get("id"))
    try:
        drawn = strokes.check(row.get("strokes") or [])
    except (InvalidImage, TypeError) as error:
        raise InvalidSet(f"A drawing of {label} cannot be read. {error}") from error
    return of_strokes(label, drawn, writer, row.get("id"))


def of_strokes(label: str, drawn: list[np.ndarray], writer: str = "", sample_id: Any = None) -> Sample:
    """Return a drawing; raises `InvalidSet` if it has no strokes, or too many."""
    if not drawn:
        raise InvalidSet(f"A drawing of {label} is blank. Leave it out.")
    if len(drawn) > _MAX_STROKES or sum(map(len, drawn)) > _MAX_POINTS:
        raise InvalidSet(
            f"A drawing may have {_MAX_STROKES} strokes and {_MAX_POINTS:,} points; one of {label} has more."
        )
    return Sample(_id(sample_id, label, *drawn), label, drawn, None, writer)


def of_image(label: str, image: np.ndarray, writer: str = "", sample_id: Any = None) -> Sample:
    """Return a picture uint8 (28, 28) as a drawing; raises `InvalidSet` if it is blank."""
    if not image.any():
        raise InvalidSet(f"A picture of {label} is blank. Leave it out.")
    return Sample(_id(sample_id, label, image), label, [], image, writer)


def to_row(sample: Sample) -> dict[str, Any]:
    """Return a drawing as JSON types, without its id."""
    row: dict[str, Any] = {"label": sample.label}
    if sample.image is None:
        row["strokes"] = [np.round(stroke.astype(float), 1).tolist() for stroke in sample.strokes]
    else:
        row["image"] = base64.b64encode(sample.image.tobytes()).decode()
    return row | ({"writer": sample.writer} if sample.writer else {})


def split(samples: Sequence[Sample], labels: Mapping[str, int]) -> Split:
    """Return drawings as images with their classes."""
    images = [sample.glyph for sample in samples]
    classes = [labels[sample.label] for sample in samples]
    return Split(np.array(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE), np.array(classes, np.uint8))


def is_id(given: Any) -> bool:
    """Return whether something that anybody may have sent can be a drawing's id."""
    return isinstance(given, str) and _SAMPLE_ID.fullmatch(given) is not None


def _id(given: Any, label: str, *content: np.ndarray) -> str:
    """Return a drawing's id, or one that the same drawing always gets."""
    if is_id(given):
        return str(given)
    digest = hashlib.sha256(label.encode())
    for part in content:
        digest.update(len(part).to_bytes(4, "little") + np.round(part, 1).tobytes())
    return digest.hexdigest()[:20]


def _decode(text: Any) -> np.ndarray:
    try:
        pixels = np.frombuffer(base64.b64decode(str(text)[:2000], validate=True), np.uint8)
        return pixels.reshape(IMAGE_SIZE, IMAGE_SIZE)
    except (ValueError, binascii.Error) as error:
        raise InvalidSet("A picture in a set's file should be 784 bytes in base64; it is not. Leave it out.") from error
