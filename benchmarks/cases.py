"""How often a letter's case is told by its height, for writers of UNIPEN of whom nothing was learned.

    DIGITS_DATA_DIR=… python -m benchmarks.cases [development|validation]

Each line has one letter of a class with both cases, and three other characters of the same writer, on one foot. UNIPEN
has no place of single letters on their line, so letters that hang below it are not measured.
"""

import string
import sys
from collections import Counter, defaultdict

import numpy as np

from digits.data import handwriting
from digits.ink import cases
from digits.settings import Settings

LINES, OTHERS = 20_000, 3


def main() -> None:
    """Print how many letters get the right case, the wrong one, and none."""
    folder = Settings.from_environment().data_dir
    if folder is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    part = sys.argv[1] if len(sys.argv) > 1 else "validation"
    heights: dict[object, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for drawing in handwriting.load_strokes(folder, "unipen", part, string.ascii_letters + string.digits):
        height = float(np.ptp(np.concatenate(drawing.strokes)[:, 1]))
        heights[drawing.writer][drawing.label].append(height)
    rng, folded, counts = np.random.default_rng(0), cases.FOLDED["characters"], Counter[str]()
    writers = list(heights)
    while counts.total() < LINES:
        known = heights[writers[rng.integers(len(writers))]]
        asked = [name for name in known if name in "cosuvwxzmCOSUVWXZM"]
        others = [name for name in known if name.upper() not in folded and name not in "gq"]
        if not asked or not others:
            continue
        names = [asked[rng.integers(len(asked))], *(others[rng.integers(len(others))] for _ in range(OTHERS))]
        tops = [-known[name][rng.integers(len(known[name]))] for name in names]
        classes = [name.upper() if name.upper() in folded else name for name in names]
        found = cases.decide(classes, [(top, 0.0) for top in tops], folded)[0]
        counts["open" if not found else "right" if found == names[0] else "wrong"] += 1
    print(
        f"{part}, {len(writers)} writers:", ", ".join(f"{counts[name] / LINES:.1%} {name}" for name in sorted(counts))
    )


if __name__ == "__main__":
    main()
