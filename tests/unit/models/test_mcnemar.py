"""mcnemar: a difference between two models is told from chance, in figures and in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.evaluate import mcnemar as reference

from digits.models.mcnemar import SIGNIFICANT, Duel, duel, in_words, p_in_figures

counts = st.integers(0, 5_000)


class TestPValue:
    @given(only_a=counts, only_b=counts)
    def test_does_not_mind_who_is_called_a(self, only_a, only_b):
        """Exchanging the models exchanges nothing but their names; the value is a probability."""
        p = Duel(only_a, only_b, 10_000).p_value
        assert p == Duel(only_b, only_a, 10_000).p_value
        assert 0 <= p <= 1

    @given(only_a=counts, only_b=counts)
    def test_falls_as_the_difference_grows(self, only_a, only_b):
        """One more image for who is ahead makes chance no likelier."""
        less, more = sorted((only_a, only_b))
        assert Duel(less, more + 1, 20_000).p_value <= Duel(less, more, 20_000).p_value

    @given(only_a=st.integers(0, 60), only_b=st.integers(0, 60))
    def test_is_the_exact_test_of_others(self, only_a, only_b):
        """It is the p-value that mlxtend's exact McNemar test gives."""
        expected = min(1.0, reference(np.array([[50, only_a], [only_b, 50]]), exact=True)[1])
        assert Duel(only_a, only_b, 1_000).p_value == pytest.approx(expected)

    @pytest.mark.parametrize(("only_a", "only_b"), [(120, 84), (60, 80), (1_000, 1_100)])
    def test_is_near_the_corrected_chi_square(self, only_a, only_b):
        """For many images it agrees with the usual approximation with continuity correction."""
        approximate = reference(np.array([[50, only_a], [only_b, 50]]), corrected=True)[1]
        assert Duel(only_a, only_b, 10_000).p_value == pytest.approx(approximate, rel=0.02)

    def test_is_one_where_nothing_is_disputed(self):
        """Models that are right on the same images cannot be told apart."""
        assert Duel(0, 0, 10_000).p_value == 1


class TestDuel:
    def test_counts_what_one_alone_reads_rightly(self):
        """An image counts for a model when it is right and the other is wrong."""
        labels = np.array([0, 1, 2, 3, 4, 5])
        a = np.array([0, 1, 2, 9, 9, 9])
        b = np.array([0, 9, 9, 3, 9, 8])
        assert duel(labels, a, b) == Duel(only_a=2, only_b=1, total=6)


class TestWords:
    def test_say_who_is_better(self):
        """A difference that chance seldom makes is given its winner, and how seldom."""
        assert in_words(Duel(120, 84, 10_000)) == (
            "Of the 10,000 images, A alone reads 120 rightly and B alone 84. "
            "Were neither better, chance would make so large a difference 1 time in 71: A is better."
        )
        assert in_words(Duel(84, 120, 10_000)).endswith("1 time in 71: B is better.")

    def test_name_no_winner_where_it_may_be_chance(self):
        """A difference that chance often makes is called what it is."""
        assert in_words(Duel(13, 7, 10_000)).endswith("such a difference 1 time in 4: it could well be chance.")
        assert in_words(Duel(3, 2, 10_000)).endswith("more often than every second time: it could well be chance.")

    def test_stay_readable_at_the_ends(self):
        """Neither no difference nor a huge one makes a silly number."""
        assert "nothing tells them apart" in in_words(Duel(0, 0, 500))
        assert "less than 1 time in a million: A is better" in in_words(Duel(900, 100, 10_000))

    @given(only_a=counts, only_b=counts)
    def test_name_a_winner_exactly_when_significant(self, only_a, only_b):
        """The sentence names the model with more such images, or nobody."""
        found = Duel(only_a, only_b, 10_000)
        winner = "A is better" if only_a > only_b else "B is better"
        assert (winner in in_words(found)) == (found.p_value < SIGNIFICANT)


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0124, "p = 0.012"), (1.0, "p = 1"), (0.000034, "p = 0.000034"), (1e-9, "p < 0.000001")]
)
def test_p_is_shown_with_two_digits(p, shown):
    """A p-value is short, and never written as a power of ten."""
    assert p_in_figures(p) == shown
