"""Rebuilding: a model's files from its parameters, in milliseconds and without TensorFlow.

Every network has a bundled model with the same layers. Its `.tflite` and `.keras` files are copied, the last layer is
given as many outputs as there are classes, and the numbers in them are replaced. So whatever numbers come in, LiteRT,
Keras and HDF5 open only files that were made here.
"""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from digits.errors import ExportMismatch, InvalidPackage
from digits.models.catalogue import KERAS_FILE, TFLITE_FILE
from digits.models.textweights import Weight
from digits.models.weights import EXPLAIN_FILE
from digits.packages import archives
from digits.training import explain

_COMPRESSION_LEVEL = 1  # nine times as fast as the default, as in `export`
_WRONG_LAYERS = "A bundled model should have the layers of its network; it has others. Restore its files."


def write_files(folder: Path, own: Path, parameters: Sequence[Weight]) -> None:
    """Write a model's `.tflite`, `.keras` and `explain.npz` files.

    Args:
        folder: where the files are written.
        own: the folder of the bundled model of this network, as `parameters.template` finds it.
        parameters: of this network, finite and exact in float16, a kernel and a bias for each layer in order, as
            `parameters.read` returns them.

    Raises:
        InvalidPackage: the numbers are too large for the `.tflite` file.
        ExportMismatch: the bundled model of this network has other layers, which is a fault in Digits.
        OSError: a file cannot be written.
    """
    classes = len(parameters[-1].values)
    (folder / TFLITE_FILE).write_bytes(_tflite(_with_classes((own / TFLITE_FILE).read_bytes(), classes), parameters))
    with zipfile.ZipFile(own / KERAS_FILE) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    arrays = {layer: [weight.values for weight in group] for layer, group in _by_layer(parameters)}
    parts["config.json"] = _config(parts["config.json"], parameters[-1].layer, classes)
    parts["model.weights.h5"] = _hdf5(parts["model.weights.h5"], arrays)
    (folder / KERAS_FILE).write_bytes(archives.write(parts, _COMPRESSION_LEVEL))
    layers = [_as_layer(facts, arrays) for facts in json.loads(parts["config.json"])["config"]["layers"]]
    explain.write(SimpleNamespace(layers=layers), folder / EXPLAIN_FILE)


