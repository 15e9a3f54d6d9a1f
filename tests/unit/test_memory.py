"""memory: what is freed goes back to the system."""

import subprocess
import sys

import pytest

from digits import memory

# Blocks below M_MMAP_THRESHOLD lie on the heap; one that stays in use above them keeps them from being returned.
SCRIPT = """
from pathlib import Path
from digits import memory
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmRSS"))
blocks = [libc.malloc(100_000) for _ in range(1000)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(block)
before = resident()
memory.trim()
print(before - resident())
"""


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc keeps what is freed")
def test_trimming_returns_what_was_freed():
    """Of 100 MB below a block in use, nearly all."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 80_000


def test_elsewhere_nothing_happens(monkeypatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    memory.trim()
    memory.trim_regularly()
