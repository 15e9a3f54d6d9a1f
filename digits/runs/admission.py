"""Admission: what a visitor may ask for under the quotas. Each refusal says what, how many, and when again."""

import functools
import math
import threading
import time
from collections.abc import Callable

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from digits.errors import DigitsError, QuotaReached, TooManyPackages, TooManyRuns
from digits.quotas import Quotas
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.sweeps import SweepUsage
from digits.runs.usage import Usage

_CONVOLUTIONAL = ("convolutional", "drawing")  # an image costs these many times more than the other networks
_MB, _KB = 1_000_000, 1_000
VISITORS_PER_ADDRESS = 3  # may use up a quota of checks there; a stranger has any number of cookies


def require_affordable(hyperparameters: Hyperparameters) -> None:
    """Raise `QuotaReached` if a run would learn from more images than one run may."""
    limit = Quotas.from_environment().images_per_run
    images = hyperparameters.iterations * hyperparameters.batch_size
    if limit and images > limit and hyperparameters.network in _CONVOLUTIONAL:
        raise QuotaReached(
            f"A run of a convolutional network may learn from {limit:,} images on this server; {images:,} are asked "
            f"for ({hyperparameters.iterations:,} iterations × {hyperparameters.batch_size:,} images). "
            "Choose fewer iterations or a smaller batch."
        )


def require_pace(owner: str) -> None:
    """Count a command of a visitor; raise `QuotaReached` if there were too many within a minute."""
    if amount := Quotas.from_environment().commands_a_minute:
        what = f"At most {amount} commands a minute are allowed; you gave more."
        _count(owner, RateLimitItemPerMinute(amount, namespace="commands"), what)


def require_check(owner: str, address: str = "") -> None:
    """Count a check of a package; raise `QuotaReached` if there were too many within an hour.

    Args:
        owner: the visitor who asks.
        address: where they come from, which may have `VISITORS_PER_ADDRESS` times as many; "" if that is unknown,
            which has no limit of its own.
    """
    if amount := Quotas.from_environment().checks_an_hour:
        what = f"At most {amount} packages may be checked in an hour; you have checked {amount}."
        own = RateLimitItemPerHour(amount, namespace="checks")
        _require_left(owner, own, what)  # what is refused for one reason does not count for the other
        if address:
            many = amount * VISITORS_PER_ADDRESS
            whats = f"At most {many} packages an hour may be checked from one address; yours has had them."
            _count(address, RateLimitItemPerHour(many, namespace="address-checks"), whats)
        _count(owner, own, what)


