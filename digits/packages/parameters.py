"""Parameters: a model's arrays of numbers as one safetensors file, the only part of a package that becomes a model.

The format is a JSON header with each array's type, shape and place, and then the numbers
(https://github.com/huggingface/safetensors). It cannot hold code.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from digits.data import sets
from digits.errors import InvalidPackage
from digits.models import catalogue, textweights
from digits.models.catalogue import KERAS_FILE
from digits.models.textweights import Weight
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS

PARAMETERS_FILE = "model.safetensors"
MAX_PARAMETERS_BYTES = 8 * 1024 * 1024  # the largest network has 1.5 million parameters, of two or four bytes each

_MAX_HEADER_BYTES = 16 * 1024
_TYPES: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


def write(parameters: list[Weight]) -> bytes:
    """Return the parameters of a model as a safetensors file, float16 if that holds them exactly and float32 if not."""
    from safetensors.numpy import save

    with np.errstate(over="ignore"):
        is_exact = all(np.array_equal(weight.values.astype(np.float16), weight.values) for weight in parameters)
    kind = np.float16 if is_exact else np.float32
    return save({_name(weight): np.ascontiguousarray(weight.values, kind) for weight in parameters})


def template(hyperparameters: Hyperparameters) -> Path:
    """Return the folder of a bundled model of a network, with as many classes if there is one."""
    models = [model for model in catalogue.bundled() if model.card.network == hyperparameters.network]
    classes = len(sets.find(hyperparameters.dataset).class_names)
    return min(models, key=lambda model: len(model.class_names) != classes).folder


def read(content: bytes, hyperparameters: Hyperparameters) -> list[Weight]:
    """Read the parameters of a network from an untrusted safetensors file.

    Args:
        content: the file.
        hyperparameters: they name the network, and so the arrays that the file must have.

    Returns:
        float32 arrays, rounded to float16 as in every exported model, in the order of the layers.

    Raises:
        InvalidPackage: the file is damaged, does not hold exactly these arrays, or holds other than finite numbers.
    """
    found, parameters = _arrays(content), []
    own = textweights.read(template(hyperparameters) / KERAS_FILE)
    expected = {_name(weight): weight.values.shape for weight in own}
    for weight in own[-2:]:  # the last layer has an output for each class
        expected[_name(weight)] = (*weight.values.shape[:-1], len(sets.find(hyperparameters.dataset).class_names))
    title = PRESETS[hyperparameters.network].title
    shapes = {name: array.shape for name, array in found.items()}
    if shapes != expected:
        raise InvalidPackage(
            f"By its hyperparameters the model must be “{title}”; {PARAMETERS_FILE} has not the "
            "arrays of that network. Choose another package."
        )
    for weight in own:
        with np.errstate(over="ignore", invalid="ignore"):
            values = found[_name(weight)].astype(np.float16)
        if not np.isfinite(values).all():
            raise InvalidPackage(
                f"A model's parameters must be finite numbers up to 65,504; some in {PARAMETERS_FILE} are not. "
                "Choose another package."
            )
        parameters.append(Weight(weight.layer, values.astype(np.float32)))
    if _largest_activation(parameters) > float(np.finfo(np.float32).max) / 2:  # half, for what rounding adds
        raise InvalidPackage(
            "A package's model must give a probability for each class, whatever is drawn; this one's numbers are too "
            "large for that. Choose another package."
        )
    return parameters


def _largest_activation(parameters: list[Weight]) -> float:
    """Return what no activation of a network exceeds: each layer adds up its inputs times its parameters."""
    largest = 255.0  # a pixel
    for kernel, bias in zip(parameters[::2], parameters[1::2], strict=True):
        sums = np.abs(kernel.values).reshape(-1, kernel.values.shape[-1]).sum(axis=0, dtype=np.float64)
        largest = largest * float(sums.max()) + float(np.abs(bias.values).max())
    return largest


def _name(weight: Weight) -> str:
    return f"{weight.layer}.{'bias' if weight.is_bias else 'kernel'}"


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, deserialize

    try:
        (header_bytes,) = struct.unpack_from("<Q", content)
        if header_bytes > _MAX_HEADER_BYTES:
            raise ValueError("its header is too long")
        found: Iterable[Any] = deserialize(content)
        return {
            name: np.frombuffer(facts["data"], _TYPES[facts["dtype"]]).reshape(facts["shape"]) for name, facts in found
        }
    except (SafetensorError, struct.error, ValueError, KeyError) as error:
        raise InvalidPackage(
            f"{PARAMETERS_FILE} must hold arrays of float16 or float32 numbers; it cannot be read. "
            "Choose another package."
        ) from error
