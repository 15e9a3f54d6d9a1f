"""Sweep: a search is described, started, watched, stopped, deleted and used; others look at it and repeat it."""

import dataclasses

import pytest

from digits.runs.hyperparameters import KNOBS
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.runs.sweep_record import SweepState
from digits.sweeps import commands
from digits.sweeps.outcome import best_of
from digits.sweeps.plan import Plan
from digits.sweeps.space import SEARCHABLE, stops
from digits.views import sharing
from tests.unit.sweeps.conftest import FakeTrainer, make_plan


@pytest.fixture
def trainer(registry):
    return FakeTrainer(registry)


def texts(page):
    return " ".join(part.value for part in [*page.markdown, *page.caption, *page.warning, *page.info])


def links(page):
    return {link.proto.label: link.proto for link in page.get("page_link")}


def buttons(page):
    return {button.label for button in page.button}


class TestForm:
    def test_begins_at_the_networks_preset(self, open_page, tidy):
        """Learning rate, batch size and dropout are chosen, around the preset; an estimate stands before Start."""
        page = tidy(open_page("sweep.py"))
        assert page.session_state["sweep.searched"] == ["learning_rate", "batch_size", "dropout"]
        assert page.select_slider(key="sweep.values.learning_rate").value == (1e-4, 1e-2)
        assert "20 trials, and the best settings once more: about" in texts(page)
        assert "You have none yet." in texts(page)
        assert "iterations 2,000, optimizer adam, schedule cosine" in texts(page)

    def test_starts_what_is_on_the_screen(self, open_page, tidy, registry):
        page = open_page("sweep.py")
        page.selectbox(key="sweep.network").set_value("softmax").run()
        page.pills(key="sweep.searched").set_value(["learning_rate", "optimizer"]).run()
        page.select_slider(key="sweep.values.learning_rate").set_range(0.1, 1.0).run()
        page.pills(key="sweep.values.optimizer").set_value(["sgd", "adam"]).run()
        page.segmented_control(key="sweep.sampler").set_value("grid").run()
        page.segmented_control(key="sweep.prune").set_value("none").run()
        page.number_input(key="sweep.trials").set_value(8).run()
        assert "8 trials, and the best settings once more" in texts(page)
        tidy(page.button(key="sweep.start").click().run())
        [sweep] = registry.list_sweeps("ada")
        plan = Plan.from_dict(sweep.plan)
        assert plan.hyperparameters == PRESETS["softmax"].hyperparameters
        assert plan.space.to_dict() == {"learning_rate": [0.1, 1.0], "optimizer": ["sgd", "adam"]}
        assert (plan.sampler, plan.pruner, plan.trials, plan.minutes) == ("grid", "none", 8, 0)
        assert page.query_params["sweep"] in (sweep.id, [sweep.id])

    @pytest.mark.parametrize("name", SEARCHABLE)
    def test_everything_that_can_be_searched_has_a_widget(self, open_page, tidy, name):
        page = open_page("sweep.py")
        tidy(page.pills(key="sweep.searched").set_value([name]).run())
        kind = page.pills if KNOBS[name].scale == "choice" else page.select_slider
        assert len(kind(key=f"sweep.values.{name}").options) == len(stops(name))

    def test_minutes_are_a_budget_too(self, open_page, registry):
        page = open_page("sweep.py", budget="minutes", minutes="5")
        assert "No trial begins after 5 min: about" in texts(page)
        page.button(key="sweep.start").click().run()
        assert registry.list_sweeps("ada")[0].plan["minutes"] == 5

    def test_what_cannot_be_searched_is_refused_in_words_and_changes_nothing(self, open_page):
        page = open_page("sweep.py")
        page.pills(key="sweep.searched").set_value([]).run()
        assert "none is chosen" in page.error[0].value
        assert page.session_state["sweep.searched"] == ["learning_rate", "batch_size", "dropout"]
        page.pills(key="sweep.searched").set_value(["optimizer"]).run()
        page.pills(key="sweep.values.optimizer").set_value(["sgd"]).run()
        assert "two or more values of `optimizer`" in page.error[0].value

    def test_a_full_quota_is_said(self, open_page, registry, monkeypatch):
        monkeypatch.setenv("DIGITS_SWEEPS_RUNNING_PER_VISITOR", "1")
        commands.submit(registry, make_plan(), "ada")
        page = open_page("sweep.py")
        page.button(key="sweep.start").click().run()
        assert "sweeps may run or be paused; you have 1" in page.error[0].value

    def test_fewer_trials_than_usual_may_be_allowed(self, open_page, tidy, monkeypatch):
        monkeypatch.setenv("DIGITS_TRIALS_PER_SWEEP", "6")
        page = tidy(open_page("sweep.py"))
        assert page.number_input(key="sweep.trials").value == 6

    def test_a_link_fills_it(self, open_page, tidy):
        plan = dataclasses.replace(make_plan(trials=7, sampler="grid"), minutes=0)
        page = tidy(open_page("sweep.py", **sharing.of_plan(plan)))
        assert not page.warning
        assert page.selectbox(key="sweep.network").value == "softmax"
        assert page.select_slider(key="sweep.values.batch_size").value == (50, 200)
        assert "7 trials" in texts(page) or "The grid has" in texts(page)

    def test_a_bad_link_is_a_notice(self, open_page):
        page = open_page("sweep.py", space="seed..1..2", sampler="luck", sweep="nobody")
        notices = " ".join(warning.value for warning in page.warning)
        assert "A sweep may search" in notices
        assert "`sampler` was not used" in notices
        assert "A sweep's id should be in this registry" in notices

    def test_train_and_runs_lead_here(self, open_page, tidy, registry, quick):
        registry.create(quick, "ada")
        assert "Find better settings" in links(open_page("train.py", learning_rate="0.002"))
        assert (
            "learning_rate=0.002"
            in links(open_page("train.py", learning_rate="0.002"))["Find better settings"].query_string
        )
        assert "Your sweeps" in links(open_page("runs.py"))


