"""Same drawing in, same pixels out: the 28×28 that a model is given does not change by a bit.

Whoever means to change what models see changes these digests, and measures the models again.
"""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from digits.data import allographs, drawings

READ = {"strokes": drawings.read_as_strokes, "picture": drawings.read_as_picture}
COUNTS = {"strokes": 20, "picture": 5}  # finding ink in a picture takes twenty times as long
DIGESTS = {  # of each digit, from 0 to 9: the first 16 digits of the SHA-256 of 20 drawings, or of 5 as pictures
    "strokes": [
        "3a321a183f7b414d",
        "c4cc895420486059",
        "d6fc6b5d2583ad16",
        "a804a12b41dfa69e",
        "c236f9a7b3fd2052",
        "7a8d5841e8485730",
        "797588e3363629ad",
        "0e7a755409768b29",
        "80a72ea3ba0696ac",
        "079765a7335b4cb2",
    ],
    "picture": [
        "3a74079e4c74b620",
        "d9d8f8699e5a16e9",
        "47eb642d5d4b630c",
        "418bb5dc71fc284e",
        "ac01782b57b275a2",
        "7b2b7e7ca674bb76",
        "1c4c180ac69861ed",
        "a8597ddad5dd1da6",
        "432c0320cc990070",
        "3a5f5e134c921143",
    ],
}
DRAWN_DIGESTS = {  # of all 550 labelled drawings, and of every tenth as a picture
    "strokes": (1, "3b09c05251e0f3cb8ae8f9ac085c64800f1b658552acb6d3208ed664d4899db6"),
    "picture": (10, "43ec87cd3f88b767023cea0af2b72db258c8a37e4f906f03b42efbc149232217"),
}
DRAWN = Path(os.environ.get("DIGITS_DATA_DIR") or "nowhere") / "drawn"


def digest(images):
    """The SHA-256 of all pixels."""
    return hashlib.sha256(np.stack(images).tobytes()).hexdigest()


def on_a_grid(placed):
    """Round coordinates to 1/16 pixel: what sines and logarithms leave in the last bits differs among processors."""
    strokes = [np.rint(stroke * 16) / np.float32(16) for stroke in placed.strokes]
    return dataclasses.replace(placed, strokes=strokes, pen_width=round(placed.pen_width * 16) / 16)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("kind", READ)
def test_of_every_digit(kind, digit):
    """Digits drawn in many shapes, sizes and places, with thin and thick pens, come out as they always have."""
    rng = np.random.default_rng(digit)
    placed = [on_a_grid(drawings.place(allographs.draw(digit, rng), rng)) for _ in range(COUNTS[kind])]
    assert digest([READ[kind](drawing) for drawing in placed]).startswith(DIGESTS[kind][digit])


@pytest.mark.skipif(not DRAWN.is_dir(), reason="the labelled drawings are needed")
@pytest.mark.parametrize("kind", READ)
def test_of_the_labelled_drawings(kind):
    """The drawings that drawn accuracy is measured on come out as they always have."""
    step, expected = DRAWN_DIGESTS[kind]
    rng = np.random.default_rng(0)
    found = drawings.load_drawings(DRAWN, tuple("0123456789"))[::step]
    assert digest([READ[kind](drawings.place(drawing.strokes, rng)) for drawing in found]) == expected
