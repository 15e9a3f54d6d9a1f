"""Features: what a network makes of an image before its last layer decides; in this space it tells classes apart."""

import functools
import struct
from pathlib import Path

import numpy as np

from digits.errors import ModelNotFound
from digits.models.recogniser import Recogniser

_IDENTIFIER = b"TFL3"  # of the LiteRT format


class FeatureReader:
    """A `.tflite` model that ends before its last layer; like `Recogniser`, threads may share it."""

    def __init__(self, path: Path) -> None:
        """Load the model at `path`; raises `ModelNotFound` if it is missing, or no classifier of one dense layer."""
        try:
            content = _without_last_layer(path.read_bytes())
        except (OSError, LookupError, TypeError, ValueError, struct.error) as error:
            raise ModelNotFound(
                f"A LiteRT model that ends with a dense layer and softmax should be at {path.name}; it cannot be read "
                f"({error}). Train or download it again."
            ) from error
        self._recogniser = Recogniser(path, content=content)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return what the last layer is given.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

        Returns:
            float32 (n, features); the pixels, from 0 to 1, for a network that has only one layer.
        """
        return self._recogniser.probabilities(images)


def _without_last_layer(content: bytes) -> bytes:
    """Return a LiteRT model whose output is the input of its last dense layer, which softmax follows."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    made_by = {int(operator.outputs[0]): operator for operator in graph.operators}
    dense = made_by[int(made_by[int(graph.outputs[0])].inputs[0])]
    graph.outputs = [int(dense.inputs[0])]
    model.signatureDefs = []  # they name the old output
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def load(path: Path) -> FeatureReader:
    """Return the reader of a model's features, loaded once for each version of its file."""
    return _load(path, path.stat().st_mtime_ns if path.is_file() else 0)


@functools.lru_cache(maxsize=4)
def _load(path: Path, modified: int) -> FeatureReader:
    return FeatureReader(path)
