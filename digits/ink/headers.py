"""Headers: what a picture file says about itself, read from its first bytes before anything is decoded."""

import struct
from typing import NamedTuple

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "HEIC")

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers of a frame; the three are tables
_JPEG_SEQUENTIAL = (0xC0, 0xC1)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"))  # the chunks that decide what is seen


class Header(NamedTuple):
    """What a file says about itself; it may be false.

    Attributes:
        format: one of `FORMATS`.
        width, height: in pixels; 0 if the header does not say.
        scans: how many times the decoder goes over all pixels; more than 1 only for a JPEG.
        is_buffered: whether the decoder must hold a JPEG's coefficients in memory, as for a progressive one.
        parts: the number of segments or chunks around the pixels, if the format has them.
        has_extras: whether a PNG has chunks that `without_extras` leaves out.
    """

    format: str
    width: int = 0
    height: int = 0
    scans: int = 1
    is_buffered: bool = False
    parts: int = 0
    has_extras: bool = False

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def read(data: bytes) -> Header | None:
    """Return the header of a picture file, or None if the file is of no format that is read."""
    if data.startswith(_PNG_SIGNATURE):
        width, height = _unpack(">II", data, 16)
        names = [name for name, _, _ in _chunks(data)]
        return Header("PNG", width, height, parts=len(names), has_extras=not _PNG_PIXELS.issuperset(names))
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        width, height = _unpack("<HH", data, 6)
        return Header("GIF", width, height)
    if data.startswith(b"BM"):
        is_old = data[14:18] == b"\x0c\0\0\0"  # OS/2's header has 16 bits for a side
        width, height = _unpack("<HH" if is_old else "<ii", data, 18)
        return Header("BMP", abs(width), abs(height))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        width, height = _webp_size(data)
        return Header("WEBP", width, height)
    if data[4:8] == b"ftyp" and (data[8:12] in _HEIC_BRANDS and b"avif" not in data[:64]):
        return Header("HEIC")
    return None


def without_extras(png: bytes) -> bytes:
    """Return a PNG without the chunks that do not change what is seen; texts and profiles can unpack to gigabytes."""
    return png[:8] + b"".join(png[start:end] for name, start, end in _chunks(png) if name in _PNG_PIXELS)


def _chunks(png: bytes) -> list[tuple[bytes, int, int]]:
    """Return the name, the start and the end of each chunk."""
    chunks, start = [], len(_PNG_SIGNATURE)
    while start + 8 <= len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        chunks.append((png[start + 4 : start + 8], start, end))
        start = end
    return chunks


def _read_jpeg(data: bytes) -> Header:
    """Walk over the segments to the first scan."""
    width = height = components = parts = 0
    is_sequential, at = False, 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, parts = data[at + 1], parts + 1
        if marker in _JPEG_FRAMES:
            height, width, components = _unpack(">HHB", data, at + 5)
            is_sequential = marker in _JPEG_SEQUENTIAL
        if marker == 0xDA and is_sequential and data[at + 4] == components:
            return Header("JPEG", width, height, parts=parts)
        if marker == 0xDA:
            break
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    # Compressed pixels never hold the bytes of a marker, so each of these begins a scan.
    return Header("JPEG", width, height, data.count(b"\xff\xda"), is_buffered=True, parts=parts)


def _webp_size(data: bytes) -> tuple[int, ...]:
    kind = data[12:16]
    if kind == b"VP8X":
        return tuple(int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    if kind == b"VP8L":
        (bits,) = _unpack("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return tuple(side & 0x3FFF for side in _unpack("<HH", data, 26))


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    """Unpack numbers; those behind the end of a truncated file are 0."""
    size = struct.calcsize(layout)
    return struct.unpack(layout, data[at : at + size].ljust(size, b"\0"))
