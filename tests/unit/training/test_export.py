"""export: a folder appears whole or not at all, and all its files give the same predictions."""

import dataclasses
import io
import shutil

import keras
import numpy as np
import pytest

from digits.accuracy import accuracy
from digits.data import datasets
from digits.errors import ExportMismatch, TrainingDiverged
from digits.models import calibration, cards, catalogue, textweights
from digits.models.drawn_accuracy import measure_sample
from digits.models.recogniser import CalibratedRecogniser, Recogniser
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.settings import BUNDLED_MODELS_DIR
from digits.training import export, networks
from digits.training.loop import Program, train

FACTS = {"command": "a test", "seconds": 1.5, "precision": "float32"}


def save(model, folder, dataset, hyperparameters, **more):
    return export.save_model(model, folder, hyperparameters=hyperparameters, dataset=dataset, facts=FACTS, **more)


@pytest.fixture(scope="module")
def trained(small, quick):
    """A softmax model after a little training."""
    program = Program("softmax", 10, optimizer="sgd")
    list(train(quick, small, program))
    return program.exportable_model()


@pytest.fixture(scope="module")
def saved(trained, small, quick, tmp_path_factory):
    """The folder of that model, its card, and the steps announced while it was saved."""
    folder, steps = tmp_path_factory.mktemp("models") / "made-here", []
    card = save(trained, folder, small, quick, on_step=steps.append)
    return folder, card, steps


def text_arrays(folder):
    """The arrays in the text version of a Keras file, parsed as a visitor would."""
    texts = textweights.texts(textweights.read(folder / catalogue.KERAS_FILE))
    return [np.loadtxt(io.StringIO(texts[name])) for name in ("weights.txt", "const.txt")]


@pytest.mark.parametrize("count", [3, 26, 47, 62])
def test_nothing_counts_to_ten(count, small, quick, tmp_path):
    """A network of any number of classes is trained, saved and read, and its card names the classes."""
    names = tuple(chr(0x41 + place) for place in range(count))
    labels = np.arange(4 * count) % count
    few = datasets.Split(small.train.images[: 4 * count], labels.astype(np.uint8))
    dataset = dataclasses.replace(
        small, class_names=names, labels={}, train=few, validation=few.rows(0), test=few.rows(0, 2 * count)
    )
    program = Program("softmax", count, optimizer="sgd")
    progress = list(train(quick, dataset, program))
    card = save(program.exportable_model(), tmp_path / "many", dataset, quick)
    assert progress[-1].accuracy > 0.6
    assert card.class_names == names
    assert card.test.total == 2 * count
    assert Recogniser(tmp_path / "many" / "model.tflite").probabilities(few.images).shape == (4 * count, count)


