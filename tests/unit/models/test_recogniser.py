"""recogniser: a LiteRT model reads any number of images, from any thread; other files are refused."""

import os
import threading

import numpy as np
import pytest

from digits.errors import DigitsError, ModelNotFound
from digits.models import catalogue
from digits.models.recogniser import CalibratedRecogniser, Recogniser
from digits.settings import BUNDLED_MODELS_DIR, Settings

SOFTMAX = BUNDLED_MODELS_DIR / "softmax" / "model.tflite"


@pytest.fixture(scope="module")
def recogniser():
    return Recogniser(SOFTMAX)


class TestProbabilities:
    @pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 250])
    def test_are_a_row_for_each_image(self, recogniser, sample, count):
        """Any number of images gives as many rows that sum to 1, the same as one by one."""
        images = sample.test.images[:count]
        probabilities = recogniser.probabilities(images)
        assert (probabilities.shape, probabilities.dtype) == ((count, 10), np.float32)
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
        singly = np.concatenate([recogniser.probabilities(image[None]) for image in images[-3:]])
        assert probabilities[-3:] == pytest.approx(singly, abs=1e-5)

    def test_stay_what_they_were(self, recogniser, sample):
        """A later call does not change earlier results."""
        first = recogniser.probabilities(sample.test.images[:1])
        before = first.copy()
        recogniser.probabilities(sample.test.images[5:6])
        assert np.array_equal(first, before)

    def test_are_the_same_for_threads_that_share_a_model(self, recogniser, sample):
        """Threads that use a model at the same time get the same answers as alone."""
        images = sample.test.images[:40]
        expected = [recogniser.probabilities(image[None]) for image in images]
        wrong = []

        def ask(offset):
            for index in range(offset, len(images), 4):
                if not np.array_equal(recogniser.probabilities(images[index : index + 1]), expected[index]):
                    wrong.append(index)
            recogniser.probabilities(images)

        threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


class TestNoModel:
    def test_a_missing_file_is_an_error(self, tmp_path):
        """The message names the missing file, but not the server's folders."""
        with pytest.raises(ModelNotFound, match=r"nowhere\.tflite") as caught:
            Recogniser(tmp_path / "nowhere.tflite")
        assert isinstance(caught.value, DigitsError)

    @pytest.mark.parametrize("kind", ["empty", "noise", "noise behind the right mark", "cut short", "text"])
    def test_garbage_is_an_error(self, tmp_path, kind):
        """A file that is not a LiteRT model is refused."""
        content = {
            "empty": b"",
            "noise": os.urandom(3000),
            "noise behind the right mark": b"\x1c\0\0\0TFL3" + os.urandom(3000),
            "cut short": SOFTMAX.read_bytes()[: SOFTMAX.stat().st_size // 2],
            "text": b"hello",
        }[kind]
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        with pytest.raises(ModelNotFound, match=r"should be at model\.tflite; it cannot be read"):
            Recogniser(path)


class TestCalibratedRecogniser:
    @pytest.mark.parametrize("name", ["softmax", "drawing"])
    def test_is_all_of_a_model_that_reading_takes(self, name, sample):
        """Loaded from a model's folder, it has the same classes and probabilities as the catalogue's model."""
        loaded = CalibratedRecogniser.load(BUNDLED_MODELS_DIR / name)
        model = catalogue.find(name, Settings.from_environment())
        assert (loaded.class_names, loaded.temperature) == (model.class_names, model.temperature)
        assert np.array_equal(loaded.probabilities(sample.test.images), model.probabilities(sample.test.images))

    @pytest.mark.parametrize("card", [None, "{", "[]", "{}", '{"class_names": 3}'])
    def test_without_a_card_is_an_error(self, card, tmp_path):
        """A folder whose card is missing or damaged raises ModelNotFound."""
        (tmp_path / "model.tflite").write_bytes(SOFTMAX.read_bytes())
        if card is not None:
            (tmp_path / "card.json").write_text(card)
        with pytest.raises(ModelNotFound, match=r"card\.json"):
            CalibratedRecogniser.load(tmp_path)

    def test_with_a_strange_temperature_has_none(self, tmp_path):
        """A temperature that is not a number above 0 counts as 1."""
        (tmp_path / "model.tflite").write_bytes(SOFTMAX.read_bytes())
        (tmp_path / "card.json").write_text('{"class_names": ["a", "b"], "temperature": -3}')
        assert CalibratedRecogniser.load(tmp_path).temperature == 1
