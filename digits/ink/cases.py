"""Cases: whether a letter is a capital or a small one, by its height against the line that it stands on.

Some classes have both cases of a letter, as c and C, which differ in nothing but their size. `pages/components/live/
cases.js` decides the same in the browser.
"""

from collections.abc import Collection, Sequence

_LOOK_ALIKE = frozenset("CIJKLMOPSUVWXYZ")  # as in EMNIST's balanced set
FOLDED = {  # by data set, the classes that have both cases
    "characters": _LOOK_ALIKE,
    "emnist-balanced": _LOOK_ALIKE,
    "letters": frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
}

_BY_HEIGHT = frozenset("ACEMNORSUVWXZ")  # a small one is as high as an x
_BY_FOOT = frozenset("GJPQY")  # a small one hangs below the line
_HIGH = frozenset("BDFHKLT")  # in both cases
_HIGH_SMALL, _LOW_SMALL = frozenset("bdfht"), frozenset("aenr")

# Of UNIPEN's development writers, against the same writer's high letters and digits.
_LOW = 0.56  # the height of an x
_SMALL, _CAPITAL = 0.72, 0.84  # below and above; in between either is possible
_HANGS = 0.25  # so far below the line, in heights of a capital

Span = tuple[float, float]  # top and bottom; y grows downwards


def decide(names: Sequence[str], spans: Sequence[Span], folded: Collection[str]) -> list[str]:
    """Return the letters of a line in their case, and "" for those of which either case is possible.

    Args:
        names: the characters' classes, from left to right.
        spans: where each stands.
        folded: the classes that have both cases, named after the capital.
    """
    heights = [bottom - top for top, bottom in spans]
    capital = _capital_height(names, heights, folded)
    found = [name if name not in folded else "" for name in names]
    if capital <= 0:
        return found
    for place, name in enumerate(names):
        if name in folded and name in _BY_HEIGHT:
            share = heights[place] / capital
            found[place] = name.lower() if share < _SMALL else name if share > _CAPITAL else ""
    feet = [
        spans[place][1] for place, name in enumerate(names) if name not in "gqQ" and (found[place] or name in _HIGH)
    ]
    for place, name in enumerate(names):
        if name in folded and name in _BY_FOOT and feet:
            found[place] = name.lower() if spans[place][1] - _median(feet) > _HANGS * capital else name
    return _beside(names, found, folded)


def _capital_height(names: Sequence[str], heights: Sequence[float], folded: Collection[str]) -> float:
    """Return how high a capital of the line is, by the characters whose case is known; 0 if there are none."""
    known = []
    for name, height in zip(names, heights, strict=True):
        if name in _LOW_SMALL:
            known.append(height / _LOW)
        elif name in _HIGH_SMALL or name in _HIGH or (name not in folded and name in "AEGNQR0123456789"):
            known.append(height)
    return _median(known) if known else 0.0


def _beside(names: Sequence[str], found: list[str], folded: Collection[str]) -> list[str]:
    """Give letters whose size tells nothing, as k and l, the others' case; a first one stays open beside small ones."""
    letters = [name for place, name in enumerate(found) if place and name.isalpha()]
    has_small, has_capitals = any(map(str.islower, letters)), any(map(str.isupper, letters))
    decided = list(found)
    for place, name in enumerate(names):
        if name in folded and not (name in _BY_HEIGHT or name in _BY_FOOT) and has_small != has_capitals:
            if has_capitals:
                decided[place] = name
            elif place:
                decided[place] = name.lower()
    return decided


def _median(numbers: Sequence[float]) -> float:
    """Return the middle of some numbers, the lower of two."""
    return sorted(numbers)[(len(numbers) - 1) // 2]
