"""confusion: every image is counted once, errors are coloured by errors, and the scores are what their names say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.models import confusion

NAMES = ("zero", "one", "two")


@st.composite
def readings(draw):
    """Labels and what a model read, of 1 to 60 images and three classes."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
    return np.array([true for true, _ in pairs], int), np.array([read for _, read in pairs], int)


class TestMatrix:
    @given(readings())
    def test_counts_every_image_in_its_cell(self, test_set):
        """A cell holds as many images as are of its row's class and were read as its column's."""
        labels, predicted = test_set
        counts = confusion.matrix(labels, predicted, 3)
        assert counts.tolist() == [
            [int(((labels == true) & (predicted == read)).sum()) for read in range(3)] for true in range(3)
        ]


class TestScores:
    def test_are_precision_recall_and_their_mean(self):
        """Three zeros of which two are found, and a one read as zero."""
        table = confusion.scores(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0]), NAMES)
        assert table.loc["zero"].tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 3])
        assert table.loc["one"].tolist() == pytest.approx([0, 0, 0, 1])
        assert table.loc["two"].tolist() == [0, 0, 0, 0]

    @given(readings())
    def test_agree_with_the_matrix(self, test_set):
        """Support is a row's sum, recall a cell of the diagonal by its row, precision by its column."""
        counts, table = confusion.matrix(*test_set, 3), confusion.scores(*test_set, NAMES)
        assert table["support"].tolist() == counts.sum(axis=1).tolist()
        assert table["recall"].tolist() == pytest.approx(np.diag(counts) / np.maximum(1, counts.sum(axis=1)))
        assert table["precision"].tolist() == pytest.approx(np.diag(counts) / np.maximum(1, counts.sum(axis=0)))


class TestShades:
    @given(readings())
    def test_leave_the_diagonal_out_and_rise_with_the_errors(self, test_set):
        """What is right has no shade, the largest mistake the deepest, and more mistakes are never lighter."""
        counts = confusion.matrix(*test_set, 3)
        shades = confusion.shades(counts)
        errors = ~np.eye(3, dtype=bool)
        assert (np.diag(shades) == 0).all()
        assert shades.max() == (1 if counts[errors].any() else 0)
        order = np.argsort(counts[errors], kind="stable")
        assert (np.diff(shades[errors][order]) >= 0).all()

    def test_do_not_drown_in_what_is_right(self):
        """Nine mistakes beside a thousand hits are as deep as nine beside none."""
        assert confusion.shades(np.array([[1000, 9], [0, 5]])).tolist() == [[0, 1], [0, 0]]


class TestDescribe:
    def test_names_the_most_frequent_mistakes(self):
        """The sentence counts what is right and tells the largest mistakes first."""
        told = confusion.describe(np.array([[5, 1, 0], [3, 7, 0], [0, 0, 1]]), NAMES)
        assert told == (
            "13 of 17 images are read rightly; the most frequent mistakes: one read as zero (3×), "
            "zero read as one (1×)."
        )

    def test_says_when_there_is_none(self):
        """A faultless model has no mistakes to tell."""
        assert confusion.describe(np.diag([2, 1, 4]), NAMES) == "7 of 7 images are read rightly; there is no mistake."
