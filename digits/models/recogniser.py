"""Recognisers: trained models that run in LiteRT, without TensorFlow, in a fraction of a millisecond an image."""

import json
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from digits.errors import ModelNotFound
from digits.ink.cases import FOLDED
from digits.settings import IMAGE_SIZE

CARD, TFLITE_FILE = "card.json", "model.tflite"

_BATCH = 32  # images in a call, at most; more are no faster, and a hundred take 16 MB in a convolutional network
_SMALLEST = float(np.finfo(np.float32).tiny)  # float32 softmax underflows to 0 below about this, and 0 has no logarithm


class Recogniser:
    """A `.tflite` model, ready to read images. Threads may share it; a lock makes them take turns."""

    def __init__(self, path: Path, *, content: bytes | None = None) -> None:
        """Load the model at `path`, or one made from it; raises `ModelNotFound` if it is no LiteRT model."""
        from ai_edge_litert.interpreter import Interpreter  # here, because listing models does not need it

        given = {"model_path": str(path)} if content is None else {"model_content": content}
        self._lock = threading.Lock()
        self._size = 0  # images in the last call
        try:
            self._interpreter = Interpreter(**given, num_threads=1)
            self._run(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))
        except (ValueError, OSError, RuntimeError, IndexError) as error:
            raise ModelNotFound(
                f"A LiteRT model should be at {path.name}; it cannot be read ({error}). Train or download it again."
            ) from error

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return each class's probability for each image.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, classes) in [0, 1]; each row sums to 1.
        """
        rows = [self._run(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate(rows)

    def _run(self, images: np.ndarray) -> np.ndarray:
        with self._lock:
            if len(images) != self._size:
                self._resize(len(images))
            interpreter = self._interpreter
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images.astype(np.float32, order="C"))
            interpreter.invoke()
            return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    def _resize(self, size: int) -> None:
        """Prepare for calls with `size` images, in less than a millisecond; a second interpreter would take 12 MB."""
        self._size = 0  # should this fail
        place = self._interpreter.get_input_details()[0]["index"]
        self._interpreter.resize_tensor_input(place, (size, IMAGE_SIZE, IMAGE_SIZE))
        self._interpreter.allocate_tensors()
        self._size = size


@dataclass(frozen=True)
class CalibratedRecogniser:
    """A recogniser with its class names and temperature: the parts of a model that reading needs.

    Attributes:
        recogniser: the `.tflite` model.
        class_names: the names of its classes.
        temperature: above 0; it makes confidence match accuracy (`calibration`).
        folded: the classes that have both cases of a letter.
    """

    recogniser: Recogniser
    class_names: tuple[str, ...]
    temperature: float = 1.0
    folded: frozenset[str] = frozenset()

    @classmethod
    def load(cls, folder: Path) -> "CalibratedRecogniser":
        """Load the model in `folder` from its `model.tflite` and `card.json`; raises `ModelNotFound`."""
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            names, temperature = tuple(card["class_names"]), card.get("temperature")
            folded = FOLDED.get(card.get("hyperparameters", {}).get("dataset"), frozenset())
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelNotFound(
                f"A model's {CARD} should be in {folder}; it cannot be read ({error}). Restore the model's files."
            ) from error
        return cls(Recogniser(folder / TFLITE_FILE), names, temperature if is_temperature(temperature) else 1.0, folded)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return each class's calibrated probability for each image; shapes as for `Recogniser.probabilities`."""
        return apply_temperature(self.recogniser.probabilities(images), self.temperature)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities of a model after its logits are divided by a temperature.

    >>> apply_temperature(np.float32([0.9, 0.1]), 2.0)
    array([0.75, 0.25], dtype=float32)

    Args:
        probabilities: float32 (…, classes), in [0, 1].
        temperature: above 0; 1 changes nothing.

    Returns:
        float32 (…, classes), in [0, 1]; each row sums to 1 and keeps the order of its classes.

    Raises:
        ValueError: `temperature` is not a finite number above 0.
    """
    if not is_temperature(temperature):
        raise ValueError(f"`temperature` must be a finite number above 0; received {temperature!r}.")
    return softmax(logits_of(probabilities) / temperature).astype(np.float32)


def is_temperature(value: Any) -> TypeGuard[float]:
    """Return whether a value, such as one from a card, is a valid temperature."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Return logits, float64, whose softmax is these probabilities."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return softmax over the last axis; float64 keeps values apart that float32 could distinguish."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
