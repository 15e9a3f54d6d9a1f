"""curves: options that ECharts can draw, for one run or several, with a text alternative that says the same."""

import json

import pytest

from digits.runs.schema import METRIC_NAMES
from digits.views import comparison, curves
from tests.unit.views.options import plain

ROWS = [
    {"step": 50, "seconds": 0.1, "loss": 2.0, "accuracy": 0.25, "val_loss": 1.5, "val_accuracy": 0.5},
    {"step": 100, "seconds": 0.2, "loss": 1.0, "accuracy": 0.5, "val_loss": None, "val_accuracy": None},
    {"step": 150, "seconds": 0.3, "loss": 0.5, "accuracy": 0.75, "val_loss": 0.75, "val_accuracy": 0.875},
]


def row(step, **facts):
    return {
        "step": step,
        "seconds": step / 100,
        "loss": 1.0,
        "accuracy": 0.5,
        "val_loss": None,
        "val_accuracy": None,
    } | facts


HISTORIES = {
    "wide": [row(50, val_accuracy=0.5, val_loss=2.0), row(100, loss=0.5), row(150, val_accuracy=1.0, val_loss=0.5)],
    "deep": [row(50, val_accuracy=0.75, val_loss=1.0)],
    "new": [],
}


def sources(option):
    return [dataset["source"] for dataset in option["dataset"]]


class TestLearningCurve:
    @pytest.mark.parametrize("name", ["loss", "accuracy"])
    @pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS], ids=["empty", "one row", "three rows"])
    def test_is_an_option_that_can_be_sent(self, name, rows):
        """Every series finds its columns, and the whole is valid JSON."""
        option = curves.learning_curve(rows, name, "A title", 1000)
        json.dumps(plain(option), allow_nan=False)
        assert option["title"]["text"] == "A title"
        assert len(option["series"]) == 2
        for series in option["series"]:
            table = sources(option)[series["datasetIndex"]]
            assert set(series["encode"].values()) <= set(table.columns)
            assert series["name"] in option["legend"]["data"]

    @pytest.mark.parametrize("name", ["loss", "accuracy"])
    def test_shows_all_training_and_only_real_validations(self, name):
        """Training has a point for every row, validation only for rows with a validation."""
        training, validation = sources(curves.learning_curve(ROWS, name, "", 1000))
        assert training.to_numpy().tolist() == [[row["step"], row[name]] for row in ROWS]
        assert validation["step"].tolist() == [50, 150]

    def test_reaches_to_the_end_from_the_start(self):
        """The axis spans the whole run from the start, so that nothing jumps; an accuracy's axis ends at 1."""
        assert curves.learning_curve(ROWS, "loss", "", 700)["xAxis"]["max"] == 700
        assert curves.learning_curve(ROWS, "accuracy", "", 700)["yAxis"]["max"] == 1

    def test_columns_are_those_of_the_registry(self):
        """A curve uses the columns that the registry returns."""
        assert list(ROWS[0]) == METRIC_NAMES


class TestDescribeCurve:
    def test_says_from_where_to_where(self):
        """The sentence gives the first and the last values of both curves."""
        assert curves.describe_curve(ROWS, "loss") == (
            "The loss over 150 iterations: in training from 2.000 to 0.500; in validation from 1.500 to 0.750."
        )

    def test_does_without_validation(self):
        """Before the first validation, the sentence mentions training only."""
        assert "validation" not in curves.describe_curve(ROWS[1:2], "accuracy")

    def test_of_nothing_says_so(self):
        """A curve without points is described as empty."""
        assert curves.describe_curve([], "loss") == "The loss curve has no points yet."


class TestProgressLines:
    def test_look_as_the_tutorials_print_them(self):
        """A line gives iteration, loss and accuracy."""
        assert curves.progress_line(ROWS[1]) == "Iteration 100\t| Loss = 1.0000\t| Accuracy = 0.5000"

    def test_stand_for_every_hundredth_iteration(self):
        """Only iterations that are multiples of a hundred have a line."""
        rows = [ROWS[0] | {"step": step} for step in range(50, 1001, 50)]
        lines = curves.progress_lines(rows).splitlines()
        assert [int(line.split()[1]) for line in lines] == list(range(100, 1001, 100))
        assert curves.progress_lines([]) == ""


class TestCurves:
    @pytest.mark.parametrize("measure", curves.MEASURES)
    @pytest.mark.parametrize("is_log", [False, True])
    def test_are_a_line_a_run(self, measure, is_log):
        """Every run has a line with its own points, and all but the points is valid JSON."""
        option = curves.comparison_chart(HISTORIES, measure, is_log=is_log)
        assert [line["name"] for line in option["series"]] == list(HISTORIES)
        assert [line["datasetIndex"] for line in option["series"]] == [0, 1, 2]
        assert all(list(source.columns) == ["step", measure] for source in sources(option))
        assert json.dumps(option | {"dataset": None})

    def test_leave_out_iterations_without_validation(self):
        """A validation curve has only the steps with a validation; a training curve has all."""
        assert [len(source) for source in sources(curves.comparison_chart(HISTORIES, "val_loss"))] == [2, 1, 0]
        assert [len(source) for source in sources(curves.comparison_chart(HISTORIES, "loss"))] == [3, 1, 0]

    def test_are_told_apart_without_colour(self):
        """No two lines have the same dashes or the same marks."""
        lines = curves.comparison_chart({str(i): [] for i in range(comparison.MAX_RUNS)}, "loss")["series"]
        for looks in ("symbol", "color"):
            assert len({line[looks] for line in lines}) == comparison.MAX_RUNS
        assert len({str(line["lineStyle"]["type"]) for line in lines}) == comparison.MAX_RUNS

    def test_show_the_error_on_a_logarithmic_axis(self):
        """On a logarithmic axis, accuracy becomes 1 - accuracy, without zeros, which have no logarithm."""
        option = curves.comparison_chart(HISTORIES, "val_accuracy", is_log=True)
        assert option["yAxis"]["type"] == "log"
        assert option["yAxis"]["name"] == "Validation error"
        assert sources(option)[0]["val_accuracy"].tolist() == [0.5]

    def test_are_described_by_where_they_end(self):
        """The text alternative names each run with its last value, and the runs that have none yet."""
        assert curves.describe_comparison(HISTORIES, "val_accuracy") == (
            "Validation accuracy of 3 runs: wide at 1.0000 after 150 iterations; "
            "deep at 0.7500 after 50 iterations; new has no points yet."
        )
        assert curves.describe_comparison(HISTORIES, "val_accuracy", is_log=True).startswith("Validation error of")