class TestSweep:
    def test_is_shown_before_its_first_trial_ends(self, open_page, tidy, registry, trainer):
        """Empty, and with a trial in the queue, the page says what it waits for."""
        sweep_id = commands.submit(registry, make_plan(), "ada")
        assert "No trial has ended yet." in texts(tidy(open_page("sweep.py", sweep=sweep_id)))
        trainer.drive()
        page = tidy(open_page("sweep.py", sweep=sweep_id))
        assert {"Pause", "Stop", "All sweeps"} <= buttons(page)
        assert "Use the best" not in links(page)

    def test_shows_what_it_has_found_so_far(self, open_page, tidy, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(trials=9), "ada")
        for _ in range(7):
            trainer.drive()
            trainer.train()
        trainer.drive()
        page = tidy(open_page("sweep.py", sweep=sweep_id))
        assert "The best of 7 trials had" in texts(page)
        assert "so it flatters" in texts(page)
        assert "Trial 1 had the settings where the search began" in texts(page)
        assert len(page.dataframe[0].value) == 8
        best = best_of(registry.list_trials(sweep_id)).hyperparameters
        assert f"learning_rate={best.learning_rate:.10g}" in links(page)["Use the best"].query_string

    def test_says_how_sure_it_is_at_the_end(self, open_page, tidy, registry, trainer):
        """The sentence has both figures and says which one was measured once."""
        sweep_id = commands.submit(registry, make_plan(trials=6), "ada")
        trainer.work()
        page = tidy(open_page("sweep.py", sweep=sweep_id))
        assert "trained again with a fresh seed it has 90.0% on test (95% CI 59.6 to 98.2)." in texts(page)
        assert "The first figure is the best of 6 tries, so it flatters; the second was measured once." in texts(page)
        assert registry.get_sweep(sweep_id).confirmation in links(page)["Open the final run"].query_string
        assert "Delete" in buttons(page)
        assert not {"Pause", "Stop"} & buttons(page)

    def test_is_paused_resumed_and_stopped(self, open_page, tidy, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(), "ada")
        trainer.drive()
        page = open_page("sweep.py", sweep=sweep_id)
        tidy(page.button(key="sweep.pause").click().run())
        assert registry.get_sweep(sweep_id).state is SweepState.PAUSED
        tidy(page.button(key="sweep.resume").click().run())
        assert registry.get_sweep(sweep_id).state is SweepState.RUNNING
        tidy(page.button(key="sweep.stop").click().run())
        assert registry.get_sweep(sweep_id).state is SweepState.STOPPED
        assert registry.list_trials(sweep_id)[0].state is RunState.STOPPED
        assert "No trial has been validated." in texts(page)

    def test_is_renamed_by_its_owner(self, open_page, tidy, registry, trainer):
        """Its trials are called after it, before and after; a name is shown as it is written."""
        sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
        trainer.drive()
        page = open_page("sweep.py", sweep=sweep_id)
        tidy(page.text_input(key=f"sweep.name.{sweep_id}").set_value("  wide :red[rates] ").run())
        assert "**wide :red\\[rates\\]**" in texts(page)
        trainer.work()
        assert {run.name for run in registry.list_runs("ada")} == {
            "wide :red[rates], trial 1",
            "wide :red[rates], trial 2",
            "wide :red[rates], best again",
        }
        assert not open_page("sweep.py", visitor="bob", sweep=sweep_id).text_input

    def test_is_deleted_and_restored(self, open_page, tidy, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
        trainer.work()
        page = open_page("sweep.py", sweep=sweep_id)
        tidy(page.button(key="sweep.delete").click().run())
        assert "Sweep 1 has been deleted." in texts(page)
        assert registry.list_runs("ada") == []
        tidy(page.button(key="sweep.undo").click().run())
        assert len(registry.list_runs("ada")) == 3
        assert "The best of 2 trials" in texts(page)

    def test_others_look_at_it_and_repeat_it(self, open_page, tidy, registry, trainer):
        """A visitor with the link sees everything but the owner's buttons, and gets the same form."""
        sweep_id = commands.submit(registry, make_plan(trials=2), "ada")
        trainer.work()
        page = tidy(open_page("sweep.py", visitor="bob", sweep=sweep_id))
        assert "A shared sweep belongs to the person who started it." in texts(page)
        assert not {"Pause", "Stop", "Delete"} & buttons(page)
        assert links(page)["Search again"].query_string == sharing_text(registry, sweep_id)

    def test_says_why_it_waits(self, open_page, tidy, registry, trainer, quick):
        sweep_id = commands.submit(registry, make_plan(), "ada")
        for _ in range(3):
            registry.create(quick, "ada")
        trainer.drive()
        assert "Waiting: At most 3 runs may wait or train" in texts(tidy(open_page("sweep.py", sweep=sweep_id)))

    def test_says_that_a_trial_is_paused(self, open_page, tidy, registry, trainer):
        """A trial that its owner paused alone, or that found no room on the disk, holds the sweep up."""
        sweep_id = commands.submit(registry, make_plan(trials=1), "ada")
        trainer.drive()
        registry.request_pause(registry.list_trials(sweep_id)[0].id)
        trainer.drive()
        assert "Paused trials: 1. The sweep ends when they do" in texts(tidy(open_page("sweep.py", sweep=sweep_id)))

    def test_is_in_the_list_of_its_owner_alone(self, open_page, tidy, registry):
        commands.submit(registry, make_plan(), "ada")
        assert "Sweep 1: searching" in buttons(tidy(open_page("sweep.py")))
        assert "Sweep 1: searching" not in buttons(tidy(open_page("sweep.py", visitor="bob")))

    def test_a_trials_page_leads_back_to_it(self, open_page, tidy, registry, trainer):
        sweep_id = commands.submit(registry, make_plan(trials=1), "ada")
        trainer.work()
        for run, label in (
            (registry.list_trials(sweep_id)[0], "Trial 1 of a sweep"),
            (registry.get(registry.get_sweep(sweep_id).confirmation), "The best settings of a sweep"),
        ):
            assert links(open_page("train.py", run=run.id))[label].query_string == f"sweep={sweep_id}"

    def test_its_trials_do_not_crowd_the_lists_of_models(self, open_page, tidy, registry, trainer):
        """Runs lists them; Train lists only the run that trained the best settings once more."""
        commands.submit(registry, make_plan(trials=2), "ada")
        trainer.work()
        assert "Sweep 1, trial 1" in str(tidy(open_page("runs.py")).dataframe[0].value["Name"].tolist())
        latest = [label for label in links(open_page("train.py")) if label.startswith("Sweep 1")]
        assert [label.partition(":")[0] for label in latest] == ["Sweep 1, best again"]


def sharing_text(registry, sweep_id):
    from urllib.parse import urlencode

    return urlencode(sharing.of_plan(Plan.from_dict(registry.get_sweep(sweep_id).plan)))
