"""Pictures of weights: what a network has learned, as sprites of small images with descriptions."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.models.weights import AGAINST, FOR, Filters, Linear
from digits.settings import IMAGE_SIZE

_INK, _PAPER = (27, 51, 71), (255, 255, 255)
_EDGE = (120, 130, 140)  # a grey outline, because a picture's palest pixels are as white as the page


@dataclass(frozen=True)
class Sprite:
    """Several pictures in one PNG.

    Attributes:
        png: the pictures.
        alt: what they show, in words.
    """

    png: bytes
    alt: str


def class_pictures(linear: Linear, class_names: Sequence[str]) -> Sprite:
    """Return the weights of each class as a picture: blue where ink speaks for the class, orange where against it.

    The mean over the classes is subtracted from each pixel: it changes all logits equally, so it carries no
    information.
    """
    kernel = linear.kernel - linear.kernel.mean(axis=1, keepdims=True)
    pictures = kernel.T.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    alt = (
        f"{len(pictures)} pictures, one for each class ({', '.join(class_names)}): blue where ink speaks for the "
        "class, orange where it speaks against it, white where it makes no difference"
    )
    return Sprite(_sheet(diverging(pictures / _largest(pictures)), factor=4, columns=5, captions=class_names), alt)


def filter_pictures(filters: Filters, *, columns: int = 8) -> Sprite:
    """Return the first layer's filters as pictures, each scaled by its largest weight."""
    pictures = np.moveaxis(filters.kernel, -1, 0)
    height, width = pictures.shape[1:]
    alt = (
        f"The {len(pictures)} filters of the first layer, {height} by {width} weights each: blue where a filter looks "
        "for ink, orange where it looks for paper"
    )
    factor = max(4, 60 // max(height, width))
    return Sprite(_sheet(diverging(pictures / _largest(pictures, each=True)), factor=factor, columns=columns), alt)


def unit_pictures(units: np.ndarray, *, columns: int = 8) -> Sprite:
    """Return the weights into hidden units as pictures.

    Args:
        units: float32 (n, 28, 28) in [-1, 1].
        columns: pictures in a row.
    """
    alt = (
        f"The weights into the {len(units)} strongest units of the first hidden layer, 28 by 28 each: blue where ink "
        "excites a unit, orange where it quietens it"
    )
    return Sprite(_sheet(diverging(units), factor=3, columns=columns), alt)


def layer_pictures(kind: str, pictures: np.ndarray, class_names: Sequence[str]) -> Sprite:
    """Return pictures of a first layer during training, as `timeline.Snapshot` holds it.

    Args:
        kind: "classes", "units" or "filters".
        pictures: float32 (n, height, width).
        class_names: the names of the classes.
    """
    if kind == "classes":
        kernel = pictures.reshape(len(pictures), -1).T
        return class_pictures(Linear(kernel, np.zeros(len(pictures), np.float32)), class_names)
    if kind == "filters":
        return filter_pictures(Filters(np.moveaxis(pictures, 0, -1), np.zeros(len(pictures)), True, True))
    alt = (
        f"The weights into {len(pictures)} units of the first hidden layer, 28 by 28 each: blue where ink excites a "
        "unit, orange where it quietens it"
    )
    return Sprite(_sheet(diverging(pictures / _largest(pictures, each=True)), factor=3, columns=8), alt)


def map_pictures(filters: Filters, image: np.ndarray, *, columns: int = 8) -> Sprite:
    """Return each filter's feature map for an image, in the order of `filter_pictures`.

    All maps are scaled by the strongest response, so that a weak response looks weak.

    Args:
        filters: the first layer.
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        columns: pictures in a row.
    """
    maps = np.moveaxis(filters.maps(image), -1, 0)
    strongest = int(maps.max(axis=(1, 2)).argmax())
    quiet = int((maps.max(axis=(1, 2)) <= 0).sum())
    alt = (
        f"The responses of the {len(maps)} filters of the first layer to this image, in the same order: the darker, "
        f"the stronger. Filter {strongest + 1} has the strongest response"
        f"{f', {quiet} of them have none' if quiet else ''}"
    )
    shares = maps / _largest(maps)
    colours = diverging(shares) if not filters.is_relu else _mix(_PAPER, _INK, shares)
    return Sprite(_sheet(colours, factor=3, columns=columns), alt)


def diverging(values: np.ndarray) -> np.ndarray:
    """Return colours for values: orange at -1, white at 0, blue at 1.

    Args:
        values: float (...) in [-1, 1].

    Returns:
        uint8 (..., 3), RGB.
    """
    return np.where(values[..., None] < 0, _mix(_PAPER, AGAINST, -values), _mix(_PAPER, FOR, values))


def _mix(start: Sequence[int], end: Sequence[int], shares: np.ndarray) -> np.ndarray:
    shares = np.clip(shares, 0, 1)[..., None]
    return np.rint(np.asarray(start) * (1 - shares) + np.asarray(end) * shares).astype(np.uint8)


def _largest(pictures: np.ndarray, *, each: bool = False) -> np.ndarray:
    return np.maximum(np.abs(pictures).max(axis=(1, 2) if each else None, keepdims=True), 1e-12)


def _sheet(pictures: np.ndarray, *, factor: int, columns: int, captions: Sequence[str] = ()) -> bytes:
    """Arrange pictures uint8 (n, height, width, 3) in rows, each pixel a square of `factor`, with captions below."""
    height, width = (side * factor for side in pictures.shape[1:3])
    gap, caption = 10, 20 if captions else 0
    columns = min(columns, len(pictures))
    lines = -(-len(pictures) // columns)
    size = (gap + columns * (width + gap), gap + lines * (height + caption + gap))
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for index, picture in enumerate(pictures):
        left = gap + index % columns * (width + gap)
        top = gap + index // columns * (height + caption + gap)
        sheet.paste(Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST), (left, top))
        draw.rectangle((left - 2, top - 2, left + width + 1, top + height + 1), outline=_EDGE, width=2)
        if captions:
            draw.text((left + width / 2, top + height + 2), captions[index], fill=_INK, font=font, anchor="ma")
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()
