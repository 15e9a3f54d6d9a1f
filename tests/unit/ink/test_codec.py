"""codec: a drawing survives a link, or the error says why not."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digits.errors import InvalidImage
from digits.ink import codec, strokes

coordinates = st.floats(-300, 900, width=32, allow_nan=False)
drawings = st.lists(hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(2)), elements=coordinates), max_size=6)


def distance_to(points: np.ndarray, stroke: np.ndarray) -> float:
    """The largest distance of any of the points from the stroke's lines."""
    ends = np.concatenate([stroke, stroke[-1:]]).astype(float)
    pieces = [strokes._distances(points.astype(float), a, b) for a, b in itertools.pairwise(ends)]
    return float(np.min(pieces, axis=0).max())


class TestLinks:
    @given(drawings)
    def test_a_drawing_survives_a_link_to_within_about_a_pixel(self, drawing: list[np.ndarray]):
        decoded = codec.decode(codec.encode(drawing))
        assert len(decoded) == len(drawing)
        for before, after in zip(drawing, decoded, strict=True):
            assert distance_to(before, after) < 1.1
            assert distance_to(after, before) < 1.1

    @given(drawings)
    def test_a_link_of_a_linked_drawing_is_the_same_link(self, drawing: list[np.ndarray]):
        text = codec.encode(drawing)
        assert codec.encode(codec.decode(text)) == text

    @given(drawings)
    def test_a_link_needs_no_escaping(self, drawing: list[np.ndarray]):
        assert set(codec.encode(drawing)) <= set("-_") | {c for c in map(chr, range(128)) if c.isalnum()}

    def test_an_ordinary_digit_is_short(self):
        angles = np.linspace(0, 2 * math.pi, 200)
        eight = np.stack([140 + 60 * np.sin(2 * angles), 140 - 110 * np.cos(angles)], axis=1)
        assert len(codec.encode([eight])) < 200

    def test_a_scribble_is_simplified_until_it_fits(self):
        scribble = np.random.default_rng(0).uniform(0, 280, (20_000, 2))
        text = codec.encode([scribble])
        assert len(text) <= codec.CHARACTERS_WANTED
        assert len(codec.decode(text)) == 1

    def test_as_many_far_strokes_as_are_allowed_can_be_read_back(self):
        far = np.array([[-4096, -4096], [4096, 4096], [-4096, 4096]])
        text = codec.encode([far] * strokes.MAX_STROKES)
        assert len(codec.decode(text)) == strokes.MAX_STROKES

    @pytest.mark.parametrize(
        "text", ["", "2BAA", "1BA", "1A", "1B..", "1B____________A", "1" + "BAA" * 4000, "1é", None]
    )
    def test_a_broken_link_is_refused(self, text: str):
        with pytest.raises(InvalidImage, match="link"):
            codec.decode(text)

    @given(st.text(codec._ALPHABET, max_size=60))
    def test_any_text_gives_strokes_or_an_explanation(self, text: str):
        try:
            decoded = codec.decode("1" + text)
        except InvalidImage:
            return
        assert sum(map(len, decoded)) <= len(text)

    @pytest.mark.parametrize("stroke", [[[1, 2, 3]], [], [[math.inf, 0]], [["a", "b"]], 7, [[1, 2], [3]]])
    def test_what_is_no_stroke_is_refused(self, stroke: object):
        with pytest.raises(InvalidImage):
            codec.encode([stroke])
