"""Admission: what a visitor may ask for under the quotas. Each refusal says what, how many, and when again."""

import functools
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from digits.errors import QuotaReached, TooManyPackages, TooManyRuns
from digits.quotas import Quotas
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.usage import Usage

_CONVOLUTIONAL = ("convolutional", "drawing")  # an image costs these many times more than the other networks
_MB = 1_000_000


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
    amount = Quotas.from_environment().commands_a_minute
    if not amount:
        return
    limit = RateLimitItemPerMinute(amount, namespace="commands")
    if not _limiter().hit(limit, owner):
        seconds = max(1, math.ceil(_limiter().get_window_stats(limit, owner).reset_time - time.time()))
        raise QuotaReached(f"At most {amount} commands a minute are allowed; you gave more. Try again in {seconds} s.")


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


# The checks below are made in the transaction that changes the registry.


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
        if limit and waiting >= limit:
            raise TooManyRuns(
                f"At most {limit} runs may wait or train at a time; {who} {waiting}. "
                "Wait until one has ended, or stop one."
            )
    busy = math.ceil(quotas.runs_waiting / 2)  # the other half is for visitors who have none
    if busy and usage.waiting and usage.everyones_waiting >= busy:
        raise TooManyRuns(
            f"While {busy} or more runs wait or train on this server, each visitor may have one; there are "
            f"{usage.everyones_waiting}, and you have {usage.waiting}. Wait until yours has ended, or stop it."
        )


def require_pause(usage: Usage) -> None:
    """Raise `TooManyRuns` if a visitor has as many runs paused, or about to pause, as allowed."""
    limit = Quotas.from_environment().runs_paused_per_visitor
    if limit and usage.paused >= limit:
        raise TooManyRuns(
            f"At most {limit} of a visitor's runs may be paused; you have {usage.paused}. "
            "Resume or stop one of them first."
        )


def require_copy(usage: Usage) -> None:
    """Raise `QuotaReached` if a visitor has saved as many copies as allowed."""
    limit = Quotas.from_environment().copies_per_visitor
    if limit and usage.copies >= limit:
        raise QuotaReached(
            f"At most {limit} copies may be saved during training; your runs have {usage.copies}. "
            "Delete a run that has some on the Runs page; you can save others a day later."
        )


def require_import(usage: Usage) -> None:
    """Raise `TooManyPackages` or `QuotaReached` if there is no room for one more imported model."""
    limit = Quotas.from_environment().imports_per_visitor
    if limit and usage.imported >= limit:
        raise TooManyPackages(
            f"At most {limit} models may be imported; you have imported {usage.imported}. "
            "Delete one on the Runs page; you can import another a day later."
        )
    require_disk(usage)


def require_disk(usage: Usage) -> None:
    """Raise `QuotaReached` if the files of a visitor's runs, or of all runs, take as much disk as allowed."""
    quotas = Quotas.from_environment()
    for whose, taken, limit in (
        ("Your", usage.disk_bytes, quotas.megabytes_per_visitor),
        ("All visitors'", usage.everyones_disk_bytes, quotas.megabytes),
    ):
        if limit and taken >= limit * _MB:
            raise QuotaReached(
                f"{whose} runs may take {limit:,} MB of this server's disk; they take {taken // _MB:,} MB. "
                "The oldest are removed to make room; try again in an hour."
            )
