"""Reads the digit or the number in each picture with the model beside this file: python predict.py PICTURE...

28×28 images by the thousand, uint8 (n, 28, 28) with ink 255: python predict.py --images IMAGES.npy --output CLASSES.npy
"""

import argparse
from pathlib import Path

import numpy as np

from digits.models import answers
from digits.models.reading import read_picture
from digits.models.recogniser import CalibratedRecogniser

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pictures", nargs="*", type=Path)
parser.add_argument("--images", type=Path)
parser.add_argument("--output", type=Path, default=Path("classes.npy"))
options = parser.parse_args()
model = CalibratedRecogniser.load(Path(__file__).parent)
if options.images:
    np.save(options.output, model.probabilities(np.load(options.images)).argmax(axis=1))
for path in options.pictures:
    reading = read_picture(path.read_bytes(), model)
    answer = answers.answer(reading, model.class_names)
    is_read = reading.accepted.any() and reading.accepted.all()
    remark = f"({reading.confidence:.1%})" if is_read else answer.remark
    print(" ".join([f"{path}:", *answer.text.split(), remark]))
