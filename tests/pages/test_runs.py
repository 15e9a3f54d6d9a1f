"""Runs: a visitor names, repeats, deletes and compares their own runs, and only looks at those of others."""

import json
import shutil

import pytest

from digits.models import catalogue
from digits.models.identity import ModelId, Weights
from digits.runs import commands
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.settings import BUNDLED_MODELS_DIR

METRICS = [
    {"step": step, "seconds": step / 100, "loss": 1.0, "accuracy": 0.5, "val_loss": 0.5, "val_accuracy": step / 200}
    for step in (50, 100)
]


@pytest.fixture
def make_run(registry, runs_dir):
    """A function that makes an ended run, with one of the bundled models for its own; returns its id."""

    def make(
        network="softmax", *, owner="ada", name="", state=RunState.FINISHED, correct=9_000, changes=(), **settings
    ):
        hyperparameters = Hyperparameters(**PRESETS[network].hyperparameters.to_dict() | settings)
        run_id = commands.submit(registry, hyperparameters, owner, changes=changes, name=name)
        assert registry.claim().id == run_id
        registry.record(run_id, METRICS)
        registry.finish(run_id, state, test_correct=correct, test_total=10_000)
        shutil.copytree(BUNDLED_MODELS_DIR / network, runs_dir / run_id)
        return run_id

    return make


def listed(page):
    """The names in the list, from its top."""
    return [name for (name,) in page.dataframe(key="runs.table").value["Name"]]


def mark(page, *rows):
    """Choose rows of the list; AppTest has no hand for a table's boxes, so what their press remembers is set."""
    run_ids = page.dataframe(key="runs.table").value["Id"].str.removeprefix("'").tolist()
    page.session_state["runs.chosen"] = ".".join(run_ids[row] for row in rows)
    return page.run()


def press(page, key):
    return page.button(key=f"runs.{key}").click().run()


def open_run(page, run_id):
    """Open a run in its drawer, as a press on its row does."""
    page.session_state["runs.run"] = run_id
    return page.run()


def compare(page, *rows):
    """Choose rows of the list and press Compare."""
    return press(mark(page, *rows), "compare.open")


def show_tab(page, name):
    page.session_state["runs.tab"] = name
    return page.run()


def has_button(page, key):
    return any(button.key == f"runs.{key}" for button in page.button)


def words(page):
    kinds = (page.markdown, page.caption, page.info, page.warning, page.text)
    return " ".join(element.value for kind in kinds for element in kind)


def chart(page):
    return page.get("echarts_chart")[0].proto.alt


def names(registry, run_ids):
    return [registry.get(run_id).name for run_id in run_ids]


class TestList:
    def test_of_a_visitor_without_runs_has_two_examples(self, open_page, tidy):
        """A visitor without runs sees where runs come from, and two that can be compared with one press."""
        page = tidy(open_page("runs.py"))
        assert "You have no runs yet" in words(page)
        assert listed(page) == ["Convolutional (example)", "Softmax (example)"]
        page = tidy(press(page, "examples"))
        assert chart(page).startswith("Validation accuracy of 2 runs: Convolutional (example) at 0.99")
        assert page.query_params["chosen"] == "convolutional.softmax"
        page = tidy(show_tab(page, "Disagreements"))
        assert "A is better" in words(page)
        assert listed(tidy(press(page, "back"))) == ["Convolutional (example)", "Softmax (example)"]

    def test_shows_own_runs_the_best_first(self, open_page, tidy, make_run):
        """A visitor sees their own runs and nobody else's, named after their networks and numbered."""
        make_run(correct=8_000), make_run("corrected"), make_run(), make_run(owner="eve")
        make_run(state=RunState.FAILED)
        page = tidy(open_page("runs.py"))
        assert listed(page) == ["Softmax 2", "ReLU layers 1", "Softmax 1", "Softmax 3"]
        table = page.dataframe(key="runs.table").value
        assert table["Test accuracy"].tolist()[:3] == [90.0, 90.0, 80.0]
        assert table["State"].tolist() == ["Finished"] * 3 + ["Failed"]

    def test_is_filtered_by_state_and_network(self, open_page, tidy, make_run):
        """The filters leave out what they say, and the link keeps them."""
        make_run(name="soft"), make_run("corrected", name="wide"), make_run(name="cut", state=RunState.STOPPED)
        page = open_page("runs.py")
        page.selectbox(key="runs.state").select("finished").run()
        assert listed(page) == ["wide", "soft"]
        page.selectbox(key="runs.network").select("softmax").run()
        assert listed(tidy(page)) == ["soft"]
        assert dict(page.query_params) == {"state": "finished", "network": "softmax"}
        page.selectbox(key="runs.state").select("failed").run()
        assert "No runs match" in words(page)
        assert listed(press(page, "all")) == ["cut", "wide", "soft"]

    def test_takes_older_runs_when_asked(self, open_page, tidy, make_run, monkeypatch):
        """A long list begins with the newest runs, says so, and grows with a press."""
        monkeypatch.setattr("digits.settings.RUNS_LISTED", 2)
        for name in ("first", "second", "third"):
            make_run(name=name)
        page = tidy(open_page("runs.py"))
        assert listed(page) == ["third", "second"]
        assert "newest 2 runs" in words(page)
        assert listed(press(page, "more")) == ["third", "second", "first"]
        assert not has_button(page, "more")


