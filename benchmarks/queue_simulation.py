"""The queue of a busy day, simulated: how long runs wait with so many trainers.

    python -m benchmarks.queue_simulation --visitors 100000 --runs-each 0.2 --trainers 4 8 16 32
    python -m benchmarks.queue_simulation --registry postgresql+psycopg://…

Visitors come at random, most of them around noon, and some start a run. A run is as long as one in the registry that is
given, drawn at random, or as a preset takes by README, with the shares of `MIX`. Runs share the trainers as in the app:
a run longer than a turn goes back into the queue while others wait, and who has not had a turn comes first. What is
printed: the wait until a run first trains, and how much longer than alone it takes until its end. Each visitor who
trains starts one run, so the limits for one visitor play no part.
"""

import argparse
import heapq
import itertools
import math
import random
from collections import deque
from typing import NamedTuple

import numpy as np
import sqlalchemy as sql

from benchmarks import _results
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState, runs
from digits.training.session import TURN_SECONDS
from digits.views import networks

DAY = 86_400  # seconds
MIX = {"softmax": 0.3, "published": 0.05, "corrected": 0.5, "convolutional": 0.13, "drawing": 0.02}  # assumed


class Outcome(NamedTuple):
    """What became of one run: seconds until it first trained, until its end, and of training."""

    wait: float
    total: float
    length: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=100_000, help="on the day (default: %(default)s)")
    parser.add_argument("--runs-each", type=float, default=0.2, help="runs a visitor starts (default: %(default)s)")
    parser.add_argument("--trainers", type=int, nargs="+", default=[4, 8, 16, 32], help="(default: %(default)s)")
    parser.add_argument("--registry", help="a registry's URL, for the lengths of its runs")
    options = parser.parse_args()
    lengths = measured(options.registry) if options.registry else presets()
    arrivals = day(round(options.visitors * options.runs_each), random.Random(0))
    rows = []
    for trainers in options.trainers:
        choose = random.Random(1)
        asked = [(moment, choose.choice(lengths)) for moment in arrivals]
        rows.append({"trainers": trainers, **summary(simulate(asked, trainers), asked, trainers)})
        print(rows[-1], flush=True)
    figures = {"visitors": options.visitors, "runs_each": options.runs_each, "rows": rows}
    print("Written to", _results.save("queue_simulation", figures))


def presets(count: int = 1000) -> list[float]:
    """Return seconds of training, each preset as often as `MIX` says."""
    return [
        networks.seconds(PRESETS[name].hyperparameters, {})
        for name, share in MIX.items()
        for _ in range(round(share * count))
    ]


def measured(url: str) -> list[float]:
    """Return the seconds that a registry's ended runs have trained."""
    ended = [state for state in RunState if state.is_ended]
    with sql.create_engine(url).connect() as connection:
        found = connection.execute(sql.select(runs.c.seconds).where(runs.c.state.in_(ended), runs.c.seconds > 0))
        lengths = list(found.scalars())
    if not lengths:
        raise SystemExit("This registry has no run that has ended. Leave --registry out to simulate with the presets.")
    return lengths


def day(count: int, chance: random.Random) -> list[float]:
    """Return the moments at which runs are started, in seconds, sorted: twice the mean at noon, none at midnight."""
    moments: list[float] = []
    while len(moments) < count:
        moment = chance.uniform(0, DAY)
        if chance.random() < (1 - math.cos(2 * math.pi * moment / DAY)) / 2:
            moments.append(moment)
    return sorted(moments)


def simulate(asked: list[tuple[float, float]], trainers: int) -> list[Outcome]:
    """Let runs share the trainers.

    Args:
        asked: when each run is started, sorted, and its seconds of training.

    Returns:
        their outcomes, in the order of their ends.
    """
    outcomes, order = [], itertools.count()
    new, again = deque[int](), deque[int]()  # which waits for its first turn, and which for another
    left = [length for _, length in asked]
    begun: dict[int, float] = {}
    events: list[tuple[float, int, int, bool]] = [  # when, a tie-breaker, whose, and whether it ends a turn
        (moment, next(order), number, False) for number, (moment, _) in enumerate(asked)
    ]
    free = trainers
    while events:
        now, _, number, is_end = heapq.heappop(events)
        if is_end:
            free += 1
        if not is_end:
            new.append(number)
        elif left[number] > 0:
            again.append(number)
        else:
            started, length = asked[number]
            outcomes.append(Outcome(begun[number] - started, now - started, length))
        while free and (new or again):
            chosen = (new or again).popleft()
            begun.setdefault(chosen, now)
            turn = min(left[chosen], TURN_SECONDS)
            left[chosen] -= turn
            free -= 1
            heapq.heappush(events, (now + turn, next(order), chosen, True))
    return outcomes


def summary(outcomes: list[Outcome], asked: list[tuple[float, float]], trainers: int) -> dict[str, float]:
    """Return the load and the percentiles of the waits, in seconds, and of the slow-down."""
    waits = np.array([outcome.wait for outcome in outcomes])
    slower = np.array([outcome.total / outcome.length for outcome in outcomes])
    return {
        "load": round(sum(length for _, length in asked) / DAY / trainers, 2),
        "wait_p50": round(float(np.percentile(waits, 50)), 1),
        "wait_p95": round(float(np.percentile(waits, 95)), 1),
        "slower_p50": round(float(np.percentile(slower, 50)), 2),
        "slower_p95": round(float(np.percentile(slower, 95)), 2),
    }


if __name__ == "__main__":
    main()
