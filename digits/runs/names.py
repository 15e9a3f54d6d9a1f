"""Names: what a run is called until its owner renames it, such as "Convolutional 3"."""

import re
from collections.abc import Iterable

NETWORKS = {  # short names of the networks in `presets.PRESETS`, which fit into a list on a phone
    "softmax": "Softmax",
    "published": "Linear layers",
    "corrected": "ReLU layers",
    "convolutional": "Convolutional",
    "drawing": "Drawings",
}
_SWEEP = "Sweep"
_OF_NETWORK = rf"({'|'.join(NETWORKS.values())}) [1-9][0-9]*"
_OF_TRIAL = rf"{_SWEEP} [1-9][0-9]*, .*|.+, (trial [1-9][0-9]*|best again)"
_GIVEN = re.compile(f"{_OF_NETWORK}|{_OF_TRIAL}")


def numbered(network: str, taken: Iterable[str]) -> str:
    """Return the name of an owner's next run of a network.

    >>> numbered("convolutional", ["Convolutional 1", "wide", "Convolutional 2"])
    'Convolutional 3'

    Args:
        network: a key of `NETWORKS`.
        taken: the names of the owner's runs, at least those that begin with the network's short name.
    """
    return f"{NETWORKS[network]} {_highest(NETWORKS[network], taken) + 1}"


def of_sweep(taken: Iterable[str]) -> str:
    """Return the name of an owner's next sweep, such as "Sweep 3", given the names of the others."""
    return f"{_SWEEP} {_highest(_SWEEP, taken) + 1}"


def of_trial(sweep: str, trial: int) -> str:
    """Return the name of a sweep's trial, such as "Sweep 3, trial 12"; number 0 trains the best settings once more."""
    return f"{sweep}, trial {trial}" if trial else f"{sweep}, best again"


def free(name: str, taken: Iterable[str]) -> str:
    """Return a name if it is free, or else with the next number, such as "wide 2"."""
    taken = list(taken)
    return f"{name} {max(2, _highest(name, taken) + 1)}" if name in taken else name


def is_given(name: str) -> bool:
    """Return whether a name is one that `numbered` or `of_trial` returns, so that a repeated run gets its own."""
    return _GIVEN.fullmatch(name) is not None


def _highest(name: str, taken: Iterable[str]) -> int:
    ends = (text.removeprefix(f"{name} ") for text in taken if text.startswith(f"{name} "))
    return max((int(end) for end in ends if re.fullmatch("[1-9][0-9]{0,8}", end)), default=0)
