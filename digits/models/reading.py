"""Batches: several pictures read at once, one outcome for each, whatever is wrong with any of them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.errors import InvalidImage
from digits.ink import pictures, segmentation
from digits.ink.crops import WHOLE, Crop
from digits.models.catalogue import Model
from digits.models.judge import find_judge

MAX_PICTURES = 50  # at once: a picture takes about a fifth of a second
NO_INK = "No ink was found in this picture. Use darker ink, more light, or come closer."
_THUMBNAIL_SIDE = 128  # pixels


@dataclass(frozen=True)
class Outcome:
    """What came of one picture.

    Attributes:
        name: the file's name.
        reading: the number read; of several lines of writing, their numbers with spaces between; "" when none is.
        confidence: the probability that all of it is right, in [0, 1].
        digits, doubtful: how many digits were found, and how many of them do not look like one.
        message: what is wrong with the picture; "" when it was read.
        thumbnail: a small JPEG of what was looked at; empty when the file is no picture.
    """

    name: str
    reading: str = ""
    confidence: float = 0.0
    digits: int = 0
    doubtful: int = 0
    message: str = ""
    thumbnail: bytes = b""

    @property
    def looks(self) -> str:
        """Whether it looks like a digit, in a word or a few."""
        if not self.digits:
            return ""
        if self.digits == 1 or self.doubtful in (0, self.digits):
            return "no" if self.doubtful else "yes"
        return f"{self.digits - self.doubtful} of {self.digits}"


def find_digits(data: bytes, model: Model, crop: Crop = WHOLE) -> list[segmentation.Part]:
    """Find the digits in a picture file; the model says what may be one. Raises `InvalidImage`."""
    ink = pictures.find_ink(pictures.load_picture(data, crop))
    return segmentation.find_parts_in_ink(ink, score=model.probabilities)


def read(name: str, data: bytes, model: Model, crop: Crop = WHOLE) -> Outcome:
    """Read one picture of a batch; what is wrong with it becomes its message."""
    thumbnail = b""
    try:
        thumbnail = crop.cut(pictures.load_preview(data, side=_THUMBNAIL_SIDE))
        parts = find_digits(data, model, crop)
    except InvalidImage as error:
        return Outcome(name, message=str(error), thumbnail=thumbnail)
    if not parts:
        return Outcome(name, message=NO_INK, thumbnail=thumbnail)
    reading = segmentation.read_number(parts, model, class_names=model.class_names)
    judge = find_judge(model.class_names)
    doubtful = int((~judge.accepts(np.stack([part.glyph.image for part in parts]))).sum()) if judge else 0
    text = reading.text.replace("\n", " ")
    return Outcome(name, text, reading.confidence, len(parts), doubtful, thumbnail=thumbnail)


def to_csv(outcomes: Sequence[Outcome]) -> str:
    """Return a table as comma-separated values, a line for each picture below a line of names."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["file", "reading", "sure", "looks like a digit", "message"])
    for outcome in outcomes:
        sure = f"{outcome.confidence:.4f}" if outcome.digits else ""
        table.writerow([outcome.name, outcome.reading, sure, outcome.looks, outcome.message])
    return stream.getvalue()
