"""Hostile pictures: files that are broken, bloated or of a rare kind, made from seeds, by kind."""

import random
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from digits.ink import decoding
from tests.unit.ink.test_glyphs import encoded, page

OTHER_FORMATS = (
    "TIFF",
    "ICO",
    "PPM",
    "JPEG2000",
    "AVIF",
    "PDF",
    "EPS",
    "TGA",
    "PCX",
    "SGI",
    "DDS",
    "ICNS",
    "SPIDER",
)
Pictures = Iterator[tuple[str, bytes]]  # a file's name and content


def seven(width: int = 280, height: int = 280, mode: str = "L") -> Image.Image:
    """A black 7 on white paper."""
    image = Image.fromarray(np.rint(page(7) * 255).astype(np.uint8))
    return image.resize((width, height)).convert(mode)


def png(width: int, height: int, pixels: bytes, *, colour: int = 0, depth: int = 8, extra: bytes = b"") -> bytes:
    """A PNG put together by hand, so that it may claim anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def zeros(count: int) -> bytes:
    """Very many zero bytes, compressed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(min(2**20, count - at))) for at in range(0, count, 2**20)) + packer.flush()


def with_scans(count: int, side: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encoded(seven(side, side, "RGB"), "JPEG", progressive=True, quality=30)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def with_exif(data: bytes, exif: bytes) -> bytes:
    """A JPEG with these bytes as its EXIF block."""
    block = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def transparent_webp(width: int, height: int) -> bytes:
    """A lossless WebP of one transparent colour, in a few bytes at any size."""
    data = encoded(Image.new("RGBA", (16, 16)), "WEBP", lossless=True)
    at = data.index(b"VP8L") + 9  # behind the name, the length and a signature
    return data[:at] + struct.pack("<I", width - 1 | height - 1 << 14 | 1 << 28) + data[at + 4 :]


def photograph(width: int, height: int) -> Image.Image:
    """A 7 on grainy grey paper."""
    grain = np.random.default_rng(7).integers(-8, 9, (256, 256), dtype=np.int8)
    paper = np.asarray(seven(width, height)) // 2 + 60 + np.tile(grain, (24, 32))[:height, :width]
    return Image.fromarray(paper.astype(np.uint8)).convert("RGB")


def truncated() -> Pictures:
    for file_format in decoding.FORMATS:
        data = encoded(page(7), file_format)
        for eighth in range(8):
            yield f"{eighth}.{file_format}", data[: 12 + len(data) * eighth // 8]


def flipped() -> Pictures:
    for file_format in decoding.FORMATS:
        data = encoded(page(7), file_format)
        for seed in range(18):
            chance, damaged = random.Random(f"{file_format} {seed}"), bytearray(data)
            for _ in range(1 + seed % 4 * 8):
                damaged[chance.randrange(len(data) if seed % 2 else 64)] ^= 1 << chance.randrange(8)
            yield f"{seed}.{file_format}", bytes(damaged)


def other_formats() -> Pictures:
    for file_format in OTHER_FORMATS:
        mode = "F" if file_format == "SPIDER" else "RGB"
        yield f"a {file_format} called.png", encoded(seven(64, 64, mode), file_format)
    yield "svg.png", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://host/x.png"/></svg>'
    yield "text.jpg", b"Dear Sir or Madam, I am a picture. " * 1000
    yield "page.gif", b"<!doctype html><script>alert(1)</script>"
    yield "zip.png", b"PK\x03\x04" + bytes(2000)
    yield "program.bmp", b"\x7fELF" + bytes(2000)
    yield "heif without pictures.heic", struct.pack(">I", 24) + b"ftypheic" + bytes(12)


def modes() -> Pictures:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"{mode}.png", encoded(seven(mode=mode))
    yield "16 bits.png", encoded(Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257))
    for depth in (1, 2, 4, 8):
        colours = chunk(b"PLTE", bytes(range(3 * 2**depth)) if depth < 8 else bytes(range(256)) * 3)
        rows = zlib.compress(bytes(40 * (1 + 40 * depth // 8)))
        yield f"palette {depth}.png", png(40, 40, rows, colour=3, depth=depth, extra=colours)
    yield "no palette.png", png(40, 40, zlib.compress(bytes(41 * 40)), colour=3)
    yield (
        "short palette.png",
        png(40, 40, zlib.compress(b"\0" + b"\xff" * 40), colour=3, extra=chunk(b"PLTE", bytes(3))),
    )
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        yield f"{mode}.jpg", encoded(seven(mode=mode), "JPEG")
        yield f"{mode} progressive.jpg", encoded(seven(mode=mode), "JPEG", progressive=True)
    for mode in ("1", "L", "P", "RGB"):
        yield f"{mode}.bmp", encoded(seven(mode=mode), "BMP")
    for mode in ("L", "P", "RGBA"):
        yield f"{mode}.gif", encoded(seven(mode=mode), "GIF")
    yield "lossless.webp", encoded(seven(mode="RGBA"), "WEBP", lossless=True)


def animated() -> Pictures:
    for count in (2, 100):
        frames = [seven().rotate(index) for index in range(1, count)]
        yield f"{count}.gif", encoded(seven(), "GIF", save_all=True, append_images=frames)
        yield f"{count}.png", encoded(seven(), "PNG", save_all=True, append_images=frames)
        yield f"{count}.webp", encoded(seven(), "WEBP", save_all=True, append_images=frames, method=0)


def nothing() -> Pictures:
    yield "empty.png", b""
    for start in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"GIF89a", b"BM", b"RIFF\x04\0\0\0WEBP"):
        yield f"{start!r}.png", start
    for width, height in ((0, 0), (0, 9), (9, 0)):
        yield f"{width}x{height}.png", png(width, height, zlib.compress(b""))
        yield f"{width}x{height}.gif", b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
        yield f"{width}x{height}.bmp", b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header
    data = bytearray(encoded(seven(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = bytes(4)
    yield "0x0.jpg", bytes(data)


def huge() -> Pictures:
    yield "34 bytes.webp", transparent_webp(16383, 2441)
    yield "16 megapixels.webp", transparent_webp(4096, 3900)
    for side in (6_300, 7_000, 12_000, 65_500, 2**31 - 1):
        yield f"{side}.png", png(side, side, zlib.compress(bytes(10**6)))
        if side < 2**16:
            yield (
                f"{side}.gif",
                b"GIF89a"
                + struct.pack("<HHBBB", side, side, 0, 0, 0)
                + (b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02L\x01\0;"),
            )
            data = bytearray(encoded(seven(), "JPEG"))
            at = data.index(b"\xff\xc0")
            data[at + 5 : at + 9] = struct.pack(">HH", side, side)
            yield f"{side}.jpg", bytes(data)
        header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
        yield f"{side} packed.bmp", b"BM" + struct.pack("<IHHI", 1100, 0, 0, 1078) + header + bytes(1046)
    yield "40 megapixels of nothing.png", png(6_300, 6_300, zeros(6_301 * 6_300))
    yield "40 megapixels of transparent nothing.png", png(6_300, 6_300, zeros(6_300 * 25_201), colour=6)
    yield "more data than pixels.png", png(28, 28, zeros(2**28))


def scans() -> Pictures:
    yield "600 scans.jpg", with_scans(600, 280)
    yield "3000 scans.jpg", with_scans(3000, 280)
    yield "400 scans of 16 megapixels.jpg", with_scans(400, 4000)


def exif_junk() -> Pictures:
    photograph = encoded(seven(), "JPEG")
    for orientation in (0, 3, 6, 8, 9, 65_535):
        entry = struct.pack("<HHHHHI", 1, 0x0112, 3, 1, 0, orientation)
        tags = b"II*\0\x08\0\0\0" + entry[:2] + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
        yield f"orientation {orientation}.jpg", with_exif(photograph, tags)
        yield f"orientation {orientation}.png", png(9, 9, zlib.compress(bytes(90)), extra=chunk(b"eXIf", tags))
    for seed in range(12):
        junk = random.Random(seed).randbytes(40 * seed)
        yield f"junk {seed}.jpg", with_exif(photograph, (b"II*\0\x08\0\0\0" if seed % 2 else b"") + junk)
    yield "a ring.jpg", with_exif(photograph, b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0")
    yield "60 blocks.jpg", photograph[:2] + with_exif(b"\xff\xd8", bytes(65_000))[2:] * 60 + photograph[2:]


def text_bombs() -> Pictures:
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(seven())))
    million = zeros(10**6)
    for name, head in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")):
        for count in (1, 60, 3000):
            yield f"{count} {name.decode()}.png", png(280, 280, pixels, extra=chunk(name, head + million) * count)
        yield f"256 MB of {name.decode()}.png", png(280, 280, pixels, extra=chunk(name, head + zeros(2**28)))
    yield "3 MB tEXt.png", png(280, 280, pixels, extra=chunk(b"tEXt", b"a\0" + b"b" * 3_000_000))


def thin() -> Pictures:
    for length in (601, 801, 1700, 5_000, 16_000):
        for file_format in ("PNG", "JPEG", "WEBP"):
            yield f"{length} wide.{file_format}", encoded(seven(length, 1), file_format)
            yield f"{length} high.{file_format}", encoded(seven(1, length), file_format)
    yield "3 high.png", encoded(seven(3_000, 3))
    yield "65000 wide.jpg", encoded(seven(65_000, 8), "JPEG")
    yield "one pixel.png", encoded(seven(1, 1))


PHONES = {12: (4032, 3024), 48: (8064, 6048), 50: (8160, 6144)}  # megapixels and sides


def phones(megapixels: Sequence[int] = (12, 48, 50)) -> Pictures:
    for count in megapixels:
        size, exif = PHONES[count], Image.Exif()
        upright = photograph(*size)
        exif[0x0112] = 6  # it is upright when it is turned by 90° clockwise
        lying = upright.transpose(Image.Transpose.ROTATE_90)
        yield f"{count} megapixels.jpg", encoded(upright, "JPEG")
        yield f"{count} megapixels, lying.jpg", encoded(lying, "JPEG", exif=exif)
        yield f"{count} megapixels, progressive.jpg", encoded(upright, "JPEG", progressive=True)
        yield f"{count} megapixels.heic", encoded(seven(*size, "RGB"), "HEIC")


KINDS = {
    made.__name__.replace("_", " "): made
    for made in (
        truncated, flipped, other_formats, modes, animated, nothing, huge, scans, exif_junk, text_bombs, thin, phones,
    )
}  # fmt: skip
