"""Decoding: from the bytes of a picture file, whoever made it, to its pixels, in bounded time and memory.

Ordinary files are decoded here after a look at their headers. Files that could take much time or memory, and formats
with a history of faults, are decoded in a process with limits.
"""

import contextlib
import dataclasses
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from digits import limits, settings
from digits.errors import InvalidImage, TooManyPictures
from digits.ink import decoder, headers
from digits.ink.crops import WHOLE, Crop
from digits.ink.decoder import IS_BROKEN, MAX_SIDE, Request
from digits.ink.headers import FORMATS, Header

KEPT_SIDE = 2000  # of a picture that is kept for the page; a crop of two fifths still has `MAX_SIDE` pixels
KEPT_BYTES = 2**20  # a picture up to this size is kept as it is

_LIGHT_BYTES = 32 * 2**20  # of memory, for a file that is decoded in this process
_LIGHT_SCANNED_PIXELS = 100_000_000
_LIGHT_FILE_BYTES = 2**19  # of a GIF or a WebP
_LIGHT_PARTS = 2_000
_COEFFICIENT_BYTES = 6  # a pixel's share, with three components of 16 bits
_WEBP_BYTES = 16  # libwebp keeps the last picture and the next

_HEAVY_MEMORY_BYTES = 512 * 2**20
_HEAVY_CPU_SECONDS = 6
_HEAVY_SECONDS = 60  # the CPU time bounds the cost; a busy machine may need longer for it
_WAIT_SECONDS = 20
_HEAVY_PROGRAM = "from digits.ink import decoder; decoder.answer()"

_NO_PICTURE = f"This file is not a picture in one of the formats {', '.join(FORMATS)}. Save it as JPEG or PNG."
_TAKES_LONG = "This picture takes too long to decode. Save it as an ordinary JPEG or PNG, and upload that file."

_light_turns = threading.BoundedSemaphore(4)  # how many pictures are decoded at once
_heavy_turns = threading.BoundedSemaphore(2)


def load_picture(data: bytes, crop: Crop = WHOLE) -> np.ndarray:
    """Decode an uploaded picture.

    The picture is rotated as its EXIF tag says. A transparent picture is laid on a paper that contrasts with its ink.

    Args:
        data: a PNG, JPEG, WebP, GIF (its first frame), BMP or HEIC file.
        crop: the part to keep; it is cut out before the picture is reduced.

    Returns:
        picture: float32 (height, width), 0 is black and 1 is white; the longer side has at most `MAX_SIDE` pixels.

    Raises:
        InvalidImage: the file is empty, too large, of another format, broken, too long for its width, or takes too
            much time or memory to decode.
        TooManyPictures: others' pictures are being decoded; the caller waited for 20 seconds.
    """
    return _grey(_decode(data, Request(crop, MAX_SIDE, "L")))


def load_preview(data: bytes, *, side: int) -> Image.Image:
    """Decode an uploaded picture for display, in colour and on white.

    Args:
        data: as for `load_picture`.
        side: the largest number of pixels of the longer side.

    Returns:
        An RGB picture.

    Raises:
        InvalidImage, TooManyPictures: as in `load_picture`.
    """
    image = _decode(data, Request(WHOLE, side, "RGB"))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def reduce(data: bytes) -> bytes:
    """Return a file of at most a few megabytes that shows the same picture, for keeping.

    A file that is small and quickly decoded is returned as it is. Another becomes a JPEG, or a PNG if it is
    transparent, upright and with at most `KEPT_SIDE` pixels a side.

    Raises:
        InvalidImage, TooManyPictures: as in `load_picture`.
    """
    whole = Request(WHOLE, KEPT_SIDE, "RGB")
    if not _is_light(_check(data), data, whole):
        return _ask(data, whole, is_kept=True)[1]
    return data if len(data) <= KEPT_BYTES else decoder.encode(_decode(data, whole))


def _decode(data: bytes, wanted: Request) -> Image.Image:
    """Decode a file into an upright picture, cropped and reduced; RGBA if it is transparent."""
    header = _check(data)
    if not _is_light(header, data, wanted):
        reply, pixels = _ask(data, wanted)
        return Image.frombytes(reply["mode"], tuple(reply["size"]), pixels)
    with _turn(_light_turns):
        return decoder.decode(data, header, wanted)


