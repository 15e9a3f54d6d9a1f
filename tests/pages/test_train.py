"""Train: the settings shown are the settings trained, a run belongs to its visitor, and a result can be taken away."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from digits.accuracy import Accuracy
from digits.runs import commands
from digits.runs.changes import Change
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import FolderStore, open_store
from digits.training import checkpoints, export, timeline
from digits.views.challenges import CHALLENGES
from digits.views.networks import EXPLANATIONS


def shown(page):
    """The hyperparameters that the page's widgets show."""
    return {name: page.get_by_key(f"train.{name}").value for name in KNOBS if name != "own_share"}  # only with a set


def has_button(page, key):
    return any(button.key == f"train.{key}" for button in page.button)


def _visits(run_id):
    """The page that is drawn whole, and a visit of the clock, during which the trainer tells the test accuracy."""
    import threading

    from pages import _transport, _widgets

    registry = _widgets.registry()
    _transport.note(registry.get(run_id))
    _transport.status(run_id)
    told = {"test_correct": 9_123, "test_total": 10_000}
    threading.Timer(0.1, registry.set_activity, (run_id, "Tested"), told).start()
    _transport.status(run_id)


def words(page):
    """Everything that the page says in plain words."""
    return " ".join(element.value for kind in (page.markdown, page.caption, page.info) for element in kind)


def explanations(page):
    """What the page says on hover and focus of its settings."""
    widgets = [*page.slider, *page.select_slider, *page.selectbox, *page.number_input]
    return " ".join(widget.help or "" for widget in widgets)


class TestSettings:
    @pytest.mark.parametrize("network", PRESETS)
    def test_follow_the_chosen_network(self, network, open_page, tidy):
        """Choosing a network moves every setting to its preset, and the link spells them out."""
        page = open_page("train.py")
        page.radio(key="train.network").set_value(network).run()
        preset = PRESETS[network].hyperparameters
        assert Hyperparameters(**shown(tidy(page))) == preset
        link = {name: text for name, text in page.query_params.items() if name in KNOBS}
        assert Hyperparameters.from_dict(link) == preset
        assert any(EXPLANATIONS[network] in caption.value for caption in page.caption)

    def test_promise_of_a_distilled_model_is_no_more_than_a_bound(self, open_page):
        """The bundled network for drawings learned from larger ones, so a run in the app reaches "up to" as much."""
        captions = open_page("train.py").radio(key="train.network").proto.captions
        assert ["up to" in caption for caption in captions] == [network == "drawing" for network in PRESETS]

    @pytest.mark.parametrize("network", PRESETS)
    def test_follow_a_link_to_a_network(self, network, open_page, tidy):
        """A link that names only a network opens on its preset."""
        page = tidy(open_page("train.py", network=network))
        assert Hyperparameters(**shown(page)) == PRESETS[network].hyperparameters

    def test_are_the_links(self, open_page, tidy):
        """A link's settings are shown, those between the slider's stops too."""
        page = tidy(open_page("train.py", network="corrected", learning_rate="0.00123", iterations="700", seed="42"))
        assert (shown(page)["learning_rate"], shown(page)["iterations"], shown(page)["seed"]) == (0.00123, 700, 42)

    def test_survive_a_visit_to_another_page(self, open_page, tidy):
        """What a visitor has set is still set when they come back."""
        page = open_page("train.py")
        page.slider(key="train.iterations").set_value(2300).run()
        for file in ("gallery.py", "train.py"):
            page.switch_page(file)
            page.query_params.clear()  # as the browser does when the visitor uses the menu
            page.run()
        assert shown(tidy(page))["iterations"] == 2300

    def test_can_be_put_back(self, open_page, tidy):
        """Back to the preset undoes every change."""
        page = open_page("train.py", iterations="700", dropout="0.4", optimizer="sgd")
        next(button for button in page.button if button.label == "Back to the preset").click().run()
        assert Hyperparameters(**shown(tidy(page))) == PRESETS["corrected"].hyperparameters

    def test_are_explained(self, open_page):
        """The network is explained beside its drawing, and every setting on hover and focus."""
        page = open_page("train.py")
        assert EXPLANATIONS["corrected"] in words(page)
        for name, knob in KNOBS.items():
            assert knob.help in explanations(page) or name in ("network", "own_share")


