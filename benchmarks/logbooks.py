"""Measure how many whole numbers in phone photographs of ruled logbooks a model reads.

    DIGITS_DATA_DIR=… python -m benchmarks.logbooks [--every 3]

The pictures (Meza, see `digits.data.handwriting`) may only be measured on. The result goes to
benchmarks/results/logbooks.json.
"""

import argparse

import numpy as np

from benchmarks import _results
from digits.accuracy import Accuracy
from digits.data.handwriting import SOURCES
from digits.errors import InvalidImage
from digits.ink import pictures
from digits.models import catalogue, reading
from digits.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL)
    parser.add_argument("--every", type=int, default=1, help="read one picture in so many (default: all)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    model = catalogue.find(options.model, settings)
    with np.load(settings.data_dir / "handwriting" / SOURCES["meza"].files[0], allow_pickle=False) as arrays:
        data, offsets, sizes, labels = (arrays[name] for name in ("data", "offset", "size", "label"))
    correct, refused = [], []
    for offset, (height, width), label in list(zip(offsets, sizes, labels, strict=True))[:: options.every]:
        picture = data[offset : offset + int(height) * int(width)].reshape(height, width)
        try:
            found = reading.read_ink(pictures.find_ink(picture.astype(np.float32) / 255), model)
        except InvalidImage:  # too many marks
            correct.append(False)
            refused.append(True)
            continue
        correct.append(found.text == label)
        refused.append(bool(found.doubtful) or not found.digits)
    measured = Accuracy(sum(correct), len(correct))
    print(f"Whole numbers: {measured}; {np.mean(refused):.1%} with a doubtful mark")
    figures = {"accuracy": measured.to_dict(), "doubtful": round(float(np.mean(refused)), 4)}
    print("Written to", _results.save("logbooks", figures))


if __name__ == "__main__":
    main()
