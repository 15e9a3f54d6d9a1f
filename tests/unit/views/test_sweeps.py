"""sweeps in words and charts: what was found and how sure it is, in options that ECharts can draw."""

import dataclasses
import json

import pytest

from digits.runs.schema import RunState
from digits.runs.sweep_record import CONFIRMATION, Sweep, SweepState
from digits.sweeps.plan import Plan, default_plan
from digits.sweeps.space import Space
from digits.views import sharing, sweep_charts, sweeps
from tests.unit.sweeps.conftest import make_plan
from tests.unit.views.options import plain

PACES = {"softmax": 1e-5, "corrected": 2.5e-5}


@pytest.fixture
def plan():
    return make_plan(trials=3)


@pytest.fixture
def make_run(registry, quick, plan):
    """Return a function that makes an ended trial with this accuracy."""
    registry.create(quick, "ada")
    blank = registry.claim()

    def make(trial, accuracy, *, rate=0.5, seconds=10.0, **facts):
        chosen = plan.at({"learning_rate": rate, "batch_size": 100})
        run = dataclasses.replace(blank, id=f"run-{trial}", trial=trial, hyperparameters=chosen, step=900)
        facts = {"state": RunState.FINISHED, "best_val_accuracy": accuracy, "seconds": seconds} | facts
        return dataclasses.replace(run, **facts)

    return make


@pytest.fixture
def trials(make_run):
    return [
        make_run(1, 0.9),
        make_run(2, 0.95, rate=0.1, seconds=20.0),
        make_run(3, 0.8, rate=1.0, seconds=2.0, pruned=100, state=RunState.STOPPED),
    ]


def make_sweep(plan, state=SweepState.RUNNING, **facts):
    base = {"id": "s", "owner": "ada", "name": "Sweep 1", "state": state, "plan": plan.to_dict(), "created": 0.0}
    rest = {"ended": None, "begun": 3, "seconds": 0.0, "confirmation": "", "summary": {}, "note": "", "driver": ""}
    return Sweep(**base | rest | {"driven": None, "deleted": None} | facts)


class TestVerdict:
    def test_has_both_figures_and_says_which_one_flatters(self, plan, trials, make_run):
        """The best of several validations is too good by chance; the test was measured once."""
        again = make_run(CONFIRMATION, 0.94, test_correct=9300, test_total=10_000)
        assert sweeps.verdict(make_sweep(plan, SweepState.FINISHED), trials, again) == (
            "The best of 3 trials had 95.0% on validation; trained again with a fresh seed it has 93.0% on test "
            "(95% CI 92.5 to 93.5). The first figure is the best of 3 tries, so it flatters; the second was measured "
            "once."
        )

    def test_before_the_test_it_only_warns(self, plan, trials):
        said = sweeps.verdict(make_sweep(plan), trials, None)
        assert said.startswith("The best of 3 trials had 95.0% on validation. That is the best of 3 tries, so")
        assert said.endswith("trained again with a fresh seed and tested once.")
        assert "test" not in sweeps.verdict(make_sweep(plan, SweepState.STOPPED), trials, None)

    def test_of_one_trial_nothing_flatters(self, plan, trials, make_run):
        again = make_run(CONFIRMATION, 0.94, test_correct=93, test_total=100)
        assert "flatters" not in sweeps.verdict(make_sweep(plan, SweepState.FINISHED), trials[:1], again)

    def test_of_no_trial_says_why(self, plan, make_run):
        failed = make_run(1, None, state=RunState.FAILED)
        assert sweeps.verdict(make_sweep(plan), [], None) == "No trial has ended yet."
        assert sweeps.verdict(make_sweep(plan, SweepState.STOPPED), [failed], None) == "No trial has been validated."
        assert sweeps.verdict(make_sweep(plan, note="No best."), [failed], None) == "No best."


def test_where_the_search_began_is_compared(plan, trials, make_run):
    assert sweeps.beginning(plan, trials) == ("Trial 1 had the settings where the search began: 90.0% on validation.")
    assert sweeps.beginning(plan, trials[1:]) == ""
    early = make_run(1, 0.7, pruned=100)
    assert sweeps.beginning(plan, [early]).endswith("70.0% on validation, pruned after 100 iterations.")


def test_progress_counts_what_has_ended_and_what_was_removed(plan, trials):
    assert sweeps.progress(make_sweep(plan), trials) == (1.0, "3 of 3 trials, 1 pruned")
    assert sweeps.progress(make_sweep(plan), trials[1:])[1] == "3 of 3 trials, 1 pruned"
    timed = dataclasses.replace(plan, minutes=10)
    assert sweeps.progress(make_sweep(timed, seconds=150.0), trials) == (
        0.25,
        "2 of 10 min, 3 trials, 1 pruned",
    )
    assert "once more" in sweeps.progress(make_sweep(plan, confirmation="x"), trials)[1]


