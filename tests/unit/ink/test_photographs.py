"""Photographs: each kind of picture that phones take, with the ink that was written found and nothing else."""

import numpy as np
import pytest
from scipy import ndimage

from digits.ink import cells, glyphs, pictures, pieces, rules, segmentation, sheet, strokes, writing

SIZE = (300, 400)
FOUR = [np.array([[10, -50], [-30, 15], [30, 15]]), np.array([[12, -10], [12, 50]])]
SEVEN = [np.array([[-30, -50], [30, -50], [-10, 50]])]
ONE = [np.array([[0, -50], [0, 50]])]
TURN = np.linspace(0, 2 * np.pi, 40)
ZERO = [np.stack([30 * np.sin(TURN), -50 * np.cos(TURN)], axis=1)]


def written(shape=FOUR, *, size=SIZE, height=120.0, x=200.0, y=150.0, pen_width=10.0):
    """Ink float32 of one digit, 1 where it is darkest."""
    moved = [(stroke * height / 100 + [x, y]).astype(np.float32) for stroke in shape]
    return strokes.render(moved, size=size, pen_width=pen_width)


def photographed(ink, *, paper=0.85, darkness=0.7, noise=0.01):
    """A grey picture of dark ink on paper that is lit unevenly."""
    rng = np.random.default_rng(0)
    light = np.linspace(0.92, 1, ink.shape[1])[None] * np.linspace(1, 0.95, ink.shape[0])[:, None]
    return np.clip(paper * light * (1 - darkness * ink) + rng.normal(0, noise, ink.shape), 0, 1).astype(np.float32)


def likeness(found, ink):
    """How much two inks share, as intersection over union."""
    found, ink = found > 0.5, ink > 0.5
    return (found & ink).sum() / max(1, (found | ink).sum())


def within(picture, place, size, value):
    """Put a picture on a larger one of one brightness."""
    whole = np.full(size, value, np.float32)
    y, x = place
    whole[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return whole


class TestSurroundings:
    @pytest.mark.parametrize("value", [0.0, 0.03, 1.0])
    @pytest.mark.parametrize(("place", "size"), [((40, 0), (380, 400)), ((40, 50), (380, 500)), ((50, 40), (350, 480))])
    def test_bars_frames_and_margins_are_no_ink(self, value, place, size):
        ink = written()
        found = pictures.find_ink(within(photographed(ink), place, size, value))
        assert likeness(found, within(ink, place, size, 0)) > 0.8

    @pytest.mark.parametrize("table", [0.15, 0.45])
    @pytest.mark.parametrize("angle", [0, 4, -8])
    def test_a_sheet_on_a_dark_table(self, table, angle):
        ink = written()
        lying = [ndimage.rotate(layer, angle, cval=-1, order=1) for layer in (photographed(ink), ink)]
        grain = table * (1 + 0.1 * np.random.default_rng(1).normal(size=lying[0].shape))
        picture = np.pad(np.where(lying[0] < 0, grain, lying[0]), 30, constant_values=table).astype(np.float32)
        assert likeness(pictures.find_ink(picture), np.pad(np.maximum(lying[1], 0), 30)) > 0.8

    def test_a_sheet_on_a_table_of_wood(self):
        """The table's streaks run up to the sheet, and some are nearly as bright as it is."""
        noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(400, 520)), (1, 30))
        picture = (0.45 * (1 + 0.25 * np.clip(noise / noise.std(), -2, 2))).astype(np.float32)
        ink = written()
        picture[50:350, 60:460] = photographed(ink)
        assert likeness(pictures.find_ink(picture), within(ink, (50, 60), (400, 520), 0)) > 0.8

    def test_a_row_of_digits_is_no_sheet(self):
        zeros = [written(ZERO, size=(114, 248), height=46, x=x, y=56, pen_width=6) for x in (70, 115, 160)]
        picture = np.float32(np.maximum.reduce(zeros) < 0.5)
        assert sheet.cut_out(picture)[0].shape == picture.shape

    @pytest.mark.parametrize("shape", [ZERO, ONE, FOUR, SEVEN], ids="0147")
    @pytest.mark.parametrize("pen_width", [10, 45])
    def test_a_digit_is_no_sheet(self, shape, pen_width):
        """A page without surroundings is whole, however thick its ink."""
        picture = 1 - written(shape, height=200, pen_width=pen_width)
        cut, place = sheet.cut_out(picture)
        assert cut.shape == picture.shape
        assert place == (slice(0, 300), slice(0, 400))


class TestShadows:
    @pytest.mark.parametrize(("softness", "depth"), [(5, 0.3), (12, 0.3), (30, 0.3), (5, 0.55), (12, 0.55)])
    def test_a_hands_shadow_across_the_digit(self, softness, depth):
        ink = written()
        y, x = np.mgrid[: SIZE[0], : SIZE[1]]
        fingers = x - 190 + 40 * np.cos(y / 40)
        picture = photographed(ink) * (1 - depth / (1 + np.exp(-fingers / softness)))
        assert likeness(pictures.find_ink(picture.astype(np.float32)), ink) > 0.75

    def test_a_blank_page_in_a_shadow_has_no_ink(self):
        x = np.mgrid[: SIZE[0], : SIZE[1]][1]
        picture = photographed(np.zeros(SIZE)) * (1 - 0.5 / (1 + np.exp(-(x - 200) / 10)))
        assert pictures.find_ink(picture.astype(np.float32)).sum() == 0


