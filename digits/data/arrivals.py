"""Arrivals: drawings that a visitor brings in a file, read within bounds and looked over before they are taken.

A file is a zip with a folder of pictures for each class, a CSV with a label and 784 pixels in each row, as MNIST is
often given, or drawings as JSON, as `drawings` describes them and a set's export has them. Two IDX files are read by
`pairs`, and photographs by `photographs`.
"""

import codecs
import csv
import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from time import monotonic

import msgspec
import numpy as np

from digits.data import collected, faults
from digits.data.collected import Sample
from digits.errors import InvalidImage, InvalidSet, TooManyPictures
from digits.ink import decoding, glyphs, pictures
from digits.settings import IMAGE_SIZE

MAX_FILE_BYTES = 16 * 2**20
MAX_JSON_BYTES = 6 * 2**20  # some 8,000 drawings
_MAX_ROW_BYTES = 64 * 1024  # of a drawing in JSON
_MAX_LINE_BYTES = 8 * 1024  # of a row in a CSV
MAX_MEMBERS = 2_000  # of a zip, folders among them
MAX_PICTURE_BYTES = 2 * 2**20  # unpacked; a drawing needs no large photograph
MAX_PICTURES_BYTES = 64 * 2**20  # unpacked, all together
MAX_READ_SECONDS = 120  # of a zip's pictures; 2,000 of 800 pixels a side take about 90 s of a free core
MAX_RATIO = 100  # of unpacked to packed; a picture is compressed already
_MAX_FIELD = 40  # characters of a CSV's field
_ENTRY = b"PK\x01\x02"  # with which each file in a zip's list begins
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_PIXELS = IMAGE_SIZE**2
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
)

Tell = Callable[[int, int], object]  # so many of so many are read


@dataclass(frozen=True, eq=False)
class Arrival:
    """What a file holds.

    Attributes:
        samples: the drawings that can be taken.
        class_names: their labels, in the order of the alphabet.
        left_out: what cannot be taken, how often, by the reason.
        warnings: what a visitor should know before taking it, each with what to do.
    """

    samples: tuple[Sample, ...]
    class_names: tuple[str, ...]
    left_out: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many drawings each class has."""
        found = Counter(sample.label for sample in self.samples)
        return {name: found[name] for name in self.class_names}


def read(name: str, content: bytes, *, most: int, tell: Tell = lambda done, total: None) -> Arrival:
    """Read a file that a visitor brings.

    Args:
        name: the file's name; its ending tells the format.
        content: its bytes.
        most: how many drawings it may hold; 0 for as many as there are.
        tell: called while pictures are read.

    Raises:
        InvalidSet: it is too large, of another format, damaged, takes too long, or nothing in it can be taken.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidSet(
            f"A file of drawings may have {MAX_FILE_BYTES / 2**20:.0f} MB; this one has {len(content) / 2**20:.1f}. "
            "Bring fewer or smaller pictures."
        )
    ending = PurePosixPath(name.lower()).suffix
    left_out: Counter[str] = Counter()
    if ending == ".zip":
        found = list(_in_zip(content, most, left_out, tell))
    elif ending == ".csv":
        found = list(_in_csv(content, most, left_out))
    elif ending == ".json":
        found = list(_in_json(content, most, left_out))
    else:
        raise InvalidSet(
            "A file of drawings should be a .zip with a folder of pictures for each class, a .csv with a label and "
            f"784 pixels in each row, or .json; this one is called {name[-40:]!a}. Choose another one."
        )
    return look_over(found, left_out)


def look_over(found: Iterable[Sample], left_out: Counter[str]) -> Arrival:
    """Leave out what comes twice, and find what a visitor should know.

    Raises:
        InvalidSet: nothing is left, or there are too many classes.
    """
    unique: dict[str, Sample] = {}
    for sample in found:
        if sample.id in unique:
            left_out["there twice"] += 1
        else:
            unique[sample.id] = sample
    if not unique:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in left_out.most_common(3))
        raise InvalidSet(f"This file has no drawing that can be taken{': ' + reasons if reasons else ''}. Correct it.")
    names = collected.check_classes(sorted({sample.label for sample in unique.values()}))
    samples = tuple(unique.values())
    return Arrival(samples, names, dict(left_out), tuple(faults.find(samples, names)))


