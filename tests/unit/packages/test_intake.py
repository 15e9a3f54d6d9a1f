"""imports and inspection: a sound package becomes the visitor's own model; of any other nothing is left."""

import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from digits.data import datasets
from digits.errors import InvalidPackage, TooManyPackages
from digits.models import catalogue
from digits.packages import archives, intake, limits, pack, rebuild
from digits.runs.hyperparameters import PRESETS
from digits.runs.schema import RunState
from digits.settings import BUNDLED_MODELS_DIR, Settings
from tests.unit.packages.test_manifests import HISTORY

FACTS = {"seconds": 1.0, "step": 1000, "data": "A few images.", "train_images": 640}


@pytest.fixture(scope="module")
def files():
    return archives.read(pack.pack(catalogue.find("softmax", Settings.from_environment())))


@pytest.fixture
def bring(registry):
    """Bring a package as a visitor does; gives the run's id."""

    def bring(content, owner="ada", name="mine.zip", **how):
        places = Settings.from_environment()
        return intake.import_package(content, name, registry=registry, settings=places, owner=owner, **how)

    return bring


def left_behind(runs_dir):
    return [path.name for path in runs_dir.iterdir() if path.is_dir()]


def test_a_package_becomes_the_visitors_model(files, bring, registry, runs_dir, monkeypatch):
    """From zip to model: owned, named, measured anew, with its history, and predicting the same."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    # Here is TensorFlow loaded already; the browser's journey waits for a process of its own.
    monkeypatch.setattr(limits, "run", lambda arguments, *rest, **how: rebuild.main(Path(arguments[-1])))
    places, steps = Settings.from_environment(), []
    boast = json.loads(files["card.json"]) | {"test": {"correct": 10_000, "total": 10_000}, "temperature": 5.0}
    content = archives.write({**files, "card.json": json.dumps(boast).encode(), "history.csv": HISTORY.encode()})
    run_id = bring(content, name="C:\\temp\\My  model\n.zip", on_step=steps.append)
    run, new, old = registry.get(run_id), catalogue.find(run_id, places), catalogue.find("softmax", places)
    images = datasets.load_test(places).test.images
    assert (run.owner, run.state, run.name, run.step) == ("ada", RunState.FINISHED, "My model", 1000)
    assert (run.best_step, run.best_val_accuracy, run.val_accuracy) == (100, 0.8, 0.8)
    assert [row["step"] for row in registry.history(run_id)] == [50, 100]
    assert np.array_equal(new.probabilities(images).argmax(1), old.probabilities(images).argmax(1))
    assert new.test_accuracy.total == 1000
    assert 850 < new.test_accuracy.correct < 1000
    assert new.temperature != 5.0
    assert (new.card.id, new.card.run) == (run_id, run_id)
    assert (new.folder / "explain.npz").is_file()
    assert left_behind(runs_dir) == [run_id]
    assert len(steps) >= 3


def test_a_package_that_is_refused_leaves_nothing(files, bring, registry, runs_dir, monkeypatch):
    """Where the model turns out to be none, there is no run and no folder, and the reason is told."""

    def refuse(arguments, *rest, **how):
        (Path(arguments[-1]) / intake.RESULT_FILE).write_text(json.dumps({"refused": "It is none."}))

    monkeypatch.setattr(limits, "run", refuse)
    with pytest.raises(InvalidPackage, match="It is none"):
        bring(archives.write(files))
    assert left_behind(runs_dir) == []
    assert registry.list_runs("ada") == []


def test_what_fails_at_the_end_leaves_nothing(files, bring, registry, runs_dir, monkeypatch):
    """A folder that cannot be moved into place takes its run with it."""
    monkeypatch.setattr(intake, "_inspect", lambda *rest: catalogue.bundled()[0].card)
    with pytest.raises(FileNotFoundError):
        bring(archives.write(files))
    assert registry.list_runs("ada") == []
    assert left_behind(runs_dir) == []


def test_a_visitor_may_bring_only_so_many(files, bring, registry, monkeypatch):
    """Models that were brought count, deleted ones for as long as they can be restored; others' do not."""
    monkeypatch.setattr(intake, "MAX_IMPORTS_PER_VISITOR", 1)
    monkeypatch.setattr(intake, "_inspect", lambda *rest: pytest.fail("nothing more should be looked at"))
    run_id = registry.add_imported(PRESETS["softmax"].hyperparameters, "ada")
    registry.set_deleted([run_id], 1.0)
    with pytest.raises(TooManyPackages, match="At most 1 models"):
        bring(archives.write(files))


