"""Compare the readings of the browser with the server's, drawing by drawing.

    DIGITS_DATA_DIR=… python -m benchmarks.live_parity [--models ID …] [--engine simd|plain] [--most N]

The drawings are those that are part of Digits and, from the folder with `handwriting/`, strangers' digits of every
source, letters and signs, and numbers composed of strangers' digits. For each the images must be the same to the byte,
the probabilities the same within 1e-4, and digits, refusals and words the same. The result goes to
benchmarks/results/live_parity.json.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Page

from benchmarks import _app, _results
from benchmarks.read_numbers import DIGITS
from benchmarks.written_numbers import CANVAS, SPACINGS, compose
from digits.data import handwriting, samples, strangers
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.models import catalogue
from digits.models.reading import read_strokes
from digits.settings import Settings
from tests.browser import live

AT_ONCE = 100  # drawings sent to the browser in one message


class Group(NamedTuple):
    """Drawings of one kind, the height and width of their sheet, and the pen of each."""

    what: str
    drawings: list[list[np.ndarray]]
    size: tuple[int, int]
    pen_widths: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[catalogue.DEFAULT_MODEL], metavar="ID")
    parser.add_argument("--engine", choices=["simd", "plain"], default="simd")
    parser.add_argument("--most", type=int, default=300, help="drawings of each kind (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings.from_environment()
    groups = list(collect(settings, options.most))
    rows = []
    with live.served() as address, _app.chromium() as browser, live.empty_page(browser, address) as page:
        for model_id in options.models:
            for group in groups:
                rows.append(compare(page, group, catalogue.find(model_id, settings), options.engine))
                print(in_words(rows[-1]), flush=True)
    total, same = (sum(row[name] for row in rows) for name in ("drawings", "same"))
    print(f"{same:,} of {total:,} readings are the same.")
    figures = {"engine": options.engine, "readings": total, "same": same, "rows": rows}
    print("Written to", _results.save("live_parity", figures))


def compare(page: Page, group: Group, model: catalogue.Model, engine: str) -> dict[str, Any]:
    """Read a group's drawings in the browser and here; return how many readings differ, and in what."""
    differing: Counter[str] = Counter()
    same, farthest, digits, refused = 0, 0.0, 0, 0
    for first in range(0, len(group.drawings), AT_ONCE):
        part, pens = group.drawings[first : first + AT_ONCE], group.pen_widths[first : first + AT_ONCE]
        found = live.read(page, part, model.id, engine=engine, size=group.size, pen_widths=pens)
        for one, strokes, pen_width in zip(found, part, pens, strict=True):
            reading = read_strokes(strokes, model, size=group.size, pen_width=pen_width)
            names = live.differences(one, reading, model.class_names)
            differing.update(names)
            same += not names
            digits += len(reading.digits)
            refused += reading.doubtful
            if "digits" not in names:
                farthest = max(farthest, live.farthest(one, reading))
    return {
        "model": model.id,
        "what": group.what,
        "drawings": len(group.drawings),
        "digits": digits,
        "refused": refused,
        "same": same,
        "differing": dict(differing),
        "largest_difference_of_a_probability": farthest,
    }


def collect(settings: Settings, most: int) -> Iterator[Group]:
    """Yield the groups of drawings: those that are part of Digits, then those of the folder of handwriting."""
    for name in (samples.STRANGERS, samples.EXAMPLES):
        yield _alone(f"sample of {name}", samples.load(name))
    if settings.data_dir is None:
        return
    for source in strangers.SOURCES:
        drawings = handwriting.load_strokes(settings.data_dir, source, "validation", CLASS_NAMES)
        yield _alone(source, _some(drawings, most))
    drawings = handwriting.load_strokes(settings.data_dir, "unipen", "validation", None)
    yield _alone("letters and signs", _some([one for one in drawings if one.label not in CLASS_NAMES], most))
    digits = [one for one in drawings if one.label in CLASS_NAMES]
    for spacing in SPACINGS:
        yield _numbers(f"numbers, {spacing}", digits, spacing, most)


def _alone(what: str, drawings: Any) -> Group:
    return Group(what, [one.strokes for one in drawings], live.SIZE, [live.PEN_WIDTH] * len(drawings))


def _some(drawings: list[Drawing], most: int) -> list[Drawing]:
    return [drawings[place] for place in np.linspace(0, len(drawings) - 1, min(most, len(drawings))).astype(int)]


def _numbers(what: str, drawings: list[Drawing], spacing: str, count: int) -> Group:
    """Compose numbers, each of one writer's digits, as `benchmarks.read_numbers` does."""
    writers: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        writers.setdefault(str(drawing.writer), []).append(drawing)
    rng, names, numbers = np.random.default_rng(0), list(writers), []
    for turn in range(count):
        row = writers[names[rng.integers(len(names))]]
        chosen = rng.integers(len(row), size=int(rng.integers(DIGITS[0], DIGITS[1] + 1)))
        numbers.append(compose([row[place] for place in chosen.tolist()], rng, spacing, is_late=turn % 2 == 1))
    return Group(what, [one.strokes for one in numbers], CANVAS, [one.pen_width for one in numbers])


def in_words(row: dict[str, Any]) -> str:
    differing = ", ".join(f"{count} in {name}" for name, count in row["differing"].items()) or "none differs"
    farthest = row["largest_difference_of_a_probability"]
    return (
        f"{row['model']:14}{row['what']:22}{row['same']:6,} of {row['drawings']:,} the same "
        f"({row['digits']:,} digits, {row['refused']:,} refused); {differing}; probabilities within {farthest:.1e}"
    )


if __name__ == "__main__":
    main()
