"""tables: a run's row holds all its facts, and no cell is a formula in a spreadsheet."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.models import uploads
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.schema import METRIC_NAMES, Run, RunState
from digits.views import tables

STATES = {RunState.FINISHED: "Finished", RunState.QUEUED: "Waiting"}


def run(run_id="abcdefgh", **facts):
    """A finished run of Ada's."""
    known = dict.fromkeys(Run.__dataclass_fields__, None) | {
        "id": run_id,
        "owner": "ada",
        "state": RunState.FINISHED,
        "hyperparameters": Hyperparameters(learning_rate=0.1),
        "created": 1_800_000_000.25,
        "name": "",
        "note": "",
        "seconds": 12.3456789,
        "best_val_accuracy": 0.9876543210123,
        "test_correct": 9_876,
        "test_total": 10_000,
    }
    return Run(**known | facts)


def table(*runs, visitor="ada"):
    return tables.runs_table(runs, tables.names(runs), STATES, visitor)


class TestNames:
    def test_are_the_visitors_or_made_of_the_network(self):
        """A run without a name is named after its network."""
        assert tables.names([run("abcdefgh", name="wide"), run("ijklmnop")]) == {
            "abcdefgh": "wide",
            "ijklmnop": "Softmax",
        }

    def test_of_the_same_sort_are_distinguished(self):
        """Of runs with the same name, the later ones are numbered, in whatever order they are listed."""
        runs = [run(f"run{hour}", name="wide", created=float(hour)) for hour in (3, 1, 2)]
        assert tables.names(runs) == {"run1": "wide", "run2": "wide (2)", "run3": "wide (3)"}


class TestOrder:
    def test_has_the_best_run_first(self):
        """Runs that wait or train come first, then the best on test images; without a test, validation counts."""
        runs = [
            run("failed", state=RunState.FAILED, test_correct=None, test_total=None, best_val_accuracy=None),
            run("good", test_correct=9_900, created=1.0),
            run("stopped", test_correct=None, test_total=None, best_val_accuracy=0.95, state=RunState.STOPPED),
            run("waits", state=RunState.QUEUED, test_correct=None, test_total=None, best_val_accuracy=None),
            run("newer", test_correct=9_900, created=2.0),
        ]
        assert [one.id for one in tables.best_first(runs)] == ["waits", "newer", "good", "stopped", "failed"]


class TestRunsTable:
    def test_has_results_and_every_setting(self):
        """A row holds name, state, results, settings and id."""
        row = table(run(name="wide", note="slow")).iloc[0]
        assert (row["Whose"], row["Name"], row["State"], row["Note"]) == ("yours", "wide", "Finished", "slow")
        assert (row["Test accuracy"], row["Best validation accuracy"]) == (0.9876, 0.9876543210123)
        assert row["Started"].isoformat() == "2027-01-15T08:00:00.250000+00:00"
        assert set(row.index) >= {knob.label for knob in KNOBS.values()}
        assert row["Id"] == "abcdefgh"

    def test_leaves_open_what_is_not_known(self):
        """A queued run has no accuracy, and its columns are still numbers for sorting."""
        waiting = table(run(state=RunState.QUEUED, best_val_accuracy=None, test_correct=None, test_total=None))
        assert waiting[list(tables.SHARES)].isna().all(axis=None)
        assert all(waiting[name].dtype.kind == "f" for name in tables.SHARES)

    def test_says_whose_a_run_is(self):
        """Runs of other visitors are "shared"."""
        assert table(run(), visitor="eve")["Whose"].tolist() == ["shared"]

    def test_keeps_every_digit_in_its_csv(self):
        """Reading the CSV gives exactly the same numbers."""
        written = table(run()).to_csv(index=False)
        read = pd.read_csv(io.StringIO(written)).iloc[0]
        assert (read["Best validation accuracy"], read["Seconds"]) == (0.9876543210123, 12.3456789)


class TestText:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
    def test_is_no_formula(self, text):
        """Text that a spreadsheet would calculate gets an apostrophe, in names, notes and ids."""
        row = table(run(text, name=text, note=text)).iloc[0]
        assert (row["Name"], row["Note"], row["Id"]) == (f"'{text}",) * 3

    @given(text=st.text())
    def test_is_else_as_it_was(self, text):
        """Only the apostrophe is added."""
        assert tables.as_text(text) in (text, f"'{text}")


def test_a_history_keeps_every_digit():
    """A history's CSV gives the recorded rows exactly; missing values are empty."""
    rows = [dict(zip(METRIC_NAMES, (10, 0.1, 1 / 3, 0.1, None, None), strict=True))]
    read = pd.read_csv(io.StringIO(tables.history_csv(rows)))
    assert read["loss"].tolist() == [1 / 3]
    assert read["val_loss"].isna().all()
    assert list(read.columns) == list(METRIC_NAMES)


def test_what_pictures_gave_is_kept_whatever_their_names():
    """Quotes, commas, line ends and other scripts in a file's name survive the CSV unchanged."""
    names = ['a, "b".png', "c\nd.png", "ziffer-七.png"]
    outcomes = [uploads.Outcome(name, "42", 0.98765, 2) for name in names]
    outcomes.append(uploads.Outcome("bad.png", message="not a picture"))
    rows = list(csv.reader(io.StringIO(tables.outcomes_csv(outcomes))))
    assert rows[0] == ["file", "reading", "sure", "looks like a digit", "message"]
    assert [row[0] for row in rows[1:]] == [*names, "bad.png"]
    assert rows[1][1:] == ["42", "0.9877", "yes", ""]
    assert rows[-1][1:] == ["", "", "", "not a picture"]


def test_no_name_of_a_picture_is_a_formula():
    """A file's name is the only text in this CSV that somebody else may have written."""
    (_, *rows) = csv.reader(io.StringIO(tables.outcomes_csv([uploads.Outcome("=HYPERLINK(A1).png", "42")])))
    assert [row[0] for row in rows] == ["'=HYPERLINK(A1).png"]
