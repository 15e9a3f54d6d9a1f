"""The weights that a model's page shows, read from the small file that `training.explain` writes beside the model."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import ModelNotFound
from digits.files import read_arrays

EXPLAIN_FILE = "explain.npz"
FOR, AGAINST = (0, 90, 181), (220, 94, 0)  # blue and orange: distinguishable with every kind of colour blindness
UNITS = 32  # the largest number of hidden units whose weights are stored
MAX_FILTERS = 64


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
        """Compute the logits of images.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, classes).
        """
        return images.reshape(len(images), -1).astype(np.float32) / 255 @ self.kernel + self.bias


@dataclass(frozen=True, eq=False)
class Filters:
    """The first layer of a convolutional network, with any batch normalisation folded into its weights.

    Attributes:
        kernel: float32 (height, width, filters), for pixels in [0, 1].
        bias: float32 (filters,).
        is_padded: whether the image is padded with paper, so that the feature maps are as large as the image.
        is_relu: whether ReLU is applied to the feature maps.
    """

    kernel: np.ndarray
    bias: np.ndarray
    is_padded: bool
    is_relu: bool

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Compute the feature maps of an image.

        Args:
            image: uint8 (28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (height, width, filters).
        """
        height, width, _ = self.kernel.shape
        pixels = image.astype(np.float32) / 255
        if self.is_padded:  # like TensorFlow: an odd row of padding goes below, an odd column to the right
            pixels = np.pad(pixels, [((side - 1) // 2, side // 2) for side in (height, width)])
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (height, width))
        maps = np.tensordot(windows, self.kernel, axes=((2, 3), (0, 1))) + self.bias
        return np.maximum(maps, 0) if self.is_relu else maps


@dataclass(frozen=True, eq=False)
class Weights:
    """What the file holds; each part is None if the network has no such layer or the file is missing.

    Attributes:
        linear: the whole network, if it is linear.
        filters: the first layer, if it is convolutional.
        units: float32 (n, 28, 28) in [-1, 1], the weights into the strongest units of the first hidden layer, each
            scaled by its largest, the strongest first.
    """

    linear: Linear | None = None
    filters: Filters | None = None
    units: np.ndarray | None = None


def load(folder: Path) -> Weights:
    """Read the weights stored beside a model; an empty `Weights` if the model was exported without them.

    Args:
        folder: the model's folder.

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
        arrays = read_arrays(path.read_bytes())
        linear = filters = units = None
        if "linear_kernel" in arrays:
            linear = Linear(*(_shaped(arrays, f"linear_{name}", n) for name, n in (("kernel", 2), ("bias", 1))))
        if "filters_kernel" in arrays:
            padded, relu = (bool(arrays[f"filters_{name}"]) for name in ("padded", "relu"))
            filters = Filters(_shaped(arrays, "filters_kernel", 3), _shaped(arrays, "filters_bias", 1), padded, relu)
        if "units" in arrays:
            units = _shaped(arrays, "units", 3) / 127
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelNotFound(
            f"{path.name} of {path.parent.name} should hold the model's weights for display; "
            f"it cannot be read ({error}). Train or download the model again."
        ) from error
    return Weights(linear, filters, units)


def _shaped(arrays: dict[str, np.ndarray], name: str, dimensions: int) -> np.ndarray:
    if arrays[name].ndim != dimensions:
        raise ValueError(f"{name} should have {dimensions} dimensions; received {arrays[name].ndim}")
    return arrays[name].astype(np.float32)