class TestHostileLink:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("network", "resnet"),
            ("learning_rate", "nan"),
            ("learning_rate", "1e999"),
            ("iterations", "-5"),
            ("iterations", "1e9"),
            ("dropout", "2"),
            ("batch_size", "0"),
            ("optimizer", "<b>sgd</b>"),
            ("seed", "9" * 400),
            ("run", "../../etc/passwd"),
            ("run", "nobody"),
        ],
    )
    def test_gives_one_notice_and_the_default(self, name, text, open_page, tidy):
        """A setting that cannot be used gives one notice, and the preset's value is used instead."""
        page = tidy(open_page("train.py", **{name: text}))
        assert len(page.warning) == 1
        assert Hyperparameters(**shown(page)) == PRESETS["corrected"].hyperparameters
        assert has_button(page, "start")
        assert page.query_params.get(name) != text


class TestStart:
    def test_queues_a_run_with_exactly_what_is_shown(self, open_page, tidy, registry):
        """Start hands in the settings on the screen, and the run stands in the link."""
        page = open_page("train.py", network="corrected", seed="7")
        page.slider(key="train.iterations").set_value(900)
        page.slider(key="train.dropout").set_value(0.25).run()
        on_screen = Hyperparameters(**shown(page))
        page.button(key="train.start").click().run()
        (run,) = registry.list_runs("ada")
        assert run.hyperparameters == on_screen
        assert (run.hyperparameters.iterations, run.hyperparameters.dropout, run.hyperparameters.seed) == (900, 0.25, 7)
        assert (run.state, page.query_params["run"]) == (RunState.QUEUED, run.id)
        assert any("Next in the queue" in progress.text for progress in tidy(page).progress)
        assert has_button(page, "stop")
        assert not has_button(page, "start")  # the form gives way to the run

    def test_says_when_a_visitor_has_too_many(self, open_page, registry, quick):
        """A visitor with the allowed number of runs gets a message, and nothing is queued."""
        for _ in range(3):
            commands.submit(registry, quick, "ada")
        page = open_page("train.py")
        page.button(key="train.start").click().run()
        assert not page.exception
        assert [error.value for error in page.error if "At most 3 runs" in error.value]
        assert len(registry.list_runs("ada")) == 3
        assert "run" not in page.query_params

    def test_again_after_a_stop(self, open_page, tidy, registry):
        """After a run has ended, another can be started from the same page."""
        page = open_page("train.py")
        page.button(key="train.start").click().run()
        page.button(key="train.stop").click().run()
        page.button(key="train.start").click().run()
        assert [run.state for run in registry.list_runs("ada")] == [RunState.QUEUED, RunState.STOPPED]
        assert page.query_params["run"] == registry.list_runs("ada")[0].id
        assert tidy(page)


