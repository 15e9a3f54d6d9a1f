"""Layers: what a `.tflite` model computes, read from its file without running it, so that others can compute it too."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.errors import ModelNotFound

CONVOLUTION, POOLING, DENSE = "convolution", "pooling", "dense"

_FLOAT16 = 1  # the number of this type in the format
_RELU = 1  # and of this activation
_SAME = 0  # and of this padding


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer. Convolutions have a stride of 1; pooling takes the largest of each 2×2 places.

    Attributes:
        kind: `CONVOLUTION`, `POOLING` or `DENSE`.
        kernel: float16 (side, side, inputs, outputs) of a convolution, (inputs, outputs) of a dense layer, else None.
            A dense layer after a convolution has its inputs in the order height, width, channel.
        bias: float16 (outputs,); zeros if the file has none.
        is_padded: whether the input is padded with zeros, so that a convolution's output is as large.
        is_relu: whether ReLU follows.
    """

    kind: str
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None
    is_padded: bool = False
    is_relu: bool = False


@dataclass(frozen=True, eq=False)
class Layers:
    """A classifier: `scale` times the pixels, then the layers, then softmax.

    Attributes:
        scale: what pixels in [0, 255] are multiplied by.
        layers: in order.
    """

    scale: float
    layers: tuple[Layer, ...]

    @property
    def parameter_count(self) -> int:
        """How many weights and biases there are."""
        arrays = [array for layer in self.layers for array in (layer.kernel, layer.bias)]
        return sum(array.size for array in arrays if array is not None)


def read(path: Path) -> Layers:
    """Read the layers of a `.tflite` model that Digits exported.

    Raises:
        ModelNotFound: the file is missing, or is damaged, or has other layers than those above.
    """
    try:
        return _read(path.read_bytes())
    except (OSError, LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise ModelNotFound(
            f"A LiteRT model of convolutions, pooling and dense layers should be at {path.name} of {path.parent.name}; "
            f"it cannot be read ({type(error).__name__}). Train or download it again."
        ) from error


def _read(content: bytes) -> Layers:
    from ai_edge_litert import schema_py_generated as schema  # here, because listing models does not need it

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    constants: dict[int, np.ndarray] = {}  # by the float32 tensors that they are unpacked to, before the layers
    scale, layers = 1.0, []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs, options = [int(index) for index in operator.inputs], operator.builtinOptions
        if kind == "DEQUANTIZE":
            constants[int(operator.outputs[0])] = _halves(model, graph.tensors[inputs[0]])
        elif kind == "MUL":
            scale *= float(constants[inputs[1]])
        elif kind in _BUILDERS:
            layers.append(_BUILDERS[kind](options, *(constants.get(index) for index in inputs[1:])))
        elif kind not in ("SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE", "SOFTMAX"):
            raise ValueError(f"{kind} is not a layer of Digits")
    return Layers(scale, tuple(layers))


def _halves(model: Any, tensor: Any) -> np.ndarray:
    if tensor.type != _FLOAT16:
        raise ValueError("a constant is not float16")
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), "<f2").reshape(tensor.shape)


def _convolution(options: Any, kernel: np.ndarray, bias: np.ndarray | None) -> Layer:
    if (options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor) != (1, 1, 1, 1):
        raise ValueError("a convolution has a stride or is dilated")
    if kernel.shape[1] != kernel.shape[2] or kernel.shape[1] % 2 == 0:
        raise ValueError("a convolution's kernel is not a square with a middle")
    return _with_numbers(CONVOLUTION, options, kernel, bias, is_padded=options.padding == _SAME)


def _dense(options: Any, kernel: np.ndarray, bias: np.ndarray | None) -> Layer:
    return _with_numbers(DENSE, options, kernel, bias)


def _with_numbers(
    kind: str, options: Any, kernel: np.ndarray, bias: np.ndarray | None, *, is_padded: bool = False
) -> Layer:
    if options.fusedActivationFunction not in (0, _RELU):
        raise ValueError("a layer has another activation than ReLU")
    kernel = np.moveaxis(kernel, 0, -1)  # LiteRT has the outputs first
    bias = np.zeros(kernel.shape[-1], np.float16) if bias is None else bias
    return Layer(kind, kernel, bias, is_padded, options.fusedActivationFunction == _RELU)


def _pooling(options: Any) -> Layer:
    if (options.strideH, options.strideW, options.filterHeight, options.filterWidth) != (2, 2, 2, 2):
        raise ValueError("pooling is not over 2×2 places")
    return Layer(POOLING)


_BUILDERS: dict[str, Callable[..., Layer]] = {
    "CONV_2D": _convolution,
    "FULLY_CONNECTED": _dense,
    "MAX_POOL_2D": _pooling,
}
