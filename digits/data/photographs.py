"""Photographs: pictures of many drawings, cut into samples, which their visitor then labels row by row."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy

from digits.data import arrivals, collected
from digits.data.arrivals import Arrival
from digits.data.collected import Sample
from digits.errors import InvalidImage, InvalidSet, TooManyPictures
from digits.ink import decoding, marks, paper, pictures, rules, segmentation
from digits.ink.pieces import FAINTEST
from digits.ink.segmentation import Digit
from digits.ink.sheet import cut_out

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
        found = _find_all(decoding.load_picture(content))
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


def _find_all(picture: np.ndarray) -> list[Digit]:
    """Return the drawings on the first of `_pages` that is clean, or what the Draw page would find."""
    for page in _pages(picture):
        with contextlib.suppress(InvalidImage):  # what is left of the rules may be too many marks
            if found := _on_clean_paper(page):
                return found
    return _find(pictures.find_ink(picture))


def _pages(picture: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the picture as it is and without its rules, and in the same way the sheet without the desk around it."""
    yield picture
    yield _without_rules(picture)
    sheet, _ = cut_out(picture)
    yield sheet
    yield _without_rules(sheet)


def _without_rules(page: np.ndarray) -> np.ndarray:
    return 1 - np.clip(rules.erase(paper.contrast(page)).contrast, 0, 1)


def _on_clean_paper(page: np.ndarray) -> list[Digit]:
    """Return what stands on a clean page; nothing if there are rules, a frame, or the edge of the page."""
    found = _find(_without_specks(pictures.find_marks(page)))
    height, width = page.shape
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
