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
        "cd56053683d28f35",
        "9dac54b3bbe5d365",
        "3ddd15c48b52ba27",
        "b2d08d2fe4b2d14c",
        "cfa2ee40f9c1d614",
        "db79816c0689896c",
        "02d16fc012901c2c",
        "7795f88e31a54d0e",
        "8a566d2fa79d8c11",
        "c046e6d450742160",
    ],
    "picture": [
        "f943f17883e63e97",
        "0f7a3141bd00f063",
        "17aa2594a0e34ab5",
        "84868dfca305b32d",
        "831508359c5d4073",
        "0272a5aa5b50f44f",
        "5365d43ec7c91945",
        "5105740e654cab11",
        "5eb7d5836e0f042a",
        "0b69be209433374f",
    ],
}
DRAWN_DIGESTS = {  # of all 550 labelled drawings, and of every tenth as a picture
    "strokes": (1, "99bb00c22a7a103a5c34f8d262e2bdfb6750e41fc811ea479f1201059277c855"),
    "picture": (10, "4d98d72e0feb6dbc157f5a34b1f87da51add323762530d7c8a1f039b18ad0b77"),
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