def require_bytes(address: str, size: int) -> None:
    """Count the bytes of a set or a package; raise `QuotaReached` if an address brought too many within an hour.

    Args:
        address: where they come from; "" if that is unknown, which has no limit.
        size: how many there are.
    """
    amount = Quotas.from_environment().megabytes_an_hour
    if amount and address:
        what = f"At most {amount} MB of sets and packages an hour are taken from one address; yours has had them."
        _count(address, RateLimitItemPerHour(amount * _MB // _KB, namespace="bytes"), what, math.ceil(size / _KB))


def _count(who: str, limit: RateLimitItem, what: str, cost: int = 1) -> None:
    if not _limiter().hit(limit, who, cost=cost):
        raise _refusal(who, limit, what)


def _require_left(who: str, limit: RateLimitItem, what: str) -> None:
    if not _limiter().test(limit, who):
        raise _refusal(who, limit, what)


def _refusal(who: str, limit: RateLimitItem, what: str) -> QuotaReached:
    seconds = max(1, math.ceil(_limiter().get_window_stats(limit, who).reset_time - time.time()))
    again = f"{seconds} s" if seconds <= 90 else f"{math.ceil(seconds / 60)} minutes"
    return QuotaReached(f"{what} Try again in {again}.")


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


class Addresses:
    """The addresses from which runs and sweeps were started, for as long as these wait or train.

    Only this process's memory holds them; the registry knows no addresses.
    """

    def __init__(self) -> None:
        self._entered: dict[str, set[str]] = {}  # ids of runs and sweeps by address
        self._lock = threading.Lock()

    def enter(
        self, address: str, places_taken: Callable[[set[str]], dict[str, int]], command: Callable[[], str]
    ) -> str:
        """Let one more run or sweep from an address enter the queue, and return its id; no other enters it meanwhile.

        Args:
            address: where the command comes from; "" if that is unknown, which has no limit.
            places_taken: returns how many places each of these runs and sweeps takes, without those that take none.
            command: lets the run or the sweep enter the queue, and returns its id.

        Raises:
            TooManyRuns: as many runs and trials from this address wait or train as are allowed.
        """
        limit = Quotas.from_environment().runs_waiting_per_address
        if not limit or not address:
            return command()
        with self._lock:
            taken = {place: found for place, ids in self._entered.items() if (found := places_taken(ids))}
            self._entered = {place: set(found) for place, found in taken.items()}
            _require_room(
                limit,
                sum(taken.get(address, {}).values()),
                TooManyRuns,
                "At most {limit} runs from one address may wait or train at a time, trials of sweeps included; "
                "yours has {taken}. Wait until one has ended.",
            )
            entered = command()
            self._entered.setdefault(address, set()).add(entered)
        return entered


addresses = Addresses()

# The checks below are made in the transaction that changes the registry.


def _require_room(limit: int, taken: int, error: type[DigitsError], words: str) -> None:
    """Raise an error if as much is taken as is allowed; a limit of 0 allows anything."""
    if limit and taken >= limit:
        raise error(words.format(limit=f"{limit:,}", taken=f"{taken:,}"))


def require_submission(usage: Usage) -> None:
    """Raise `TooManyRuns` or `QuotaReached` if there is no room for one more run: in the queue, or on the disk."""
    require_turn(usage)
    require_disk(usage)


def require_turn(usage: Usage) -> None:
    """Raise `TooManyRuns` if a visitor, or everybody, has as many runs waiting or in training as allowed."""
    quotas = Quotas.from_environment()
    for who, waiting, limit in (
        ("you have", usage.waiting, quotas.runs_waiting_per_visitor),
        ("this server has", usage.everyones_waiting, quotas.runs_waiting),
    ):
        words = (
            f"At most {{limit}} runs may wait or train at a time; {who} {{taken}}. "
            "Wait until one has ended, or stop one."
        )
        _require_room(limit, waiting, TooManyRuns, words)
    busy = math.ceil(quotas.runs_waiting / 2)  # the other half is for visitors who have none
    if busy and usage.waiting and usage.everyones_waiting >= busy:
        raise TooManyRuns(
            f"While {busy} or more runs wait or train on this server, each visitor may have one; there are "
            f"{usage.everyones_waiting}, and you have {usage.waiting}. Wait until yours has ended, or stop it."
        )


def require_pause(usage: Usage) -> None:
    """Raise `TooManyRuns` if a visitor has as many runs paused, or about to pause, as allowed."""
    _require_room(
        Quotas.from_environment().runs_paused_per_visitor,
        usage.paused,
        TooManyRuns,
        "At most {limit} of a visitor's runs may be paused; you have {taken}. Resume or stop one of them first.",
    )


def require_copy(usage: Usage) -> None:
    """Raise `QuotaReached` if a visitor has saved as many copies as allowed."""
    _require_room(
        Quotas.from_environment().copies_per_visitor,
        usage.copies,
        QuotaReached,
        "At most {limit} copies may be saved during training; your runs have {taken}. "
        "Delete a run that has some on the Runs page; you can save others a day later.",
    )


def require_import(usage: Usage) -> None:
    """Raise `TooManyPackages` or `QuotaReached` if there is no room for one more imported model."""
    _require_room(
        Quotas.from_environment().imports_per_visitor,
        usage.imported,
        TooManyPackages,
        "At most {limit} models may be imported; you have imported {taken}. "
        "Delete one on the Runs page; you can import another a day later.",
    )
    require_disk(usage)


def require_sweep(usage: SweepUsage) -> None:
    """Raise `QuotaReached` if a visitor keeps as many sweeps, or has as many running, as allowed."""
    quotas = Quotas.from_environment()
    _require_room(
        quotas.sweeps_running_per_visitor,
        usage.open,
        QuotaReached,
        "At most {limit} of a visitor's sweeps may run or be paused; you have {taken}. "
        "Wait until one has ended, or stop one.",
    )
    _require_room(
        quotas.sweeps_per_visitor,
        usage.kept,
        QuotaReached,
        "A visitor may keep {limit} sweeps; you have {taken}. Delete one first.",
    )


def require_disk(usage: Usage) -> None:
    """Raise `QuotaReached` if the files of a visitor's runs, or of all runs, take as much disk as allowed."""
    quotas = Quotas.from_environment()
    for whose, taken, limit in (
        ("Your", usage.disk_bytes, quotas.megabytes_per_visitor),
        ("All visitors'", usage.everyones_disk_bytes, quotas.megabytes),
    ):
        words = (
            f"{whose} runs may take {{limit}} MB of this server's disk; they take {{taken}} MB. "
            "The oldest are removed to make room; try again in an hour."
        )
        _require_room(limit, taken // _MB, QuotaReached, words)
