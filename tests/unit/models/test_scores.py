"""scores: every image is counted once, shades follow the errors, and the scores match their definitions."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.evaluate import mcnemar as reference

from digits.models import scores
from digits.models.scores import SIGNIFICANT, McNemar, describe_mcnemar, format_p_value, mcnemar

NAMES = ("zero", "one", "two")


@st.composite
def readings(draw):
    """Labels and predictions of 1 to 60 images and three classes."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
    return np.array([true for true, _ in pairs], int), np.array([read for _, read in pairs], int)


class TestMatrix:
    @given(readings())
    def test_counts_every_image_in_its_cell(self, test_set):
        """A cell counts the images with its row's label and its column's prediction."""
        labels, predicted = test_set
        counts = scores.confusion_matrix(labels, predicted, 3)
        assert counts.tolist() == [
            [int(((labels == true) & (predicted == read)).sum()) for read in range(3)] for true in range(3)
        ]


class TestMostFrequentErrors:
    @given(readings(), st.integers(1, 9))
    def test_are_errors_with_their_counts(self, test_set, most):
        labels, predicted = test_set
        counts = scores.confusion_matrix(labels, predicted, 3)
        found = scores.most_frequent_errors(counts, most)
        numbers = [count for _, _, count in found]
        assert numbers == sorted(numbers, reverse=True)
        assert all(true != read and counts[true, read] == count > 0 for true, read, count in found)
        assert len(found) == min(most, np.count_nonzero(counts - np.diag(np.diag(counts))))


class TestScores:
    def test_are_precision_recall_and_their_mean(self):
        """Of three zeros two are found, and a one is read as zero."""
        table = scores.per_class(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0]), NAMES)
        assert table.loc["zero"].tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 3])
        assert table.loc["one"].tolist() == pytest.approx([0, 0, 0, 1])
        assert table.loc["two"].tolist() == [0, 0, 0, 0]

    @given(readings())
    def test_agree_with_the_matrix(self, test_set):
        """Support is a row's sum, recall a diagonal cell divided by its row, precision by its column."""
        counts, table = scores.confusion_matrix(*test_set, 3), scores.per_class(*test_set, NAMES)
        assert table["support"].tolist() == counts.sum(axis=1).tolist()
        assert table["recall"].tolist() == pytest.approx(np.diag(counts) / np.maximum(1, counts.sum(axis=1)))
        assert table["precision"].tolist() == pytest.approx(np.diag(counts) / np.maximum(1, counts.sum(axis=0)))


class TestShades:
    @given(readings())
    def test_leave_the_diagonal_out_and_rise_with_the_errors(self, test_set):
        """The diagonal has no shade, the most frequent mistake has the darkest, and more mistakes are never lighter."""
        counts = scores.confusion_matrix(*test_set, 3)
        shades = scores.shades(counts)
        errors = ~np.eye(3, dtype=bool)
        assert (np.diag(shades) == 0).all()
        assert shades.max() == (1 if counts[errors].any() else 0)
        order = np.argsort(counts[errors], kind="stable")
        assert (np.diff(shades[errors][order]) >= 0).all()

    def test_do_not_drown_in_what_is_right(self):
        """Nine mistakes beside a thousand correct images are as dark as nine beside none."""
        assert scores.shades(np.array([[1000, 9], [0, 5]])).tolist() == [[0, 1], [0, 0]]


class TestDescribe:
    def test_names_the_most_frequent_mistakes(self):
        """The sentence gives the number of correct images and names the most frequent mistakes first."""
        sentence = scores.describe_confusion(np.array([[5, 1, 0], [3, 7, 0], [0, 0, 1]]), NAMES)
        assert sentence.startswith("13 of 17 images")
        assert sentence.endswith(": one read as zero (3×), zero read as one (1×).")

    def test_says_when_there_is_none(self):
        """A model without mistakes has none to name."""
        assert scores.most_frequent_errors(np.diag([2, 1, 4]), 5) == []
        sentence = scores.describe_confusion(np.diag([2, 1, 4]), NAMES)
        assert sentence.startswith("7 of 7 images")
        assert "×" not in sentence


counts = st.integers(0, 5_000)


