"""What is drawn on the canvas is read where it stands, and comes back from a link as it was."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digits.errors import InvalidImage
from digits.ink import strokes

coordinates = st.floats(-300, 900, width=32, allow_nan=False)
drawings = st.lists(hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(2)), elements=coordinates), max_size=6)


def canvas(*commands: list, **properties: object) -> dict:
    """A drawing of one path, as Fabric 7.4 wrote it in streamlit-drawable-canvas 0.13."""
    path = {
        "type": "Path",
        "version": "7.4.0",
        "originX": "center",
        "originY": "center",
        "strokeWidth": 20,
    } | properties
    return {"version": "7.4.0", "objects": [path | {"path": list(commands)}], "background": "#fff"}


def distance_to(points: np.ndarray, stroke: np.ndarray) -> float:
    """The largest distance of any of the points from the stroke's lines."""
    ends = np.concatenate([stroke, stroke[-1:]]).astype(float)
    pieces = [strokes._distances(points.astype(float), a, b) for a, b in itertools.pairwise(ends)]
    return float(np.min(pieces, axis=0).max())


class TestParseCanvas:
    def test_a_canvas_that_has_not_answered_has_no_strokes(self):
        assert strokes.parse_canvas(None) == []
        assert strokes.parse_canvas({"objects": [], "background": "#fff"}) == []

    def test_a_pen_stroke_is_read_in_canvas_pixels(self):
        """The numbers are those that a real canvas sent for a corner drawn with the mouse."""
        corner = canvas(
            *(["M", 137, 41], ["Q", 141, 41, 145.5, 41.5], ["Q", 150, 42, 147.5, 47], ["L", 145, 52]),
            left=143.0895,
            top=46.5,
        )
        (stroke,) = strokes.parse_canvas(corner)
        assert stroke.dtype == np.float32
        np.testing.assert_allclose(stroke[0], [137, 41], atol=0.01)
        np.testing.assert_allclose(stroke[-1], [145, 52], atol=0.01)

    def test_a_curve_is_flattened_to_within_a_tenth_of_a_pixel(self):
        (stroke,) = strokes.parse_canvas(canvas(["M", 0, 0], ["Q", 100, 0, 100, 100]))
        t = np.linspace(0, 1, 200)[:, None]
        curve = 2 * t * (1 - t) * [100, 0] + t**2 * [100, 100]
        assert distance_to(curve, stroke) < 0.101
        assert len(stroke) < 30

    def test_a_click_is_one_point(self):
        (stroke,) = strokes.parse_canvas(canvas(["M", 229.98, 230], ["L", 230.02, 230], left=230, top=230))
        np.testing.assert_allclose(stroke, [[230, 230]], atol=0.01)

    def test_a_stroke_that_was_moved_turned_and_scaled_is_read_where_it_now_stands(self):
        line = canvas(["M", 10, 10], ["L", 30, 10], left=100, top=50, angle=90, scaleX=2)
        (stroke,) = strokes.parse_canvas(line)
        np.testing.assert_allclose(stroke, [[100, 30], [100, 70]], atol=1e-4)

    def test_a_mirrored_stroke_is_mirrored(self):
        (stroke,) = strokes.parse_canvas(canvas(["M", 10, 10], ["L", 30, 20], left=20, top=15, flipX=True))
        np.testing.assert_allclose(stroke, [[30, 10], [10, 20]], atol=1e-4)

    def test_older_fabric_counts_from_the_left_top_corner_of_the_pen_mark(self):
        line = canvas(["M", 10, 10], ["L", 30, 10], originX="left", originY="top", left=0, top=0)
        (stroke,) = strokes.parse_canvas(line)
        np.testing.assert_allclose(stroke, [[10, 10], [30, 10]], atol=1e-4)

    def test_objects_that_are_no_paths_are_ignored(self):
        drawing = canvas(["M", 1, 1], ["L", 9, 9])
        drawing["objects"] += [{"type": "Rect", "left": 3}, "nonsense", None, {}]
        assert len(strokes.parse_canvas(drawing)) == 1

    @pytest.mark.parametrize(
        "json_data",
        [
            [],
            "objects",
            {"objects": "many"},
            {"objects": [{"type": "Path"}]},
            {"objects": [{"type": "Path", "path": "M 0 0"}]},
            canvas(["L", 1, 1]),
            canvas(["M", 1]),
            canvas(["M", 1, "2"]),
            canvas(["M", 1, None]),
            canvas(["M", True, 1]),
            canvas(["M", math.nan, 1]),
            canvas(["M", 1e300, 1]),
            canvas(["M", 10**400, 1]),
            canvas(["M", 1, 1], ["Z"]),
            canvas(["M", 1, 1], ["C", 1, 1, 2, 2]),
            canvas([["M"], 1, 1]),
            canvas("M11"),
            canvas(["M", 1, 1], ["L", 9, 9], left=[1], top=2),
            canvas(["M", 1, 1], ["L", 9, 9], skewX=90),
            canvas(["M", 1, 1], ["L", 4000, 9], scaleX=4000),
        ],
    )
    def test_what_is_no_drawing_is_refused_in_words(self, json_data: object):
        with pytest.raises(InvalidImage, match=r"draw|canvas|stroke"):
            strokes.parse_canvas(json_data)

    def test_too_many_strokes_or_points_are_refused_before_they_are_read(self):
        one = canvas(["M", 1, 1], ["L", 9, 9])["objects"]
        with pytest.raises(InvalidImage, match="500 strokes"):
            strokes.parse_canvas({"objects": one * 501})
        with pytest.raises(InvalidImage, match="20,000 points"):
            strokes.parse_canvas(canvas(["M", 1, 1], *[["L", 2, 2]] * 20_001))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["Path", "M", "L", "Q"]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from(["objects", "type", "path", "left", "top", "scaleX"]), inner)
            ),
            max_leaves=20,
        )
    )
    def test_any_json_gives_strokes_or_an_explanation(self, json_data: object):
        try:
            read = strokes.parse_canvas(json_data)
        except InvalidImage:
            return
        assert all(stroke.shape[1] == 2 for stroke in read)


