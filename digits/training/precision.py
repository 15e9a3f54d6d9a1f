"""Precision: whether this processor, or its GPU, computes faster in bfloat16, measured once for each kind."""

import functools
import hashlib
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from filelock import FileLock

from digits.files import write_whole
from digits.settings import work_dir
from digits.training import gpus

PRECISIONS = ("float32", "mixed_bfloat16")
_TELLING = ("model name", "flags", "CPU implementer", "CPU part", "Features")  # the last three on ARM
_SIDE, _SIDE_ON_GPU = 768, 4096  # of the matrices that are multiplied; a GPU takes longer to begin than for small ones
_CPUINFO = Path("/proc/cpuinfo")  # on Linux; elsewhere the platform's words must do


def fastest_precision(memory: Path | None = None) -> str:
    """Return "mixed_bfloat16" if this processor or its GPU multiplies bfloat16 clearly faster, else "float32".

    Args:
        memory: a file that stores the answer, such as `memory_file` gives. A new measurement on a busy machine could
            differ, and a run could then not be repeated to the last bit.
    """
    if memory is None:
        return _measure()
    if known := _remembered(memory):
        return known
    with FileLock(memory.with_suffix(".lock"), thread_local=False):  # of two new trainers, one measures
        if not (precision := _remembered(memory)):
            precision = _measure()
            with write_whole(memory) as stream:
                stream.write(precision.encode())
    return precision


def _remembered(memory: Path) -> str:
    """Return the stored answer, or "" if there is none that can be used."""
    known = memory.read_text(encoding="ascii", errors="replace").strip() if memory.is_file() else ""
    return known if known in PRECISIONS else ""


def memory_file(runs_dir: Path) -> Path:
    """Return the file that stores the answer for processors of this kind, among a registry's working files."""
    return work_dir(runs_dir, "precision-" + hashlib.sha256(processor().encode()).hexdigest()[:12])


def processor() -> str:
    """Return the kind of this machine's processor: its architecture, model, instruction sets and GPUs."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    told = [
        fields[name] for name in ("model name", "flags", "CPU implementer", "CPU part", "Features") if name in fields
    ]
    return "; ".join([platform.machine(), *(told or [platform.processor()]), *gpus.prepare()])


@functools.cache
def _measure() -> str:
    side = _SIDE_ON_GPU if gpus.prepare() else _SIDE

    def product(dtype: str) -> Callable[[], float]:
        matrix = tf.ones((side, side), dtype)
        multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
        multiply()

        def seconds() -> float:
            start = time.perf_counter()
            multiply().numpy()
            return time.perf_counter() - start

        return seconds

    # Alternating: other load slows both, and the median ignores what slows only one.
    narrow, wide = product("bfloat16"), product("float32")
    return "mixed_bfloat16" if statistics.median(narrow() / wide() for _ in range(21)) < 0.8 else "float32"