class TestFaintInk:
    @pytest.mark.parametrize("glare", [0.2, 0.3])
    def test_pencil_in_a_picture_with_bright_corners(self, glare):
        """The corners differ more from the paper than pencil does, but they have no edges."""
        ink = written(height=60, x=120, y=90, pen_width=4)
        y, x = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j]
        picture = photographed(ink, paper=0.7, darkness=0.28) * (1 + glare * ((x**2 + y**2) / 2) ** 4)
        assert likeness(pictures.find_ink(picture.astype(np.float32)), ink) > 0.6

    def test_ink_in_a_cell_between_darker_ones(self):
        """The border, which is darker than the cell, does not say how bright the cell's paper is."""
        ink = written(size=(136, 240), height=70, x=110, y=70, pen_width=8)
        picture = photographed(ink, darkness=0.35)
        beyond = np.ones(picture.shape, bool)
        beyond[24:, :216] = False
        found = pictures.find_ink(np.where(beyond, 0.85 * picture, picture)[::4, ::4].astype(np.float32))
        assert likeness(found, ink[::4, ::4]) > 0.5
        assert len(segmentation.split_ink(found)) == 1


class TestRules:
    def printed(self, step, *, down=False, slope=0.01, start=0.0):
        y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
        place = (x + slope * y if down else y + slope * x) - start
        return np.clip(1.6 - np.abs((place + step / 2) % step - step / 2), 0, 1)

    @pytest.mark.parametrize("shape", [FOUR, SEVEN, ZERO], ids="470")
    @pytest.mark.parametrize("kind", ["ruled", "squared", "margin line"])
    def test_rules_go_and_the_strokes_across_them_stay_whole(self, shape, kind):
        ink = written(shape)
        lines = self.printed(47, start=11)
        if kind == "squared":
            lines = np.maximum(lines, self.printed(47, down=True, start=23))
        if kind == "margin line":
            lines = np.maximum(lines, self.printed(1000, down=True, start=120))
        found = pictures.find_ink(photographed(ink) * (1 - 0.35 * lines).astype(np.float32))
        assert likeness(found, ink) > 0.8
        assert len(segmentation.split_ink(found)) == 1

    def test_a_contrast_without_rules_is_not_touched(self):
        contrast = written()
        assert np.array_equal(rules.erase(contrast).contrast, contrast)

    def test_a_frame_around_the_digit_is_no_ink(self):
        ink, frame = written(height=90), np.zeros(SIZE)
        frame[60:242, 100:302] = 1
        frame[63:239, 103:299] = 0
        found = pictures.find_ink(photographed(np.maximum(ink, frame)))
        assert likeness(found, ink) > 0.8

    def test_a_cells_lines_at_the_pictures_edge_are_no_ink(self):
        """The cell of a form, cut out a little too large: pieces of its lines lie along two edges."""
        small = written(size=(136, 240), height=70, x=100, y=65, pen_width=8)
        lines = np.zeros_like(small)
        lines[126:129, 60:225] = 1
        lines[40:126, 226:229] = 1
        found = pictures.find_ink(photographed(np.maximum(small, 0.9 * lines))[::4, ::4])
        assert len(segmentation.split_ink(found)) == 1

    @pytest.mark.parametrize("place", ["left", "right", "foot"])
    def test_a_piece_of_a_cells_line_is_no_ink(self, place):
        """A thin line comes and goes in a reduced picture; here a piece of it is left, away from the edge."""
        ink = written(size=(136, 240), height=70, x=120, y=62, pen_width=8)
        lines = np.zeros_like(ink)
        rows, columns = {
            "left": (slice(12, 120), slice(14, 18)),
            "right": (slice(12, 120), slice(222, 226)),
            "foot": (slice(120, 124), slice(60, 110)),
        }[place]
        lines[rows, columns] = 1
        found = pictures.find_ink(photographed(np.maximum(ink, lines)))
        assert likeness(found, ink) > 0.8

    def test_a_digits_stem_is_no_rule(self):
        """A 4 whose stem is as high as the picture stays whole, and so does the 4 beyond it."""
        ink = written(size=(110, 260), height=110, x=80, y=55, pen_width=14)
        ink = np.maximum(ink, written(size=(110, 260), height=110, x=200, y=55, pen_width=14))
        assert likeness(pictures.find_ink(photographed(ink)), ink) > 0.8


