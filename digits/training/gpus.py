"""GPUs: what is set before TensorFlow first uses one. Without any, nothing is."""

import functools
import logging

import tensorflow as tf

_logger = logging.getLogger(__name__)


@functools.cache
def prepare() -> tuple[str, ...]:
    """Prepare the GPUs that TensorFlow sees, once, and return their names.

    Each gives its memory as it is needed, so that several trainers and other programs share it; by default TensorFlow
    would take all of it at once. And float32 means float32: TensorFloat-32, the default, rounds to ten bits, so an
    exported model would not predict as the trained one does.
    """
    found = tf.config.list_physical_devices("GPU")
    for gpu in found:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as error:  # it has been used already
            _logger.warning("%s keeps all of its memory: %s", gpu.name, error)
    if found:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    names = tuple(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in found)
    if names:
        _logger.info("training on %s", ", ".join(names))
    return names
