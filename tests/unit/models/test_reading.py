"""reading: one reader for drawings, pictures, uploads, the command line, packages and drawn accuracy."""

import contextlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from digits.__main__ import main
from digits.data import drawings
from digits.errors import InvalidImage
from digits.ink import segmentation
from digits.ink import strokes as pen
from digits.ink.crops import Crop
from digits.models import answers, catalogue, drawn_accuracy, reading, uploads
from digits.packages import archives, pack

FOUR = [[(60, 40), (30, 110), (95, 110)], [(75, 75), (75, 165)]]
TWO = [[(150, 70), (175, 45), (200, 70), (150, 160), (205, 160)]]
SCRIBBLE = [[(140 + 60 * np.sin(3.1 * a), 140 + 55 * np.sin(4.3 * a + 1)) for a in np.linspace(0, 12, 120)]]


class Counter:
    """A stand-in for a model: it reads each image as its index."""

    class_names = tuple("abcdefghij")

    def __init__(self):
        self.seen = 0

    def probabilities(self, images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28)
        rows = np.full((len(images), 10), 0.02, np.float32)
        for row in rows:
            row[self.seen % 10] = 0.82
            self.seen += 1
        return rows


@pytest.fixture(scope="module")
def model():
    return next(model for model in catalogue.bundled() if model.id == catalogue.DEFAULT_MODEL)


def picture(strokes):
    """A drawing as a PNG of 280×280, dark on white."""
    ink = pen.render(pen.check(strokes), size=(280, 280), pen_width=12)
    stream = io.BytesIO()
    Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_a_number_is_as_sure_as_all_its_digits_together():
    """The confidence is the product, each digit keeps its probabilities, and the names are the model's classes."""
    digits = segmentation.find_digits(pen.check([*FOUR, *TWO]), pen_width=12)
    read = reading.read_digits([*digits, digits[0]], Counter())
    assert read.text == "abc"
    assert read.probabilities.shape == (3, 10)
    assert read.probabilities.dtype == np.float32
    assert read.confidence == pytest.approx(0.82**3)
    assert read.boxes == (digits[0].box, digits[1].box, digits[0].box)
    assert read.accepted.tolist() == [True] * 3  # ten letters are no alphabet, so they have no judge


def test_lines_of_writing_stand_on_lines():
    """Each line of writing is a separate number on a separate line."""
    lower = [np.add(stroke, [20, 110]) for stroke in (*FOUR, *TWO)]
    upper = [np.multiply(stroke, 0.6) for stroke in FOUR]
    assert reading.read_strokes([*lower, *upper], Counter(), size=(280, 280), pen_width=8).text == "a\nbc"


def test_nothing_reads_as_nothing(model):
    """An empty canvas and a blank page have no digits, and the confidence is 0."""
    for read in (reading.read_strokes([], model), reading.read_picture(picture([]), model)):
        assert (read.text, read.digits, read.boxes, read.confidence, read.doubtful) == ("", (), (), 0.0, 0)
        assert (read.probabilities.shape, read.accepted.shape) == ((0, 10), (0,))


def test_a_crop_leaves_the_rest_unread(model):
    """The left half of 42 is read as 4."""
    assert reading.read_picture(picture([*FOUR, *TWO]), model, Crop(right=45)).text == "4"


def test_what_is_no_picture_is_refused(model):
    """A file that is not a picture raises InvalidImage."""
    with pytest.raises(InvalidImage, match="not a picture"):
        reading.read_picture(b"no picture", model)


def test_the_pen_and_a_picture_of_it_read_alike(model):
    """42 is read as 42 with confidence, from strokes and from a picture, with the digits at the same places."""
    drawn = reading.read_strokes(pen.check([*FOUR, *TWO]), model, pen_width=12)
    seen = reading.read_picture(picture([*FOUR, *TWO]), model)
    assert drawn.text == seen.text == "42"
    assert min(drawn.confidence, seen.confidence) > 0.8
    assert drawn.doubtful == seen.doubtful == 0
    np.testing.assert_allclose(drawn.boxes, seen.boxes, atol=1)


