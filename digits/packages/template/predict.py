"""Names the digit in each picture, read by the model beside this file: python predict.py PICTURE...

28×28 images by the thousand, uint8 (n, 28, 28) with ink 255: python predict.py --images IMAGES.npy --output CLASSES.npy
"""

import argparse
import json
from pathlib import Path

import numpy as np

from digits.ink import glyphs, pictures
from digits.models.recogniser import Recogniser

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pictures", nargs="*", type=Path)
parser.add_argument("--images", type=Path)
parser.add_argument("--output", type=Path, default=Path("classes.npy"))
options = parser.parse_args()
card = json.loads(Path(__file__).with_name("card.json").read_text(encoding="utf-8"))
recogniser = Recogniser(Path(__file__).with_name("model.tflite"))
if options.images:
    np.save(options.output, recogniser.probabilities(np.load(options.images)).argmax(axis=1))
for path in options.pictures:
    glyph = glyphs.fit(pictures.find_ink(pictures.load_picture(path.read_bytes())))
    if glyph is None:
        print(f"{path}: no ink was found")
        continue
    powers = recogniser.probabilities(glyph.image[None])[0] ** (1 / card.get("temperature", 1.0))
    print(f"{path}: {card['class_names'][powers.argmax()]} ({powers.max() / powers.sum():.1%})")
