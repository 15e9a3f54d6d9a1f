"""Photographs: pictures of many drawings, cut into samples, which their visitor then labels row by row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy

from digits.data import arrivals, collected
from digits.data.arrivals import Arrival
from digits.data.collected import Sample
from digits.errors import InvalidImage, InvalidSet, TooManyPictures
from digits.ink import decoding, marks, pictures, segmentation
from digits.ink.pieces import FAINTEST
from digits.ink.segmentation import Digit

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".heif")
MOST = 10  # photographs at once; each takes up to a second
MOST_SAMPLES = 150  # on one
_WIDEST = 0.5  # of a photograph's side; what is wider is no drawing of many
_SPECK, _LEAST_PIXELS = 0.03, 12  # of the median mark's pixels, and of any mark's; smaller ones are specks
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
        picture = decoding.load_picture(content)
        found = _on_clean_paper(picture) or _find(pictures.find_ink(picture))
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


def _on_clean_paper(picture: np.ndarray) -> list[Digit]:
    """Return what stands on a clean page; nothing if there are rules, a frame, or the edge of the page."""
    found = _find(_without_specks(pictures.find_marks(picture)))
    height, width = picture.shape
    boxes = np.array([one.box for one in found]).reshape(-1, 4)
    sides = (boxes[:, 2:] - boxes[:, :2]) / (width, height)
    return [] if (sides > _WIDEST).any() else found


def _find(ink: np.ndarray) -> list[Digit]:
    return segmentation.find_digits_in_ink(ink, most=MOST_SAMPLES)


def _without_specks(ink: np.ndarray) -> np.ndarray:
    """Remove marks that are tiny beside the others, such as the paper's grain; the dot of an i is larger."""
    labels, count = scipy.ndimage.label(ink > FAINTEST, structure=np.ones((3, 3)))
    if not count:
        return ink
    areas = np.bincount(labels.ravel())
    areas[0] = 0  # the paper
    larger = areas[areas >= _LEAST_PIXELS]
    is_mark = areas >= max(_LEAST_PIXELS, _SPECK * float(np.median(larger)) if len(larger) else 0)
    return np.where(scipy.ndimage.binary_dilation(is_mark[labels], np.ones((3, 3))), ink, np.float32(0))


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