class TestStop:
    def test_takes_ones_own_queued_run_out(self, open_page, tidy, registry, quick):
        """Stop ends a run that has not begun, and the page says what became of it."""
        run_id = commands.submit(registry, quick, "ada")
        page = open_page("train.py", run=run_id)
        page.button(key="train.stop").click().run()
        assert registry.get(run_id).state == RunState.STOPPED
        assert any("queue" in info.value for info in tidy(page).info)
        assert has_button(page, "start")

    def test_asks_the_trainer_of_ones_own_running_run(self, open_page, tidy, registry, quick):
        """Stop on a run in training is a request, which the page shows as such."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        page = open_page("train.py", run=run_id)
        page.button(key="train.stop").click().run()
        assert registry.get(run_id).stop_requested
        assert any("Stopping" in progress.text for progress in tidy(page).progress)

    @pytest.mark.parametrize("is_running", [False, True])
    def test_is_not_offered_for_somebody_elses_run(self, is_running, open_page, tidy, registry, quick):
        """Who watches a shared run sees it, and may not stop it."""
        run_id = commands.submit(registry, quick, "bob")
        if is_running:
            registry.claim()
        page = tidy(open_page("train.py", run=run_id))
        assert not has_button(page, "stop")
        assert has_button(page, "start")
        assert "you are watching" in words(page)
        assert page.query_params["run"] == run_id


class TestTransport:
    def test_pauses_steps_resumes_and_saves(self, open_page, tidy, registry, quick):
        """Each button gives its command, and what makes no sense in a state is greyed."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        page = tidy(open_page("train.py", run=run_id))
        assert [page.button(key=f"train.{name}").disabled for name in ("step", "step_validation", "save")] == [1, 1, 0]
        page.button(key="train.save").click().run()
        assert registry.get(run_id).save_requested
        page.button(key="train.pause").click().run()
        assert registry.get(run_id).pause_at == 0
        registry.set_paused(run_id)
        page = tidy(open_page("train.py", run=run_id))
        assert not has_button(page, "pause")
        assert page.button(key="train.save").disabled
        page.button(key="train.step").click().run()
        assert (registry.get(run_id).state, registry.get(run_id).pause_at) == (RunState.QUEUED, 10)
        registry.request_pause(run_id)
        page = open_page("train.py", run=run_id)
        page.button(key="train.resume").click().run()
        assert (registry.get(run_id).state, registry.get(run_id).pause_at) == (RunState.QUEUED, None)
        assert tidy(page)

    def test_is_the_owners_alone(self, open_page, tidy, registry, quick):
        """A visitor who only watches has no buttons and no live hyperparameters."""
        run_id = commands.submit(registry, quick, "bob")
        registry.claim()
        page = tidy(open_page("train.py", run=run_id))
        for name in ("pause", "resume", "step", "step_validation", "save", "stop"):
            assert not has_button(page, name)
        assert not [slider for slider in page.slider if slider.key.startswith("train.live")]

    def test_a_refused_command_is_told(self, open_page, registry, quick, monkeypatch):
        """A run that has ended in the same moment gives a message and no exception."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        page = open_page("train.py", run=run_id)
        registry.finish(run_id, RunState.FAILED, reason="because")
        page.button(key="train.pause").click().run()
        assert not page.exception
        assert any("Only a queued or running run can be paused" in error.value for error in page.error)

    def test_turns_knobs_and_tells_what_was_turned(self, open_page, tidy, registry, quick):
        """A live slider asks the trainer for a change; once it takes effect the page and the curves' text show it."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        row = {"seconds": 2.0, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75}
        registry.record(run_id, [{"step": 50, **row}], best_step=50, best_val_accuracy=0.75, val_accuracy=0.75)
        page = tidy(open_page("train.py", run=run_id))
        page.slider(key=f"train.live.dropout.{run_id}").set_value(0.4).run()
        (change,) = registry.changes(run_id)
        assert (change.step, change.name, change.value) == (None, "dropout", 0.4)
        registry.take_changes(run_id, 60, [Change(None, "dropout", 0.0, 0.4)])
        page = tidy(open_page("train.py", run=run_id))
        assert "dropout 0 → 0.4 at 60" in words(page)
        assert [(metric.label, metric.value) for metric in page.metric] == [("Validation accuracy", "75.0%")]


