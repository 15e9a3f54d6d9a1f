"""The gallery: which hundred test samples to show, and one picture of them."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.settings import IMAGE_SIZE

SAMPLES = 100
COLUMNS = 10


@dataclass(frozen=True)
class Choice:
    """Which samples to show.

    Attributes:
        hundred: the page of a hundred samples, from 0; the last page if there are fewer.
        shuffle: the seed of a shuffled order; None for the data set's own order.
        correct: show only correctly classified images (True) or only the others (False); None for all.
        class_index: show images of this class only; None for all.
        read_index: show images predicted as this class only; None for all.
        writer: show images by this person only; "" for all.
        surest_first: whether to sort by confidence, the highest first; `shuffle` is then ignored.
        suspects_first: whether to sort by how much the model contradicts the label, the most first; see `suspicion`.
    """

    hundred: int = 0
    shuffle: int | None = None
    correct: bool | None = None
    class_index: int | None = None
    read_index: int | None = None
    writer: str = ""
    surest_first: bool = False
    suspects_first: bool = False


@dataclass(frozen=True)
class Page:
    """A page of at most a hundred samples.

    Attributes:
        rows: int (n,), the samples' rows in the test set.
        hundred: the page's number, from 0.
        hundreds: the number of pages, at least 1.
        found: int (m,), the rows of the samples on all pages, in their order.
    """

    rows: np.ndarray
    hundred: int
    hundreds: int
    found: np.ndarray

    @property
    def matching(self) -> int:
        """The number of samples on all pages."""
        return len(self.found)


def choose(labels: np.ndarray, probabilities: np.ndarray, choice: Choice, writers: Sequence[str] = ()) -> Page:
    """Choose the samples of one page.

    Args:
        labels: integer (n,), each image's class.
        probabilities: float (n, classes), a model's predictions.
        choice: which samples to show.
        writers: who wrote each image; empty if that is unknown.

    Example:
        >>> choose(np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]]), Choice(correct=False)).rows
        array([1])
    """
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    if choice.surest_first:
        rows = np.argsort(-probabilities.max(axis=1), kind="stable")
    elif choice.suspects_first:
        rows = np.argsort(-suspicion(labels, probabilities), kind="stable")
    elif choice.shuffle is not None:
        rows = np.random.default_rng(choice.shuffle).permutation(rows)
    if choice.correct is not None:
        rows = rows[(labels[rows] == predicted[rows]) == choice.correct]
    if choice.class_index is not None:
        rows = rows[labels[rows] == choice.class_index]
    if choice.read_index is not None:
        rows = rows[predicted[rows] == choice.read_index]
    if choice.writer:
        rows = rows[np.array(writers)[rows] == choice.writer]
    return turn_to(rows, choice.hundred)


def turn_to(rows: np.ndarray, hundred: int) -> Page:
    """Return one page of some samples.

    Args:
        rows: int (n,), the samples of all pages.
        hundred: the page's number, from 0; the last one if there are fewer.
    """
    hundreds = max(1, -(-len(rows) // SAMPLES))
    hundred = min(hundred, hundreds - 1)
    return Page(rows[hundred * SAMPLES : (hundred + 1) * SAMPLES], hundred, hundreds, rows)


def suspicion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return how much a model contradicts each label: the likeliest other class's probability minus the label's own.

    Sorted by it, wrong labels of a test set come first (C. Northcutt, L. Jiang, I. Chuang, Confident Learning, Journal
    of Artificial Intelligence Research 70, 2021, whose "normalized margin" it is).

    Args:
        labels: integer (n,).
        probabilities: float (n, classes), of a model that has not learned from these images.

    Returns:
        float (n,), in [-1, 1].
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -1
    return others.max(axis=1, initial=-1) - probabilities[rows, labels]


def browse(
    labels: Sequence[str], writers: Sequence[str], *, label: str = "", writer: str = "", shuffle: int | None = None
) -> np.ndarray:
    """Return the rows of the samples of a class and by a writer.

    Args:
        labels, writers: of each sample.
        label, writer: what is wanted; "" for all.
        shuffle: the seed of a random order; None for the samples' own.

    Returns:
        int (n,).
    """
    rows = np.array(
        [
            row
            for row, (one, by) in enumerate(zip(labels, writers, strict=True))
            if label in ("", one) and writer in ("", by)
        ],
        int,
    )
    return rows if shuffle is None else np.random.default_rng(shuffle).permutation(rows)


def in_turns(labels: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Return rows in another order: each hundred has some of all classes, with those of a class side by side.

    Args:
        labels: of each sample.
        rows: int (n,), of samples.
    """
    seen: Counter[str] = Counter()
    turns = []
    for row in rows.tolist():
        turns.append(seen[labels[row]])
        seen[labels[row]] += 1
    mixed = rows[np.argsort(np.array(turns, int), kind="stable")].tolist()
    hundreds = [mixed[first : first + SAMPLES] for first in range(0, len(mixed), SAMPLES)]
    return np.array([row for hundred in hundreds for row in sorted(hundred, key=labels.__getitem__)], int)


def sprite(images: np.ndarray, *, columns: int = COLUMNS, factor: int = 1) -> bytes:
    """Return images in one PNG, dark ink on white.

    Args:
        images: uint8 (n, 28, 28), 0 is paper and 255 is ink.
        columns: images in a row.
        factor: the side of each pixel in the PNG.
    """
    lines = -(-max(1, len(images)) // columns)
    tiles = np.zeros((lines * columns, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    tiles[: len(images)] = images
    grid = tiles.reshape(lines, columns, IMAGE_SIZE, IMAGE_SIZE).swapaxes(1, 2)
    sheet = Image.fromarray(255 - grid.reshape(lines * IMAGE_SIZE, columns * IMAGE_SIZE))
    return _png(sheet.resize((sheet.width * factor, sheet.height * factor), Image.Resampling.NEAREST))


def enlarged(image: np.ndarray, *, factor: int = 10) -> bytes:
    """Return a PNG of one image, dark ink on white.

    Args:
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        factor: the side of each pixel in the PNG.
    """
    return _png(Image.fromarray(255 - image).resize((IMAGE_SIZE * factor,) * 2, Image.Resampling.NEAREST))


def contact_sheet(
    images: np.ndarray, labels: np.ndarray, predicted: np.ndarray, class_names: tuple[str, ...], title: str
) -> bytes:
    """Return a PNG to print or send, with the predicted class below each image.

    Misclassified images are framed and labelled "true → predicted".

    Args:
        images: uint8 (n, 28, 28).
        labels, predicted: integer (n,).
        class_names: the names of the classes.
        title: a line above the images.
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
        is_correct = read == true
        if not is_correct:
            draw.rectangle((left - 2, top - 2, left + tile + 1, top + tile + 1), outline="#c0392b", width=2)
        draw.text(
            (left + tile / 2, top + tile + 2),
            read if is_correct else f"{true} → {read}",
            fill="#1b2733" if is_correct else "#c0392b",
            font=font,
            anchor="ma",
        )
    return _png(sheet)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
