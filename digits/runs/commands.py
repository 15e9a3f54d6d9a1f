"""Commands: visitors submit runs here and control them; only a run's owner may."""

import contextlib
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from digits.errors import InvalidHyperparameter, InvalidText, NotYourRun, RegistryUnavailable, RunBusy
from digits.runs import admission
from digits.runs.changes import Change
from digits.runs.hyperparameters import LIVE_KNOBS, Hyperparameters, check
from digits.runs.registry import Registry
from digits.runs.schema import Run
from digits.runs.usage import Usage

MAX_TEXT = {"name": 80, "note": 2000}  # characters
REPEATED_WITHIN = 600.0  # seconds in which a visitor who asks for the same again means what got no answer
_DAY_SECONDS = 24 * 3600
# Control characters, and marks that turn around what stands beside a name on a page.
_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def submit(
    registry: Registry,
    hyperparameters: Hyperparameters,
    owner: str,
    *,
    changes: Sequence[Change] = (),
    name: str = "",
    address: str = "",
    **origin: Any,
) -> str:
    """Queue a run for the trainer and return its id.

    Asked for again after `RegistryUnavailable`, it is the same run, which the registry may have queued already.

    Args:
        changes: another run's changes of hyperparameters, to be repeated at the same iterations.
        name: the visitor's name for the run; empty for none.
        address: where the visitor comes from; empty if that is unknown.
        origin: what a run that goes on from another one's checkpoint begins with, as in `Registry.create`.

    Raises:
        TooManyRuns: the visitor, their address or the server already has as many runs waiting or in training as
            allowed.
        QuotaReached: the run would learn from too many images, the disk is full, or there are too many commands.
        InvalidText: the name is too long.
    """
    admission.require_pace(owner)
    admission.require_affordable(hyperparameters)
    admit, name = admission.require_submission, checked("name", name)
    asked = ("run", owner, hyperparameters, tuple(changes), name, origin.get("id"))
    with registry.unanswered.once(*asked, within=REPEATED_WITHIN) as attempt:
        facts = {"id": attempt.id} | origin
        return _enter(
            registry,
            address,
            lambda: registry.create(hyperparameters, owner, changes=changes, name=name, admit=admit, **facts),
        )


# Each command below raises RunNotFound, NotYourRun if the run belongs to another visitor, and RunAlreadyFinished if the
# run's state does not allow the command. Each counts towards the commands a minute, and raises QuotaReached.


def stop(registry: Registry, run_id: str, owner: str) -> None:
    """Ask a run to stop and save its model."""
    _own(registry, run_id, owner)
    registry.request_stop(run_id)


def pause(registry: Registry, run_id: str, owner: str) -> None:
    """Ask a run to pause; resuming it loses nothing, and meanwhile the trainer serves other runs."""
    _own(registry, run_id, owner)
    registry.request_pause(run_id, admit=admission.require_pause)


def resume(registry: Registry, run_id: str, owner: str, *, address: str = "") -> None:
    """Continue a paused run as if it had never paused; raises `TooManyRuns` as `submit` does."""
    _own(registry, run_id, owner)
    _resume(registry, run_id, address, admit=admission.require_turn)


def step(registry: Registry, run_id: str, owner: str, iterations: int | None = None, *, address: str = "") -> None:
    """Train a run for `iterations`, or up to the next validation if None, and pause it again."""
    run = _own(registry, run_id, owner)
    after = run.hyperparameters.next_validation(run.step) if iterations is None else run.step + iterations

    def admit(usage: Usage) -> None:
        admission.require_turn(usage)
        admission.require_pause(usage)

    _resume(registry, run_id, address, pause_at=after, admit=admit)


def save_now(registry: Registry, run_id: str, owner: str) -> None:
    """Ask a running run to save its current weights as a separate model; training continues."""
    _own(registry, run_id, owner)
    registry.request_save(run_id, admit=admission.require_copy)