class TestInspection:
    @pytest.fixture
    def inspect(self, tmp_path, small):
        """Inspect a package's two files, in this process."""

        def inspect(keras_file, tflite_file, network="softmax"):
            (tmp_path / "model.keras").write_bytes(keras_file)
            (tmp_path / "model.tflite").write_bytes(tflite_file)
            return rebuild.inspect(
                tmp_path,
                hyperparameters=PRESETS[network].hyperparameters,
                dataset=small,
                drawings=None,
                facts=FACTS,
            )

        return inspect

    def test_makes_the_model_anew(self, files, inspect, tmp_path, small):
        """The files are written here, from the numbers alone."""
        card = inspect(files["model.keras"], files["model.tflite"])
        assert card.test.total == len(small.test)
        assert (tmp_path / "model" / "model.tflite").is_file()

    def test_refuses_a_swapped_tflite(self, files, inspect):
        """A .tflite of another model is told apart from the .keras beside it."""
        other = (BUNDLED_MODELS_DIR / "convolutional" / "model.tflite").read_bytes()
        with pytest.raises(InvalidPackage, match="must be the same model"):
            inspect(files["model.keras"], other)

    def test_refuses_a_tflite_that_is_none(self, files, inspect):
        """A file that LiteRT cannot read is told as such."""
        with pytest.raises(InvalidPackage, match="cannot be asked"):
            inspect(files["model.keras"], b"no model")

    @pytest.mark.parametrize("claimed", ["published", "convolutional"])
    def test_refuses_another_network(self, files, inspect, claimed):
        """A model whose layers are not those of the network that its settings name is not what it says."""
        with pytest.raises(InvalidPackage, match="By its settings the model must be"):
            inspect(files["model.keras"], files["model.tflite"], claimed)

    def test_refuses_a_network_of_the_same_shape(self, inspect):
        """Two networks may have the same weights' shapes and differ in what they do with them."""
        folder = BUNDLED_MODELS_DIR / "corrected"
        with pytest.raises(InvalidPackage, match="By its settings the model must be"):
            inspect((folder / "model.keras").read_bytes(), (folder / "model.tflite").read_bytes(), "published")

    @pytest.mark.parametrize("how", ["external", "link", "text", "many", "damaged"])
    def test_refuses_weights_that_are_no_plain_numbers(self, files, inspect, tmp_path, how):
        """Numbers that HDF5 would fetch from the server's own files, or that are none, are never read."""
        (tmp_path / "secret").write_bytes(bytes(4000))
        parts = archives.read(files["model.keras"])
        stream = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(stream, "r+") as file:
            if how == "external":
                file.create_dataset("x", (1000,), "f4", external=[(str(tmp_path / "secret"), 0, 4000)])
            elif how == "link":
                file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
            elif how == "text":
                file["x"] = "words"
            elif how == "many":
                file.create_dataset("x", (10**9,), "f4", chunks=True, compression="gzip")
        content = stream.getvalue()[:2000] if how == "damaged" else stream.getvalue()
        keras_file = archives.write({**parts, "model.weights.h5": content})
        with pytest.raises(InvalidPackage, match=r"model\.keras must (hold|open)"):
            inspect(keras_file, files["model.tflite"])
