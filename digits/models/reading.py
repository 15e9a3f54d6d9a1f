"""Reading: from strokes or a picture to a number. Every part of Digits reads through this module.

The ink is separated into digits. Each digit is fitted to 28×28 pixels and read by the model, and the judge decides
whether it looks like a digit; a dot never does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from digits.ink import cases, decoding, marks, pictures, segmentation
from digits.ink.crops import WHOLE, Crop
from digits.ink.pieces import Box
from digits.ink.segmentation import Digit
from digits.models.judge import TEN_DIGITS, find_judge


class Classifier(Protocol):
    """A model for reading: `catalogue.Model` in the app, `recogniser.CalibratedRecogniser` in a package."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes."""

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float32 (n, classes), for images uint8 (n, 28, 28) with ink 255."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model reads in a drawing or a picture.

    Attributes:
        text: the digits from left to right; each line of writing is a separate number, on a separate line.
        digits: the digits found, in reading order; empty if there is no ink.
        probabilities: float32 (n, classes), calibrated, one row for each digit.
        accepted: bool (n,), which digits the judge accepts and are more than a dot; all of them if the model's classes
            have no judge.
        confidence: the product of the digits' highest probabilities, because a number is correct only if all its digits
            are; 0 if there is nothing to read.
        names: the class of each digit; a letter of a class with both cases in that of its size, if that can be told.
        either: bool (n,), of which letters either case is possible.
    """

    text: str
    digits: tuple[Digit, ...]
    probabilities: np.ndarray
    accepted: np.ndarray
    confidence: float
    names: tuple[str, ...]
    either: np.ndarray

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Each digit's x0, y0, x1, y1 in source pixels; x1 and y1 are exclusive."""
        return tuple(digit.box for digit in self.digits)

    @property
    def doubtful(self) -> int:
        """How many digits are refused."""
        return int((~self.accepted).sum())

    @property
    def beginnings(self) -> np.ndarray:
        """Which of the refused digits may become digits with another stroke, bool (n,)."""
        places = enumerate(self.digits)
        return np.array([not self.accepted[place] and marks.is_beginning(digit.glyph) for place, digit in places], bool)


def read_strokes(
    strokes: Sequence[np.ndarray],
    model: Classifier,
    *,
    size: tuple[int, int] = (280, 280),
    pen_width: float = 20.0,
) -> Reading:
    """Read a drawing from its strokes.

        read_strokes(strokes, model).text  # "42"

    Args:
        strokes: float32 (n, 2) each, x and y in canvas pixels.
        size: height and width of the canvas.
        pen_width: the visitor's pen in canvas pixels; it affects only what is shown, not the reading.

    Raises:
        InvalidImage: as in `segmentation.find_digits`.
    """
    digits = segmentation.find_digits(
        strokes, size=size, pen_width=pen_width, score=mark_score(model), bias=grouping_bias(model.class_names)
    )
    return read_digits(digits, model)


def read_picture(data: bytes, model: Classifier, crop: Crop = WHOLE) -> Reading:
    """Read a picture file, or the part of it inside `crop`.

        read_picture(path.read_bytes(), model).text  # "42"

    Args:
        data: the file's bytes, as for `decoding.load_picture`.

    Raises:
        InvalidImage: as in `decoding.load_picture` and `segmentation.find_digits_in_ink`.
    """
    return read_ink(pictures.find_ink(decoding.load_picture(data, crop)), model)


def read_ink(ink: np.ndarray, model: Classifier) -> Reading:
    """Read the ink of a picture, float32 (height, width), 0 is paper and 1 is ink.

    The model and the judge help to separate the digits where the gaps do not decide. Small ink is enlarged, and the
    digits' boxes and sizes are those in the enlarged ink.

    Raises:
        InvalidImage: as in `segmentation.find_digits_in_ink`.
    """
    return read_digits(segmentation.find_digits_in_ink(pictures.enlarged(ink), score=mark_score(model)), model)


def read_digits(digits: Sequence[Digit], model: Classifier) -> Reading:
    """Read digits that have already been found, in the given order."""
    names = model.class_names
    if not digits:
        return Reading("", (), np.zeros((0, len(names)), np.float32), np.zeros(0, bool), 0.0, (), np.zeros(0, bool))
    images = np.stack([digit.glyph.image for digit in digits])
    probabilities = model.probabilities(images)
    shown, either = _cases([names[best] for best in probabilities.argmax(axis=1)], digits, _folded(model))
    text = ""
    for index, name in enumerate(shown):
        is_new_line = index > 0 and digits[index].line != digits[index - 1].line
        text += "\n" * is_new_line + name
    confidence = float(probabilities.max(axis=1).astype(np.float64).prod())
    accepted = looks_like_digits(images, names)
    if find_judge(names):  # its network could take a dot, enlarged, for a small digit
        accepted &= np.array([not marks.is_dot(digit.glyph) for digit in digits])
    return Reading(text, tuple(digits), probabilities, accepted, confidence, tuple(shown), either)


def _folded(model: Classifier) -> Collection[str]:
    """Return the classes of a model that have both cases of a letter."""
    return getattr(model, "folded", ())


def _cases(names: list[str], digits: Sequence[Digit], folded: Collection[str]) -> tuple[list[str], np.ndarray]:
    """Return the names of digits in their case, line by line, and of which either case is possible."""
    shown, either = list(names), np.zeros(len(names), bool)
    for line in {digit.line for digit in digits} if folded else ():
        places = [place for place, digit in enumerate(digits) if digit.line == line]
        spans = [_span(digits[place]) for place in places]
        for place, name in zip(places, cases.decide([names[place] for place in places], spans, folded), strict=True):
            shown[place], either[place] = name or names[place], not name
    return shown, either


def _span(digit: Digit) -> cases.Span:
    """Return the top and the bottom of a digit: of the pen's path or, in a picture, of its ink."""
    if not digit.glyph.pen_width:
        return float(digit.box[1]), float(digit.box[3])
    y = np.concatenate(digit.glyph.lines)[:, 1]
    return float(y.min()), float(y.max())


def mark_score(model: Classifier) -> segmentation.Score:
    """Return a score for separating digits: the model's probabilities times the judge's that it is a digit at all."""
    judge = find_judge(model.class_names)
    if judge is None or model.class_names != TEN_DIGITS:  # the parts of a letter are letters, which it would accept
        return model.probabilities
    return lambda images: model.probabilities(images) * judge.score(images)[:, np.newaxis]


def grouping_bias(class_names: tuple[str, ...]) -> float:
    """Return the nats by which strokes of these classes rather form one character than those of digits do.

    A K or an H consists of strokes that could be letters themselves. Of 0, 1, 2 and 3 nats, 1 was best for letters and
    for words of UNIPEN's development writers.
    """
    return 0.0 if set(class_names) <= set(TEN_DIGITS) else 1.0


def looks_like_digits(images: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    """Return which images uint8 (n, 28, 28) the judge of these classes accepts, bool (n,); all if they have none."""
    judge = find_judge(class_names)
    return judge.accepts(images) if judge else np.ones(len(images), bool)