class TestToCanvas:
    @given(drawings)
    def test_a_restored_drawing_is_read_as_it_was(self, drawing: list[np.ndarray]):
        """Undo and shared links send a drawing to the canvas, which sends it back."""
        restored = strokes.parse_canvas(strokes.to_canvas(drawing, 20, "#000"))
        assert len(restored) == len(drawing)
        for before, after in zip(drawing, restored, strict=True):
            assert np.abs(after[0] - before[0]).max() < 0.15  # a stroke shorter than 0.1 px is a click
            assert np.abs(after[-1] - before[-1]).max() < 0.15

    def test_it_carries_the_pen(self):
        (item,) = strokes.to_canvas([np.array([[1, 2], [3, 4]])], 14, "red")["objects"]
        assert (item["stroke"], item["strokeWidth"], item["strokeLineCap"]) == ("red", 14, "round")


class TestRender:
    def test_a_dot_is_a_disk_of_the_pens_width(self):
        ink = strokes.render([np.array([[20.0, 20.0]])], size=(40, 40), pen_width=10)
        assert ink.dtype == np.float32
        assert ink.shape == (40, 40)
        assert ink.sum() == pytest.approx(math.pi * 25, rel=0.05)
        assert (ink[20, 20], ink[0, 0]) == (1, 0)

    def test_a_line_has_the_pens_width_round_ends_and_stands_where_it_should(self):
        ink = strokes.render([np.array([[10, 15], [30, 15]])], size=(30, 40), pen_width=6)
        assert ink.sum() == pytest.approx(20 * 6 + math.pi * 9, rel=0.03)
        rows, columns = np.mgrid[:30, :40] + 0.5
        assert (ink * columns).sum() / ink.sum() == pytest.approx(20, abs=0.1)
        assert (ink * rows).sum() / ink.sum() == pytest.approx(15, abs=0.1)

    def test_a_sharp_corner_has_no_notch(self):
        ink = strokes.render([np.array([[10, 30], [20, 10], [30, 30]])], size=(40, 40), pen_width=8)
        assert ink[10, 20] == 1

    def test_no_strokes_leave_the_paper_white(self):
        assert strokes.render([], size=(5, 7), pen_width=3).sum() == 0

    def test_what_lies_outside_is_cut_off(self):
        assert strokes.render([np.array([[-400, -400], [-300, 4000]])], size=(20, 20), pen_width=3).sum() == 0


class TestLinks:
    @given(drawings)
    def test_a_drawing_survives_a_link_to_within_about_a_pixel(self, drawing: list[np.ndarray]):
        decoded = strokes.decode_strokes(strokes.encode_strokes(drawing))
        assert len(decoded) == len(drawing)
        for before, after in zip(drawing, decoded, strict=True):
            assert distance_to(before, after) < 1.1
            assert distance_to(after, before) < 1.1

    @given(drawings)
    def test_a_link_of_a_linked_drawing_is_the_same_link(self, drawing: list[np.ndarray]):
        text = strokes.encode_strokes(drawing)
        assert strokes.encode_strokes(strokes.decode_strokes(text)) == text

    @given(drawings)
    def test_a_link_needs_no_escaping(self, drawing: list[np.ndarray]):
        assert set(strokes.encode_strokes(drawing)) <= set("-_") | {c for c in map(chr, range(128)) if c.isalnum()}

    def test_an_ordinary_digit_is_short(self):
        angles = np.linspace(0, 2 * math.pi, 200)
        eight = np.stack([140 + 60 * np.sin(2 * angles), 140 - 110 * np.cos(angles)], axis=1)
        assert len(strokes.encode_strokes([eight])) < 200

    def test_a_scribble_is_simplified_until_it_fits(self):
        scribble = np.random.default_rng(0).uniform(0, 280, (20_000, 2))
        text = strokes.encode_strokes([scribble])
        assert len(text) <= strokes.LINK_CHARACTERS_WANTED
        assert len(strokes.decode_strokes(text)) == 1

    def test_as_many_far_strokes_as_are_allowed_can_be_read_back(self):
        far = np.array([[-4096, -4096], [4096, 4096], [-4096, 4096]])
        text = strokes.encode_strokes([far] * strokes.MAX_STROKES)
        assert len(strokes.decode_strokes(text)) == strokes.MAX_STROKES

    @pytest.mark.parametrize(
        "text", ["", "2BAA", "1BA", "1A", "1B..", "1B____________A", "1" + "BAA" * 4000, "1é", None]
    )
    def test_a_broken_link_is_refused(self, text: str):
        with pytest.raises(InvalidImage, match="link"):
            strokes.decode_strokes(text)

    @given(st.text(strokes._ALPHABET, max_size=60))
    def test_any_text_gives_strokes_or_an_explanation(self, text: str):
        try:
            decoded = strokes.decode_strokes("1" + text)
        except InvalidImage:
            return
        assert sum(map(len, decoded)) <= len(text)

    @pytest.mark.parametrize("stroke", [[[1, 2, 3]], [], [[math.inf, 0]], [["a", "b"]], 7, [[1, 2], [3]]])
    def test_what_is_no_stroke_is_refused(self, stroke: object):
        with pytest.raises(InvalidImage):
            strokes.encode_strokes([stroke])