class TestSeeItLearn:
    @pytest.fixture
    def learning(self, registry, runs_dir, quick):
        """A run of ada's with three moments."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        for step in (50, 60, 100):
            pictures = np.random.default_rng(step).normal(size=(10, 28, 28)).astype(np.float32)
            predicted, confidence = np.arange(100) % 10, np.full(100, 0.9, np.float32)
            confusion = np.full((10, 10), step, np.int32)
            timeline.write(
                FolderStore(runs_dir),
                run_id,
                timeline.Snapshot(step, predicted.astype(np.uint8), confidence, confusion, "classes", pictures),
            )
        registry.set_paused(run_id)
        return run_id

    def test_shows_every_view_at_the_newest_moment(self, learning, open_page, tidy):
        """Samples, first layer and confusion are shown, each with its words."""
        page = tidy(open_page("train.py", run=learning))
        assert page.select_slider(key=f"train.moment.{learning}").value == 100
        assert "of these 100 are correct** after 100 iterations" in words(page)
        for view, said in (("layer", "10 pictures, one for each class"), ("confusion", "Validation images after 100")):
            page.button_group(key="train.view").set_value(view).run()
            assert said in words(tidy(page))

    def test_goes_back_along_the_time_line_and_replays(self, learning, open_page, tidy):
        """A chosen moment stays; Replay begins at the first and goes on with each visit of the clock."""
        page = open_page("train.py", run=learning)
        page.select_slider(key=f"train.moment.{learning}").set_value(60).run()
        assert "after 60 iterations" in words(tidy(page))
        page.button(key="train.replay").click().run()
        assert "after 60 iterations" in words(tidy(page))
        page.run()
        assert "after 100 iterations" in words(tidy(page))


class TestProgress:
    def test_of_a_running_run_is_shown(self, open_page, tidy, registry):
        """Iterations done, speed and time left are shown, with a text alternative for both curves."""
        run_id = commands.submit(registry, Hyperparameters(iterations=1000, batch_size=100), "ada")
        registry.claim()
        row = {"seconds": 2.0, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75}
        registry.record(run_id, [{"step": 50, **row, "seconds": 0.5}, {"step": 200, **row, "loss": 0.4}])
        page = tidy(open_page("train.py", run=run_id))
        (progress,) = page.progress
        assert (progress.value, progress.text) == (20, "200 of 1,000 iterations, 10,000 images a second, 8 s left")
        assert len(page.get("echarts_chart")) == 2

    def test_says_what_the_trainer_is_doing(self, open_page, tidy, registry, quick):
        """While a run is prepared or saved, the page says so."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        registry.set_activity(run_id, "Converting to LiteRT")
        page = tidy(open_page("train.py", run=run_id))
        assert page.progress[0].text == "Converting to LiteRT …"

    def test_waits_for_the_accuracy_of_a_run_that_is_nearly_over(self, tidy, registry):
        """The clock's visit in the last half second brings the test accuracy, which is told while it waits."""
        run_id = commands.submit(registry, Hyperparameters(iterations=100, batch_size=100), "ada")
        registry.claim()
        row = {"seconds": 0.5, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75}
        registry.record(run_id, [{"step": 100, **row}])
        visits = AppTest.from_function(_visits, args=(run_id,), default_timeout=60)
        visits.session_state["visitor"] = "bob"
        (metric,) = tidy(visits.run()).metric  # the page that is drawn whole waits for nothing
        assert metric.value == "91.23%"

    def test_counts_the_runs_before_it(self, open_page, tidy, registry, quick):
        """A run that waits says how many come first."""
        for owner in ("bob", "eve"):
            commands.submit(registry, quick, owner)
        page = tidy(open_page("train.py", run=commands.submit(registry, quick, "ada")))
        assert page.progress[0].text == "Starts in about 1 s, after 2 runs"

    def test_of_a_failed_run_is_its_reason(self, open_page, registry, quick):
        """A run that failed says why, and another can be started."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        registry.finish(run_id, RunState.FAILED, reason="The loss became infinite.")
        page = open_page("train.py", run=run_id)
        assert not page.exception
        assert [error.value for error in page.error] == ["The loss became infinite."]
        assert has_button(page, "start")


class TestDiagnosis:
    def test_of_a_run_that_guesses_offers_a_better_rate(self, open_page, tidy, registry):
        """A finished run near chance is told, and one press starts the same run with another learning rate."""
        wild = Hyperparameters(network="corrected", optimizer="adam", learning_rate=0.1, iterations=100)
        run_id = commands.submit(registry, wild, "ada")
        registry.claim()
        row = {"seconds": 2.0, "loss": 2.3, "accuracy": 0.1, "val_loss": 2.3, "val_accuracy": 0.11}
        registry.record(run_id, [{"step": 100, **row}], val_accuracy=0.11)
        registry.finish(run_id, RunState.FINISHED)
        page = tidy(open_page("train.py", run=run_id))
        assert any("guessing: 11.0% correct" in warning.value for warning in page.warning)
        page.button(key="train.better").click().run()
        newest = registry.list_runs("ada")[0]
        assert newest.hyperparameters.learning_rate < 0.1
        assert newest.hyperparameters.iterations == 100
        assert page.query_params["run"] == newest.id

    def test_is_silent_about_a_run_that_learns(self, open_page, tidy, registry, quick):
        """A page without trouble has no banner."""
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        row = {"seconds": 2.0, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75}
        registry.record(run_id, [{"step": 100, **row}])
        assert not has_button(tidy(open_page("train.py", run=run_id)), "better")


class TestChallenges:
    def test_are_five_links(self, open_page, tidy):
        """Each challenge is a link with its settings; one that is taken up is shown with its task."""
        page = tidy(open_page("train.py"))
        assert {challenge.title for challenge in CHALLENGES.values()} <= {link.label for link in page.get("page_link")}
        page = tidy(open_page("train.py", challenge="fast"))
        assert CHALLENGES["fast"].task in words(page)
        page.button(key="train.challenge.leave").click().run()
        assert CHALLENGES["fast"].task not in words(tidy(page))
        assert "challenge" not in page.query_params

    def test_check_themselves(self, open_page, tidy, registry):
        """A run that meets a challenge turns its card into what there is to learn."""
        run_id = commands.submit(registry, Hyperparameters(network="corrected", learning_rate=1.0), "ada")
        registry.claim()
        registry.record(run_id, [], val_accuracy=0.1)
        registry.finish(run_id, RunState.FINISHED)
        assert CHALLENGES["break"].lesson in words(tidy(open_page("train.py", challenge="break")))
        assert CHALLENGES["break"].task in words(tidy(open_page("train.py", visitor="bob", challenge="break")))


class TestOwnDrawing:
    def test_goes_with_a_run_and_is_shown_with_its_reading(self, open_page, tidy, registry, runs_dir):
        """A drawing on the Draw page is kept with the next run; a snapshot's reading of it is shown."""
        page = open_page("train.py")
        page.session_state["draw.strokes"] = [np.array([[70, 70], [200, 68], [140, 190], [120, 230]], np.float32)]
        page.button(key="train.start").click().run()
        (run,) = registry.list_runs("ada")
        store = FolderStore(runs_dir)
        assert timeline.read_drawing(store, run.id).max() > 100
        registry.claim()
        drawn, pictures = np.full(10, 0.01, np.float32), np.zeros((10, 28, 28), np.float32)
        drawn[7] = 0.91
        hundred, counts = np.zeros(100, np.uint8), np.zeros((10, 10), np.int32)
        snapshot = timeline.Snapshot(50, hundred, np.ones(100, np.float32), counts, "classes", pictures, drawn)
        timeline.write(store, run.id, snapshot)
        assert "**Your drawing: 7**, 91.0% after 50 iterations" in words(tidy(open_page("train.py", run=run.id)))
        shared = words(tidy(open_page("train.py", visitor="bob", run=run.id)))
        assert "**Its owner's drawing: 7**, 91.0% after 50 iterations" in shared


