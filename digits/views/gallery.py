"""The gallery: which hundred test samples to show, and the one picture that shows them."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.settings import IMAGE_SIZE

SAMPLES = 100
COLUMNS = 10


@dataclass(frozen=True)
class Choice:
    """Which samples a visitor wants to see.

    Attributes:
        hundred: which page of a hundred, from 0; past the end it is the last one.
        shuffle: the seed of a shuffled order; None for the data set's own.
        only_mistakes: leave out what the model read right.
        class_index: only images of this class; None for all.
        read_index: only images that were read as this class; None for all.
        surest_first: in order of confidence, whatever `shuffle` says.
    """

    hundred: int = 0
    shuffle: int | None = None
    only_mistakes: bool = False
    class_index: int | None = None
    read_index: int | None = None
    surest_first: bool = False


@dataclass(frozen=True)
class Page:
    """A hundred samples, or what is left: their rows in the test set, int (n,), and the number of such pages."""

    rows: np.ndarray
    hundred: int
    hundreds: int
    matching: int


def choose(labels: np.ndarray, probabilities: np.ndarray, choice: Choice) -> Page:
    """Pick the samples of one page.

    Args:
        labels: integer (n,), each image's class.
        probabilities: float (n, classes), what a model read.
    """
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    if choice.surest_first:
        rows = np.argsort(-probabilities.max(axis=1), kind="stable")
    elif choice.shuffle is not None:
        rows = np.random.default_rng(choice.shuffle).permutation(rows)
    if choice.only_mistakes:
        rows = rows[labels[rows] != predicted[rows]]
    if choice.class_index is not None:
        rows = rows[labels[rows] == choice.class_index]
    if choice.read_index is not None:
        rows = rows[predicted[rows] == choice.read_index]
    hundreds = max(1, -(-len(rows) // SAMPLES))
    hundred = min(choice.hundred, hundreds - 1)
    return Page(rows[hundred * SAMPLES : (hundred + 1) * SAMPLES], hundred, hundreds, len(rows))


def sprite(images: np.ndarray, *, columns: int = COLUMNS, factor: int = 1) -> bytes:
    """Return one PNG, dark ink on white, with images uint8 (n, 28, 28) in rows of `columns`, enlarged by `factor`."""
    lines = -(-max(1, len(images)) // columns)
    sheet = np.zeros((lines * columns, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    sheet[: len(images)] = images
    grid = sheet.reshape(lines, columns, IMAGE_SIZE, IMAGE_SIZE).swapaxes(1, 2)
    sheet = Image.fromarray(255 - grid.reshape(lines * IMAGE_SIZE, columns * IMAGE_SIZE))
    return _png(sheet.resize((sheet.width * factor, sheet.height * factor), Image.Resampling.NEAREST))


def enlarged(image: np.ndarray, *, factor: int = 10) -> bytes:
    """Return a PNG of one image uint8 (28, 28), dark ink on white, each pixel a square of `factor`."""
    return _png(Image.fromarray(255 - image).resize((IMAGE_SIZE * factor,) * 2, Image.Resampling.NEAREST))


def contact_sheet(
    images: np.ndarray, labels: np.ndarray, predicted: np.ndarray, class_names: tuple[str, ...], title: str
) -> bytes:
    """Return a PNG to print or mail: every image with the class read; mistakes framed and marked "read ≠ true".

    Args:
        images: uint8 (n, 28, 28).
        labels, predicted: integer (n,).
        title: a line above them.
    """
    zoom, caption, gap, head = 2, 18, 8, 40
    tile = IMAGE_SIZE * zoom
    lines = -(-max(1, len(images)) // COLUMNS)
    size = (COLUMNS * (tile + gap) + gap, head + lines * (tile + caption + gap))
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    draw.text((gap, 10), title, fill="#1b2733", font=ImageFont.load_default(16))
    for index, image in enumerate(images):
        left = gap + index % COLUMNS * (tile + gap)
        top = head + index // COLUMNS * (tile + caption + gap)
        sheet.paste(Image.fromarray(255 - image).resize((tile, tile), Image.Resampling.NEAREST), (left, top))
        read, true = class_names[predicted[index]], class_names[labels[index]]
        is_right = read == true
        if not is_right:
            draw.rectangle((left - 2, top - 2, left + tile + 1, top + tile + 1), outline="#c0392b", width=2)
        draw.text(
            (left + tile / 2, top + tile + 2),
            read if is_right else f"{read} ≠ {true}",
            fill="#1b2733" if is_right else "#c0392b",
            font=font,
            anchor="ma",
        )
    return _png(sheet)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