class TestPValue:
    @given(only_a=counts, only_b=counts)
    def test_does_not_mind_who_is_called_a(self, only_a, only_b):
        """Exchanging the models only exchanges their names; the value is a probability."""
        p = McNemar(only_a, only_b, 10_000).p_value
        assert p == McNemar(only_b, only_a, 10_000).p_value
        assert 0 <= p <= 1

    @given(only_a=counts, only_b=counts)
    def test_falls_as_the_difference_grows(self, only_a, only_b):
        """With one more image for the better model, the p-value does not increase."""
        less, more = sorted((only_a, only_b))
        assert McNemar(less, more + 1, 20_000).p_value <= McNemar(less, more, 20_000).p_value

    @given(only_a=st.integers(0, 60), only_b=st.integers(0, 60))
    def test_is_the_exact_test_of_others(self, only_a, only_b):
        """The p-value equals that of mlxtend's exact McNemar test."""
        expected = min(1.0, reference(np.array([[50, only_a], [only_b, 50]]), exact=True)[1])
        assert McNemar(only_a, only_b, 1_000).p_value == pytest.approx(expected)

    @given(only_a=counts, only_b=counts)
    def test_is_the_sign_test_of_scipy(self, only_a, only_b):
        """For any counts it is the p-value of SciPy's two-sided binomial test of a fair coin."""
        if only_a + only_b:
            expected = scipy.stats.binomtest(only_a, only_a + only_b, 0.5).pvalue
            assert McNemar(only_a, only_b, 10_000).p_value == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize(("only_a", "only_b"), [(120, 84), (60, 80), (1_000, 1_100)])
    def test_is_near_the_corrected_chi_square(self, only_a, only_b):
        """For many images it is close to the usual approximation with continuity correction."""
        approximate = reference(np.array([[50, only_a], [only_b, 50]]), corrected=True)[1]
        assert McNemar(only_a, only_b, 10_000).p_value == pytest.approx(approximate, rel=0.02)

    def test_is_one_where_nothing_is_disputed(self):
        """If the models are correct on the same images, p is 1."""
        assert McNemar(0, 0, 10_000).p_value == 1


class TestDuel:
    def test_counts_what_one_model_alone_classifies_correctly(self):
        """An image counts for a model if it is correct and the other model is wrong."""
        labels = np.array([0, 1, 2, 3, 4, 5])
        a = np.array([0, 1, 2, 9, 9, 9])
        b = np.array([0, 9, 9, 3, 9, 8])
        assert mcnemar(labels, a, b) == McNemar(only_a=2, only_b=1, total=6)


class TestWords:
    def test_say_who_is_better(self):
        """A significant difference names the better model and the p-value."""
        assert describe_mcnemar(McNemar(120, 84, 10_000)) == (
            "Only A is right on 120 images, only B on 84. A is better (McNemar, p = 0.014)."
        )
        assert "B is better" in describe_mcnemar(McNemar(84, 120, 10_000))

    def test_name_no_winner_where_it_may_be_chance(self):
        """A difference that could be chance is described as such."""
        assert describe_mcnemar(McNemar(13, 7, 10_000)) == (
            "Only A is right on 13 images, only B on 7. Not significant (McNemar, p = 0.26)."
        )

    def test_stay_readable_at_the_ends(self):
        """No difference and a huge difference both give readable sentences."""
        assert describe_mcnemar(McNemar(0, 0, 500)) == "A and B are right on the same images."
        assert "A is better (McNemar, p < 0.000001)" in describe_mcnemar(McNemar(900, 100, 10_000))

    @given(only_a=counts, only_b=counts)
    def test_name_a_winner_exactly_when_significant(self, only_a, only_b):
        """The sentence names the model with more such images only if the difference is significant."""
        found = McNemar(only_a, only_b, 10_000)
        winner = "A is better" if only_a > only_b else "B is better"
        assert (winner in describe_mcnemar(found)) == (found.p_value < SIGNIFICANT)


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0124, "p = 0.012"), (1.0, "p = 1"), (0.000034, "p = 0.000034"), (1e-9, "p < 0.000001")]
)
def test_p_is_shown_with_two_digits(p, shown):
    """A p-value is short and never in scientific notation."""
    assert format_p_value(p) == shown