class TestMarks:
    def test_specks_are_no_ink(self):
        rng = np.random.default_rng(4)
        ink, dirt = written(), np.zeros(SIZE)
        for y, x in zip(rng.integers(5, 290, 30), rng.integers(5, 390, 30), strict=True):
            dirt[y : y + 4, x : x + 4] = 1
        found = pictures.find_ink(photographed(np.maximum(ink, dirt)))
        assert len(segmentation.split_ink(found)) == 1

    def test_a_stem_that_fills_a_close_crop_stays(self):
        ink = written(ONE, size=(220, 40), height=230, x=20, y=110, pen_width=14)
        assert likeness(pictures.find_ink(photographed(ink)), ink) > 0.8

    def test_a_one_beside_other_digits_is_no_printed_line(self):
        ink = np.maximum(written(ONE, x=30), written(ZERO, x=150))
        assert len(segmentation.split_ink(pictures.find_ink(photographed(ink)))) == 2

    def test_nothing_is_dropped_when_nothing_else_is_there(self):
        mask = np.zeros((40, 60), bool)
        mask[18:21, 10:50] = True
        assert np.array_equal(writing.select(mask, mask.astype(np.float32)), mask)

    def test_a_neighbour_that_the_edge_cuts_off_is_no_ink(self):
        """The feet of the number above, and a digit beyond a printed line, belong to others."""
        mask, rule = np.zeros((100, 160), bool), np.full(100, 30.0)
        mask[40:80, 60:80] = mask[0:20, 100:120] = mask[40:80, 0:20] = True
        kept = mask & ~cells.beyond(mask, [], [rule])
        mask[:, 80:] = mask[:, :60] = False
        assert np.array_equal(kept, mask)

    def test_a_neighbour_may_cross_the_line_between(self):
        """It reaches the edge, and a fifth of it lies beyond the line."""
        mask, rule = np.zeros((100, 160), bool), np.full(100, 8.0)
        mask[40:80, 60:80] = mask[40:80, 0:40] = True
        kept = mask & ~cells.beyond(mask, [], [rule])
        mask[:, :40] = False
        assert np.array_equal(kept, mask)

    def test_a_leaning_one_at_the_edge_stays(self):
        lean = [np.array([[-14, -20], [8, -50], [14, 50]])]
        ink = np.maximum(written(lean, size=(136, 240), height=110, x=18, y=68), written(ZERO, size=(136, 240), y=68))
        assert len(segmentation.split_ink(pictures.find_ink(photographed(ink)))) == 2

    def test_a_digit_that_the_edge_cuts_off_stays(self):
        mask = np.zeros((100, 160), bool)
        mask[40:80, 60:80] = mask[42:100, 100:120] = True
        mask[40:80, 0:20] = True
        assert not cells.beyond(mask, [], []).any()


class TestSmallPictures:
    @pytest.mark.parametrize("height", [16, 24, 32])
    @pytest.mark.parametrize("shape", [FOUR, SEVEN, ZERO], ids="470")
    def test_a_digit_of_few_pixels_is_one_digit(self, height, shape):
        large = photographed(written(shape, size=(400, 400), height=200, y=200, pen_width=25))
        factor = round(200 / height)
        side = 400 // factor
        small = large[: side * factor, : side * factor].reshape(side, factor, side, factor).mean(axis=(1, 3))
        found = pictures.find_ink(small)
        assert found.shape == small.shape
        assert len(segmentation.split_ink(found)) == 1
        seen, clean = glyphs.fit(found).image.ravel(), glyphs.fit(written(shape)).image.ravel()
        assert np.corrcoef(seen, clean)[0, 1] > 0.8

    def test_small_ink_is_enlarged_a_whole_number_of_times(self):
        ink = written(size=(40, 70), height=30, x=30, y=20, pen_width=3)
        large = pictures.enlarged(ink)
        assert large.shape == (160, 280)
        assert 0 <= large.min() <= large.max() <= 1
        assert pictures.enlarged(large) is large


class TestRows:
    @pytest.mark.parametrize("gap", [0.15, 0.3, 0.5])
    @pytest.mark.parametrize("slope", [0.0, 0.08, -0.15])
    def test_rows_are_told_apart_along_their_slope(self, gap, slope):
        rows, expected = [], []
        for row in range(4):
            for place in range(4):
                x = 60 * place
                corner = np.array([x, row * 50 * (1 + gap) + slope * x])
                rows.append(np.array([[0, 0], [30, 0], [30, 50], [0, 50]]) + corner)
            expected.append(list(range(4 * row, 4 * row + 4)))
        assert pieces.lines_of_writing(rows) == expected

    def test_a_steeply_written_number_is_one_line(self):
        number = [np.array([[0, 0], [30, 50]]) + np.array([60, 10]) * place for place in range(5)]
        assert pieces.lines_of_writing(number) == [[0, 1, 2, 3, 4]]

    def test_ink_across_a_hairline_is_one_piece(self):
        ink = written(ZERO, size=(60, 60), height=40, x=30, y=30, pen_width=4)
        ink[30] = 0
        assert len(segmentation.split_ink(ink)) == 1
