"""accuracy: counts, shares and their confidence intervals."""

import json

import msgspec
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from digits.accuracy import Accuracy, accuracy

counts = st.integers(1, 100_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


class TestInterval:
    @pytest.mark.parametrize(
        ("correct", "total", "low", "high"),
        [  # Wilson's score interval from published tables and from R's prop.test(correct = FALSE)
            (0, 10, 0.0, 0.2775),
            (10, 10, 0.7225, 1.0),
            (1, 10, 0.0179, 0.4042),
            (5, 10, 0.2366, 0.7634),
            (50, 100, 0.4038, 0.5962),
            (81, 263, 0.2553, 0.3662),  # Newcombe, 1998, table I
            (15, 148, 0.0624, 0.1605),
            (9159, 10_000, 0.9103, 0.9212),
        ],
    )
    def test_is_wilsons(self, correct, total, low, high):
        """The interval equals known values to four decimals."""
        assert Accuracy(correct, total).interval == pytest.approx((low, high), abs=5e-5)

    @given(counts)
    def test_is_that_of_scipy(self, count):
        """It is SciPy's, but for the normal quantile, which is rounded to six decimals here."""
        expected = scipy.stats.binomtest(*count).proportion_ci(method="wilson")
        assert Accuracy(*count).interval == pytest.approx((expected.low, expected.high), abs=1e-8)

    @given(counts)
    def test_contains_the_share_and_stays_within_0_and_1(self, count):
        """For any counts, the interval contains the share and lies in [0, 1]."""
        measured = Accuracy(*count)
        low, high = measured.interval
        assert 0 <= low <= measured.share + 1e-12
        assert measured.share - 1e-12 <= high <= 1
        assert low < high

    @given(counts)
    def test_shrinks_with_more_images(self, count):
        """For the same share, ten times as many images give a narrower interval."""
        few, many = Accuracy(*count), Accuracy(count[0] * 10, count[1] * 10)
        assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]

    def test_uses_the_number_of_independent_images(self):
        """Variants of the same drawing do not make the interval narrower."""
        low, high = Accuracy(900, 1000, independent=100).interval
        assert (low, high) == pytest.approx(Accuracy(90, 100).interval)


class TestAccuracy:
    def test_counts_the_most_probable_class(self):
        """A prediction is correct if the label has the highest probability."""
        probabilities = np.float32([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7]])
        assert accuracy(probabilities, np.array([1, 1, 1, 0])) == Accuracy(2, 4)

    def test_is_shown_with_counts_and_interval(self):
        """The text contains the share, the counts and the interval."""
        assert str(Accuracy(9159, 10_000)) == "91.59% (9,159 of 10,000; 95% interval 91.03% to 92.12%)"

    @given(counts, st.none() | st.integers(1, 1000), st.none() | st.integers(0, 9), st.none() | st.text())
    def test_round_trips_through_a_card(self, count, independent, refused, data):
        """An accuracy that is written to JSON is read as the same accuracy."""
        measured = Accuracy(*count, independent, refused, data)
        assert msgspec.convert(json.loads(json.dumps(measured.to_dict())), Accuracy) == measured

    @pytest.mark.parametrize(
        ("facts", "complaint"),
        [
            ((11, 10), "received 11 of 10"),
            ((-1, 10), "received -1"),
            ((0, 0), "`correct`"),
            ((1, 2, 0), "`independent`"),
        ],
    )
    def test_refuses_impossible_counts(self, facts, complaint):
        """More correct images than images, no images, or no independent images raise `ValueError`."""
        with pytest.raises(ValueError, match=complaint):
            Accuracy(*facts)
