"""Photographs: pictures of many drawings, cut into samples, which their visitor then labels row by row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from digits.data import arrivals, collected
from digits.data.arrivals import Arrival
from digits.data.collected import Sample
from digits.errors import InvalidImage, InvalidSet, TooManyPictures
from digits.ink import decoding, marks, pictures, segmentation

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".heif")
MOST = 10  # photographs at once; each takes up to a second
MOST_SAMPLES = 150  # on one
LEFT_OUT = "-"  # in the place of a label


@dataclass(frozen=True, eq=False)
class Row:
    """A line of drawings in a photograph.

    Attributes:
        images: uint8 (n, 28, 28), from left to right, each as a network reads it.
    """

    images: np.ndarray


def cut(content: bytes) -> list[Row]:
    """Cut a photograph into samples, as the Draw page finds digits on one; dots are left out.

    Raises:
        InvalidSet: it is no picture that can be read, or nothing, or too much, is found on it.
    """
    try:
        ink = pictures.find_ink(decoding.load_picture(content))
        found = segmentation.find_digits_in_ink(ink, most=MOST_SAMPLES)
    except TooManyPictures as error:
        raise InvalidSet(str(error)) from error
    except InvalidImage as error:
        raise InvalidSet(f"A photograph cannot be cut into samples. {error}") from error
    lines: dict[int, list[np.ndarray]] = {}
    for one in found:
        if not marks.is_dot(one.glyph):
            lines.setdefault(one.line, []).append(one.glyph.image)
    if not lines:
        raise InvalidSet("No drawing is found on a photograph. Write with a dark pen on white paper, with some space.")
    return [Row(np.stack(images)) for images in lines.values()]


def label(rows: Sequence[Row], texts: Sequence[str]) -> Arrival:
    """Give rows of samples their labels.

    Args:
        rows: from `cut`.
        texts: of each row one label for all of its samples, or one for each with spaces between. "-" leaves a sample,
            or a row, out; so does an empty text.

    Raises:
        InvalidSet: a row has another number of labels than samples, a label cannot be one, or nothing is left.
    """
    left_out: Counter[str] = Counter()
    samples: list[Sample] = []
    for number, (row, text) in enumerate(zip(rows, texts, strict=True), start=1):
        for image, name in zip(row.images, _labels(number, len(row.images), text), strict=True):
            if name == LEFT_OUT:
                left_out["not labelled"] += 1
            else:
                samples += arrivals.taken(partial(collected.of_image, name, image), left_out)
    return arrivals.look_over(samples, left_out)


def _labels(number: int, count: int, text: str) -> Iterable[str]:
    names = text.split() or [LEFT_OUT]
    if len(names) not in (1, count):
        raise InvalidSet(
            f"Row {number} has {count} samples and {len(names)} labels. Write one label for all of them, or {count} "
            f"with spaces between; {LEFT_OUT} leaves one out."
        )
    checked = [name if name == LEFT_OUT else collected.check_classes([name])[0] for name in names]
    return checked if len(checked) == count else checked * count