class TestAgain:
    def test_offers_a_failed_run_its_checkpoint(self, open_page, tidy, registry, quick):
        """The button says from which iteration; another visitor is not offered it."""
        first = commands.submit(registry, quick, "ada")
        registry.claim()
        registry.finish(first, RunState.FAILED, reason="because")
        assert not has_button(open_page("train.py", run=first), "again.continue")
        checkpoints.save(open_store(Settings.from_environment()), first, {"step": np.array(60)})
        page = open_page("train.py", run=first)
        button = page.button(key="train.again.continue")
        assert button.label == "Start again from iteration 60"
        page = tidy(button.click().run())
        run = registry.get(page.query_params["run"])
        assert (run.id != first, run.state, run.step) == (True, RunState.QUEUED, 60)

    def test_repeats_a_run_with_its_changes(self, open_page, tidy, registry, quick):
        """Rerun queues the same settings, seed and changes, and shows the new run."""
        changes = [Change(40, "learning_rate", 0.5, 0.1)]
        first = commands.submit(registry, quick, "bob", changes=changes)
        registry.claim()
        registry.finish(first, RunState.FAILED, reason="because")
        page = open_page("train.py", run=first)
        page.button(key="train.again").click().run()
        (run,) = registry.list_runs("ada")
        assert (run.hyperparameters, registry.changes(run.id)) == (quick, changes)
        assert tidy(page).query_params["run"] == run.id


