"""decoding: picture files of every kind become grey pictures, or are refused with a message."""

import io
import json
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digits import limits
from digits.errors import InvalidImage, TooManyPictures
from digits.ink import decoder, decoding, glyphs, pictures
from digits.ink.crops import Crop
from tests.unit.ink import hostile
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
    @given(st.sampled_from(decoding.FORMATS[:-1]), st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
    def test_a_damaged_file_gives_a_picture_or_an_explanation(self, file_format: str, place: int, damage: bytes):
        data = encoded(page(7)[::8, ::8], file_format)
        place %= len(data)
        damaged = data[:place] + damage + data[place + len(damage) :]
        try:
            picture = decoding.load_picture(damaged)
        except InvalidImage:
            return
        assert picture.ndim == 2


class TestBounds:
    def test_a_phones_50_megapixels_are_reduced_while_they_are_decoded(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = hostile.photograph(8160, 6144).transpose(Image.Transpose.ROTATE_90)
        picture = decoding.load_picture(encoded(lying, "JPEG", exif=exif))
        assert picture.shape == (602, 800)
        stretched = [
            stroke * np.float32([8160 / 6144, 1]) for stroke in drawn(7)
        ]  # as the photograph shows the square page
        assert likeness(read(picture), glyphs.fit_strokes(stretched)) > 0.9

    def test_a_heic_photograph_is_read(self):
        picture = decoding.load_picture(encoded(page(7), "HEIC"))
        assert likeness(read(picture), glyphs.fit_strokes(drawn(7))) > 0.9

    def test_without_its_package_a_heic_photograph_is_refused_with_what_to_do(self, monkeypatch: pytest.MonkeyPatch):
        data = encoded(page(7), "HEIC")
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        with pytest.raises(InvalidImage, match="Most Compatible"):
            decoder.decode(data, decoding.Header("HEIC"), decoding.Request(Crop(), 800, "L"))

    def test_heic_costs_the_other_formats_nothing(self):
        code = "import sys; import digits.ink.decoding; print('pillow_heif' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"

    @pytest.mark.parametrize("shape", [(3, 601), (601, 3), (1, 5000), (5000, 1)])
    def test_a_picture_that_is_much_longer_than_wide_is_refused(self, shape: tuple[int, int]):
        with pytest.raises(InvalidImage, match="100 times as long"):
            decoding.load_picture(encoded(hostile.seven(*shape)))
        with pytest.raises(InvalidImage, match="100 times as long"):
            decoding.load_preview(encoded(hostile.seven(*shape)), side=100)

    def test_so_is_a_narrow_part_of_a_picture(self):
        with pytest.raises(InvalidImage, match="another part"):
            decoding.load_picture(encoded(hostile.seven(1000, 2000)), Crop(left=50, right=51))

    def test_a_gif_that_holds_more_than_it_claims_is_refused(self):
        data = bytearray(encoded(page(7), "GIF"))
        data[6:10] = struct.pack("<HH", 9, 9)
        with pytest.raises(InvalidImage, match="broken"):
            decoding.load_picture(bytes(data))

    def test_a_picture_apart_is_the_same_as_one_here(self, monkeypatch: pytest.MonkeyPatch):
        for data in (encoded(page(7)), encoded(hostile.seven(900, 900, "RGBA"), "WEBP")):
            here = decoding.load_picture(data, Crop(turns=1, left=10))
            with monkeypatch.context() as patch:
                patch.setattr(decoding, "_LIGHT_BYTES", 0)
                np.testing.assert_array_equal(decoding.load_picture(data, Crop(turns=1, left=10)), here)

    @pytest.mark.parametrize(
        ("ended", "message"),
        [
            (limits.Ended(-9, b"", is_late=True), "takes too long"),
            (limits.Ended(-11, b"", is_late=False), "broken"),
            (limits.Ended(0, json.dumps({"problem": "This picture is odd."}).encode(), is_late=False), "is odd"),
        ],
    )
    def test_a_process_that_fails_gives_a_message(self, ended: limits.Ended, message: str, monkeypatch):
        monkeypatch.setattr(limits, "ask", lambda *arguments, **options: ended)
        with pytest.raises(InvalidImage, match=message):
            decoding.load_picture(encoded(page(7), "HEIC"))

    def test_too_little_memory_gives_a_message(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(decoding, "_HEAVY_MEMORY_BYTES", 60 * 2**20)
        with pytest.raises(InvalidImage, match="memory"):
            decoding.load_picture(encoded(Image.new("RGBA", (3000, 4000))))

    def test_a_picture_waits_for_its_turn_and_is_refused_when_that_takes_long(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(decoding, "_light_turns", threading.BoundedSemaphore(1))
        monkeypatch.setattr(decoding, "_WAIT_SECONDS", 0.05)
        with decoding._light_turns, pytest.raises(TooManyPictures, match="Try again"):
            decoding.load_picture(encoded(page(7)))
        assert decoding.load_picture(encoded(page(7))).shape == (280, 280)


class TestReduce:
    def test_a_small_file_is_kept_as_it_is(self):
        data = encoded(page(7))
        assert decoding.reduce(data) is data

    @pytest.mark.parametrize(("mode", "kept_format"), [("RGB", "JPEG"), ("RGBA", "PNG")])
    def test_a_large_one_is_kept_smaller_and_shows_the_same(self, mode: str, kept_format: str):
        data = encoded(hostile.seven(3000, 2500, mode))
        kept = decoding.reduce(data)
        image = Image.open(io.BytesIO(kept))
        assert image.format == kept_format
        assert max(image.size) <= decoding.KEPT_SIDE
        assert np.abs(decoding.load_picture(kept) - decoding.load_picture(data)).mean() < 0.01

    def test_a_file_with_a_long_text_is_kept_without_it(self):
        data = encoded(page(7))
        bloated = data[:33] + hostile.chunk(b"tEXt", b"a\0" + bytes(2 * 10**6)) + data[33:]
        assert len(decoding.reduce(bloated)) < 10**5

    def test_what_cannot_be_decoded_is_refused(self):
        with pytest.raises(InvalidImage, match="not a picture"):
            decoding.reduce(b"Dear Sir or Madam")


# Decodes each file of a folder and prints what became of it, then the most memory that it took in MB.
DECODE_ALL = """
import resource, sys
from pathlib import Path
from digits.errors import InvalidImage
from digits.ink import decoding
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = used()
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, decoding.load_picture(path.read_bytes()).shape)
    except InvalidImage as error:
        print(path.name, error)
print(used() - before)
"""


class TestHostilePictures:
    @pytest.mark.parametrize("kind", hostile.KINDS)
    def test_each_is_read_or_refused_in_little_memory_and_time(self, kind: str, tmp_path: Path):
        """This process never grows by more than 100 MB; what needs more is done by another."""
        pytest.importorskip("resource", reason="only POSIX counts a process's memory")
        made = hostile.phones(megapixels=(12,)) if kind == "phones" else hostile.KINDS[kind]()
        folder, count = tmp_path / "pictures", 0
        folder.mkdir()
        for name, data in made:
            (folder / f"{count:03} {name.replace('/', ' ')}").write_bytes(data)
            count += 1
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", DECODE_ALL, str(folder)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        lines = done.stdout.splitlines()
        assert len(lines) == count + 1
        assert int(lines[-1]) < 100
        assert time.monotonic() - started < 20 + 10 * count
