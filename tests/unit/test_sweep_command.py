"""The command `sweep`: it shows every trial, says what was found, and Ctrl-C keeps what is there."""

import contextlib

import pytest

from digits import sweep_command
from digits.__main__ import main
from digits.runs.sweep_record import SweepState
from tests.unit.sweeps.conftest import FakeTrainer


@pytest.fixture
def steps(registry, monkeypatch):
    """In place of a trainer: each time the command waits, the next of these things happens, and then one trial."""
    trainer, things = FakeTrainer(registry), []

    def sleep(seconds):
        if things:
            things.pop(0)()
        trainer.drive()
        trainer.train()

    monkeypatch.setattr(sweep_command.time, "sleep", sleep)
    monkeypatch.setattr(sweep_command, "_trainer", lambda settings, registry: contextlib.nullcontext())
    return things


def the_sweep(registry, out):
    return registry.get_sweep(out.split("/sweep?sweep=")[1].strip())


def test_trains_all_trials_and_says_what_was_found(registry, steps, capsys):
    options = ["--trials=4", "--sampler=random", "--prune=none", "--search", "learning_rate", "0.01", "1"]
    assert main(["sweep", "softmax", *options]) == 0
    out = capsys.readouterr().out
    assert [f"Trial {number}\t|" in out for number in (1, 2, 3, 4, 5)] == [True] * 4 + [False]
    assert "The best of 4 trials had" in out
    assert "trained again with a fresh seed it has 90.0% on test (95% CI" in out
    assert the_sweep(registry, out).state is SweepState.FINISHED


def test_ctrl_c_keeps_what_is_there(registry, steps, capsys):
    """The sweep is stopped, its trials are kept, and the best so far is named."""

    def interrupt():
        raise KeyboardInterrupt

    steps.extend([lambda: None, lambda: None, interrupt])
    assert main(["sweep", "softmax", "--trials=9", "--prune=none"]) == 0
    out = capsys.readouterr().out
    assert "Stopped early; keeping what is there." in out
    assert "The best of 2 trials had" in out
    sweep = the_sweep(registry, out)
    assert (sweep.state, sweep.begun) == (SweepState.STOPPED, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--trials", "0"], "`trials` must be a whole number"),
        (["--search", "seed", "0", "9"], "A sweep may search learning_rate"),
        (["--search", "dropout", "0.1"], "lowest and its highest"),
        (["--iterations", "7"], "must lie in"),
    ],
)
def test_problems_are_one_line(registry, options, words, capsys):
    assert main(["sweep", "corrected", *options]) == 2
    assert words in capsys.readouterr().err
