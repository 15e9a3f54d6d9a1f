"""gpus: what is set for each GPU before its first use, with a stand-in for TensorFlow's list of them."""

import re
import types

import pytest
import tensorflow as tf

from digits.settings import PROJECT_DIR
from digits.training import gpus, precision


class Machine:
    """A machine whose GPUs TensorFlow would see; it notes what is set."""

    def __init__(self, names, monkeypatch):
        self.devices = [types.SimpleNamespace(name=f"/physical_device:GPU:{place}") for place in range(len(names))]
        self.names, self.grows, self.rounds, self.in_use = names, [], True, False
        experimental = tf.config.experimental
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: self.devices if kind == "GPU" else [])
        monkeypatch.setattr(experimental, "set_memory_growth", self._grow)
        monkeypatch.setattr(experimental, "get_device_details", self._details)
        monkeypatch.setattr(experimental, "enable_tensor_float_32_execution", lambda on: setattr(self, "rounds", on))

    def _grow(self, device, grows):
        if self.in_use:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.grows.append((device.name, grows))

    def _details(self, device):
        name = self.names[self.devices.index(device)]
        return {"device_name": name} if name else {}


@pytest.fixture
def machine(monkeypatch):
    gpus.prepare.cache_clear()
    yield lambda *names: Machine(names, monkeypatch)
    gpus.prepare.cache_clear()


def test_without_one_nothing_is_set(machine):
    empty = machine()
    assert gpus.prepare() == ()
    assert (empty.grows, empty.rounds) == ([], True)


def test_each_gives_its_memory_as_needed_and_computes_in_float32(machine):
    """They are prepared once; one without a name is called as TensorFlow calls it."""
    two = machine("NVIDIA H100", None)
    assert gpus.prepare() == gpus.prepare() == ("NVIDIA H100", "/physical_device:GPU:1")
    assert two.grows == [("/physical_device:GPU:0", True), ("/physical_device:GPU:1", True)]
    assert not two.rounds


def test_one_in_use_is_told_and_used(machine, caplog):
    machine("NVIDIA H100").in_use = True
    assert gpus.prepare() == ("NVIDIA H100",)
    assert "keeps all of its memory" in caplog.text


def test_precision_is_measured_there(machine, monkeypatch, tmp_path):
    """It is remembered apart from that of the same processor without the GPU, and from larger matrices."""
    sides = []
    monkeypatch.setattr(tf, "ones", lambda shape, dtype: sides.append(shape) or tf.zeros((1, 1), dtype))
    files = []
    for names in ((), ("NVIDIA H100",), ("NVIDIA L4",)):
        machine(*names)
        gpus.prepare.cache_clear()
        files.append(precision.memory_file(tmp_path))
        assert precision._measure.__wrapped__() in precision.PRECISIONS
    assert len(set(files)) == 3
    assert set(sides[:2]) == {(768, 768)}
    assert set(sides[2:]) == {(4096, 4096)}


def test_the_package_for_gpus_has_the_same_version():
    versions = [
        re.search(r"^tensorflow(?:\[and-cuda\])?==(\S+)", (PROJECT_DIR / name).read_text(), re.MULTILINE)[1]
        for name in ("requirements.txt", "requirements-gpu.txt")
    ]
    assert versions[0] == versions[1]
