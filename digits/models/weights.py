"""The weights that a person can look at: read from the small file beside a model, and turned into pictures.

The file is derived from the Keras model when it is exported, so that the web process, which has no TensorFlow, can show
what a network has learnt: the whole network as one matrix where it is linear, the first layer's filters where it
convolves, and its strongest hidden units where it does neither.
"""

import functools
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.errors import ModelNotFound
from digits.settings import IMAGE_SIZE

EXPLAIN_FILE = "explain.npz"
FOR, AGAINST = (0, 90, 181), (220, 94, 0)  # blue and orange: told apart in every kind of colour blindness
UNITS = 32  # hidden units whose weights are kept
MAX_FILTERS = 64

_INK, _PAPER = (27, 51, 71), (255, 255, 255)
_EDGE = (120, 130, 140)  # grey around a picture, so that it ends where its palest pixels do
_LAYERS_THAT_CHANGE_NOTHING = {"InputLayer", "Flatten", "Reshape", "Identity", "Dropout", "Softmax"}


@dataclass(frozen=True, eq=False)
class Linear:
    """A network that is one linear map from pixels to logits.

    Attributes:
        kernel: float32 (784, classes), for pixels in [0, 1], row by row.
        bias: float32 (classes,).
    """

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (n, classes) for images uint8 (n, 28, 28), 0 is paper and 255 is ink."""
        return images.reshape(len(images), -1).astype(np.float32) / 255 @ self.kernel + self.bias


@dataclass(frozen=True, eq=False)
class Filters:
    """The first layer of a convolutional network, with its batch normalisation, if any, worked into it.

    Attributes:
        kernel: float32 (height, width, filters), for pixels in [0, 1].
        bias: float32 (filters,).
        is_padded: whether the image is framed with paper, so that the maps are as large as it is.
        is_relu: whether what is negative is then set to 0.
    """

    kernel: np.ndarray
    bias: np.ndarray
    is_padded: bool
    is_relu: bool

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Return what the filters answer, float32 (height, width, filters), to an image uint8 (28, 28)."""
        height, width, _ = self.kernel.shape
        pixels = image.astype(np.float32) / 255
        if self.is_padded:  # where a frame cannot be even, TensorFlow adds its last line below and on the right
            pixels = np.pad(pixels, [((side - 1) // 2, side // 2) for side in (height, width)])
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (height, width))
        maps = np.tensordot(windows, self.kernel, axes=((2, 3), (0, 1))) + self.bias
        return np.maximum(maps, 0) if self.is_relu else maps


@dataclass(frozen=True, eq=False)
class Weights:
    """What the file holds; each part is None where the network has no such thing or the file is missing.

    Attributes:
        linear: the whole network, where it is linear.
        filters: the first layer, where it convolves.
        units: float32 (n, 28, 28) in [-1, 1], the weights into the strongest units of the first hidden layer, each
            scaled by its largest, the strongest first.
    """

    linear: Linear | None = None
    filters: Filters | None = None
    units: np.ndarray | None = None


@dataclass(frozen=True)
class Sprite:
    """Several pictures in one PNG, and what they show in words."""

    png: bytes
    alt: str


def load(folder: Path) -> Weights:
    """Read the weights beside a model; a model that was exported without them has none.

    Raises:
        ModelNotFound: the file is damaged.
    """
    path = folder / EXPLAIN_FILE
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return Weights()


@functools.lru_cache(maxsize=32)
def _load(path: Path, modified: int) -> Weights:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        linear = filters = units = None
        if "linear_kernel" in arrays:
            linear = Linear(*(_shaped(arrays, f"linear_{name}", n) for name, n in (("kernel", 2), ("bias", 1))))
        if "filters_kernel" in arrays:
            padded, relu = (bool(arrays[f"filters_{name}"]) for name in ("padded", "relu"))
            filters = Filters(_shaped(arrays, "filters_kernel", 3), _shaped(arrays, "filters_bias", 1), padded, relu)
        if "units" in arrays:
            units = _shaped(arrays, "units", 3) / 127
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelNotFound(
            f"{path.name} of {path.parent.name} should hold the weights to look at; it cannot be read ({error}). "
            "Train or download the model again."
        ) from error
    return Weights(linear, filters, units)


def _shaped(arrays: dict[str, np.ndarray], name: str, dimensions: int) -> np.ndarray:
    if arrays[name].ndim != dimensions:
        raise ValueError(f"{name} should have {dimensions} dimensions; received {arrays[name].ndim}")
    return arrays[name].astype(np.float32)


def derive(model: Any) -> dict[str, np.ndarray]:
    """Derive from a Keras model what its file of weights to look at should hold.

    Only the layers' class names, settings and `get_weights()` are asked for, so nothing here imports Keras.

    Args:
        model: a `keras.Model` whose layers follow one another, as `networks.build` makes them.

    Returns:
        Arrays to save: `linear_kernel` and `linear_bias`; `filters_kernel`, `filters_bias`, `filters_padded` and
        `filters_relu`; `units`, int8. None of them when the network is of another kind.
    """
    layers = [layer for layer in model.layers if type(layer).__name__ not in _LAYERS_THAT_CHANGE_NOTHING]
    if not layers or type(layers[0]).__name__ != "Rescaling" or not np.isclose(layers[0].scale, 1 / 255):
        return {}
    layers = layers[1:]
    kinds = [type(layer).__name__ for layer in layers]
    if kinds[:1] == ["Conv2D"]:
        return _derive_filters(layers)
    if set(kinds) != {"Dense"}:
        return {}
    arrays = {}
    if all(_activation(layer) == "linear" for layer in layers):
        arrays |= _derive_linear(layers)
    if len(layers) > 1:
        arrays["units"] = _derive_units(layers[0].get_weights()[0], layers[1].get_weights()[0])
    return arrays


def write(model: Any, path: Path) -> None:
    """Write the file of weights to look at for a Keras model, or none where there is nothing to show."""
    if arrays := derive(model):
        np.savez_compressed(path, **arrays)


def _activation(layer: Any) -> str:
    return getattr(layer.activation, "__name__", "linear") if hasattr(layer, "activation") else "linear"


def _derive_linear(layers: Sequence[Any]) -> dict[str, np.ndarray]:
    kernel, bias = (array.astype(np.float64) for array in layers[0].get_weights())
    for layer in layers[1:]:
        next_kernel, next_bias = layer.get_weights()
        kernel, bias = kernel @ next_kernel, bias @ next_kernel + next_bias
    return {"linear_kernel": _small(kernel), "linear_bias": bias.astype(np.float32)}


def _derive_filters(layers: Sequence[Any]) -> dict[str, np.ndarray]:
    first, followers = layers[0], list(layers[1:3])
    kernel, *biases = (array.astype(np.float64) for array in first.get_weights())
    if kernel.shape[2] != 1 or tuple(first.strides) != (1, 1) or tuple(first.dilation_rate) != (1, 1):
        return {}
    bias = biases[0] if biases else np.zeros(kernel.shape[-1])
    activation = _activation(first)
    if activation == "linear" and followers and type(followers[0]).__name__ == "BatchNormalization":
        factor, offset = _normalisation(followers.pop(0))
        kernel, bias = kernel * factor, bias * factor + offset
    if activation == "linear" and followers:
        kind = type(followers[0]).__name__
        activation = "relu" if kind == "ReLU" else _activation(followers[0]) if kind == "Activation" else "linear"
    return {
        "filters_kernel": _small(kernel[:, :, 0, :MAX_FILTERS]),
        "filters_bias": bias[:MAX_FILTERS].astype(np.float32),
        "filters_padded": np.array(first.padding == "same"),
        "filters_relu": np.array(activation == "relu"),
    }


def _normalisation(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation after training is a factor and an offset (Ioffe and Szegedy, 2015, algorithm 2)."""
    arrays = [array.astype(np.float64) for array in layer.get_weights()]
    gamma = arrays.pop(0) if layer.scale else 1.0
    beta = arrays.pop(0) if layer.center else 0.0
    mean, variance = arrays
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


def _derive_units(kernel: np.ndarray, next_kernel: np.ndarray) -> np.ndarray:
    """Pick the units that say most: by the length of their weights, going in and coming out."""
    strength = np.linalg.norm(kernel, axis=0) * np.linalg.norm(next_kernel, axis=1)
    chosen = kernel[:, strength.argsort()[::-1][:UNITS]].T
    largest = np.maximum(np.abs(chosen).max(axis=1, keepdims=True), 1e-12)
    return np.rint(chosen / largest * 127).astype(np.int8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _small(array: np.ndarray) -> np.ndarray:
    """Return the array in float16 where its numbers fit, which exported weights do exactly, else in float32."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.isfinite(half).all() else array.astype(np.float32)


def class_pictures(linear: Linear, class_names: Sequence[str]) -> Sprite:
    """Return the weights of each class as a picture: where ink speaks for it (blue) and where against it (orange).

    Each pixel's mean over the classes is taken off: it moves all logits alike and so says nothing.
    """
    kernel = linear.kernel - linear.kernel.mean(axis=1, keepdims=True)
    pictures = kernel.T.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    alt = (
        f"{len(pictures)} pictures, one for each class ({', '.join(class_names)}): blue where ink speaks for the "
        "class, orange where it speaks against it, white where it does not matter"
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
    """Return the weights float32 (n, 28, 28) into hidden units as pictures."""
    alt = (
        f"The weights into the {len(units)} strongest units of the first hidden layer, 28 by 28 each: blue where ink "
        "excites a unit, orange where it quietens it"
    )
    return Sprite(_sheet(diverging(units), factor=3, columns=columns), alt)


def layer_pictures(kind: str, pictures: np.ndarray, class_names: Sequence[str]) -> Sprite:
    """Return a first layer in the middle of its training, as `timeline.Snapshot` holds it.

    Args:
        kind: "classes", "units" or "filters".
        pictures: float32 (n, height, width).
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
    """Return what each filter answers to an image uint8 (28, 28), in the order of `filter_pictures`.

    All are scaled alike, by the strongest answer, so that a quiet filter looks quiet.
    """
    maps = np.moveaxis(filters.maps(image), -1, 0)
    strongest = int(maps.max(axis=(1, 2)).argmax())
    quiet = int((maps.max(axis=(1, 2)) <= 0).sum())
    alt = (
        f"What the {len(maps)} filters of the first layer answer to this image, in the same order: the darker, the "
        f"stronger. Filter {strongest + 1} answers most strongly"
        f"{f', {quiet} of them do not answer at all' if quiet else ''}"
    )
    shares = maps / _largest(maps)
    colours = diverging(shares) if not filters.is_relu else _mix(_PAPER, _INK, shares)
    return Sprite(_sheet(colours, factor=3, columns=columns), alt)


def diverging(values: np.ndarray) -> np.ndarray:
    """Return colours uint8 (..., 3) for values in [-1, 1]: orange at -1, white at 0, blue at 1."""
    return np.where(values[..., None] < 0, _mix(_PAPER, AGAINST, -values), _mix(_PAPER, FOR, values))


def _mix(start: Sequence[int], end: Sequence[int], shares: np.ndarray) -> np.ndarray:
    shares = np.clip(shares, 0, 1)[..., None]
    return np.rint(np.asarray(start) * (1 - shares) + np.asarray(end) * shares).astype(np.uint8)


def _largest(pictures: np.ndarray, *, each: bool = False) -> np.ndarray:
    return np.maximum(np.abs(pictures).max(axis=(1, 2) if each else None, keepdims=True), 1e-12)


def _sheet(pictures: np.ndarray, *, factor: int, columns: int, captions: Sequence[str] = ()) -> bytes:
    """Lay pictures uint8 (n, height, width, 3) out in rows, each pixel a square of `factor`, with names below."""
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