class TestEstimate:
    def test_grows_with_the_trials_and_shrinks_with_pruning(self):
        plan = default_plan("corrected")
        least, most = sweeps.seconds(plan, PACES)
        assert 0 < least < most
        assert sweeps.seconds(dataclasses.replace(plan, trials=40), PACES)[1] > 1.8 * most
        alone = sweeps.seconds(dataclasses.replace(plan, pruner="none"), PACES)
        assert alone == (most, most)

    def test_is_said_with_its_unit_once(self):
        said = sweeps.estimate(default_plan("corrected"), PACES)
        assert said == "20 trials, and the best settings once more: about 3 to 7 min if nobody else trains."

    def test_of_minutes_ends_with_the_last_trial(self):
        plan = dataclasses.replace(default_plan("corrected"), trials=200, minutes=5)
        assert sweeps.seconds(plan, PACES)[1] < 7 * 60
        assert sweeps.estimate(plan, PACES).startswith("No trial begins after 5 min: about")

    def test_of_a_grid_says_how_many_settings_it_has(self):
        space = Space.from_dict({"learning_rate": [1e-4, 1e-2], "dropout": [0.0, 0.7]})
        plan = Plan(default_plan("corrected").hyperparameters, space, "grid", trials=14)
        assert sweeps.estimate(plan, PACES).endswith("The grid has 12 settings.")


def test_settings_are_said_in_words(plan, trials):
    assert sweeps.space_in_words(plan) == "learning rate 0.001 to 1; batch size 50 to 200"
    assert sweeps.settings_in_words(plan, trials[1]) == "learning rate 0.1, batch size 100"
    assert sweeps.fixed_in_words(plan).startswith("iterations 900, dropout 0, optimizer sgd")


def test_the_table_has_the_best_first_and_the_unknown_last(plan, trials, make_run):
    waiting = make_run(4, None, state=RunState.QUEUED, seconds=0.0)
    table = sweeps.table(plan, [waiting, *trials])
    assert list(table["Trial"]) == [2, 1, 3, 4]
    assert list(table["State"]) == ["Finished", "Finished", "Pruned at 100", "Waiting"]
    assert list(table.columns) == ["Trial", "Validation", "State", "Learning rate", "Batch size", "Seconds", "Id"]
    assert table["Validation"].isna().tolist() == [False, False, False, True]


def test_a_link_carries_a_plan(plan):
    values, notices = sharing.read("sweep", sharing.of_plan(plan))
    assert notices == []
    assert (values["space"], values["sampler"], values["trials"]) == (plan.space.to_text(), "random", 3)
    assert all(values[name] == value for name, value in plan.hyperparameters.to_dict().items())


class TestCharts:
    def test_can_be_drawn(self, plan, trials, make_run):
        """Each is JSON, with and without trials."""
        points = {run.id: [(100, 0.5), (900, run.best_val_accuracy)] for run in trials}
        for given, curves in ((trials, points), ([], {}), ([make_run(1, None, state=RunState.QUEUED)], {})):
            for option in (
                sweep_charts.parallel_coordinates(plan, given),
                sweep_charts.curves(given, curves),
                sweep_charts.time_and_accuracy(given),
            ):
                json.dumps(plain(option), allow_nan=False)

    def test_pruned_trials_are_faint_and_the_best_is_wide(self, plan, trials):
        points = {run.id: [(100, 0.5), (900, run.best_val_accuracy)] for run in trials}
        styles = {one["name"]: one["lineStyle"] for one in sweep_charts.curves(trials, points)["series"]}
        assert styles["pruned"]["opacity"] < styles["trial"]["opacity"] < styles["best"]["opacity"]
        assert styles["best"]["width"] > styles["trial"]["width"]

    def test_parallel_lines_end_at_their_accuracy(self, plan, trials):
        option = sweep_charts.parallel_coordinates(plan, trials)
        assert [axis["name"] for axis in option["parallelAxis"]] == ["Learning rate", "Batch size", "Validation, %"]
        lines = {one["name"]: one["data"] for one in option["series"]}
        assert lines["best"] == [["0.1", "100", 95.0]]
        assert lines["trial"] == [["0.5", "100", 90.0]]
        assert all(line[0] in option["parallelAxis"][0]["data"] for data in lines.values() for line in data)

    def test_one_bad_trial_does_not_flatten_the_others(self, make_run):
        runs = [make_run(number, 0.9 + number / 1000) for number in range(1, 10)] + [make_run(10, 0.1)]
        assert sweep_charts.time_and_accuracy(runs)["yAxis"]["min"] > 80

    def test_the_front_goes_through_the_trials_that_no_other_beats(self, trials):
        front = sweep_charts.time_and_accuracy(trials)["series"][0]["data"]
        assert front == [[2.0, 80.0], [10.0, 90.0], [20.0, 95.0]]

    def test_say_the_same_in_words(self, plan, trials):
        points = {run.id: [(100, 0.5), (900, run.best_val_accuracy)] for run in trials}
        assert sweep_charts.describe_parallel(plan, trials).startswith(
            "Settings and validation accuracy of 3 trials. The best: learning rate 0.1, batch size 100: 95.0%;"
        )
        assert sweep_charts.describe_curves(trials, points) == (
            "Validation accuracy over the iterations of 3 trials, 1 of them pruned; the best one from 50.0% to 95.0%."
        )
        assert sweep_charts.describe_time(trials).endswith("80.0% in 2.0 s, 90.0% in 10.0 s, 95.0% in 20.0 s.")
        shares = {"dropout": 0.25, "learning_rate": 0.75}
        assert sweep_charts.describe_importances(shares).endswith("learning rate 75%, dropout 25%.")
        assert sweep_charts.importance_bars(shares)["yAxis"]["data"] == ["Dropout", "Learning rate"]