class TestResult:
    @pytest.fixture
    def finished(self, registry, runs_dir, small, quick, once):
        """A finished run of ada's, with its model, as the trainer would leave them."""
        from digits.training.loop import train
        from digits.training.programs import Program

        def train_and_save():
            run_id = commands.submit(registry, quick, "ada")
            registry.claim()
            program = Program("softmax", 10, optimizer="sgd")
            for progress in train(quick, small, program):
                registry.record(run_id, [vars(progress)])
            card = export.save_model(
                program.exportable_model(),
                runs_dir / run_id,
                hyperparameters=quick,
                dataset=small,
                facts={"seconds": 1.5},
            )
            result = {"test_correct": card.test.correct, "test_total": card.test.total}
            registry.finish(run_id, RunState.FINISHED, **result)
            return run_id

        return registry.get(once(train_and_save))

    def test_shows_accuracy_interval_and_four_downloads(self, finished, open_page, tidy):
        """A finished run shows its accuracy with an interval, and offers its files, the zip of everything first."""
        page = tidy(open_page("train.py", run=finished.id))
        measured = Accuracy(finished.test_correct, finished.test_total)
        assert (page.metric[0].label, page.metric[0].value) == ("Test accuracy", f"{measured.share:.2%}")
        low, high = measured.interval
        assert f"{measured.correct} of {measured.total} test images" in words(page)
        assert f"{low:.2%} to {high:.2%}" in words(page)
        labels = [button.label for button in page.get("download_button")]
        assert len(labels) == 4
        assert labels[0] == "Everything as one zip"
        assert {".keras", ".tflite"} <= set(labels)
        assert has_button(page, "start")

    def test_can_be_watched_by_others(self, finished, open_page, tidy):
        """Who has the link sees the result and may take the files away."""
        page = tidy(open_page("train.py", visitor="bob", run=finished.id))
        assert len(page.get("download_button")) == 4
        assert "you are watching" in words(page)

    def test_can_be_drawn_with_and_looked_at(self, finished, open_page, tidy):
        """The run's model can be chosen on the other pages, by its owner and by who has the link."""
        for file, key in (("draw.py", "draw.model"), ("gallery.py", "gallery.model")):
            for visitor in ("ada", "bob"):
                page = tidy(open_page(file, visitor=visitor, model=finished.id))
                assert page.selectbox(key=key).value == finished.id
                assert not page.warning

    def test_is_offered_to_its_owner_alone(self, finished, open_page):
        """Without a link, only the owner finds the run among the models."""
        options = {who: open_page("draw.py", visitor=who).selectbox(key="draw.model").options for who in ("ada", "bob")}
        assert len(options["ada"]) == len(options["bob"]) + 1

    def test_without_its_files_is_an_error_not_a_crash(self, finished, open_page, runs_dir):
        """When somebody has deleted the folder, the page says that the model is gone."""
        for path in (runs_dir / finished.id).iterdir():
            path.unlink()
        page = open_page("train.py", run=finished.id)
        assert not page.exception
        assert any("is missing or damaged" in error.value for error in page.error)


def test_the_data_is_named(open_page, tidy):
    """Before anything is trained the page says which data there is to learn from."""
    page = tidy(open_page("train.py"))
    assert "MNIST" in words(page)
    assert len(page.get("echarts_chart")) == 1  # empty: the browser loads the library before there is a curve
