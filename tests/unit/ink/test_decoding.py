"""decoding: picture files of every kind become grey pictures, or are refused with a message."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digits.errors import InvalidImage
from digits.ink import decoding, glyphs, pictures
from digits.ink.crops import Crop
from tests.unit.ink.test_glyphs import drawn, encoded, likeness, page, read


class TestLoadPicture:
    @pytest.mark.parametrize("file_format", decoding.FORMATS)
    def test_the_usual_formats(self, file_format: str):
        picture = decoding.load_picture(encoded(page(7), file_format))
        assert (picture.dtype, picture.shape) == (np.float32, (280, 280))
        np.testing.assert_allclose(picture, page(7), atol=0.2)  # JPEG rings at an edge

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_every_mode_of_png(self, mode: str):
        grey = Image.fromarray(np.rint(page(7) * 255).astype(np.uint8))
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
        assert likeness(read(decoding.load_picture(encoded(image))), glyphs.fit_strokes(drawn(7))) > 0.9

    def test_a_photograph_on_its_side_is_turned_as_its_exif_tag_says(self):
        upright = Image.fromarray(np.rint(page(7) * 255).astype(np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90° clockwise to see it upright
        turned = decoding.load_picture(encoded(upright.rotate(90), "JPEG", exif=exif))
        np.testing.assert_allclose(turned, page(7), atol=0.15)

    def test_a_crop_is_cut_out_before_the_picture_is_reduced(self):
        large = Image.fromarray(np.rint(page(7) * 255).astype(np.uint8)).resize((2800, 2800))
        part = decoding.load_picture(encoded(large, "JPEG"), Crop(left=25, right=75, top=50))
        assert part.shape == (800, 800)
        assert np.abs(part[::40, ::40] - page(7)[140::7, 70:210:7]).mean() < 0.02

    def test_a_preview_is_in_colour_upright_and_white_where_it_is_transparent(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = Image.new("RGB", (400, 200), (200, 30, 40))
        preview = decoding.load_preview(encoded(lying, "JPEG", exif=exif), side=100)
        assert preview.size == (50, 100)
        assert preview.getpixel((25, 50))[0] > 150 > preview.getpixel((25, 50))[1]
        assert decoding.load_preview(encoded(Image.new("RGBA", (9, 9))), side=100).getpixel((4, 4)) == (255, 255, 255)

    @pytest.mark.parametrize("colour", [0, 255, 90, 170])
    def test_ink_on_transparency_shows_whatever_its_colour(self, colour: int):
        image = Image.new("RGBA", (280, 280), (colour, colour, colour, 0))
        image.putalpha(Image.fromarray(np.rint((1 - page(4)) * 255).astype(np.uint8)))
        assert likeness(read(decoding.load_picture(encoded(image))), glyphs.fit_strokes(drawn(4))) > 0.9

    def test_a_page_with_transparent_corners_keeps_its_paper(self):
        grey = Image.fromarray(np.rint(page(4) * 255).astype(np.uint8))
        alpha = Image.new("L", (280, 280), 255)
        alpha.paste(0, (0, 0, 40, 40))
        image = Image.merge("LA", (grey, alpha))
        assert likeness(read(decoding.load_picture(encoded(image))), glyphs.fit_strokes(drawn(4))) > 0.9

    def test_a_wholly_transparent_picture_is_blank(self):
        picture = decoding.load_picture(encoded(Image.new("RGBA", (60, 40))))
        assert pictures.find_ink(picture).sum() == 0

    def test_a_large_picture_is_reduced(self):
        image = Image.fromarray(np.rint(page(7) * 255).astype(np.uint8)).resize((3000, 2000))
        for file_format in ("JPEG", "PNG"):
            assert max(decoding.load_picture(encoded(image, file_format)).shape) == decoding.MAX_SIDE

    @pytest.mark.parametrize("file_format", decoding.FORMATS)
    def test_a_truncated_file_is_refused(self, file_format: str):
        data = encoded(page(7), file_format)
        with pytest.raises(InvalidImage, match=r"broken|not a picture"):
            decoding.load_picture(data[: len(data) // 2])

    def test_a_bug_of_our_own_is_no_broken_picture(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(Crop, "apply", lambda crop, picture: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            decoding.load_picture(encoded(page(7)))

    def test_a_text_named_png_is_refused(self):
        with pytest.raises(InvalidImage, match="not a picture"):
            decoding.load_picture(b"Dear Sir or Madam, I am a picture. " * 100)

    def test_a_format_that_is_not_wanted_is_refused(self):
        with pytest.raises(InvalidImage, match="PNG, JPEG"):
            decoding.load_picture(encoded(page(7), "TIFF"))

    def test_an_empty_or_too_large_file_is_refused(self, monkeypatch: pytest.MonkeyPatch):
        with pytest.raises(InvalidImage, match="empty"):
            decoding.load_picture(b"")
        monkeypatch.setattr("digits.settings.MAX_UPLOAD_BYTES", 2**20)
        with pytest.raises(InvalidImage, match="1 MB"):
            decoding.load_picture(b"\0" * (2**20 + 1))

    @pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
    def test_a_decompression_bomb_is_refused_without_unfolding_it(self, side: int):
        """Three sizes: above our limit, above Pillow's warning, and above Pillow's error."""

        def chunk(name: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        with pytest.raises(InvalidImage, match="pixels"):
            decoding.load_picture(bomb)

    @settings(deadline=None, max_examples=100)
    @given(st.sampled_from(decoding.FORMATS), st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
    def test_a_damaged_file_gives_a_picture_or_an_explanation(self, file_format: str, place: int, damage: bytes):
        data = encoded(page(7)[::8, ::8], file_format)
        place %= len(data)
        damaged = data[:place] + damage + data[place + len(damage) :]
        try:
            picture = decoding.load_picture(damaged)
        except InvalidImage:
            return
        assert picture.ndim == 2