def _in_zip(content: bytes, most: int, left_out: Counter[str], tell: Tell) -> Iterable[Sample]:
    """Yield the pictures of a zip; nothing is written to the disk, and no more is unpacked than is allowed."""
    if (count := content.count(_ENTRY)) > MAX_MEMBERS:  # before `zipfile` makes an object of each
        raise InvalidSet(f"A zip may have {MAX_MEMBERS:,} files; this one has {count:,}. Bring them in parts.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            wanted = [member for member in members if _label_of(member)]
            left_out["not a picture in a folder named after its class"] += len(members) - len(wanted)
            _require_few(len(wanted), most)
            remaining, end = MAX_PICTURES_BYTES, monotonic() + MAX_READ_SECONDS
            for done, member in enumerate(wanted):
                tell(done, len(wanted))
                _require_time(end, done, len(wanted))
                picture = _unpack(archive, member, remaining)
                remaining -= len(picture)
                yield from taken(partial(_read_picture, member, picture), left_out)
    except InvalidSet:
        raise
    except _ZIP_ERRORS as error:
        raise InvalidSet(
            "This zip cannot be read: it is damaged, encrypted or something else. Pack it again."
        ) from error
    left_out += Counter()  # drops what was never left out


def _label_of(member: zipfile.ZipInfo) -> str:
    """Return the class of a member, the name of its folder; "" for what is no picture in a folder."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return "" if is_hidden or path.suffix.lower() not in _PICTURES else path.parent.name


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, remaining: int) -> bytes:
    limit = min(MAX_PICTURE_BYTES, remaining, max(64 * 1024, MAX_RATIO * member.compress_size))
    with archive.open(member) as stream:
        picture = stream.read(limit + 1)  # whatever size the zip states
    if len(picture) > limit:
        raise InvalidSet(
            f"A picture in a zip may have {MAX_PICTURE_BYTES / 2**20:.0f} MB and all together "
            f"{MAX_PICTURES_BYTES / 2**20:.0f} MB; {member.filename[-40:]!a} has too much. Bring smaller pictures."
        )
    return picture


def _read_picture(member: zipfile.ZipInfo, content: bytes) -> Sample:
    (label,) = collected.check_classes([_label_of(member)])
    try:
        picture = decoding.load_picture(content)
    except InvalidImage as error:
        raise InvalidSet("no picture that can be read") from error
    if picture.shape == (IMAGE_SIZE, IMAGE_SIZE):  # as the networks' own images are
        ink = np.rint(255 * (picture if np.median(picture) < 0.5 else 1 - picture)).astype(np.uint8)
        return collected.of_image(label, ink)
    glyph = glyphs.fit(pictures.find_ink(picture))
    if glyph is None:
        raise InvalidSet("blank")
    return collected.of_image(label, glyph.image)


def _in_csv(content: bytes, most: int, left_out: Counter[str]) -> Iterable[Sample]:
    rows = content.count(b"\n") + 1
    _require_few(rows - 2, most)  # a header and a last line break
    lines = content.removeprefix(codecs.BOM_UTF8).splitlines()
    if max(map(len, lines), default=0) > _MAX_LINE_BYTES:
        raise InvalidSet(f"A row of a .csv should have a label and {_PIXELS} pixels; one is far longer. Correct it.")
    try:
        for place, row in enumerate(csv.reader(line.decode() for line in lines)):
            if not row or (place == 0 and len(row) == 1 + _PIXELS and not row[1].strip().isdecimal()):
                continue  # a header
            yield from taken(partial(_read_pixels, row), left_out)
    except UnicodeDecodeError as error:
        raise InvalidSet("A .csv should be text in UTF-8; this one is not. Save it again.") from error
    except csv.Error as error:
        raise InvalidSet(f"This .csv cannot be read: {error}. Save it again.") from error


def _read_pixels(row: list[str]) -> Sample:
    if len(row) != 1 + _PIXELS:
        raise InvalidSet(f"not a label and {_PIXELS} pixels")
    texts = [text.strip() for text in row]
    if not all(text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 255 for text in texts[1:]):
        raise InvalidSet("pixels that are no whole numbers from 0 to 255")
    if len(texts[0]) > _MAX_FIELD:
        raise InvalidSet("a label that is too long")
    (label,) = collected.check_classes([texts[0]])
    return collected.of_image(label, np.array(texts[1:], np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE))


def _in_json(content: bytes, most: int, left_out: Counter[str]) -> Iterable[Sample]:
    if len(content) > MAX_JSON_BYTES:
        raise InvalidSet(
            f"A .json may have {MAX_JSON_BYTES / 2**20:.0f} MB; this one has {len(content) / 2**20:.1f}. "
            "Bring it in parts."
        )
    try:
        rows = msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=list[msgspec.Raw])
    except (ValueError, RecursionError) as error:
        raise InvalidSet(
            'A .json should be a list of {"label": …, "strokes": [[[x, y], …], …]}; this one is not. Export it again.'
        ) from error
    _require_few(len(rows), most)
    for row in rows:  # one at a time: as Python's lists, numbers take thirty times their bytes
        yield from taken(partial(_read_drawing, bytes(row)), left_out)


def _read_drawing(row: bytes) -> Sample:
    if len(row) > _MAX_ROW_BYTES:
        raise InvalidSet("a drawing that is too large")
    try:
        return collected.read_row(msgspec.json.decode(row))
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidSet("no drawing that can be read") from error


def _require_few(count: int, most: int) -> None:
    if most and count > most:
        raise InvalidSet(f"A set may have {most:,} drawings on this server; this file has {count:,}. Bring fewer.")


def _require_time(end: float, done: int, total: int) -> None:
    """Raise `InvalidSet` after the time for a zip's pictures; each of them has a limit of its own in `decoding`."""
    if monotonic() > end:
        raise InvalidSet(
            f"The pictures of a zip should be read within {MAX_READ_SECONDS:,} seconds; only {done:,} of {total:,} "
            "were, and nothing was kept. Bring fewer or smaller pictures."
        )


def taken(make: Callable[[], Sample], left_out: Counter[str]) -> Iterable[Sample]:
    """Yield a drawing, or count why it cannot be taken."""
    try:
        yield make()
    except InvalidSet as error:
        said = str(error)
        left_out["blank" if "blank" in said else said[:120]] += 1
    except TooManyPictures as error:
        raise InvalidSet(f"{error}") from error
