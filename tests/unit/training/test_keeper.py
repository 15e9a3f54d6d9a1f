"""keeper: its thread outlives every error, and a trainer that dies or hangs is replaced; pages can say why."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from digits.settings import Settings
from digits.training import keeper

LIVES = "import sys, time\nwhile True: sys.stdout.write('.'); sys.stdout.flush(); time.sleep(0.05)"
ENDS_AT_ONCE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
NEVER_ANSWERS = "import time; time.sleep(600)"


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Look and try again a hundred times as often as in earnest."""
    monkeypatch.setattr(keeper, "_LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "_PATIENCE_SECONDS", (0.02, 0.05, 0.1))
    monkeypatch.setattr(keeper, "_NEW_SECONDS", 0.5)
    monkeypatch.setattr(keeper, "TRAINER_TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(keeper, "_reported", {})


@pytest.fixture
def keep(runs_dir, monkeypatch):
    """Start a keeper of processes that run this script instead of a trainer."""
    keepers = []

    def start(script):
        monkeypatch.setattr(keeper, "_COMMAND", [sys.executable, "-c", script])
        keepers.append(keeper.TrainerKeeper(Settings.from_environment()))
        keepers[0].start()
        return keepers[0]

    yield start
    for one in keepers:
        if one._process is not None:
            one._process.kill()
        one.close()


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def pid_of(one):
    process = one._process
    return process.pid if process is not None and process.poll() is None else 0


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EROFS, "Read-only file system"), (errno.EMFILE, "Too many open files"), (errno.ENOSPC, "No space left")],
)
def test_its_thread_outlives_an_error_and_tries_again(number, words, keep, monkeypatch):
    """While no trainer can be started, pages say why; the next try succeeds, and they say nothing."""
    popen, left = subprocess.Popen, iter(range(4))

    def refuse(*arguments, **how):
        if next(left, None) is not None:
            raise OSError(number, os.strerror(number), "/srv/digits/runs/trainer.lock")
        return popen(*arguments, **how)

    monkeypatch.setattr(keeper.subprocess, "Popen", refuse)
    one = keep(LIVES)
    said = wait_for(keeper.describe_trouble)
    assert said.startswith(f"No trainer can be started: {words}")
    assert "/" not in said
    wait_for(lambda: pid_of(one))
    wait_for(lambda: not keeper.describe_trouble())


def test_a_folder_that_cannot_be_written_is_waited_for(keep, runs_dir, monkeypatch):
    """The lock's folder is a file at first, and then a folder."""
    runs_dir.rmdir()
    runs_dir.write_text("in the way")
    one = keep(LIVES)
    said = wait_for(keeper.describe_trouble)
    assert said.startswith("No trainer can be started: File exists")
    runs_dir.unlink()
    wait_for(lambda: pid_of(one))


def test_a_trainer_that_is_killed_is_replaced_and_the_reason_told(keep):
    """The system kills the process that takes the most memory."""
    keep(ENDS_AT_ONCE)
    said = wait_for(keeper.describe_trouble)
    assert said == (
        "The trainer ended, probably because memory ran out, and is started again. "
        "Its run goes on from the last checkpoint."
    )


def test_a_trainer_that_lives_is_left_alone(keep):
    """For much longer than a hung one would be."""
    one = keep(LIVES)
    first = wait_for(lambda: pid_of(one))
    time.sleep(3)
    assert pid_of(one) == first
    assert keeper.describe_trouble() == ""


@pytest.mark.parametrize("script", [NEVER_ANSWERS, LIVES])
def test_a_trainer_that_hangs_is_killed_and_replaced(script, keep):
    """One that never showed life, and one that was stopped; pages say so."""
    one = keep(script)
    first = wait_for(lambda: pid_of(one))
    if script == LIVES:
        time.sleep(1.5)
        os.kill(first, signal.SIGSTOP)
    second = wait_for(lambda: (now := pid_of(one)) != first and now)
    assert second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert keeper.describe_trouble() == (
        "The trainer had stopped answering and was replaced. Its run goes on from the last checkpoint."
    )


def test_a_full_disk_is_told(keep, monkeypatch):
    """The registry on it cannot tell that."""
    monkeypatch.setattr(keeper, "_FULL_BYTES", 2**62)
    keep(LIVES)
    assert wait_for(keeper.describe_trouble) == (
        "The server's disk is full. Training goes on when there is room; nothing is lost."
    )


def test_a_server_keeps_as_many_trainers_as_the_settings_say(runs_dir, monkeypatch):
    """Two with `DIGITS_TRAINERS=2`, each with a name of its own in the registry, and none with 0."""
    monkeypatch.setattr(keeper, "_COMMAND", [sys.executable, "-c", LIVES])
    monkeypatch.setenv("DIGITS_TRAINERS", "0")
    assert keeper.start_keepers(Settings.from_environment()) == []
    monkeypatch.setenv("DIGITS_TRAINERS", "2")
    keepers = keeper.start_keepers(Settings.from_environment())
    for one in keepers:
        wait_for(lambda one=one: pid_of(one))
    assert len({one._worker for one in keepers}) == 2
    for one in keepers:
        one._is_closing.set()
        one._process.kill()
    keeper.close_keepers(keepers)


def test_a_trainer_elsewhere_is_enough(keep, registry):
    """While a trainer of another server lives, this server starts none; when that one is gone, it does."""
    registry.enlist("elsewhere", unless_served=True, grace_seconds=60)
    one = keep(LIVES)
    time.sleep(0.5)
    assert pid_of(one) == 0
    registry.release("elsewhere")
    wait_for(lambda: pid_of(one))


def test_the_run_of_a_dead_trainer_is_free_at_once(keep, registry, quick):
    """The keeper ends the lease of the trainer that it has seen die."""
    one = keep(LIVES)
    first = wait_for(lambda: pid_of(one))
    run_id = registry.create(quick, "ada")
    registry.worker = one._worker
    assert registry.claim().id == run_id
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: pid_of(one) not in (0, first))
    assert registry.claim().id == run_id