def _with_classes(own: bytes, classes: int) -> bytes:
    """Return a `.tflite` file whose last layer has so many outputs; the same bytes if it has them already."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    class Aligned(flatbuffers.Builder):
        """Lays constants where LiteRT expects them, at multiples of 16 bytes, which its Python schema does not."""

        def StartVector(self, size: int, count: int, alignment: int) -> int:  # noqa: N802
            return super().StartVector(size, count, max(alignment, 16) if size == 1 else alignment)

    model = schema.ModelT.InitFromPackedBuf(own, 0)
    graph = model.subgraphs[0]
    made_by = {int(operator.outputs[0]): operator for operator in graph.operators}
    last = max(place for place, one in enumerate(graph.operators) if len(one.inputs) == 3)  # with kernel and bias
    constants = [int(index) for index in graph.operators[last].inputs[1:]]
    halves = [int(made_by[index].inputs[0]) for index in constants]  # from which they are unpacked
    if int(graph.tensors[constants[0]].shape[0]) == classes:
        return own
    for index in (*constants, *halves):
        graph.tensors[index].shape = np.array([classes, *graph.tensors[index].shape[1:]], np.int32)
    for operator in graph.operators[last:]:
        tensor = graph.tensors[int(operator.outputs[0])]
        tensor.shape = np.array([*tensor.shape[:-1], classes], np.int32)
        if tensor.shapeSignature is not None:
            tensor.shapeSignature = np.array([*tensor.shapeSignature[:-1], classes], np.int32)
    for index in halves:
        tensor = graph.tensors[index]
        model.buffers[tensor.buffer].data = np.zeros(2 * int(np.prod(tensor.shape)), np.uint8)
    builder = Aligned(len(own))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _config(own: bytes, layer: str, classes: int) -> bytes:
    """Return the description of a Keras network with so many outputs of its last layer; it may stay as it is."""
    described = json.loads(own)
    for facts in described["config"]["layers"]:
        if facts["config"]["name"] == layer and facts["config"]["units"] != classes:
            facts["config"]["units"] = classes
            return json.dumps(described).encode()
    return own


def _tflite(own: bytes, parameters: Sequence[Weight]) -> bytes:
    """Return a `.tflite` file with the constants of its layers replaced.

    LiteRT's converter stores kernels with their outputs first, and every constant as float16. It leaves out the bias of
    a layer that another linear layer follows, and adds what that bias contributes to the bias of the follower.
    """
    from ai_edge_litert import schema_py_generated as schema

    content = bytearray(own)
    model = schema.Model.GetRootAs(content)
    graph = model.Subgraphs(0)
    layers, groups = list(_layers_of(model, graph, schema)), list(_by_layer(parameters))
    if len(layers) != len(groups) or layers[-1][2] < 0:
        raise ExportMismatch(_WRONG_LAYERS)
    carried = None
    for inputs, (_, (kernel, bias)) in zip(layers, groups, strict=True):
        values = bias.values if carried is None else bias.values + carried @ kernel.values
        _fill(model, graph, inputs[1], np.moveaxis(kernel.values, -1, 0))
        carried = values if inputs[2] < 0 else None
        if carried is None:
            _fill(model, graph, inputs[2], values)
    return bytes(content)


def _layers_of(model: Any, graph: Any, schema: Any) -> Iterator[list[int]]:
    """Yield for each layer with parameters its three inputs: activations, the float16 kernel, and the bias or -1."""
    halves = {}  # the float16 constants by the float32 tensors that they are unpacked to, before the layers
    kinds = schema.BuiltinOperator
    for operator in map(graph.Operators, range(graph.OperatorsLength())):
        code, inputs = model.OperatorCodes(operator.OpcodeIndex()), operator.InputsAsNumpy().tolist()
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind == kinds.DEQUANTIZE:
            halves[operator.Outputs(0)] = inputs[0]
        elif kind in (kinds.CONV_2D, kinds.FULLY_CONNECTED):
            yield [inputs[0], *(halves.get(tensor, -1) for tensor in inputs[1:])]


def _fill(model: Any, graph: Any, index: int, values: np.ndarray) -> None:
    tensor = graph.Tensors(index)
    if tuple(tensor.ShapeAsNumpy()) != values.shape:
        raise ExportMismatch(_WRONG_LAYERS)
    with np.errstate(over="ignore"):
        halves = np.ascontiguousarray(values, "<f2")
    if not np.isfinite(halves).all():
        raise InvalidPackage(
            "A model's parameters must be small enough for LiteRT; some are not. Choose another package."
        )
    model.Buffers(tensor.Buffer()).DataAsNumpy()[:] = halves.reshape(-1).view(np.uint8)  # a view of the file


def _hdf5(own: bytes, arrays: dict[str, list[np.ndarray]]) -> bytes:
    """Return the weights of a Keras file with the arrays of its layers replaced."""
    import h5py  # takes a tenth of a second, so only on demand

    stream = io.BytesIO(own)
    with h5py.File(stream, "r+") as file:
        for group in file["layers"].values():
            variables = group["vars"]
            for index, values in enumerate(arrays.get(variables.attrs["name"], [])):
                if variables[str(index)].shape != values.shape:
                    del variables[str(index)]
                    variables.create_dataset(str(index), data=values)
                else:
                    variables[str(index)][...] = values
    return stream.getvalue()


def _by_layer(parameters: Sequence[Weight]) -> Iterator[tuple[str, list[Weight]]]:
    """Yield each layer's name with its kernel and its bias."""
    for layer, group in itertools.groupby(parameters, key=lambda weight: weight.layer):
        yield layer, list(group)


def _as_layer(facts: dict[str, Any], arrays: dict[str, list[np.ndarray]]) -> Any:
    """Return what `explain` looks at in a Keras layer, from its description in a Keras file."""
    settings = dict(facts["config"])
    if "activation" in settings:
        settings["activation"] = SimpleNamespace(__name__=settings["activation"])
    kind = type(facts["class_name"], (SimpleNamespace,), {})
    return kind(**settings, get_weights=lambda: arrays[settings["name"]])
