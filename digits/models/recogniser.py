"""Reading images with a trained model, through LiteRT: no TensorFlow, a fraction of a millisecond an image."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from digits.errors import ModelNotFound
from digits.settings import IMAGE_SIZE

_BATCH = 100  # images a call when there are many


class Recogniser:
    """A `.tflite` model, ready to read images. Threads may share it; they take turns."""

    def __init__(self, path: Path) -> None:
        """Load the model at `path`; raises `ModelNotFound` when it is missing or is no LiteRT model."""
        from ai_edge_litert.interpreter import Interpreter  # here, so that who only lists models does not pay for it

        self._new_interpreter = lambda: Interpreter(str(path), num_threads=1)
        self._lock = threading.Lock()
        self._interpreters: dict[int, Any] = {}  # one for each size of batch: changing a size makes it plan anew
        try:
            self._run(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8), 1)
        except (ValueError, OSError) as error:
            raise ModelNotFound(
                f"A LiteRT model should be at {path.name}; it cannot be read ({error}). Train or download it again."
            ) from error

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return each class's probability for each image.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, classes), each row sums to 1.
        """
        size = _BATCH if len(images) > 1 else 1
        rows = [self._run(images[start : start + size], size) for start in range(0, len(images), size)]
        return np.concatenate(rows)

    def _run(self, images: np.ndarray, size: int) -> np.ndarray:
        padded = np.zeros((size, IMAGE_SIZE, IMAGE_SIZE), np.float32)
        padded[: len(images)] = images
        with self._lock:
            interpreter = self._interpreters.get(size) or self._plan(size)
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], padded)
            interpreter.invoke()
            return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[: len(images)].copy()

    def _plan(self, size: int) -> Any:
        interpreter = self._interpreters[size] = self._new_interpreter()
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (size, IMAGE_SIZE, IMAGE_SIZE))
        interpreter.allocate_tensors()
        return interpreter
