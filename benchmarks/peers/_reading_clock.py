"""What the scripts that time reading share: one image at a time, and ten thousand. NumPy alone."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

SINGLES = 300


class Question(NamedTuple):
    """What to read: a model's folder, and images uint8 (n, 28, 28)."""

    folder: Path
    weights: Path
    images: np.ndarray


def read_question() -> Question:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="the model's folder")
    parser.add_argument("--data", type=Path, required=True, help="an .npz with images")
    parser.add_argument("--weights", type=Path, required=True, help="an .npz with the model's weights in order")
    options = parser.parse_args()
    with np.load(options.data) as arrays:
        return Question(options.folder, options.weights, arrays["images"])


def report(ways: dict[str, Callable[[np.ndarray], np.ndarray]], images: np.ndarray, **facts: object) -> None:
    """Time each way to read float32 (n, 28, 28) images and print one JSON line."""
    figures = {}
    pictures = images.astype(np.float32)
    for name, read in ways.items():
        for row in range(10):
            read(pictures[row : row + 1])
        singles = []
        for row in range(SINGLES):
            start = time.perf_counter()
            read(pictures[row : row + 1])
            singles.append((time.perf_counter() - start) * 1000)
        start = time.perf_counter()
        found = read(pictures)
        figures[name] = {
            "one_ms_p50": statistics.median(singles),
            "one_ms_p95": sorted(singles)[int(0.95 * SINGLES)],
            "all_seconds": time.perf_counter() - start,
            "predictions": found.argmax(axis=1).tolist(),
        }
    print(json.dumps({"ways": figures, **facts}))
