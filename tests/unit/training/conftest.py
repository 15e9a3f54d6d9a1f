"""A trainer in the process of the tests."""

import threading

import pytest

from digits.settings import Settings
from digits.training import trainer


@pytest.fixture
def serve(registry, monkeypatch):
    """Let a trainer in this process serve the queue until it is empty."""
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    monkeypatch.setattr(trainer.Trainer, "_beat", lambda self: None)
    monkeypatch.setattr(trainer, "PRESETS", {})  # no warming up

    class UntilIdle(threading.Event):
        """Ends a trainer whose queue is empty: each wait does the next thing; with none left it sets the event."""

        def __init__(self, things):
            super().__init__()
            self.things = list(things)

        def wait(self, timeout=None):
            if self.things:
                self.things.pop(0)()
            else:
                self.set()
            return self.is_set()

    def run(*, then=(), **how):
        trainer.Trainer(Settings.from_environment(), registry, UntilIdle(then), **how).work()

    return run
