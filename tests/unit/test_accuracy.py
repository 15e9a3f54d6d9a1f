"""evaluation: shares, and the intervals that they are known within."""

import json

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
        [  # Wilson's score interval as published tables and R's prop.test(correct = FALSE) give it
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
        """Known intervals come out to four digits."""
        assert Accuracy(correct, total).interval == pytest.approx((low, high), abs=5e-5)

    @given(counts)
    def test_is_that_of_scipy(self, count):
        """It is SciPy's, but for the normal quantile, which is rounded to six decimals here."""
        expected = scipy.stats.binomtest(*count).proportion_ci(method="wilson")
        assert Accuracy(*count).interval == pytest.approx((expected.low, expected.high), abs=1e-8)

    @given(counts)
    def test_contains_the_share_and_stays_within_0_and_1(self, count):
        """Whatever the counts, the interval holds the share and is no wider than it can be."""
        measured = Accuracy(*count)
        low, high = measured.interval
        assert 0 <= low <= measured.share + 1e-12
        assert measured.share - 1e-12 <= high <= 1
        assert low < high

    @given(counts)
    def test_shrinks_with_more_images(self, count):
        """The same share of ten times as many images is known more exactly."""
        few, many = Accuracy(*count), Accuracy(count[0] * 10, count[1] * 10)
        assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]

    def test_counts_only_what_is_independent(self):
        """Variants of the same drawing do not make a share surer."""
        low, high = Accuracy(900, 1000, independent=100).interval
        assert (low, high) == pytest.approx(Accuracy(90, 100).interval)


class TestAccuracy:
    def test_counts_the_most_probable_class(self):
        """An image is read rightly when its label has the highest probability."""
        probabilities = np.float32([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7]])
        assert accuracy(probabilities, np.array([1, 1, 1, 0])) == Accuracy(2, 4)

    def test_reads_as_a_sentence(self):
        """In words it gives the share, the counts and the interval."""
        assert str(Accuracy(9159, 10_000)) == "91.59% (9,159 of 10,000; 95 % interval 91.03% to 92.12%)"

    @given(counts, st.none() | st.integers(1, 1000))
    def test_comes_back_from_a_card(self, count, independent):
        """What a card says of it is read back as it was."""
        measured = Accuracy(*count, independent)
        assert Accuracy.from_dict(json.loads(json.dumps(measured.to_dict()))) == measured
