"""Uploads: several pictures read at once, with one outcome for each; a bad picture does not affect the others."""

from dataclasses import dataclass

from digits.errors import InvalidImage
from digits.ink import decoding
from digits.ink.crops import WHOLE, Crop
from digits.models import answers
from digits.models.reading import Classifier, read_picture

MAX_PICTURES = 50  # at once: a picture takes about a fifth of a second
MAX_KEPT_BYTES = 32 * 2**20  # of one visitor's pictures; 50 photographs take about 20 MB
_THUMBNAIL_SIDE = 128  # pixels


@dataclass(frozen=True)
class Picture:
    """A picture that a visitor uploaded, as it is kept.

    Attributes:
        id: tells it from other uploads.
        name: the file's name.
        data: a file that shows the picture, reduced if it was large; empty if it is not kept.
        problem: why it is not kept; "" if it is.
    """

    id: str
    name: str
    data: bytes
    problem: str = ""


def keep(upload_id: str, name: str, data: bytes, *, kept_bytes: int) -> Picture:
    """Return an upload as it is kept for as long as its visitor may turn, crop and read it.

    Args:
        kept_bytes: the size of the visitor's pictures that are already kept.

    Raises:
        TooManyPictures: others' pictures are being decoded; the caller may try again.
    """
    try:
        reduced = decoding.reduce(data)
    except InvalidImage as error:
        return Picture(upload_id, name, b"", str(error))
    if kept_bytes + len(reduced) > MAX_KEPT_BYTES:
        limit = MAX_KEPT_BYTES // 2**20
        problem = f"Pictures may take {limit} MB together, and yours do. Remove some, and choose this one again."
        return Picture(upload_id, name, b"", problem)
    return Picture(upload_id, name, reduced)


@dataclass(frozen=True)
class Outcome:
    """The result of one picture.

    Attributes:
        name: the file's name.
        reading: the number, with ? for a mark that does not look like a digit; several lines of writing give numbers
            separated by spaces; "" if none was read.
        confidence: the probability that the whole reading is correct, in [0, 1].
        digits, doubtful: how many digits were found, and how many of them the judge refused.
        sentence: what is said about the reading, as `answers.answer` says it; "" if none was read.
        message: what is wrong with the picture; "" if it was read.
        thumbnail: a small JPEG of the picture as cropped; empty if the file is not a picture.
    """

    name: str
    reading: str = ""
    confidence: float = 0.0
    digits: int = 0
    doubtful: int = 0
    sentence: str = ""
    message: str = ""
    thumbnail: bytes = b""

    @property
    def is_read(self) -> bool:
        """Whether digits were found and all of them look like one."""
        return self.digits > 0 and not self.doubtful

    @property
    def looks(self) -> str:
        """Whether it looks like a digit: "yes", "no", "2 of 3", or "" if nothing was found."""
        if not self.digits:
            return ""
        if self.digits == 1 or self.doubtful in (0, self.digits):
            return "no" if self.doubtful else "yes"
        return f"{self.digits - self.doubtful} of {self.digits}"


def read_kept(picture: Picture, model: Classifier, crop: Crop = WHOLE) -> Outcome:
    """Read one of several kept pictures; its problem, or an `InvalidImage` error, becomes the outcome's message."""
    if picture.problem:
        return Outcome(picture.name, message=picture.problem)
    return read(picture.name, picture.data, model, crop)


def read(name: str, data: bytes, model: Classifier, crop: Crop = WHOLE) -> Outcome:
    """Read one of several pictures; an `InvalidImage` error becomes the outcome's message."""
    thumbnail = b""
    try:
        thumbnail = crop.cut(decoding.load_preview(data, side=_THUMBNAIL_SIDE), side=_THUMBNAIL_SIDE)
        reading = read_picture(data, model, crop)
    except InvalidImage as error:
        return Outcome(name, message=str(error), thumbnail=thumbnail)
    said = answers.answer(reading, model.class_names)
    if said.tone is answers.Tone.NOTHING:
        return Outcome(name, message=said.remark, thumbnail=thumbnail)
    return Outcome(
        name,
        said.text.replace("\n", " "),
        reading.confidence,
        len(reading.digits),
        reading.doubtful,
        said.remark,
        thumbnail=thumbnail,
    )
