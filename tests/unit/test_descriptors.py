"""descriptors: the limit on open files is raised as far as the system allows, and never lowered."""

import subprocess
import sys

import pytest

from digits import descriptors

resource = pytest.importorskip("resource")

ASK = (
    "import resource\n"
    "from digits import descriptors\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
    "print(descriptors.raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
)


@pytest.mark.parametrize(
    ("soft", "hard", "expected"), [(64, 256, 256), (256, 2048, 2048), (256, 256, 256), (100, 4096, 4096)]
)
def test_is_raised_up_to_the_hard_limit(soft, hard, expected):
    """In a process of its own, which may not raise its hard limit again."""
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(soft=soft, hard=hard)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(expected)] * 2


def test_no_more_than_is_of_use_is_asked_for(monkeypatch):
    """A limit that is already higher is kept."""
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000, 2_000_000))
    monkeypatch.setattr(resource, "setrlimit", lambda *limits: asked.append(limits))
    assert descriptors.raise_limit() == 1_000_000
    assert not asked


def test_macos_says_unlimited_and_accepts_less(monkeypatch):
    """The first try is refused; 10,240 is accepted."""

    def refuse(_, limits):
        if limits[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert descriptors.raise_limit() == 10_240


def test_a_low_limit_is_logged(monkeypatch, caplog):
    """Where the system allows no more, the log says for how many visitors that is enough."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert descriptors.raise_limit() == 256
    assert "about 64 visitors" in caplog.text
