"""intake and rebuild: a valid package becomes the visitor's own model; an invalid one leaves nothing behind."""

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
def import_package(registry):
    """Import a package as a visitor does, and return the run's id."""

    def import_package(content, owner="ada", name="mine.zip", **how):
        settings = Settings.from_environment()
        return intake.import_package(content, name, registry=registry, settings=settings, owner=owner, **how)

    return import_package


def left_behind(runs_dir):
    return [path.name for path in runs_dir.iterdir() if path.is_dir()]


def test_a_package_becomes_the_visitors_model(files, import_package, registry, runs_dir, monkeypatch):
    """The new model has an owner, a name, its history and a measured accuracy, and predicts the same."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    # TensorFlow is already loaded here; the browser test covers the separate process.
    monkeypatch.setattr(limits, "run", lambda arguments, *rest, **how: rebuild.main(Path(arguments[-1])))
    settings, steps = Settings.from_environment(), []
    false_card = json.loads(files["card.json"]) | {"test": {"correct": 10_000, "total": 10_000}, "temperature": 5.0}
    content = archives.write({**files, "card.json": json.dumps(false_card).encode(), "history.csv": HISTORY.encode()})
    run_id = import_package(content, name="C:\\temp\\My  model\n.zip", on_step=steps.append)
    run, new, old = registry.get(run_id), catalogue.find(run_id, settings), catalogue.find("softmax", settings)
    images = datasets.load_test(settings).test.images
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


def test_a_refused_package_leaves_nothing(files, import_package, registry, runs_dir, monkeypatch):
    """If the model cannot be rebuilt, there is no run and no folder, and the error states the reason."""

    def refuse(arguments, *rest, **how):
        (Path(arguments[-1]) / intake.RESULT_FILE).write_text(json.dumps({"refused": "The reason."}))

    monkeypatch.setattr(limits, "run", refuse)
    with pytest.raises(InvalidPackage, match="The reason"):
        import_package(archives.write(files))
    assert left_behind(runs_dir) == []
    assert registry.list_runs("ada") == []


def test_a_late_failure_leaves_nothing(files, import_package, registry, runs_dir, monkeypatch):
    """If the folder cannot be moved into place, the run is removed again."""
    monkeypatch.setattr(intake, "_rebuild", lambda *rest: catalogue.bundled()[0].card)
    with pytest.raises(FileNotFoundError):
        import_package(archives.write(files))
    assert registry.list_runs("ada") == []
    assert left_behind(runs_dir) == []


def test_a_visitor_has_a_limit_on_imports(files, import_package, registry, monkeypatch):
    """A deleted import still counts while it can be restored."""
    monkeypatch.setattr(intake, "MAX_IMPORTS_PER_VISITOR", 1)
    monkeypatch.setattr(intake, "_rebuild", lambda *rest: pytest.fail("the limit must be checked first"))
    run_id = registry.add_imported(PRESETS["softmax"].hyperparameters, "ada")
    registry.set_deleted([run_id], 1.0)
    with pytest.raises(TooManyPackages, match="At most 1 models"):
        import_package(archives.write(files))


class TestRebuild:
    @pytest.fixture
    def rebuilt(self, tmp_path, small):
        """Rebuild a model from a package's two files, in this process."""

        def rebuilt(keras_file, tflite_file, network="softmax"):
            (tmp_path / "model.keras").write_bytes(keras_file)
            (tmp_path / "model.tflite").write_bytes(tflite_file)
            return rebuild.rebuild_model(
                tmp_path,
                hyperparameters=PRESETS[network].hyperparameters,
                dataset=small,
                facts=FACTS,
            )

        return rebuilt

    def test_writes_the_models_files(self, files, rebuilt, tmp_path, small):
        """The new files are written from the package's weights, and the card states the measured accuracy."""
        card = rebuilt(files["model.keras"], files["model.tflite"])
        assert card.test.total == len(small.test)
        assert (tmp_path / "model" / "model.tflite").is_file()

    def test_refuses_a_swapped_tflite(self, files, rebuilt):
        """The .tflite file of another model than the .keras file is refused."""
        other = (BUNDLED_MODELS_DIR / "convolutional" / "model.tflite").read_bytes()
        with pytest.raises(InvalidPackage, match="must be the same model"):
            rebuilt(files["model.keras"], other)

    def test_refuses_an_invalid_tflite(self, files, rebuilt):
        """A file that LiteRT cannot read is refused."""
        with pytest.raises(InvalidPackage, match="28×28"):
            rebuilt(files["model.keras"], b"no model")

    @pytest.mark.parametrize("claimed", ["published", "convolutional"])
    def test_refuses_another_network(self, files, rebuilt, claimed):
        """A model whose layers are not those of the network that its hyperparameters name is refused."""
        with pytest.raises(InvalidPackage, match="By its hyperparameters"):
            rebuilt(files["model.keras"], files["model.tflite"], claimed)

    def test_refuses_a_network_of_the_same_shape(self, rebuilt):
        """Two networks can have weights of the same shapes and still compute different functions."""
        folder = BUNDLED_MODELS_DIR / "corrected"
        with pytest.raises(InvalidPackage, match="By its hyperparameters"):
            rebuilt((folder / "model.keras").read_bytes(), (folder / "model.tflite").read_bytes(), "published")

    @pytest.mark.parametrize("how", ["external", "link", "text", "many", "damaged"])
    def test_refuses_weights_that_are_not_plain_numbers(self, files, rebuilt, tmp_path, how):
        """HDF5 data that refers to other files of the server, or that is not numeric, is never read."""
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
        with pytest.raises(InvalidPackage, match=r"model\.keras must (contain|open)"):
            rebuilt(keras_file, files["model.tflite"])
