"""headers: the size of a picture is known before it is decoded, and a PNG's texts are left out."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digits.ink import headers
from tests.unit.ink import hostile
from tests.unit.ink.test_glyphs import encoded


@pytest.mark.parametrize("file_format", headers.FORMATS)
def test_the_size_of_every_format_is_read(file_format):
    """HEIC alone says its size further inside."""
    header = headers.read(encoded(hostile.seven(123, 45, "RGB"), file_format))
    assert header.format == file_format
    assert (header.width, header.height) == ((0, 0) if file_format == "HEIC" else (123, 45))


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}, {}])
def test_the_size_of_every_kind_of_webp_is_read(options):
    """WebP has three layouts: lossless, extended and simple."""
    header = headers.read(encoded(hostile.seven(123, 45, "RGB"), "WEBP", **options))
    assert (header.width, header.height) == (123, 45)


def test_the_scans_of_a_jpeg_are_counted():
    """An ordinary JPEG has one scan and is decoded line by line; a progressive one is held in memory."""
    ordinary = headers.read(encoded(hostile.seven(mode="RGB"), "JPEG"))
    assert (ordinary.scans, ordinary.is_buffered) == (1, False)
    progressive = headers.read(hostile.with_scans(100, 64))
    assert progressive.scans > 100
    assert progressive.is_buffered


@pytest.mark.parametrize("file_format", ["TIFF", "AVIF", "ICO"])
def test_other_formats_have_no_header_here(file_format):
    """AVIF resembles HEIC and is another format."""
    assert headers.read(encoded(hostile.seven(64, 64, "RGB"), file_format)) is None


def test_a_png_keeps_its_pixels_without_its_texts():
    """What is seen stays the same: pixels, palette, transparency and the orientation."""
    data = encoded(hostile.seven(64, 64, "P"), transparency=3)
    bloated = data[:33] + hostile.chunk(b"tEXt", b"a\0" + bytes(10**6)) + data[33:]
    slim = headers.without_extras(bloated)
    assert len(slim) <= len(data)
    assert (
        Image.open(io.BytesIO(slim)).convert("RGBA").tobytes() == Image.open(io.BytesIO(data)).convert("RGBA").tobytes()
    )


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF1234WEBPVP8L"]), st.binary())
def test_any_bytes_have_a_header_or_none(start, rest):
    """A header is read without an exception, whatever follows the signature."""
    header = headers.read(start + rest)
    assert header is None or header.pixels >= 0
