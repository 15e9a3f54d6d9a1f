"""charts: options that ECharts can draw, with a text alternative that says the same."""

import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from digits.views import charts
from tests.unit.views.options import plain

NAMES = tuple("0123456789")

shares = st.lists(st.floats(0.001, 1), min_size=2, max_size=26).map(lambda parts: np.float32(parts) / sum(parts))


class TestProbabilityBars:
    @given(shares)
    def test_are_an_option_that_can_be_sent(self, probabilities):
        """Up to ten classes have a bar each, of more the ten likeliest, and the whole is valid JSON."""
        names = [f"class {index}" for index in range(len(probabilities))]
        option = charts.probability_bars(probabilities, names)
        json.dumps(plain(option), allow_nan=False)
        table = option["dataset"]["source"]
        shown = table["class"].tolist()
        assert shown == names if len(names) <= 10 else len(set(shown)) == 10
        left_out = probabilities[[name not in shown for name in names]] * 100
        assert (left_out <= table["probability"].min() + 1e-4).all()
        assert table["probability"].between(0, 100).all()
        assert set(option["series"][0]["encode"].values()) <= set(table.columns)

    @given(shares)
    def test_are_described_with_the_likeliest_first(self, probabilities):
        """The sentence names up to three classes, most likely first."""
        names = [f"class {index}" for index in range(len(probabilities))]
        sentence = charts.describe_probabilities(probabilities, names)
        assert sentence.startswith(f"Probabilities: class {probabilities.argsort()[-1]} ")
        assert sentence.count("%") == min(3, len(names))

    @given(st.floats(0, 1))
    def test_never_claim_certainty(self, share):
        """100% and 0% are shown only for exact values."""
        text = charts.percent(share)
        assert text.endswith("%")
        if 0 < share < 1:
            assert text.replace(" ", "") not in ("100%", "100.0%", "0%", "0.0%")


class TestReliability:
    def test_is_a_point_for_each_bin_beside_the_line_of_equals(self):
        """Confidence and accuracy are drawn in per cent, and the text lists them for each bin."""
        table = pd.DataFrame(
            {"bin": [9, 14], "confidence": [0.65, 0.98], "accuracy": [0.5, 1.0], "count": [20, 1200]}
        ).assign(low=[0.3, 0.99], high=[0.7, 1.0])
        options = charts.reliability_diagram(table)
        assert options["dataset"]["source"].to_numpy().tolist() == [[65, 50, 20], [98, 100, 1200]]
        lines = [series["data"] for series in options["series"][:-1]]
        assert lines == [[[0, 0], [100, 100]], [[65, 30], [65, 70]], [[98, 99], [98, 100]]]
        first, second = charts.describe_reliability(table).split(";")
        assert [part in first for part in ("65%", "50%", "20 images")] == [True] * 3
        assert [part in second for part in ("98%", "100%", "1,200 images")] == [True] * 3


def test_a_matrix_of_many_classes_has_room_for_them():
    """Its cells stay readable, and its upper axis is in sight when the matrix scrolls."""
    few, many = (
        charts.confusion_map(np.eye(10, dtype=int), "0123456789"),
        charts.confusion_map(np.eye(47, dtype=int), "x" * 47),
    )
    assert (few["xAxis"]["position"], many["xAxis"]["position"]) == ("bottom", "top")
    assert charts.confusion_height(10) == 380
    assert charts.confusion_height(47) > 47 * 24
