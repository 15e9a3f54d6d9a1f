"""Measure the judge of what is a digit, on writers and kinds of scribbles that it did not learn from.

    DIGITS_DATA_DIR=… python -m benchmarks.judge

Each glyph is judged as a digit and, as models of letters have it judged, as a digit or a letter. The result goes to
benchmarks/results/judge.json. `benchmarks.strangers` measures how many real digits are refused.
"""

import argparse
import string
import time
from pathlib import Path

import numpy as np

from benchmarks import _results
from digits.data import handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.ink import glyphs
from digits.models.judge import JUDGE_DIR, Judge
from digits.settings import Settings
from digits.training.judge import held_out, scribbles, spoilt
from digits.training.judge.examples import LOOKALIKE_SCRIPTS, LOOKALIKE_SIGNS, LOOKALIKES, scribble

SCRIBBLES = 150  # of each kind, every fifth as a picture
GROUPS = {
    "scribbles, kinds fitted": scribbles.FITTED,
    "scribbles, new kinds": held_out.FIRST,
    "scribbles, second new kinds": held_out.SECOND,
    "scribbles, third new kinds": held_out.THIRD,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", type=Path, default=JUDGE_DIR, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings, rng = Settings.from_environment(), np.random.default_rng(options.seed)
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    judge = Judge(options.judge)
    shown = _characters(settings.data_dir)
    for group, kinds in GROUPS.items():
        for kind in kinds:
            drawn = [scribble(kind, rng, as_picture=number % 5 == 0) for number in range(SCRIBBLES)]
            shown.setdefault(group, []).extend(drawn)
            shown[f"kind {kind}"] = drawn
    refused, refused_with_letters = (_refused(one, shown) for one in (judge, judge.of_characters()))
    print(f"{'':42} refused as a digit, and as a digit or a letter")
    for name, share in refused.items():
        if not name.startswith(("kind ", "character ")):
            print(f"{name:34} {len(shown[name]):6,} {share:.2%} {refused_with_letters[name]:.2%}")
    for prefix in ("character ", "kind "):
        least = sorted((share, name) for name, share in refused.items() if name.startswith(prefix))[:20]
        print(f"{prefix}refused least:", ", ".join(f"{name.removeprefix(prefix)} {share:.0%}" for share, name in least))
    speed = _speed(judge, np.stack(shown["letters that look like no digit"]))
    print(f"{speed:.3f} ms per image, one at a time")
    figures = {
        "threshold": judge.threshold,
        "refused": refused,
        "refused_with_letters": refused_with_letters,
        "milliseconds": round(speed, 3),
    }
    print("Written to", _results.save("judge", figures))


def _refused(judge: Judge, shown: dict[str, list[np.ndarray]]) -> dict[str, float]:
    return {name: round(float((~judge.accepts(np.stack(images))).mean()), 4) for name, images in shown.items()}


def _characters(data_dir: Path) -> dict[str, list[np.ndarray]]:
    """Return the glyphs of what validation writers wrote that is no digit, and of digits corrupted, by group."""
    shown: dict[str, list[np.ndarray]] = {}
    drawings = handwriting.load_strokes(data_dir, "unipen", "validation", None)
    drawings += handwriting.load_strokes(data_dir, "omniglot", "validation", None)
    for drawing in drawings:
        image = glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image
        group = _group(drawing)
        shown.setdefault(group, []).append(image)
        if group.startswith("letters"):
            shown.setdefault(f"character {drawing.label}", []).append(image)
    digits = [drawing for drawing in drawings if drawing.label in CLASS_NAMES]
    rng = np.random.default_rng(0)
    for kind in spoilt.KINDS:
        corrupted = [spoilt.spoil(kind, digits, rng) for _ in range(SCRIBBLES)]
        images = [glyphs.fit_strokes(strokes, size=(1, 1)).image for strokes in corrupted]
        shown.setdefault("corrupted digits", []).extend(images)
        shown[f"kind {kind}"] = images
    return shown


def _group(drawing: Drawing) -> str:
    label = drawing.label
    if label in CLASS_NAMES:
        return "digits"
    if label in string.ascii_letters and len(label) == 1:
        return "letters that look like a digit" if label in LOOKALIKES else "letters that look like no digit"
    if len(label) == 1:
        return "signs that look like a digit" if label in LOOKALIKE_SIGNS else "signs that look like no digit"
    is_lookalike = label.split("-")[0] in LOOKALIKE_SCRIPTS
    return "scripts with look-alikes" if is_lookalike else "scripts without look-alikes"


def _speed(judge: Judge, images: np.ndarray, count: int = 300) -> float:
    """Return the median milliseconds to score one image."""
    seconds = []
    for row in range(count):
        start = time.perf_counter()
        judge.score(images[row : row + 1])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1000


if __name__ == "__main__":
    main()
