"""drawings: labelled drawings are found, placed whole and divided into digits like a visitor's drawings."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image

from digits.data import drawings
from digits.errors import DatasetCorrupt, DatasetUnavailable
from digits.ink import strokes

SEVEN = [[[70, 60], [210, 60], [120, 230]]]
ONE = [[[140, 40], [138, 240]]]
NAMES = tuple("0123456789")


@pytest.fixture
def folder(tmp_path):
    """A folder with three drawings as strokes, one of them not a digit, and one as a picture."""
    rows = [{"label": "7", "strokes": SEVEN}, {"label": "1", "strokes": ONE}, {"label": "K", "strokes": ONE}]
    (tmp_path / "some.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    (tmp_path / "7").mkdir()
    ink = strokes.render(strokes.check(SEVEN), size=(280, 280), pen_width=14)
    Image.fromarray(np.uint8(255 - 255 * ink)).save(tmp_path / "7" / "photo.png")
    return tmp_path


def test_strokes_and_pictures_are_found(folder):
    """Both kinds of drawing are read; labels that are not a class are left out."""
    found = drawings.load_drawings(folder, NAMES)
    assert sorted(drawing.label for drawing in found) == ["1", "7", "7"]
    assert sum(drawing.picture is not None for drawing in found) == 1


def test_placed_drawing_is_whole_and_within_the_promised_sizes():
    """A placed drawing lies inside the canvas, pen width included, and has the size that it states."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        placed = drawings.place(strokes.check(SEVEN), rng)
        points = np.concatenate(placed.strokes)
        assert drawings.SIZES[0] <= placed.size <= drawings.SIZES[1]
        assert np.ptp(points, axis=0).max() == pytest.approx(placed.size, rel=1e-4)
        assert points.min() >= placed.pen_width / 2 - 0.01
        assert points.max() <= drawings.CANVAS_SIDE - placed.pen_width / 2 + 0.01


@pytest.mark.parametrize("as_picture", [False, True])
def test_examples_depend_on_nothing_but_the_folder(folder, as_picture):
    """Each drawing appears once for each placing, with its digits or, if a model must divide it, as strokes or ink."""
    given = drawings.load_examples(folder, NAMES, placings=2, as_picture=as_picture)
    drawings.load_examples.cache_clear()
    again = drawings.load_examples(folder, NAMES, placings=2, as_picture=as_picture)
    assert np.array_equal(given.images, again.images)
    assert sorted(given.labels) == ["1", "1", "7", "7", "7", "7"]
    assert sorted({*given.owners.tolist(), *given.doubtful}) == list(range(6))
    assert given.drawings == 3
    assert given.images.shape == (len(given.owners), 28, 28)
    assert all(ink.dtype == np.float32 for ink in given.doubtful.values())
    if as_picture:
        assert given.doubtful  # a wide 7 might be two touching digits


def test_folder_without_drawings_says_what_it_should_hold(tmp_path):
    """The error for an empty folder names it and says what it should hold."""
    with pytest.raises(DatasetUnavailable, match="labelled 0, 1"):
        drawings.load_drawings(tmp_path, NAMES)


@pytest.mark.parametrize(
    "content", [b"{", b'[{"label": "7"}]', b'[{"label": "7", "strokes": [[["x", 1]]]}]', b"[3]", b"[" * 10**5]
)
def test_broken_file_is_named(tmp_path, content):
    """The error for a file that is not a list of labelled strokes names it and the expected format."""
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(DatasetCorrupt, match=r"broken\.json should be a list"):
        drawings.load_drawings(tmp_path, NAMES)
