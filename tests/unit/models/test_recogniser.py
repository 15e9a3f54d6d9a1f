"""recogniser: a LiteRT model reads any number of images, from any thread, and says when it is none."""

import os
import threading

import numpy as np
import pytest

from digits.errors import DigitsError, ModelNotFound
from digits.models.recogniser import Recogniser
from digits.settings import BUNDLED_MODELS_DIR

SOFTMAX = BUNDLED_MODELS_DIR / "softmax" / "model.tflite"


@pytest.fixture(scope="module")
def recogniser():
    return Recogniser(SOFTMAX)


class TestProbabilities:
    @pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 250])
    def test_are_a_row_for_each_image(self, recogniser, sample, count):
        """Any number of images gives as many rows of shares that sum to 1, the same as one by one."""
        images = sample.test.images[:count]
        probabilities = recogniser.probabilities(images)
        assert (probabilities.shape, probabilities.dtype) == ((count, 10), np.float32)
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
        singly = np.concatenate([recogniser.probabilities(image[None]) for image in images[-3:]])
        assert probabilities[-3:] == pytest.approx(singly, abs=1e-5)

    def test_stay_what_they_were(self, recogniser, sample):
        """What one call returned is not changed by the next."""
        first = recogniser.probabilities(sample.test.images[:1])
        before = first.copy()
        recogniser.probabilities(sample.test.images[5:6])
        assert np.array_equal(first, before)

    def test_are_the_same_for_threads_that_share_a_model(self, recogniser, sample):
        """Visitors who ask at once get the answers that they would get alone."""
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
    def test_a_missing_file_is_said_to_be_so(self, tmp_path):
        """No file, no model; the message names the file but not the folders of the server."""
        with pytest.raises(ModelNotFound, match=r"nowhere\.tflite") as caught:
            Recogniser(tmp_path / "nowhere.tflite")
        assert isinstance(caught.value, DigitsError)

    @pytest.mark.parametrize("kind", ["empty", "noise", "noise behind the right mark", "cut short", "text"])
    def test_garbage_is_said_to_be_so(self, tmp_path, kind):
        """What is no LiteRT model is refused before it can do harm."""
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