def turn(registry: Registry, run_id: str, owner: str, name: str, value: float) -> None:
    """Change one of `LIVE_KNOBS` while a run trains, from the next iterations on; the run's record keeps the change.

        turn(registry, run_id, owner, "learning_rate", 1e-4)

    Raises:
        InvalidHyperparameter: `name` cannot change during a run, or the value is out of its range.
    """
    _own(registry, run_id, owner)
    if name not in LIVE_KNOBS:
        raise InvalidHyperparameter(
            f"During a run {' and '.join(LIVE_KNOBS)} may be changed; received `{name}`. Start a new run for that."
        )
    registry.request_change(run_id, name, check(name, value))


def rename(registry: Registry, run_id: str, owner: str, name: str) -> None:
    """Name a run, or remove its name if `name` is empty; raises `InvalidText` if it is too long."""
    _own(registry, run_id, owner)
    registry.describe(run_id, name=checked("name", name))


def annotate(registry: Registry, run_id: str, owner: str, note: str) -> None:
    """Set a run's note; raises `InvalidText` if it is too long."""
    _own(registry, run_id, owner)
    registry.describe(run_id, note=checked("note", note))


def delete(registry: Registry, run_ids: Sequence[str], owner: str) -> None:
    """Delete runs, all or none; `restore` can undo this for a day.

    Raises:
        RunBusy: one of them has not ended.
    """
    admission.require_pace(owner)
    for run in [_of(registry, run_id, owner) for run_id in run_ids]:
        if not run.is_ended:
            raise RunBusy(f"Only a run that has ended can be deleted; this one is {run.state}. Stop it first.")
    registry.set_deleted(run_ids, time.time())


def restore(registry: Registry, run_ids: Sequence[str], owner: str) -> None:
    """Restore deleted runs."""
    admission.require_pace(owner)
    for run_id in run_ids:
        _of(registry, run_id, owner)
    registry.set_deleted(run_ids, None)


def watch(registry: Registry, run: Run, visitor: str) -> None:
    """Note that a visitor opens a run. One that others open is shared, and kept longer than others."""
    if run.owner != visitor and time.time() - (run.shared or 0) > _DAY_SECONDS:
        with contextlib.suppress(RegistryUnavailable):  # it can be seen all the same
            registry.describe(run.id, shared=time.time())


def _resume(registry: Registry, run_id: str, address: str, **how: Any) -> None:
    def command() -> str:
        registry.request_resume(run_id, **how)
        return run_id

    _enter(registry, address, command)


def _enter(registry: Registry, address: str, command: Callable[[], str]) -> str:
    """Let a run enter the queue, if not too many from this address are in it."""
    return admission.addresses.enter(address, registry.places_taken, command)


def _own(registry: Registry, run_id: str, owner: str) -> Run:
    """Return a run that a visitor commands, and count the command."""
    run = _of(registry, run_id, owner)
    admission.require_pace(owner)
    return run


def _of(registry: Registry, run_id: str, owner: str) -> Run:
    run = registry.get(run_id)
    require_owner(run, owner)
    return run


def checked(what: str, text: str, *, whose: str = "run", most: int | None = None) -> str:
    """Return a visitor's text, trimmed and without control characters; a name is also put on one line.

    Args:
        what: "name" or "note".
        text: as the visitor wrote it.
        whose: what is named or described, for the message.
        most: how many characters it may have; None for as many as a run's.

    Raises:
        InvalidText: it is too long.
    """
    text = text.encode(errors="replace").decode()  # PostgreSQL does not take half a character
    text = _UNSEEN.sub("", text if what == "note" else " ".join(text.split())).strip()
    most = most or MAX_TEXT[what]
    if len(text) > most:
        raise InvalidText(f"A {whose}'s {what} may have {most} characters; this one has {len(text)}. Shorten it.")
    return text


def require_owner(run: Run, owner: str) -> None:
    """Raise `NotYourRun` unless `owner` started the run."""
    if run.owner != owner:
        raise NotYourRun(
            "Only the visitor who started a run may command it; you are watching it. Start one of your own."
        )