class TestOneRun:
    def test_is_named_and_annotated(self, open_page, tidy, registry, make_run):
        """What is written into the two fields is kept and shown in the list."""
        run_id = make_run()
        page = open_run(open_page("runs.py"), run_id)
        assert page.text_input(key=f"runs.name.{run_id}").value == "Softmax 1"
        page.text_input(key=f"runs.name.{run_id}").set_value("wide").run()
        page.text_input(key=f"runs.note.{run_id}").set_value("=1+1").run()
        assert listed(tidy(page)) == ["wide"]
        assert page.dataframe(key="runs.table").value["Note"].tolist() == ["'=1+1"]
        assert registry.get(run_id).note == "=1+1"

    def test_is_run_again(self, open_page, registry, make_run):
        """The repeat has the same settings, seed and changes, and Train opens on it."""
        run_id = make_run("corrected", seed=7, changes=[Change(50, "learning_rate", 0.001, 0.0001)])
        page = press(open_run(open_page("runs.py"), run_id), "again")
        assert page.title[0].value == "Train a model"
        repeat = registry.get(page.query_params["run"])
        assert repeat.id != run_id
        assert repeat.hyperparameters == registry.get(run_id).hyperparameters
        assert registry.changes(repeat.id) == registry.changes(run_id) != []
        assert (registry.get(run_id).name, repeat.name) == ("ReLU layers 1", "ReLU layers 2")

    def test_opens_from_its_row_and_leads_to_train(self, open_page, tidy, make_run):
        """Its figures are shown; Edit and rerun leads to Train with the settings, Open with the run too."""
        run_id = make_run(learning_rate=0.123)
        page = open_run(open_page("runs.py"), run_id)
        assert page.query_params["run"] == run_id
        assert {metric.label: metric.value for metric in tidy(page).metric}["Test accuracy"] == "90.00%"
        assert "95% CI 89.40 to 90.57%" in words(page)
        (link,) = [link.proto.query_string for link in page.get("page_link") if link.label == "Edit and rerun"]
        assert "learning_rate=0.123" in link
        assert run_id not in link
        press(page, "open")
        assert page.title[0].value == "Train a model"
        assert page.query_params["run"] == run_id

    def test_from_a_link_opens(self, open_page, tidy, make_run):
        """A link opens somebody else's run, which cannot be changed; an unknown one gives a notice."""
        run_id = make_run(name="wide")
        page = tidy(open_page("runs.py", visitor="eve", run=run_id))
        assert "A shared run belongs to" in words(page)
        assert not page.text_input
        page = open_page("runs.py", visitor="eve", run="nosuchrun")
        assert len(page.warning) == 1
        assert "run" not in page.query_params

    def test_is_stopped(self, open_page, tidy, registry, quick):
        """A run that waits or trains can be stopped from here."""
        run_id = commands.submit(registry, quick, "ada")
        page = mark(open_page("runs.py"), 0)
        press(page, "stop")
        assert registry.get(run_id).state == RunState.STOPPED
        assert not has_button(tidy(page), "stop")

    def test_is_set_against_a_bundled_model(self, open_page, tidy, make_run):
        """Already one run can be compared with the models that come with Digits."""
        page = press(open_run(open_page("runs.py"), make_run("corrected")), "compare.bundled")
        page.selectbox(key="runs.b").select("softmax").run()
        assert "A is better" in words(tidy(page))

    def test_offers_its_best_weights_too(self, open_page, tidy, runs_dir, make_run):
        """Where a run's best weights are not its last, both can be set against others, the best ones first."""
        run_id = make_run(name="wide")
        for folder, weights, step in ((run_id, "last", 100), (str(ModelId(run_id, Weights.BEST)), "best", 50)):
            shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / folder, dirs_exist_ok=True)
            card = runs_dir / folder / catalogue.CARD
            facts = json.loads(card.read_text(encoding="utf-8")) | {"weights": weights, "step": step}
            card.write_text(json.dumps(facts), encoding="utf-8")
        page = tidy(open_page("runs.py", chosen=run_id, compare="True"))
        assert page.selectbox(key="runs.a").value == str(ModelId(run_id, Weights.BEST))
        assert page.selectbox(key="runs.a").options[:2] == ["wide, best checkpoint at 50", "wide, final at 100"]


