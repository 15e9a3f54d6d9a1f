"""photographs: a picture of rows of drawings is cut into samples, and each row is labelled at once or one by one."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from digits.data import photographs
from digits.data.photographs import Row
from digits.errors import InvalidSet
from digits.ink import strokes

CROSS = [np.float32([[0, 0], [50, 60]]), np.float32([[50, 0], [0, 60]])]
TICK = [np.float32([[0, 30], [20, 60], [50, 0]])]


def photograph(*rows, step=0, is_squared=False, light=0.55, desk=0):
    """A picture in grey of rows of drawings, dark on paper that is darker towards one side.

    `step` pixels lie between two printed lines, which are so `light`, and `desk` pixels of a desk around the page; it
    is then a little turned and blurred, too.
    """
    drawn = [
        stroke + np.float32([100 + 110 * place, 100 + 140 * line])
        for line, row in enumerate(rows)
        for place, drawing in enumerate(row)
        for stroke in drawing
    ]
    size = (200 + 140 * len(rows), 200 + 110 * max(map(len, rows)))
    ink = strokes.render(drawn, size=size, pen_width=7) if drawn else np.zeros(size, np.float32)
    page = np.linspace(0.95, 0.75, size[1])[None, :] * np.ones(size)
    if step:
        page[step // 2 :: step] *= light
        page[step // 2 + 1 :: step] *= light
    if is_squared:
        page[:, step // 2 :: step] *= light
        page[:, step // 2 + 1 :: step] *= light
    seen = np.pad(page * (1 - 0.8 * ink), desk, constant_values=0.25)
    if step or desk:
        seen = ndimage.gaussian_filter(ndimage.rotate(seen, 0.8, reshape=False, order=1, mode="nearest"), 0.7)
    stream = io.BytesIO()
    Image.fromarray((255 * seen).astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture(scope="module")
def rows():
    return photographs.cut(photograph([TICK] * 6, [CROSS] * 4))


def test_a_photograph_is_cut_into_rows_of_samples(rows):
    assert [row.images.shape for row in rows] == [(6, 28, 28), (4, 28, 28)]
    assert all(image.max() > 150 for row in rows for image in row.images)


def jittered(rng):
    return [[(one, rng.uniform(-7, 7, 2).astype(np.float32)) for one in [TICK, CROSS] * 4] for _ in range(8)]


def test_a_full_sheet_is_cut():
    """A sheet of samples has more drawings than a number has digits."""
    rng = np.random.default_rng(0)
    sheet = [[[stroke + by for stroke in one] for one, by in row] for row in jittered(rng)]
    assert [len(row.images) for row in photographs.cut(photograph(*sheet))] == [8] * 8


@pytest.mark.parametrize(
    "paper",
    [
        {"step": 140},
        {"step": 70},
        {"step": 60, "is_squared": True, "light": 0.7},
        {"desk": 120},
        {"step": 140, "desk": 120},
    ],
    ids=["ruled", "narrow", "squared", "on a desk", "ruled, on a desk"],
)
def test_printed_lines_and_the_desk_are_no_drawings(paper):
    """A sheet that is full up to its edges is cut as on blank paper."""
    sheet = [[TICK] * 6 if row % 2 else [CROSS] * 6 for row in range(6)]
    found = photographs.cut(photograph(*sheet, **paper))
    assert [len(row.images) for row in found] == [6] * 6
    for row in found[:-1]:  # of a kind, so alike; the last one is at the edge
        assert np.abs(row.images.astype(float) - row.images.mean(axis=0)).mean() < 20


def test_a_row_has_one_label_or_one_for_each_sample():
    some = [Row(np.random.default_rng(place).integers(0, 255, (4, 28, 28)).astype(np.uint8)) for place in range(3)]
    found = photographs.label(some, ["✓", " ✗ ✗  - ✓ ", ""])
    assert found.counts == {"✓": 5, "✗": 2}
    assert found.left_out == {"not labelled": 5}


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["a b", "c"], "Row 1 has 6 samples and 2 labels"),
        (["a", "b c d"], "Row 2 has 4 samples and 3 labels"),
        (["a" * 13, "b"], "1 to 12 characters"),
        (["-", ""], "no drawing that can be taken"),
    ],
)
def test_wrong_labels_are_told_by_row(rows, texts, words):
    with pytest.raises(InvalidSet, match=words):
        photographs.label(rows, texts)


@pytest.mark.parametrize(("content", "words"), [(b"words", "cannot be cut"), (photograph([[]]), "No drawing is found")])
def test_what_cannot_be_cut_is_refused(content, words):
    with pytest.raises(InvalidSet, match=words):
        photographs.cut(content)