@pytest.mark.parametrize(("strokes", "text"), [([*FOUR, *TWO], "42"), (SCRIBBLE, None)], ids=["42", "scribble"])
def test_every_way_to_read_gives_the_same_reading(model, tmp_path, strokes, text):
    """An upload, the command line, an unpacked package and drawn accuracy give the page's reading of a picture."""
    data = picture(strokes)
    (tmp_path / "it.png").write_bytes(data)
    page = reading.read_picture(data, model)
    assert page.text == (text or page.text)
    assert page.doubtful == (0 if text else len(page.digits))
    answer = answers.answer(page, model.class_names)
    assert answer.text == (text or "?" * page.doubtful)

    upload = uploads.read("it.png", data, model)
    assert (upload.reading, upload.confidence) == (answer.text, page.confidence)
    assert upload.sentence == answer.remark
    assert (upload.digits, upload.doubtful) == (len(page.digits), page.doubtful)

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["predict", str(tmp_path / "it.png")]) == 0
    assert f"it.png: {answer.text}  " in said.getvalue()
    assert (f"{page.confidence:.1%}" in said.getvalue()) == (page.doubtful == 0)
    assert (answer.remark in said.getvalue()) == (page.doubtful > 0)
    assert ("does not look like a" in said.getvalue()) == (page.doubtful > 0)

    packaged = read_in_package(model, data, tmp_path / "package")
    assert (packaged["text"], packaged["boxes"]) == (page.text, [list(box) for box in page.boxes])
    assert packaged["accepted"] == page.accepted.tolist()
    np.testing.assert_allclose(packaged["probabilities"], page.probabilities, rtol=1e-5)

    (tmp_path / "drawn" / "4").mkdir(parents=True)
    (tmp_path / "drawn" / "4" / "it.png").write_bytes(data)
    examples = drawings.load_examples(tmp_path / "drawn", model.class_names, placings=1)
    measured = drawn_accuracy.measure(model, examples)
    assert (measured.correct, measured.total) == (int(page.text == "4"), 1)
    assert measured.refused == int(not page.accepted.any())


def circle(x, y, radius, start=0.0):
    return [(x + radius * np.cos(start + a), y + radius * np.sin(start + a)) for a in np.linspace(0, 6.28, 40)]


TOUCHING = {
    "a 9 of a loop and a stem": ("9", [circle(110, 95, 35), [(146, 80), (142, 200)]]),
    "a 6 of a stem and a circle": ("6", [[(100, 60), (90, 120), (92, 170)], circle(127, 160, 35, 3.14)]),
    "a 4 whose L ends at its stem": ("4", [[(110, 50), (70, 140), (150, 140)], [(150, 60), (150, 210)]]),
    "a 4 whose L ends 6 pixels short": ("4", [[(110, 50), (70, 140), (144, 140)], [(150, 60), (150, 210)]]),
    "a 7 with a bar drawn last": (
        "70",
        [[(20, 60), (80, 60), (45, 180)], circle(125, 120, 40), [(30, 120), (70, 120)]],
    ),
    "a 5 with a bar drawn last": (
        "50",
        [[(40, 60), (35, 110), (70, 115), (85, 150), (60, 180), (30, 175)], circle(145, 120, 40), [(40, 60), (90, 58)]],
    ),
    "a 1 beside a 3": (
        "13",
        [[(60, 50), (60, 210)], [(90, 60), (130, 60), (100, 125), (140, 140), (145, 185), (90, 210)]],
    ),
}


@pytest.mark.parametrize(("text", "strokes"), TOUCHING.values(), ids=TOUCHING)
def test_strokes_of_one_digit_are_read_together(model, text, strokes):
    """The model helps to decide which strokes form a digit, in any order of drawing."""
    read = reading.read_strokes(pen.check(strokes), model, pen_width=16)
    assert (read.text, read.doubtful) == (text, 0)


LETTERS = {
    "A": [[(60, 210), (110, 50), (160, 210)], [(80, 150), (140, 150)]],
    "B": [[(80, 50), (80, 210)], [(80, 50), (130, 60), (135, 90), (85, 125), (140, 140), (145, 185), (80, 210)]],
    "H": [[(80, 50), (80, 210)], [(150, 50), (150, 210)], [(80, 130), (150, 130)]],
    "X": [[(60, 50), (160, 210)], [(160, 50), (60, 210)]],
}


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_is_no_number(model, letter):
    """The touching strokes of a letter stay one mark."""
    read = reading.read_strokes(pen.check(LETTERS[letter]), model, pen_width=16)
    assert len(read.digits) == 1


def test_a_score_counts_the_judge_only_for_digits(model):
    """For separating digits, the probabilities count as far as it accepts the image; a letter's parts are letters."""
    image = segmentation.find_digits(pen.check(LETTERS["X"]))[0].glyph.image[np.newaxis]
    assert reading.mark_score(model)(image).max() < 0.5 < model.probabilities(image).max()
    letters = Counter()
    assert reading.mark_score(letters) == letters.probabilities


READ = """
import json, pathlib, sys
from digits.models.reading import read_picture
from digits.models.recogniser import CalibratedRecogniser
reading = read_picture(sys.stdin.buffer.read(), CalibratedRecogniser.load(pathlib.Path(".")))
facts = {"text": reading.text, "boxes": reading.boxes, "accepted": reading.accepted.tolist()}
print(json.dumps(facts | {"probabilities": reading.probabilities.tolist()}))
assert not {"pandas", "sqlalchemy", "streamlit", "tensorflow"} & set(sys.modules)
"""


def read_in_package(model, data, folder):
    """Unpack a model's package, and read a picture with only its contents."""
    for name, content in archives.read(pack.pack(model)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    command = [sys.executable, "-B", "-c", READ]
    done = subprocess.run(command, cwd=folder, input=data, capture_output=True, check=True)
    return json.loads(done.stdout)
