"""Pairs: images and labels that a visitor brings as two IDX files, the format of MNIST, packed by gzip or not."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from digits.data import arrivals, collected
from digits.data.arrivals import Arrival
from digits.data.collected import Sample
from digits.data.mnist import parse_idx
from digits.errors import DatasetCorrupt, InvalidSet
from digits.settings import IMAGE_SIZE

_MAGIC = {bytes((0, 0, 8, 3)): 3, bytes((0, 0, 8, 1)): 1}  # of bytes in three dimensions, the images, and in one
_GZIP = b"\x1f\x8b"
_MAX_UNPACKED_BYTES = 64 * 2**20  # as of a zip's pictures
_MAX_HEADER_BYTES = 16


def is_one(content: bytes) -> bool:
    """Return whether a file is an IDX file or, by its first bytes, packed by gzip as one may be."""
    return content[:4] in _MAGIC or content[:2] == _GZIP


def read(contents: Sequence[bytes], *, most: int) -> Arrival:
    """Read a file of images and one of labels, in any order.

    Args:
        contents: the two files.
        most: how many images there may be; 0 for as many as there are.

    Raises:
        InvalidSet: there are not exactly two, one is damaged or of another kind, or there are too many images.
    """
    if len(contents) != 2:
        raise InvalidSet(
            f"IDX files come as two, one of images and one of labels; received {len(contents)}. Choose both together."
        )
    found = {dimensions: array for content in contents for dimensions, array in [_unpack(content, most)]}
    if len(found) != 2:
        what = "images" if 3 in found else "labels"
        raise InvalidSet(f"Of two IDX files one should have images and one labels; both have {what}. Choose the other.")
    images, labels = found[3], found[1]
    if images.shape != (len(labels), IMAGE_SIZE, IMAGE_SIZE):
        raise InvalidSet(
            f"There should be {len(labels):,} images of 28×28 pixels, as many as labels; there are "
            f"{' × '.join(map(str, images.shape))}. Choose files that belong together."
        )
    left_out: Counter[str] = Counter()
    return arrivals.look_over(_samples(images, labels, left_out), left_out)


def _samples(images: np.ndarray, labels: np.ndarray, left_out: Counter[str]) -> Iterator[Sample]:
    for image, label in zip(images, labels.tolist(), strict=True):
        yield from arrivals.taken(partial(collected.of_image, str(label), image.copy()), left_out)


def _unpack(content: bytes, most: int) -> tuple[int, np.ndarray]:
    """Return the dimensions of an IDX file and its array; no more is unpacked than is allowed."""
    limit = _MAX_HEADER_BYTES + most * IMAGE_SIZE**2 if most else _MAX_UNPACKED_BYTES
    if len(content) > arrivals.MAX_FILE_BYTES:
        raise InvalidSet(
            f"An IDX file may have {arrivals.MAX_FILE_BYTES / 2**20:.0f} MB; one has {len(content) / 2**20:.1f}. "
            "Bring fewer images."
        )
    try:
        if content[:2] == _GZIP:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidSet("An IDX file is packed by gzip and damaged. Download it again.") from error
    dimensions = _MAGIC.get(content[:4])
    if dimensions is None:
        raise InvalidSet("An IDX file should have images or labels of one byte each; one does not. Choose another one.")
    count = int.from_bytes(content[4:8], "big")
    if most and count > most:
        raise InvalidSet(f"A set may have {most:,} drawings on this server; these files have {count:,}. Bring fewer.")
    if len(content) > limit:
        raise InvalidSet(f"An IDX file may unpack to {limit / 2**20:.0f} MB; one has more. Bring fewer images.")
    try:
        return dimensions, parse_idx(content, "An IDX file", dimensions=dimensions)
    except DatasetCorrupt as error:
        raise InvalidSet("An IDX file should be as long as its header says; one is not. Download it again.") from error
