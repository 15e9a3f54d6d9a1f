"""This project's recogniser: LiteRT, as in the web process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import _reading_clock
import numpy as np

from digits.models.recogniser import Recogniser


def main() -> None:
    question = _reading_clock.read_question()
    recogniser = Recogniser(question.folder / "model.tflite")
    _reading_clock.report({"digits, LiteRT": lambda x: recogniser.probabilities(x.astype(np.uint8))}, question.images)


if __name__ == "__main__":
    main()
