"""charts: options that ECharts can draw, and sentences that say the same."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.runs.registry import METRIC_NAMES
from digits.views import charts

NAMES = tuple("0123456789")
ROWS = [
    {"step": 50, "seconds": 0.1, "loss": 2.0, "accuracy": 0.25, "val_loss": 1.5, "val_accuracy": 0.5},
    {"step": 100, "seconds": 0.2, "loss": 1.0, "accuracy": 0.5, "val_loss": None, "val_accuracy": None},
    {"step": 150, "seconds": 0.3, "loss": 0.5, "accuracy": 0.75, "val_loss": 0.75, "val_accuracy": 0.875},
]

shares = st.lists(st.floats(0.001, 1), min_size=2, max_size=26).map(lambda parts: np.float32(parts) / sum(parts))


def plain(option):
    """An option with its tables as lists, as it goes to the browser; raises where JSON cannot tell a value."""
    if isinstance(option, pd.DataFrame):
        return json.loads(option.to_json(orient="values"))
    if isinstance(option, dict):
        return {key: plain(value) for key, value in option.items()}
    return [plain(item) for item in option] if isinstance(option, list) else option


def sources(option):
    dataset = option["dataset"]
    return [item["source"] for item in (dataset if isinstance(dataset, list) else [dataset])]


class TestLearningCurve:
    @pytest.mark.parametrize("name", ["loss", "accuracy"])
    @pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS], ids=["empty", "one row", "three rows"])
    def test_is_an_option_that_can_be_sent(self, name, rows):
        """Every series finds the columns that it draws, and the whole is JSON."""
        option = charts.learning_curve(rows, name, "A title", 1000)
        json.dumps(plain(option), allow_nan=False)
        assert option["title"]["text"] == "A title"
        assert len(option["series"]) == 2
        for series in option["series"]:
            table = sources(option)[series["datasetIndex"]]
            assert set(series["encode"].values()) <= set(table.columns)
            assert series["name"] in option["legend"]["data"]

    @pytest.mark.parametrize("name", ["loss", "accuracy"])
    def test_shows_all_training_and_only_real_validations(self, name):
        """Training has a point for every row, validation only where there was one."""
        training, validation = sources(charts.learning_curve(ROWS, name, "", 1000))
        assert training.to_numpy().tolist() == [[row["step"], row[name]] for row in ROWS]
        assert validation["step"].tolist() == [50, 150]

    def test_reaches_to_the_end_from_the_start(self):
        """The axis ends where the run will, so that nothing jumps; an accuracy's ends at 1."""
        assert charts.learning_curve(ROWS, "loss", "", 700)["xAxis"]["max"] == 700
        assert charts.learning_curve(ROWS, "accuracy", "", 700)["yAxis"]["max"] == 1

    def test_columns_are_those_of_the_registry(self):
        """What the registry returns is what a curve reads."""
        assert list(ROWS[0]) == METRIC_NAMES


class TestDescribeCurve:
    def test_says_from_where_to_where(self):
        """The sentence gives the first and the last values of both curves."""
        assert charts.describe_curve(ROWS, "loss") == (
            "The loss over 150 iterations: in training from 2.000 to 0.500; in validation from 1.500 to 0.750."
        )

    def test_does_without_validation(self):
        """Before the first validation the sentence speaks of training alone."""
        assert "validation" not in charts.describe_curve(ROWS[1:2], "accuracy")

    def test_of_nothing_says_so(self):
        """A curve without a point is said to be empty."""
        assert charts.describe_curve([], "loss") == "The loss curve, still empty."


class TestProbabilityBars:
    @given(shares)
    def test_are_an_option_that_can_be_sent(self, probabilities):
        """Any number of classes has a bar each, with its own name, and the whole is JSON."""
        names = [f"class {index}" for index in range(len(probabilities))]
        option = charts.probability_bars(probabilities, names)
        json.dumps(plain(option), allow_nan=False)
        (table,) = sources(option)
        assert table["class"].tolist() == names
        assert table["probability"].between(0, 100).all()
        assert set(option["series"][0]["encode"].values()) <= set(table.columns)

    @given(shares)
    def test_are_described_with_the_likeliest_first(self, probabilities):
        """The sentence names up to three classes, the likeliest first."""
        names = [f"class {index}" for index in range(len(probabilities))]
        sentence = charts.describe_probabilities(probabilities, names)
        assert sentence.startswith(f"Probabilities: class {probabilities.argsort()[-1]} ")
        assert sentence.count("%") == min(3, len(names))

    @given(st.floats(0, 1))
    def test_never_claim_certainty(self, share):
        """A percentage says 100 % or 0 % only of what is exactly so."""
        text = charts.percent(share)
        assert text.endswith("%")
        if 0 < share < 1:
            assert text.replace(" ", "") not in ("100%", "100.0%", "0%", "0.0%")


class TestProgressLines:
    def test_look_as_the_tutorials_print_them(self):
        """A line gives iteration, loss and accuracy."""
        assert charts.progress_line(ROWS[1]) == "Iteration 100\t| Loss = 1.0000\t| Accuracy = 0.5000"

    def test_stand_for_every_hundredth_iteration(self):
        """Only iterations that are multiples of a hundred have a line."""
        rows = [ROWS[0] | {"step": step} for step in range(50, 1001, 50)]
        lines = charts.progress_lines(rows).splitlines()
        assert [int(line.split()[1]) for line in lines] == list(range(100, 1001, 100))
        assert charts.progress_lines([]) == ""


class TestReliability:
    def test_is_a_point_for_each_bin_beside_the_line_of_equals(self):
        """Confidence and accuracy are drawn in per cent, and told bin by bin."""
        table = pd.DataFrame(
            {"bin": [9, 14], "confidence": [0.65, 0.98], "accuracy": [0.5, 1.0], "count": [20, 1200]}
        ).assign(low=[0.3, 0.99], high=[0.7, 1.0])
        options = charts.reliability_diagram(table)
        assert options["dataset"]["source"].to_numpy().tolist() == [[65, 50, 20], [98, 100, 1200]]
        lines = [series["data"] for series in options["series"][:-1]]
        assert lines == [[[0, 0], [100, 100]], [[65, 30], [65, 70]], [[98, 99], [98, 100]]]
        assert charts.describe_reliability(table) == (
            "How often the model is right, by how sure it is: 65% sure and 50% right in 20 images; "
            "98% sure and 100% right in 1,200 images."
        )
