"""Weights as numbers and as text: read from a Keras file without Keras, layer by layer.

A `.keras` file is a zip with the network's layers in `config.json` and their arrays in the HDF5 file
`model.weights.h5`. Only a file that was made here, or whose contents have been checked, should be opened.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import ModelNotFound

WEIGHTS_TEXT, BIASES_TEXT = "weights.txt", "const.txt"


@dataclass(frozen=True, eq=False)
class Weight:
    """One array of a layer: a kernel, of two dimensions or more, or a bias, of one."""

    layer: str
    values: np.ndarray

    @property
    def is_bias(self) -> bool:
        return self.values.ndim == 1


def read(path: Path) -> list[Weight]:
    """Return all weights of the Keras file at `path`, in the order of its layers; raises `ModelNotFound`."""
    import h5py  # a tenth of a second, which only who looks at a model pays for

    try:
        with zipfile.ZipFile(path) as archive:
            layers = [layer["name"] for layer in json.loads(archive.read("config.json"))["config"]["layers"]]
            arrays: dict[str, list[np.ndarray]] = {name: [] for name in layers}
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                for group in file["layers"].values():
                    variables = group["vars"]
                    arrays[variables.attrs["name"]] = [variables[str(index)][()] for index in range(len(variables))]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelNotFound(
            f"{path.name} should be a Keras file with layers and weights; it cannot be read ({error}). "
            "Train the model again."
        ) from error
    return [Weight(name, values) for name in layers for values in arrays[name]]


def count(path: Path) -> int:
    """Return how many numbers the model in the Keras file at `path` has learned."""
    return sum(weight.values.size for weight in read(path))


def as_text(weights: list[Weight]) -> str:
    """Return weights as lines of numbers, each layer's below a comment that names it and its shape.

    `numpy.loadtxt` skips the comments: a softmax model's texts load as its 784×10 weights and its 10 biases. A filter
    bank's rows are height × width × inputs.
    """
    stream = io.StringIO()
    for weight in weights:
        stream.write(f"# {weight.layer} {' x '.join(map(str, weight.values.shape))}\n")
        # Five digits tell every float16 apart, and exported weights are float16.
        np.savetxt(stream, weight.values.reshape(-1, weight.values.shape[-1]), fmt="%.5g")
    return stream.getvalue()


def texts(weights: list[Weight]) -> dict[str, str]:
    """Return the two texts by file name: kernels in one, biases in the other."""
    return {
        WEIGHTS_TEXT: as_text([weight for weight in weights if not weight.is_bias]),
        BIASES_TEXT: as_text([weight for weight in weights if weight.is_bias]),
    }
