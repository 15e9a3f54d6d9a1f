"""Logs for TensorBoard, for whoever wants them: a folder a run, its curves in `train` and `validation`."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

_CURVES = {
    "train": {"loss": "loss", "accuracy": "accuracy"},
    "validation": {"val_loss": "loss", "val_accuracy": "accuracy"},
}


class RunLog:
    """The log of one run; a run taken up again adds to it.

    It is a by-product: where it cannot be written, the trainer's own log says so once and the run goes on without.
    """

    def __init__(self, folder: Path) -> None:
        """Log to `folder`, such as `<DIGITS_TENSORBOARD_DIR>/<run id>`; it is made with the first row."""
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._is_broken = False

    def write(self, row: dict[str, Any]) -> None:
        """Add a row of `runs.METRIC_NAMES` to the curves; what is None in it is left out."""
        if self._is_broken:
            return
        try:
            for curve, tags in _CURVES.items():
                values = {tag: row[name] for name, tag in tags.items() if row[name] is not None}
                if values:
                    self._add(curve, row["step"], values)
        except (OSError, tf.errors.OpError) as error:
            self._is_broken = True
            print(f"digits.tensorboard: {self._folder} takes no logs: {error}", file=sys.stderr)

    def close(self) -> None:
        """Write out what is still in memory."""
        with contextlib.suppress(OSError, tf.errors.OpError):  # a run is not lost for its log
            for writer in self._writers.values():
                writer.close()

    def _add(self, curve: str, step: int, values: dict[str, float]) -> None:
        if curve not in self._writers:
            self._writers[curve] = tf.summary.create_file_writer(str(self._folder / curve))
        with self._writers[curve].as_default():
            for tag, value in values.items():
                # `tf.summary.scalar` belongs to the package tensorboard, which training does not need.
                tf.summary.write(tag, tf.constant(value, tf.float32), step=step, metadata=_scalar())
        self._writers[curve].flush()  # TensorBoard follows a run while it learns


def _scalar() -> Any:
    metadata = tf.compat.v1.SummaryMetadata(data_class=1)  # DATA_CLASS_SCALAR
    metadata.plugin_data.plugin_name = "scalars"
    return metadata