@contextlib.contextmanager
def _turn(turns: threading.BoundedSemaphore) -> Iterator[None]:
    """Wait until fewer pictures are decoded."""
    if not turns.acquire(timeout=_WAIT_SECONDS):
        raise TooManyPictures("Other pictures are being decoded at this moment. Try again in a few seconds.")
    try:
        yield
    finally:
        turns.release()


def _check(data: bytes) -> Header:
    """Return a file's header, or raise `InvalidImage`, before anything is decoded."""
    if not data:
        raise InvalidImage("The picture is empty: the file has 0 bytes.")
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 2**20
        raise InvalidImage(f"A picture may have {limit:.0f} MB; this one has {len(data) / 2**20:.1f} MB. Reduce it.")
    header = headers.read(data)
    if header is None:
        raise InvalidImage(_NO_PICTURE)
    if not header.pixels and header.format not in ("JPEG", "HEIC"):  # in which the size can be anywhere
        raise InvalidImage(IS_BROKEN)
    decoder.check_size(header.format, header.width, header.height, header.scans)
    return header


def _is_light(header: Header, data: bytes, wanted: Request) -> bool:
    """Return whether a file can neither take much memory nor much time, whatever it holds."""
    if not header.pixels or header.parts > _LIGHT_PARTS or header.pixels * header.scans > _LIGHT_SCANNED_PIXELS:
        return False
    if header.format == "JPEG":
        width, height = decoder.needed_size((header.width, header.height), wanted)
        scale = max((k for k in (2, 4, 8) if k * width <= header.width and k * height <= header.height), default=1)
        memory = header.pixels * 4 // scale**2 + header.pixels * _COEFFICIENT_BYTES * header.is_buffered
    elif header.format in ("PNG", "BMP"):
        memory = header.pixels * 8
    else:
        memory = header.pixels * _WEBP_BYTES
    is_short = header.format in ("JPEG", "PNG", "BMP") or len(data) <= _LIGHT_FILE_BYTES
    return is_short and memory <= _LIGHT_BYTES and header.format != "HEIC"


def _ask(data: bytes, wanted: Request, *, is_kept: bool = False) -> tuple[dict[str, Any], bytes]:
    """Decode in a process with limits.

    Args:
        is_kept: whether a file for keeping is wanted, which takes a thirtieth of the memory of its pixels.

    Returns:
        the picture's mode and size, and its pixels or its file.
    """
    request = {"crop": dataclasses.asdict(wanted.crop), "side": wanted.side, "mode": wanted.mode, "is_kept": is_kept}
    with _turn(_heavy_turns):
        ended = limits.ask(
            _HEAVY_PROGRAM,
            [json.dumps(request)],
            data,
            memory_bytes=_HEAVY_MEMORY_BYTES,
            cpu_seconds=_HEAVY_CPU_SECONDS,
            seconds=_HEAVY_SECONDS,
        )
    if ended.is_late:
        raise InvalidImage(_TAKES_LONG)
    if ended.status:
        logging.getLogger(__name__).error("The process that decodes a picture ended with status %d.", ended.status)
        raise InvalidImage(IS_BROKEN)
    head, _, content = ended.answer.partition(b"\n")
    reply = json.loads(head)
    if "problem" in reply:
        raise InvalidImage(reply["problem"])
    return reply, content


def _grey(image: Image.Image) -> np.ndarray:
    """Turn an L or RGBA image into float32 (height, width), with a contrasting paper below transparent parts."""
    if image.mode == "L":
        return np.asarray(image, dtype=np.float32) / 255
    alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
    luma = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32) / 255
    opacity = float(alpha.mean())
    if opacity == 0:
        return np.ones_like(alpha)
    if opacity < 0.5:  # ink without paper: put white paper below dark ink, black paper below light ink
        paper = 1.0 if float((luma * alpha).sum() / alpha.sum()) < 0.5 else 0.0
    else:  # a page with holes or soft edges
        paper = float(np.median(luma[alpha > 0.5]))
    return luma * alpha + paper * (1 - alpha)
