"""A damaged file of one run: it is shown as damaged, and every page shows all the rest."""

import json
import re
import shutil

import numpy as np
import pytest

from digits.data import own
from digits.data.mnist import load_test
from digits.errors import DigitsError
from digits.models import catalogue, weights
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.store import FolderStore
from digits.training import checkpoints, timeline
from digits.views import cards

SNAPSHOT = ".work/{id}/snapshots/00000100.npz"
FILES = (
    "{id}/card.json",
    "{id}/model.keras",
    "{id}/model.tflite",
    "{id}/test-probabilities.npy",
    "{id}/explain.npz",
    SNAPSHOT,
)
DAMAGES = ("missing", "empty", "truncated", "random", "other version")
PAGES = {"train.py": "run", "runs.py": "chosen", "models.py": "model", "gallery.py": "model", "draw.py": "model"}
# A path of a server: two folders in a row, or the scheme of a database.
ADDRESS = re.compile(r"(^|[\s('\"])/[\w.-]+/[\w.-]+|[a-z]+:///|registry\.sqlite")


def damage(path, how):
    """Damage a file in one of the ways of `DAMAGES`."""
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "random":
        path.write_bytes(np.random.default_rng(0).bytes(len(content)))
    elif path.suffix == ".json":
        path.write_text(json.dumps({"version": 99, "layers": []}), encoding="utf-8")
    elif path.suffix == ".npy":
        np.save(path, np.zeros((3, 3)))
    elif path.suffix == ".npz":
        np.savez(path, something=np.zeros(3), linear_kernel=np.zeros(3), kind=np.array("else"))
    else:
        path.write_bytes(content[:4] + b"XXXX" + content[8:])  # what identifies the format


@pytest.fixture
def finished(registry, runs_dir):
    """A finished run of Ada's with all its files; gives its id."""
    run_id = registry.add_imported(
        Hyperparameters(),
        "ada",
        name="mine",
        data="Some.",
        test_correct=9_000,
        test_total=10_000,
        history=[{"step": 100, "seconds": 1.0, "loss": 0.5, "accuracy": 0.9, "val_loss": 0.4, "val_accuracy": 0.9}],
    )
    shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / run_id)
    rng = np.random.default_rng(0)
    predicted, pictures = np.arange(100, dtype=np.uint8) % 10, rng.normal(size=(10, 28, 28)).astype(np.float32)
    moment = timeline.Snapshot(
        100, predicted, np.full(100, 0.9, np.float32), np.full((10, 10), 5, np.int32), "classes", pictures
    )
    timeline.write(FolderStore(runs_dir), run_id, moment)
    return run_id


def texts(page):
    """Everything that a page says in its messages."""
    kinds = (page.error, page.warning, page.info, page.caption, page.markdown, page.exception)
    return [element.value if hasattr(element, "value") else element.message for kind in kinds for element in kind]


def check(page):
    """Check that a page shows no traceback, and that no message names a path of the server or a database."""
    assert [error.message for error in page.exception] == []
    for text in texts(page):
        assert not ADDRESS.search(str(text)), text
    return page


class TestLoaders:
    """Every file in every way, without pages: what they call returns something or raises a `DigitsError`."""

    @pytest.mark.parametrize("how", DAMAGES)
    @pytest.mark.parametrize("file", FILES)
    def test_raise_nothing_else(self, file, how, finished, runs_dir):
        settings, store = Settings.from_environment(), FolderStore(runs_dir)
        dataset = load_test(settings)
        damage(runs_dir / file.format(id=finished), how)
        answered = 0
        catalogue.of_run(finished, settings)
        catalogue.damaged_of_run(finished, settings)
        timeline.read(store, finished, 100)
        for call in (
            lambda: catalogue.find(finished, settings),
            lambda: cards.facts(catalogue.find(finished, settings)),
            lambda: catalogue.find(finished, settings).test_probabilities(dataset),
            lambda: catalogue.find(finished, settings).calibration_report(dataset),
            lambda: weights.load(runs_dir / finished),
        ):
            try:
                call()
                answered += 1
            except DigitsError:
                pass
        assert answered >= (1 if "card" in file else 3)

    def test_name_what_is_damaged(self, finished, runs_dir):
        """A model whose card, network or Keras file is damaged is named; one without its probabilities is whole."""
        settings = Settings.from_environment()
        assert catalogue.damaged_of_run(finished, settings) == []
        (runs_dir / finished / "test-probabilities.npy").unlink()
        assert catalogue.damaged_of_run(finished, settings) == []
        (runs_dir / finished / "model.keras").unlink()
        assert catalogue.damaged_of_run(finished, settings) == [finished]


