"""The decoder: from a picture file to its pixels, in this process; `decoding` decides in which one.

It does without numpy and scipy where it can, so that a process that only decodes starts quickly.
"""

import io
import json
import math
import struct
import sys
from typing import NamedTuple

from PIL import Image, ImageOps

from digits import settings
from digits.errors import InvalidImage
from digits.ink import headers
from digits.ink.crops import Crop
from digits.ink.headers import Header

MAX_SIDE = 800  # larger pictures are reduced; a digit a tenth as high as the page still has 80 pixels
MAX_ASPECT = 100  # how many times as long as it is wide; 800 pixels long, a picture is then 8 wide

# What Pillow raises, or warns of, where a file is broken.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, UserWarning)

MAX_SCANNED_PIXELS = 1_500_000_000  # over all scans of a JPEG; an ordinary progressive one has 10 scans

IS_BROKEN = "This picture is broken or truncated. Save it again, and upload that file."
_NEEDS_MEMORY = "This picture needs too much memory to decode. Reduce it, or save it as JPEG."
_NO_HEIC = (
    "HEIC pictures cannot be read here, because the package pillow-heif is not installed. Save the picture as JPEG; "
    "an iPhone takes JPEG with Settings, Camera, Formats, Most Compatible."
)


class Request(NamedTuple):
    """What is wanted of a picture: a part, its largest side in pixels, and the mode if it is opaque."""

    crop: Crop
    side: int
    mode: str


def decode(data: bytes, header: Header, wanted: Request) -> Image.Image:
    """Decode a file into an upright picture, cropped and reduced; RGBA if it is transparent.

    Raises:
        InvalidImage: the file is broken, larger than its header says, or too long for its width.
        MemoryError: the process has too little memory.
    """
    try:
        image = _open(data, header)
    except InvalidImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImage(
            f"A picture may have {settings.MAX_IMAGE_PIXELS:,} pixels; this one has far more."
        ) from error
    except _BROKEN as error:
        raise InvalidImage(IS_BROKEN) from error
    if header.pixels and image.width * image.height > header.pixels:  # as a GIF's frame may be
        raise InvalidImage(IS_BROKEN)
    check_size(header.format, *image.size, header.scans)  # nothing is decoded yet
    try:
        image.draft(None, needed_size(image.size, wanted))  # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
    except _BROKEN as error:
        raise InvalidImage(IS_BROKEN) from error
    if image.mode == "P" and image.palette is None:
        raise InvalidImage(IS_BROKEN)
    return _reduced(wanted.crop.apply(image), wanted.side, wanted.mode)


def needed_size(size: tuple[int, int], wanted: Request) -> tuple[int, int]:
    """Return the width and height at which a picture must be decoded, so that the part wanted is large enough."""
    share = math.ceil(wanted.side / wanted.crop.smaller_share) / max(size)
    return math.ceil(size[0] * share), math.ceil(size[1] * share)


def _open(data: bytes, header: Header) -> Image.Image:
    if header.format == "HEIC":
        try:
            import pillow_heif  # here, because only the process that decodes such a picture needs it
        except ImportError as error:
            raise InvalidImage(_NO_HEIC) from error
        pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
        return Image.open(io.BytesIO(data), formats=("HEIF",))
    content = headers.without_extras(data) if header.has_extras else data
    return Image.open(io.BytesIO(content), formats=(header.format,))


def _reduced(image: Image.Image, side: int, opaque_mode: str) -> Image.Image:
    """Reduce the longer side to `side`, in a mode that Pillow can average."""
    if max(image.size) > MAX_ASPECT * min(image.size):
        raise InvalidImage(
            f"A picture may be at most {MAX_ASPECT} times as long as it is wide; this one has {image.width:,} × "
            f"{image.height:,} pixels. Choose another part or another picture."
        )
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        import numpy as np

        values = np.asarray(image, dtype=np.float32)
        image = Image.fromarray((values / max(1.0, float(values.max())) * 255).astype(np.uint8))
    mode = "RGBA" if image.has_transparency_data else opaque_mode
    image = image if image.mode == mode else image.convert(mode)
    image.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return image


def check_size(file_format: str, width: int, height: int, scans: int) -> None:
    """Raise `InvalidImage` if a picture has too many pixels for its format, or is gone over too many times."""
    limit = settings.MAX_PIXELS_BY_FORMAT.get(file_format, settings.MAX_IMAGE_PIXELS)
    if width * height > limit:
        name = {"WEBP": "WebP picture", "JPEG": "JPEG picture", "HEIC": "HEIC picture"}.get(file_format, "picture")
        raise InvalidImage(f"A {name} may have {limit:,} pixels; this one has {width:,} × {height:,}. Reduce it.")
    if width * height * scans > MAX_SCANNED_PIXELS:
        raise InvalidImage(f"This JPEG is stored in {scans:,} scans, which takes too long. Save it as an ordinary one.")


def encode(image: Image.Image) -> bytes:
    """Return a decoded picture as a file for keeping: a JPEG, or a PNG of at most `MAX_SIDE` pixels if transparent."""
    stream = io.BytesIO()
    if image.mode == "RGBA":
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=None)
        image.save(stream, "PNG")
    else:
        image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def answer() -> None:
    """Decode the picture on a limited process's standard input; write its pixels or its file to the standard output."""
    request = json.loads(sys.argv[1])
    wanted, pixels = Request(Crop(**request["crop"]), request["side"], request["mode"]), b""
    data = sys.stdin.buffer.read()
    try:
        image = decode(data, headers.read(data) or Header("JPEG"), wanted)
        reply = {"mode": image.mode, "size": image.size}
        pixels = encode(image) if request["is_kept"] else image.tobytes()
    except InvalidImage as error:
        reply = {"problem": str(error)}
    except MemoryError:
        reply = {"problem": _NEEDS_MEMORY}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + pixels)
