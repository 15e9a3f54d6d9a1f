"""A model's parameters as arrays and as text, read from a Keras file without Keras.

A `.keras` file is a zip with the network's layers in `config.json` and their arrays in the HDF5 file
`model.weights.h5`. Open only files that were made here or whose contents have been checked.
"""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import ModelNotFound

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError)
WEIGHTS_TEXT, BIASES_TEXT = "weights.txt", "const.txt"


@dataclass(frozen=True, eq=False)
class Weight:
    """One array of a layer's parameters.

    Attributes:
        layer: the layer's name.
        values: a kernel, of two or more dimensions, or a bias, of one.
    """

    layer: str
    values: np.ndarray

    @property
    def is_bias(self) -> bool:
        """Whether the array is a bias."""
        return self.values.ndim == 1


def read(path: Path) -> list[Weight]:
    """Read all parameters of a Keras file.

    Returns:
        The arrays in the order of the layers.

    Raises:
        ModelNotFound: the file is missing or damaged.
    """
    import h5py  # takes a tenth of a second, so only on demand

    try:
        with zipfile.ZipFile(path) as archive:
            layers = [layer["name"] for layer in json.loads(archive.read("config.json"))["config"]["layers"]]
            arrays: dict[str, list[np.ndarray]] = {name: [] for name in layers}
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                for group in file["layers"].values():
                    variables = group["vars"]
                    arrays[variables.attrs["name"]] = [variables[str(index)][()] for index in range(len(variables))]
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, *_ZIP_ERRORS) as error:
        raise ModelNotFound(
            f"{path.name} should be a Keras file with layers and weights; it cannot be read ({error}). "
            "Train the model again."
        ) from error
    return [Weight(name, values) for name in layers for values in arrays[name]]


def as_text(weights: list[Weight]) -> str:
    """Write parameters as lines of numbers, each array below a comment with its layer's name and its shape.

    `numpy.loadtxt` skips the comments. So the texts of a softmax model load as its 784×10 weights and its 10 biases.
    The rows of a convolutional kernel are height × width × inputs.
    """
    stream = io.StringIO()
    for weight in weights:
        stream.write(f"# {weight.layer} {' x '.join(map(str, weight.values.shape))}\n")
        # Exported weights are float16, and five digits distinguish all float16 numbers.
        np.savetxt(stream, weight.values.reshape(-1, weight.values.shape[-1]), fmt="%.5g")
    return stream.getvalue()


def texts(weights: list[Weight]) -> dict[str, str]:
    """Return the two texts by file name: all kernels in one, all biases in the other."""
    return {
        WEIGHTS_TEXT: as_text([weight for weight in weights if not weight.is_bias]),
        BIASES_TEXT: as_text([weight for weight in weights if weight.is_bias]),
    }
