"""A model as one zip, on the Models page: checked, imported and refused, and which models the list names."""

import json
import re
import shutil

import pytest

from digits.data import mnist
from digits.models import catalogue
from digits.models.identity import ModelId, Weights
from digits.packages import archives, completion, intake, pack
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.views import cards

MODEL = "softmax"


@pytest.fixture
def own(registry, runs_dir):
    """Enter a run of Ada's with the files of a bundled model, as a trainer or an import leaves it."""

    def enter(*, with_best=False):
        run_id = registry.add_imported(
            Hyperparameters(), "ada", name="mine", data="Some.", test_correct=9, test_total=10, best_step=800
        )
        for name in [run_id, *([str(ModelId(run_id, Weights.BEST))] if with_best else [])]:
            folder = shutil.copytree(BUNDLED_MODELS_DIR / MODEL, runs_dir / name)
            card = json.loads((folder / "card.json").read_text(encoding="utf-8")) | {"id": name, "run": run_id}
            (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
        return run_id

    return enter


@pytest.fixture
def package():
    return pack.pack(catalogue.find(MODEL, Settings.from_environment()))


def upload(page, content, name="friend.zip"):
    page.file_uploader(key="models.file.0").set_value((name, content, "application/zip")).run()
    return page.button(key="models.import").click().run()


def test_a_check_says_that_the_predictions_are_the_same(open_page, tidy):
    """One press runs the package in a clean process and shows the sentence, which stays for this model alone."""
    page = open_page("models.py", model=MODEL, tab="Export and import")
    assert not page.success
    tidy(page.button(key="models.check").click().run())
    total = len(mnist.load_test(Settings.from_environment()).test)
    assert [found.value for found in page.success] == [f"All {total:,} predictions match."]
    page.selectbox(key="models.model").select("published").run()
    assert not page.success


def test_an_imported_model_is_chosen(open_page, tidy, own, package, monkeypatch):
    """After a good zip the page is about the new model, which belongs to the visitor, and says so."""
    given = {}

    def accept(content, **how):
        given.update(content=content, owner=how["owner"])
        how["on_step"]("Opening it")
        return own()

    monkeypatch.setattr(intake, "import_package", accept)
    page = tidy(upload(open_page("models.py", model="published", tab="Export and import"), package))
    assert (given["content"], given["owner"]) == (package, "ada")
    chosen = page.selectbox(key="models.model")
    assert chosen.format_func(chosen.value) == "mine, 90.0%"
    assert page.query_params["model"] == chosen.value
    assert any("has been imported" in toast.value for toast in page.toast)


def test_an_imported_model_is_shown_with_its_estimate_until_it_is_measured(
    open_page, tidy, registry, package, monkeypatch
):
    """The page has its figures so far and says what is being done; afterwards, all that it has for every model."""
    settings = Settings.from_environment()
    run_id = intake.import_package(package, registry=registry, settings=settings, owner="ada")
    step = {run_id: "Measuring its accuracy on 1,000 test images"}
    with monkeypatch.context() as patch:
        patch.setattr(completion, "begin", lambda *_: None)
        patch.setattr(completion, "_steps", step)
        page = tidy(open_page("models.py", model=run_id))
        (shown,) = page.info
        assert shown.value.startswith(f"{step[run_id]}. The model can be used already; its accuracy is an estimate")
        assert [metric.label for metric in page.metric][:2] == ["Test accuracy", "Parameters"]
        assert not page.tabs
        assert "Still to come" in dict(cards.facts(catalogue.find(run_id, settings)))
        tidy(open_page("draw.py", model=run_id))
        step.clear()  # it failed: the page says what it knows, and does not ask again
        assert tidy(page.run()).tabs
    completion.complete(run_id, registry, settings)
    page = tidy(page.run())
    assert not page.info
    assert [metric.label for metric in page.metric][:2] == ["Test accuracy", "Drawings"]
    assert "Still to come" not in dict(cards.facts(catalogue.find(run_id, settings)))


@pytest.mark.parametrize("content", [b"", archives.write_sealed({"../evil": b""}), archives.write({"a": b""})], ids=len)
def test_a_bad_zip_is_refused_and_changes_nothing(open_page, runs_dir, content):
    """The reason stands on the page, the model stays chosen, and the file can be replaced."""
    page = upload(open_page("models.py", model=MODEL, tab="Export and import"), content)
    assert len(page.error) == 1
    assert page.error[0].value.startswith("A package m")
    assert not page.exception
    assert page.selectbox(key="models.model").value == MODEL
    assert [path for path in runs_dir.iterdir() if path.is_dir()] == []
    assert page.file_uploader(key="models.file.0").value is not None


def test_a_refusal_shows_no_foreign_image(open_page, tidy):
    """A message that quotes a package is plain text: Markdown in it stays as it is written."""
    name = "![x](//host/x.png)<b>`:red[a]"
    page = upload(
        open_page("models.py", model=MODEL, tab="Export and import"), archives.write_sealed({"a/../" + name: b""})
    )
    (shown,) = page.error
    for part in ("![x]", "<b>", ":red["):
        assert not re.search(rf"(?<!\\){re.escape(part)}", shown.value)
    assert re.sub(r"\\(.)", r"\1", shown.value).startswith("A package may contain only plain files; its 'a/../")


def test_an_imported_model_works_on_other_pages(open_page, tidy, own):
    """A run that no trainer here has seen is shown like any other, and says that it has no history."""
    run_id = own()
    page = tidy(open_page("train.py", run=run_id))
    assert "This run has no training history." in [info.value for info in page.info]
    assert any(metric.label == "Test accuracy" for metric in page.metric)
    tidy(open_page("runs.py", chosen=run_id))


def test_a_runs_best_weights_stand_beside_its_last(open_page, tidy, own):
    """The list names both, the best first, where they are two."""
    own()
    own(with_best=True)
    listed = tidy(open_page("models.py", model=MODEL, tab="Export and import")).selectbox(key="models.model").options
    mine = [title for title in listed if title.startswith("mine")]
    assert mine == ["mine 2, best checkpoint, 91.6%", "mine 2, final, 90.0%", "mine, 90.0%"]
