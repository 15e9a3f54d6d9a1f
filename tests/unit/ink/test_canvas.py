"""canvas: a drawing is read where it is on the canvas, and can be put back unchanged."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digits.errors import InvalidImage
from digits.ink import canvas, strokes

coordinates = st.floats(-300, 900, width=32, allow_nan=False)
drawings = st.lists(hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(2)), elements=coordinates), max_size=6)


def drawn(*commands: list, **properties: object) -> dict:
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


class TestParse:
    def test_a_canvas_that_has_not_answered_has_no_strokes(self):
        assert canvas.parse(None) == []
        assert canvas.parse({"objects": [], "background": "#fff"}) == []

    def test_a_pen_stroke_is_read_in_canvas_pixels(self):
        """The numbers are what a real canvas sent for a corner drawn with the mouse."""
        corner = drawn(
            *(["M", 137, 41], ["Q", 141, 41, 145.5, 41.5], ["Q", 150, 42, 147.5, 47], ["L", 145, 52]),
            left=143.0895,
            top=46.5,
        )
        (stroke,) = canvas.parse(corner)
        assert stroke.dtype == np.float32
        np.testing.assert_allclose(stroke[0], [137, 41], atol=0.01)
        np.testing.assert_allclose(stroke[-1], [145, 52], atol=0.01)

    def test_a_curve_is_flattened_to_within_a_tenth_of_a_pixel(self):
        (stroke,) = canvas.parse(drawn(["M", 0, 0], ["Q", 100, 0, 100, 100]))
        t = np.linspace(0, 1, 200)[:, None]
        curve = 2 * t * (1 - t) * [100, 0] + t**2 * [100, 100]
        assert distance_to(curve, stroke) < 0.101
        assert len(stroke) < 30

    def test_a_click_is_one_point(self):
        (stroke,) = canvas.parse(drawn(["M", 229.98, 230], ["L", 230.02, 230], left=230, top=230))
        np.testing.assert_allclose(stroke, [[230, 230]], atol=0.01)

    def test_a_stroke_that_was_moved_turned_and_scaled_is_read_where_it_now_stands(self):
        line = drawn(["M", 10, 10], ["L", 30, 10], left=100, top=50, angle=90, scaleX=2)
        (stroke,) = canvas.parse(line)
        np.testing.assert_allclose(stroke, [[100, 30], [100, 70]], atol=1e-4)

    def test_a_mirrored_stroke_is_mirrored(self):
        (stroke,) = canvas.parse(drawn(["M", 10, 10], ["L", 30, 20], left=20, top=15, flipX=True))
        np.testing.assert_allclose(stroke, [[30, 10], [10, 20]], atol=1e-4)

    def test_older_fabric_counts_from_the_left_top_corner_of_the_pen_mark(self):
        line = drawn(["M", 10, 10], ["L", 30, 10], originX="left", originY="top", left=0, top=0)
        (stroke,) = canvas.parse(line)
        np.testing.assert_allclose(stroke, [[10, 10], [30, 10]], atol=1e-4)

    def test_objects_that_are_no_paths_are_ignored(self):
        drawing = drawn(["M", 1, 1], ["L", 9, 9])
        drawing["objects"] += [{"type": "Rect", "left": 3}, "nonsense", None, {}]
        assert len(canvas.parse(drawing)) == 1

    @pytest.mark.parametrize(
        "json_data",
        [
            [],
            "objects",
            {"objects": "many"},
            {"objects": [{"type": "Path"}]},
            {"objects": [{"type": "Path", "path": "M 0 0"}]},
            drawn(["L", 1, 1]),
            drawn(["M", 1]),
            drawn(["M", 1, "2"]),
            drawn(["M", 1, None]),
            drawn(["M", True, 1]),
            drawn(["M", math.nan, 1]),
            drawn(["M", 1e300, 1]),
            drawn(["M", 10**400, 1]),
            drawn(["M", 1, 1], ["Z"]),
            drawn(["M", 1, 1], ["C", 1, 1, 2, 2]),
            drawn([["M"], 1, 1]),
            drawn("M11"),
            drawn(["M", 1, 1], ["L", 9, 9], left=[1], top=2),
            drawn(["M", 1, 1], ["L", 9, 9], skewX=90),
            drawn(["M", 1, 1], ["L", 4000, 9], scaleX=4000),
        ],
    )
    def test_what_is_no_drawing_is_refused_in_words(self, json_data: object):
        with pytest.raises(InvalidImage, match=r"draw|canvas|stroke"):
            canvas.parse(json_data)

    def test_too_many_strokes_or_points_are_refused_before_they_are_read(self):
        one = drawn(["M", 1, 1], ["L", 9, 9])["objects"]
        with pytest.raises(InvalidImage, match="500 strokes"):
            canvas.parse({"objects": one * 501})
        with pytest.raises(InvalidImage, match="20,000 points"):
            canvas.parse(drawn(["M", 1, 1], *[["L", 2, 2]] * 20_001))

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
            read = canvas.parse(json_data)
        except InvalidImage:
            return
        assert all(stroke.shape[1] == 2 for stroke in read)


class TestBuild:
    @given(drawings)
    def test_a_restored_drawing_is_read_as_it_was(self, drawing: list[np.ndarray]):
        """Undo and shared links send a drawing to the canvas, which sends it back."""
        restored = canvas.parse(canvas.build(drawing, 20, "#000"))
        assert len(restored) == len(drawing)
        for before, after in zip(drawing, restored, strict=True):
            assert np.abs(after[0] - before[0]).max() < 0.15  # a stroke shorter than 0.1 px is a click
            assert np.abs(after[-1] - before[-1]).max() < 0.15

    def test_it_carries_the_pen(self):
        (item,) = canvas.build([np.array([[1, 2], [3, 4]])], 14, "red")["objects"]
        assert (item["stroke"], item["strokeWidth"], item["strokeLineCap"]) == ("red", 14, "round")
