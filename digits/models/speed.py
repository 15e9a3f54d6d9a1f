"""Speed: how long a model takes to read one image on this machine."""

import functools
import statistics
import time

import numpy as np

from digits.models.catalogue import Model
from digits.models.recogniser import Recogniser
from digits.settings import IMAGE_SIZE

_TIMES = 15


def milliseconds(model: Model) -> float:
    """Return the median time for one image in milliseconds, measured once; raises `ModelNotFound`."""
    return _measure(model.recogniser)


@functools.lru_cache(maxsize=16)
def _measure(recogniser: Recogniser) -> float:
    image, taken = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8), []
    for _ in range(_TIMES):
        started = time.perf_counter()
        recogniser.probabilities(image)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000
