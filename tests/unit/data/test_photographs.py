"""photographs: a picture of rows of drawings is cut into samples, and each row is labelled at once or one by one."""

import io

import numpy as np
import pytest
from PIL import Image

from digits.data import photographs
from digits.data.photographs import Row
from digits.errors import InvalidSet
from digits.ink import strokes

CROSS = [np.float32([[0, 0], [50, 60]]), np.float32([[50, 0], [0, 60]])]
TICK = [np.float32([[0, 30], [20, 60], [50, 0]])]


def photograph(*rows):
    """A picture in grey of rows of drawings, dark on paper that is darker towards one side."""
    drawn = [
        stroke + np.float32([100 + 110 * place, 100 + 140 * line])
        for line, row in enumerate(rows)
        for place, drawing in enumerate(row)
        for stroke in drawing
    ]
    size = (200 + 140 * len(rows), 200 + 110 * max(map(len, rows)))
    ink = strokes.render(drawn, size=size, pen_width=7) if drawn else np.zeros(size, np.float32)
    paper = np.linspace(0.95, 0.75, size[1])[None, :]
    stream = io.BytesIO()
    Image.fromarray((255 * paper * (1 - 0.8 * ink)).astype(np.uint8)).save(stream, "JPEG", quality=90)
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