class TestDeletion:
    def test_can_be_undone(self, open_page, tidy, registry, make_run):
        """Deleted runs leave the list; Undo brings them back, chosen as they were."""
        run_ids = [make_run(), make_run(), make_run()]
        page = mark(open_page("runs.py"), 0, 1)
        press(page, "delete")
        assert listed(tidy(page)) == names(registry, run_ids[:1])
        assert "2 runs deleted." in words(page)
        press(page, "undo")
        assert len(listed(tidy(page))) == 3
        assert "**2** selected" in words(page)
        assert "deleted." not in words(page)

    def test_can_be_undone_later(self, open_page, tidy, make_run):
        """The filter Deleted lists deleted runs, and there they can be restored."""
        make_run(name="wide")
        press(mark(open_page("runs.py"), 0), "delete")
        page = open_page("runs.py", state="deleted")
        assert listed(page) == ["wide"]
        press(mark(page, 0), "restore")
        assert listed(tidy(page)) == ["wide"]
        assert page.selectbox(key="runs.state").value == ""

    def test_is_not_for_strangers(self, open_page, tidy, registry, make_run):
        """Of somebody else's run neither name nor end can be changed, whatever the page is made to ask."""
        theirs = make_run(owner="eve", name="hers")
        page = tidy(open_run(open_page("runs.py", chosen=theirs), theirs))
        assert listed(page)[0] == "hers"
        assert not page.text_input
        assert not any(has_button(page, key) for key in ("delete", "stop", "restore", "opened.delete"))
        assert "A shared run belongs to" in words(page)

    def test_spares_a_strangers_run_among_own_ones(self, open_page, tidy, registry, make_run):
        """Of a mixed choice only the visitor's own runs are deleted."""
        mine, theirs = make_run(), make_run(owner="eve")
        page = press(open_page("runs.py", chosen=f"{mine}.{theirs}"), "delete")
        assert registry.get(theirs).deleted is None
        assert "1 run deleted." in words(tidy(page))