class TestFolder:
    def test_has_all_files_and_nothing_else_is_left(self, saved):
        """The folder holds the Keras and LiteRT models, the card and the predictions, and no draft remains."""
        folder, _, _ = saved
        names = {path.name for path in folder.iterdir()}
        assert {"card.json", "model.keras", "model.tflite", "test-probabilities.npy"} <= names
        assert "stored.keras" not in names
        assert [path.name for path in folder.parent.iterdir()] == ["made-here"]

    def test_is_announced_step_by_step(self, saved):
        """The steps of saving are announced, and the model is tested once."""
        steps = saved[2]
        assert steps == [
            "Testing on the test images, for the first and only time",
            "Converting to LiteRT, and proving that it predicts the same",
            "Saving",
        ]

    def test_holds_how_its_own_files_read_strangers(self, saved):
        """The card's figures equal a measurement of the saved model on the sample that is part of Digits."""
        folder, card, _ = saved
        assert card.strangers == measure_sample(CalibratedRecogniser.load(folder))
        assert card.strangers.is_sample
        assert card.mixture == ()

    def test_reports_its_accuracy_before_the_conversion(self, trained, small, quick, tmp_path):
        """The test accuracy is reported before the files are converted."""
        heard = []
        card = save(trained, tmp_path / "told", small, quick, on_step=heard.append, on_tested=heard.append)
        (told,) = (said for said in heard if not isinstance(said, str))
        assert heard.index(told) < heard.index("Converting to LiteRT, and proving that it predicts the same")
        assert told == card.test

    def test_reports_again_when_a_tie_falls_the_other_way(self, small, quick, tmp_path, monkeypatch):
        """If a tie between two classes falls differently in the LiteRT file, the card has that file's accuracy."""
        zeros = np.flatnonzero(small.test.labels == 0)
        dataset = dataclasses.replace(small, test=datasets.Split(small.test.images[zeros], small.test.labels[zeros]))
        undecided = networks.build("softmax", 10)  # all weights are zero, so all classes are equally likely
        threes = np.tile(0.1 + 1e-5 * np.eye(10)[3], (len(zeros), 1))
        monkeypatch.setattr(export, "predict", lambda model, images: threes)
        heard = []
        card = save(undecided, tmp_path / "tie", dataset, quick, on_tested=heard.append)
        assert [told.correct for told in heard] == [0, len(zeros)]
        assert card.test.correct == len(zeros)

    def test_replaces_an_older_one(self, trained, small, quick, tmp_path):
        """Saving under the same name again leaves only the new model."""
        folder = tmp_path / "again"
        save(trained, folder, small, quick)
        (folder / "stale.txt").write_text("from before")
        save(trained, folder, small, quick)
        assert not (folder / "stale.txt").exists()
        assert (folder / "card.json").is_file()

    def test_does_not_appear_when_the_files_disagree(self, trained, small, quick, tmp_path, monkeypatch):
        """If the LiteRT file predicts something else, an error is raised and no file is left."""
        other = (BUNDLED_MODELS_DIR / "convolutional" / "model.tflite").read_bytes()
        monkeypatch.setattr(export, "_convert", lambda model: other)
        with pytest.raises(ExportMismatch, match=r"within 0\.001; they differ by"):
            save(trained, tmp_path / "wrong", small, quick)
        assert list(tmp_path.glob("*wrong*")) == []
        assert list(tmp_path.glob(".saving-*")) == []

    def test_does_not_appear_when_the_weights_are_no_numbers(self, small, quick, tmp_path):
        """A model whose weights are NaN is not saved."""
        broken = networks.build("softmax", 10)
        broken.set_weights([np.full_like(weight, np.nan) for weight in broken.get_weights()])
        with pytest.raises(TrainingDiverged, match="lower learning rate"):
            save(broken, tmp_path / "broken", small, quick)
        assert not (tmp_path / "broken").exists()

    def test_leaves_an_older_one_alone_when_it_fails(self, trained, small, quick, tmp_path, monkeypatch):
        """If saving again fails, the older model stays complete."""
        folder = tmp_path / "kept"
        card = save(trained, folder, small, quick)
        monkeypatch.setattr(export, "_convert", lambda model: b"no model")
        with pytest.raises(LookupError):
            save(trained, folder, small, quick)
        assert cards.read(folder / "card.json") == card


class TestCard:
    def test_is_what_was_returned(self, saved):
        """The card's file equals the returned card."""
        folder, card, _ = saved
        assert cards.read(folder / "card.json") == card

    def test_says_what_the_model_is_and_how_it_was_made(self, saved, small, quick):
        """The card has the name, classes, data, hyperparameters, facts and versions."""
        _, card, _ = saved
        assert (card.id, card.title) == ("made-here", PRESETS["softmax"].title)
        assert card.class_names == tuple("0123456789")
        assert (card.data, card.train_images) == (small.description, len(small.train))
        assert Hyperparameters.from_dict(card.hyperparameters) == quick
        assert FACTS.items() <= card.to_dict().items()
        assert card.versions.keys() >= {"python", "tensorflow", "keras", "numpy", "ai-edge-litert"}

    def test_holds_a_temperature_fitted_on_the_validation_images(self, saved, small):
        """The temperature makes the shown confidence realistic; it is fitted on the LiteRT file's own predictions."""
        folder, card, _ = saved
        own = Recogniser(folder / "model.tflite").probabilities(small.validation.images)
        assert card.temperature == round(calibration.fit_temperature(own, small.validation.labels), 4)

    def test_counts_the_hits_of_the_file_itself(self, saved, small):
        """The card's accuracy is the LiteRT file's accuracy on the test images."""
        folder, card, _ = saved
        measured = accuracy(Recogniser(folder / "model.tflite").probabilities(small.test.images), small.test.labels)
        assert card.test == measured
        assert measured.total == len(small.test)
        assert measured.share > 0.6