SAMPLE = [(file, how) for number, file in enumerate(FILES) for how in (DAMAGES[number % 5], DAMAGES[(number + 2) % 5])]


@pytest.mark.parametrize(("file", "how"), SAMPLE)
def test_breaks_no_page(file, how, finished, open_page, runs_dir):
    """Two damages of every file, on every page: no traceback, and Ada's other things are there."""
    damage(runs_dir / file.format(id=finished), how)
    for page, name in PAGES.items():
        opened = check(open_page(page, **{name: finished}))
        assert opened.title
        if page == "train.py":
            assert any("iterations" in text for text in texts(opened))
            assert opened.button
        if page == "runs.py":
            assert len(opened.dataframe)


def test_is_said_on_the_page_of_the_run(finished, open_page, runs_dir):
    """The rest of the run is shown: its curves, its moments, and how to repeat it."""
    (runs_dir / finished / "model.tflite").write_bytes(b"")
    page = check(open_page("train.py", run=finished))
    assert [error.value for error in page.error] == [
        "A file of this run's model is missing or damaged. Its curves are whole; repeat the run to make the model "
        "again."
    ]
    assert [str(view.key) for view in page.segmented_control] == ["train.view"]  # its moments


def test_a_run_whose_set_is_gone_breaks_no_page(finished, open_page, registry, runs_dir):
    """Its page shows the rest; a model's samples are those of its set, so their pages say that it is gone."""
    gone, path = {"dataset": own.name_of("0" * 16, 1)}, runs_dir / finished / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(card | {"hyperparameters": card["hyperparameters"] | gone}), encoding="utf-8")
    registry.describe(finished, hyperparameters=Hyperparameters().to_dict() | gone)
    for page, name in PAGES.items():
        opened = check(open_page(page, **{name: finished}))
        if page == "train.py":
            assert "cannot be shown. This set of drawings is not on this server" in opened.info[0].value
            assert any("iterations" in text for text in texts(opened))
        else:
            assert bool(opened.error) == (page in ("models.py", "gallery.py"))


@pytest.mark.parametrize("layout", ["classes", "units"])
def test_every_view_of_a_damaged_moment_says_so(layout, finished, open_page, runs_dir):
    """A moment whose arrays have other shapes is not shown in any view."""
    path = runs_dir / SNAPSHOT.format(id=finished)
    with np.load(path) as arrays:
        np.savez(path, **dict(arrays) | {"pictures": np.zeros(3), "kind": np.array(layout)})
    page = open_page("train.py", run=finished)
    for view in ("samples", "layer", "confusion"):
        page.segmented_control(key="train.view").set_value(view)
        check(page.run())
        assert "This moment is damaged and cannot be shown. Choose another." in [info.value for info in page.info]


def test_checkpoints_of_any_content_are_skipped(runs_dir):
    """Random, empty and foreign files among the checkpoints raise nothing."""
    store, folder = FolderStore(runs_dir), runs_dir / ".work" / "run"
    checkpoints.save(store, "run", {"step": np.array(7), "weights": np.ones(3)})
    (folder / "checkpoint-00000008.npz").write_bytes(b"")
    (folder / "checkpoint-00000009.npz").write_bytes(np.random.default_rng(0).bytes(5_000))
    (folder / "checkpoint-x.npz").write_text("x")
    np.save(folder / "single.npy", np.zeros(3))
    (folder / "single.npy").rename(folder / "checkpoint-00000010.npz")
    assert [int(state["step"]) for state in checkpoints.load(store, "run")] == [7]
