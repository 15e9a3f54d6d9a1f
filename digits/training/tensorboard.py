"""Optional logs for TensorBoard: one folder for each run, with its curves in `train` and `validation`."""

import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

_CURVES = {
    "train": {"loss": "loss", "accuracy": "accuracy"},
    "validation": {"val_loss": "loss", "val_accuracy": "accuracy"},
}
_logger = logging.getLogger(__name__)


class RunLog:
    """The log of one run. A run that continues from a checkpoint hides what it logged after that checkpoint.

    The log is optional: if it cannot be written, the trainer logs one warning and the run continues without it.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        """Log to `folder`, such as `<DIGITS_TENSORBOARD_DIR>/<run id>`, starting after iteration `step`.

        The folder is created with the first row.
        """
        self._folder, self._step = folder, step
        self._writers: dict[str, tf.io.TFRecordWriter] = {}
        self._is_broken = False

    def write(self, row: dict[str, Any]) -> None:
        """Add a row of `schema.METRIC_NAMES` to the curves, except the values that are None."""
        if self._is_broken:
            return
        try:
            if not self._writers:
                self._writers = {curve: self._open(curve) for curve in _CURVES}
            for curve, tags in _CURVES.items():
                values = [_scalar(tag, row[name]) for name, tag in tags.items() if row[name] is not None]
                if values:
                    self._add(self._writers[curve], step=row["step"], summary={"value": values})
        except (OSError, tf.errors.OpError) as error:
            self._is_broken = True
            _logger.warning("cannot write TensorBoard logs to %s: %s", self._folder, error)

    def close(self) -> None:
        """Write buffered rows and close the files."""
        with contextlib.suppress(OSError, tf.errors.OpError):  # a run must not fail because of its log
            for writer in self._writers.values():
                writer.close()

    def _open(self, curve: str) -> tf.io.TFRecordWriter:
        """Open a curve's next event file, which makes TensorBoard discard what it has read from `_step` + 1 on."""
        folder = self._folder / curve
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a folder's files in the order of their names, so names must increase.
        writer = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{time.time_ns()}"))
        self._add(writer, file_version="brain.Event:2")
        self._add(writer, step=self._step + 1, session_log={"status": tf.compat.v1.SessionLog.START})
        return writer

    def _add(self, writer: tf.io.TFRecordWriter, **facts: Any) -> None:
        writer.write(tf.compat.v1.Event(wall_time=time.time(), **facts).SerializeToString())
        writer.flush()  # so that TensorBoard can follow a run live


def _scalar(tag: str, value: float) -> tf.compat.v1.Summary.Value:
    metadata = tf.compat.v1.SummaryMetadata(data_class=1)  # DATA_CLASS_SCALAR
    metadata.plugin_data.plugin_name = "scalars"
    return tf.compat.v1.Summary.Value(tag=tag, metadata=metadata, tensor=tf.make_tensor_proto(value, tf.float32))