class TestComparison:
    @pytest.fixture
    def page(self, open_page, make_run):
        """The page with a softmax regression and a better network compared."""
        make_run(name="deep"), make_run("corrected", name="wide")
        return compare(open_page("runs.py"), 1, 0)

    def test_overlays_curves(self, page, tidy):
        """One chart has both runs; the measure and the axis can be chosen, and the link keeps both."""
        assert chart(page).startswith("Validation accuracy of 2 runs: deep at 0.5000")
        page.get_by_key("runs.measure").set_value("loss").run()
        page.toggle(key="runs.log").set_value(True).run()
        assert chart(page).startswith("Training loss of 2 runs")
        assert (page.query_params["measure"], page.query_params["log"]) == ("loss", "True")
        tidy(page)

    def test_begins_with_settings_that_differ(self, page, tidy):
        """The table of settings has a column for each run, and what differs comes first."""
        page = tidy(show_tab(page, "Settings"))
        table = page.dataframe[0].value
        assert list(table.columns) == ["Setting", "deep", "wide"]
        assert table["Setting"][0] == "Network"
        assert "Seed" in table["Setting"].tolist()
        assert page.query_params["tab"] == "Settings"

    def test_heads_no_column_with_a_formula(self, open_page, tidy, make_run):
        """The table can be saved for a spreadsheet."""
        make_run(name="=A1"), make_run("corrected", name="deep")
        page = tidy(show_tab(compare(open_page("runs.py"), 1, 0), "Settings"))
        assert sorted(page.dataframe[0].value.columns) == ["'=A1", "Setting", "deep"]

    def test_shows_where_two_models_disagree(self, page, tidy):
        """The result of the test is in words, and each group of images with different predictions can be shown."""
        show_tab(page, "Disagreements")
        assert (page.selectbox(key="runs.a").value, page.selectbox(key="runs.b").value) == tuple(
            page.session_state["runs.chosen"].split(".")
        )
        assert "B is better" in words(page)
        for side in ("b", "neither"):
            page.get_by_key("runs.side").set_value(side).run()
        tidy(page)
        page.selectbox(key="runs.b").select(page.selectbox(key="runs.a").value).run()
        assert "A and B are the same model" in words(tidy(page))

    def test_shows_a_sample_large(self, page, tidy):
        """A picked sample is shown with what both models make of it."""
        show_tab(page, "Disagreements").session_state["runs.sample"] = 8
        assert "A reads" in words(tidy(page.run()))

    def test_is_reopened_by_its_link(self, page, open_page, tidy):
        """A stranger who has the link sees the same comparison."""
        link = dict(page.query_params)
        other = tidy(open_page("runs.py", visitor="eve", **link))
        assert chart(other) == chart(page)
        assert "B is better" in words(tidy(show_tab(other, "Disagreements")))
        assert {"shared", "example"} == set(press(other, "back").dataframe(key="runs.table").value["Whose"])

    @pytest.mark.parametrize("number", [1, 6])
    def test_takes_two_to_five_runs(self, number, open_page, tidy, make_run):
        """With fewer or more, Compare is disabled; they can still be deleted."""
        for _ in range(number):
            make_run()
        page = tidy(mark(open_page("runs.py"), *range(number)))
        assert page.button(key="runs.compare.open").disabled
        assert has_button(page, "delete")

    def test_leaves_failed_runs_out(self, open_page, tidy, make_run):
        """A failed run among those ticked is not compared; one in a link is left out, which the page says."""
        ids = [make_run(), make_run(), make_run(state=RunState.FAILED)]
        page = tidy(compare(open_page("runs.py"), 0, 1, 2))
        assert chart(page).startswith("Validation accuracy of 2 runs: ")
        page = tidy(open_page("runs.py", chosen=".".join(ids), compare="True"))
        assert chart(page).startswith("Validation accuracy of 2 runs: ")
        assert "1 run that failed is left out." in words(page)


class TestLink:
    def test_to_unknown_or_deleted_runs_is_told(self, open_page, registry, make_run):
        """What cannot be shown is said in plain words, and the rest is shown."""
        kept, gone = make_run(name="kept"), make_run(name="gone")
        commands.delete(registry, [gone], "ada")
        page = open_page("runs.py", visitor="eve", chosen=f"{kept}.{gone}.nosuchrun")
        assert listed(page)[0] == "kept"
        said = " ".join(warning.value for warning in page.warning)
        assert "nosuchrun" in said
        assert gone in said
        assert not page.exception

    def test_to_a_sample_that_is_not_there_is_told(self, open_page, make_run):
        """A sample past the end is no crash."""
        page = open_page("runs.py", chosen=make_run("corrected"), compare="True", b="softmax", sample="999999")
        assert any("should be below" in warning.value for warning in page.warning)