class TestFiles:
    def test_agree_in_keras_and_litert(self, saved, small):
        """Both files give the same probabilities for images with values from 0 to 255."""
        folder, _, _ = saved
        model = keras.models.load_model(folder / "model.keras", safe_mode=True)
        expected = model(small.test.images.astype(np.float32)).numpy()
        assert Recogniser(folder / "model.tflite").probabilities(small.test.images) == pytest.approx(expected, abs=1e-3)
        assert np.load(folder / "test-probabilities.npy") == pytest.approx(expected, abs=1e-3)

    @pytest.mark.parametrize("network", ["convolutional", "drawing"])
    def test_agree_for_convolutions(self, network, small, tmp_path):
        """Convolutional networks convert correctly, also with another number of classes."""
        few = catalogue.Dataset(**{**vars(small), "test": small.test.rows(0, 20), "class_names": tuple("0123456789ab")})
        save(
            networks.build(network, 12, seed=1, is_folded=True),
            tmp_path / network,
            few,
            PRESETS[network].hyperparameters,
        )
        model = keras.models.load_model(tmp_path / network / "model.keras", safe_mode=True)
        expected = model(few.test.images.astype(np.float32)).numpy()
        assert expected.shape == (20, 12)
        probabilities = Recogniser(tmp_path / network / "model.tflite").probabilities(few.test.images)
        assert probabilities == pytest.approx(expected, abs=1e-3)

    def test_as_text_load_with_numpy_and_predict_the_same(self, saved, small):
        """A softmax model's text has a (784, 10) and a (10,) array, which give the same predictions."""
        folder, _, _ = saved
        weights, biases = text_arrays(folder)
        assert (weights.shape, biases.shape) == ((784, 10), (10,))
        logits = small.test.images.reshape(-1, 784) / 255 @ weights + biases
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = Recogniser(folder / "model.tflite").probabilities(small.test.images)
        assert shares / shares.sum(axis=1, keepdims=True) == pytest.approx(probabilities, abs=1e-3)

    def test_as_text_hold_every_layer(self, tmp_path):
        """A deep network's text names each layer and its shape, and holds all its numbers."""
        model = networks.build("corrected", 10)
        model.save(tmp_path / "model.keras")
        lines = textweights.texts(textweights.read(tmp_path / "model.keras"))["weights.txt"].splitlines()
        heads = [line for line in lines if line.startswith("#")]
        assert [head.split(" ", 2)[2] for head in heads] == ["784 x 1024", "1024 x 512", "512 x 256", "256 x 10"]
        assert len(lines) - len(heads) == 784 + 1024 + 512 + 256

    def test_are_rounded_to_half_precision(self, saved):
        """Weights are rounded to float16, so all three files hold exactly the same numbers."""
        folder, _, _ = saved
        model = keras.models.load_model(folder / "model.keras")
        for weight in model.get_weights():
            assert np.array_equal(weight, weight.astype(np.float16).astype(np.float32))
        assert text_arrays(folder)[0] == pytest.approx(model.get_weights()[0], rel=1e-4)

    def test_keep_weights_that_half_precision_cannot_tell(self, small, quick, tmp_path):
        """Weights beyond float16's range are stored unrounded, not as infinity."""
        model = networks.build("softmax", 10)
        model.set_weights([np.full((784, 10), 70_000, np.float32), np.zeros(10, np.float32)])
        export._round_weights(model)
        assert model.get_weights()[0].max() == 70_000


def test_a_saved_model_can_be_asked(saved, small):
    """The catalogue needs only a model's folder to read images with it."""
    folder, card, _ = saved
    model = catalogue.Model(folder.name, folder, card)
    assert model.recogniser.probabilities(small.test.images[:1]).shape == (1, 10)
    assert str(model.test_accuracy).startswith(f"{card.test.share:.2%}")


def test_a_folder_can_be_carried_elsewhere(saved, small, tmp_path):
    """A model's files contain no path of the machine that made them."""
    folder, _, _ = saved
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert np.array_equal(
        Recogniser(copy / "model.tflite").probabilities(small.test.images),
        Recogniser(folder / "model.tflite").probabilities(small.test.images),
    )
    assert str(folder.parent) not in (copy / "card.json").read_text(encoding="utf-8")
