"""Photograph numbers as phones do, and measure how many are read, kind by kind.

    DIGITS_DATA_DIR=… python -m benchmarks.photographs [--part development] [--seed N] [--count N] [--baselines]

The numbers are written by one person each, from the strokes of UNIPEN's validation writers, or from the allographs
where there is no data folder. A drawing that is misread as clean strokes is left out, because finding ink is measured.
Paper, light, lens, sensor and JPEG are synthesised. The constants of `digits.ink` were chosen on the development
writers with the seeds 0 and 11 to 13. Baselines are scikit-image's Sauvola and adaptive thresholds before the same
reader. The result goes to benchmarks/results/photographs.json.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks import _results
from digits.accuracy import Accuracy
from digits.data import allographs, handwriting
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import Drawing
from digits.errors import InvalidImage
from digits.ink import strokes as pen
from digits.ink.pictures import find_ink
from digits.models import catalogue
from digits.models.reading import read_ink, read_strokes
from digits.settings import Settings

SHEET = (480, 640)  # height and width in pixels, before the camera
Hands = list[list[Drawing]]  # each writer's drawings


@dataclass(frozen=True)
class Kind:
    """What is special about a photograph.

    Attributes:
        height: of an average digit, in pixels.
        rows: numbers below each other, from 1 to so many.
        gap: white space between two rows, as a share of a digit's height.
        slope: the largest slope of a row.
        printed: "ruled", "squared", "margin" (ruled, with a line down the side), "frame", "cell" (between lines that
            cross the picture), "form" (in a cell whose thin lines come and go, and end at its corners), or "".
        shadow: whether a hand throws a shadow.
        around: what lies around the sheet: "table", "bars" above and below, "black" frame, "white" margin, or "".
        specks: dirt on the paper.
        noise: the sensor's noise, as a share of white.
        darkness: of the ink, from and to.
        negative: whether it is chalk on a board.
        margin: paper kept around the numbers, as a share of a digit's height; all of it if None.
        neighbours: whether other numbers are written around the number; the crop cuts them off.
        final: a digit's height after the picture is reduced, from and to; not reduced if None.
        bilevel: whether the reduced picture is black and white, as a fax is.
    """

    height: tuple[float, float] = (60, 150)
    rows: int = 1
    gap: tuple[float, float] = (0.5, 0.5)
    slope: float = 0.03
    printed: str = ""
    shadow: bool = False
    around: str = ""
    specks: int = 0
    noise: float = 0.015
    darkness: tuple[float, float] = (0.5, 0.85)
    negative: bool = False
    margin: tuple[float, float] | None = None
    neighbours: bool = False
    final: tuple[float, float] | None = None
    bilevel: bool = False


KINDS = {
    "plain": Kind(),
    "pencil": Kind(darkness=(0.22, 0.35)),
    "board": Kind(negative=True),
    "noise": Kind(noise=0.06),
    "shadow": Kind(shadow=True),
    "ruled": Kind(printed="ruled"),
    "squared": Kind(printed="squared"),
    "margin line": Kind(printed="margin"),
    "frame": Kind(printed="frame", height=(50, 110)),
    "ruled, shadow": Kind(printed="ruled", shadow=True),
    "table": Kind(around="table"),
    "bars": Kind(around="bars"),
    "black frame": Kind(around="black"),
    "white margin": Kind(around="white"),
    "specks": Kind(specks=40),
    "close crop": Kind(margin=(-0.02, 0.06)),
    "low resolution": Kind(margin=(0.2, 0.8), final=(12, 26)),
    "logbook": Kind(height=(50, 80), printed="cell", final=(11, 20), darkness=(0.35, 0.7)),
    "rows": Kind(height=(40, 70), rows=4, gap=(0.3, 0.5), slope=0.01),
    "sloping rows": Kind(height=(40, 70), rows=4, gap=(0.3, 0.6), slope=0.12),
    "logbook, neighbours": Kind(height=(50, 80), printed="cell", final=(11, 24), darkness=(0.35, 0.7), neighbours=True),
    "low, black and white": Kind(margin=(0.2, 0.8), final=(14, 32), noise=0.0, bilevel=True),
    "form": Kind(height=(50, 80), printed="form", final=(11, 20), darkness=(0.3, 0.7), margin=(-0.05, 0.35)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="drawing", metavar="ID")
    parser.add_argument("--part", default="validation", choices=["development", "validation"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10, help="photographs of each kind (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="KIND")
    parser.add_argument("--baselines", action="store_true", help="measure thresholds of scikit-image as well")
    parser.add_argument("--verbose", action="store_true", help="print what is misread")
    options = parser.parse_args()
    settings = Settings.from_environment()
    model = catalogue.find(options.model, settings)
    hands = load_hands(settings, options.part, model, options.seed)
    finders: dict[str, Callable] = {"digits": find_ink}
    if options.baselines:
        finders |= baselines()
    rows: dict[str, dict] = {}
    for name in options.kinds:
        photographs = list(take(name, hands, options.seed, options.count))
        rows[name] = {finder: measure(photographs, finders[finder], model, options.verbose) for finder in finders}
        print(
            f"{name:16}",
            *(f"{finder} {row['right']:3} of {row['total']}" for finder, row in rows[name].items()),
            flush=True,
        )
    for finder in finders:
        right, total = (sum(row[finder][key] for row in rows.values()) for key in ("right", "total"))
        low, high = Accuracy(right, total).interval
        seconds = sum(row[finder]["seconds"] for row in rows.values())
        print(
            f"{finder}: {right} of {total}, {right / total:.1%} ({low:.1%} to {high:.1%}), "
            f"{1e3 * seconds / total:.0f} ms each"
        )
    print("Written to", _results.save("photographs", {**vars(options), "rows": rows}))


def load_hands(settings: Settings, part: str, model: catalogue.Model, seed: int) -> Hands:
    """Return each writer's drawings that are read and accepted as clean strokes."""
    rng = np.random.default_rng(seed)
    if settings.data_dir is None:
        drawings = [Drawing(str(i % 10), allographs.draw(i % 10, rng), writer=i // 10) for i in range(400)]
    else:
        drawings = handwriting.load_strokes(settings.data_dir, "unipen", part, CLASS_NAMES)
    hands: dict[str | int | None, list[Drawing]] = {}
    for index in rng.permutation(len(drawings))[:800]:
        reading = read_strokes(drawings[index].strokes, model)
        if reading.text == drawings[index].label and reading.accepted.all():
            hands.setdefault(drawings[index].writer, []).append(drawings[index])
    return [hand for hand in hands.values() if len(hand) >= 4]


def baselines() -> dict[str, Callable]:
    """Return two thresholds of scikit-image with its defaults, the window an eighth of the picture's shorter side."""
    from skimage.filters import threshold_local, threshold_sauvola  # a package of requirements-dev.txt

    def window(picture: np.ndarray) -> int:
        return max(3, min(picture.shape) // 8 | 1)

    return {
        "Sauvola": lambda picture: (picture < threshold_sauvola(picture, window(picture))).astype(np.float32),
        "adaptive": lambda picture: (picture < threshold_local(picture, window(picture), offset=0.06)).astype(
            np.float32
        ),
    }


def measure(photographs: list[tuple[str, np.ndarray]], find: Callable, model: catalogue.Model, verbose: bool) -> dict:
    """Count the photographs of which every digit is read correctly."""
    right = refused = 0
    start = time.process_time()
    for text, picture in photographs:
        try:
            reading = read_ink(find(picture), model)
        except InvalidImage:  # too many marks
            refused += 1
            continue
        right += reading.text == text
        refused += bool(reading.doubtful)
        if verbose and reading.text != text:
            print(f"    {text!r} is read {reading.text!r}")
    return {"total": len(photographs), "right": right, "refused": refused, "seconds": time.process_time() - start}


def take(name: str, hands: Hands, seed: int, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield photographs of a kind: the text, and the grey picture as decoded from a JPEG."""
    for index in range(count):
        rng = np.random.default_rng([seed, list(KINDS).index(name), index])
        yield photograph(KINDS[name], hands, rng)


def photograph(kind: Kind, hands: Hands, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """Write numbers on a sheet and photograph it."""
    height = rng.uniform(*kind.height)
    text, strokes = write(kind, hands, height, rng)
    pen_width = height * rng.uniform(0.05, 0.12)
    points = np.concatenate(strokes)
    around = neighbours(kind, hands, height, points, rng) if kind.neighbours else []
    ink = pen.render([*strokes, *around], size=SHEET, pen_width=pen_width)
    box = np.array([points.min(axis=0) - pen_width / 2, points.max(axis=0) + pen_width / 2])
    paper = 1 - 0.02 * _smooth_noise(SHEET, 40, rng) - 0.015 * _smooth_noise(SHEET, 3, rng)
    if kind.printed == "form":
        box = box + height * rng.uniform(0.1, 0.7, (2, 2)) * [[-1], [1]]  # the cell's edges
        paper *= 1 - print_cell(box, height, rng)
    else:
        paper *= 1 - print_lines(kind.printed, box, height, rng)
    sheet = rng.uniform(0.75, 0.95) * paper * (1 - rng.uniform(*kind.darkness) * ink)
    sheet *= 1 - _specks(kind.specks, height, rng)
    if kind.negative:
        sheet = 1 - sheet
    picture = warp(sheet, kind.around == "table", rng) * light(kind, rng)
    picture = surround(picture, kind.around, rng)
    picture = crop(kind, picture, box, height, rng)
    if kind.final:
        factor = rng.uniform(*kind.final) / height
        size = [max(1, round(side * factor)) for side in picture.shape[::-1]]
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    if kind.bilevel:
        low, high = np.percentile(picture, [1, 90])
        return text, (picture > (low + high) / 2).astype(np.float32)
    blurred = ndimage.gaussian_filter(picture, rng.uniform(0.3, 0.5 if kind.final else 1.2))
    noisy = np.clip(blurred + rng.normal(0, kind.noise, picture.shape), 0, 1)
    return text, _through_jpeg(noisy, int(rng.integers(60, 95)))


def write(kind: Kind, hands: Hands, height: float, rng: np.random.Generator) -> tuple[str, list[np.ndarray]]:
    """Write one number or several rows of them in one hand.

    Returns:
        The text, a row a line, and the strokes, in pixels of the sheet.
    """
    hand = hands[rng.integers(len(hands))]
    slope = rng.uniform(0.6, 1) * kind.slope * rng.choice([-1, 1])
    rows = int(rng.integers(2, kind.rows + 1)) if kind.rows > 1 else 1
    texts, strokes, y = [], [], 0.0
    for _ in range(rows):
        row, foot, text, x = [], [], "", 0.0
        for index in rng.integers(len(hand), size=int(rng.integers(1 + (rows > 1), 5))):
            digit = hand[index]
            points = np.concatenate(digit.strokes)
            low, high = points.min(axis=0), points.max(axis=0)
            scale = height * rng.uniform(0.9, 1.1) / max(high[1] - low[1], 0.6 * (high[0] - low[0]), 1.0)
            shift = np.array([x, height * rng.uniform(-0.05, 0.05)])
            row += [(stroke - [low[0], high[1]]) * scale + shift for stroke in digit.strokes]
            foot.append(shift[1])
            x += (high[0] - low[0]) * scale + height * rng.uniform(0.25, 0.5)
            text += digit.label
        row = [stroke + np.array([0, slope * stroke[:, 0].mean()]) for stroke in row] if slope else row
        points = np.concatenate(row)
        if strokes:  # the gap is the blank space between the rows, measured along their slope
            level = points[:, 1] - slope * points[:, 0]
            above = np.concatenate(strokes)
            y = (above[:, 1] - slope * above[:, 0]).max() - level.min() + height * (0.1 + rng.uniform(*kind.gap))
        strokes += [stroke + np.array([0, y]) for stroke in row]
        texts.append(text)
    points = np.concatenate(strokes)
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    factor = min(1.0, *(0.8 * np.array(SHEET[::-1]) / size))
    room = np.array(SHEET[::-1]) - size * factor
    corner = room * rng.uniform(0.25, 0.75, 2)
    return "\n".join(texts), [((stroke - low) * factor + corner).astype(np.float32) for stroke in strokes]


def neighbours(
    kind: Kind, hands: Hands, height: float, points: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Write numbers in most of the cells around a number, whose points are float32 (n, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    strokes = []
    for side in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        if rng.uniform() < 0.7:
            other = write(kind, hands, height, rng)[1]
            corners = np.concatenate(other)
            first, last = corners.min(axis=0), corners.max(axis=0)
            gap = height * rng.uniform(0.25, 0.7)
            shift = low - first + height * rng.uniform(-0.15, 0.15, 2)
            shift = np.where(np.equal(side, -1), low - last - gap, shift)
            shift = np.where(np.equal(side, 1), high - first + gap, shift)
            strokes += [(stroke + shift).astype(np.float32) for stroke in other]
    return strokes


def print_lines(printed: str, box: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Return the darkness of printed lines, float (height, width)."""
    y, x = np.mgrid[: SHEET[0], : SHEET[1]].astype(np.float32)
    angle, width = rng.uniform(-0.02, 0.02), rng.uniform(1.0, 2.5)
    x, y = x + angle * y, y - angle * x
    (x0, y0), (x1, y1) = box

    def lines(position: np.ndarray, step: float, start: float) -> np.ndarray:
        distance = np.abs((position - start + step / 2) % step - step / 2)
        return np.clip(width / 2 + 0.5 - distance, 0, 1)

    darkness, step = rng.uniform(0.15, 0.45), height * rng.uniform(0.7, 1.6)
    start = rng.uniform(0, step)
    if printed in ("ruled", "margin"):
        dark = darkness * lines(y, step, start)
        return (
            np.maximum(dark, rng.uniform(0.2, 0.5) * lines(x, 1e4, x0 - height * rng.uniform(0.2, 0.8)))
            if printed == "margin"
            else dark
        )
    if printed == "squared":
        step = height * rng.uniform(0.35, 0.8)
        return darkness * np.maximum(lines(y, step, start), lines(x, step, start))
    if printed in ("frame", "cell"):
        near = 0.25 if printed == "frame" else 0.1
        left, right = x0 - height * rng.uniform(near, 0.8), x1 + height * rng.uniform(near, 0.8)
        top, foot = y0 - height * rng.uniform(near, 0.7), y1 + height * rng.uniform(near, 0.7)
        drawn = np.maximum.reduce([lines(x, 1e4, left), lines(x, 1e4, right), lines(y, 1e4, top), lines(y, 1e4, foot)])
        if printed == "frame":
            drawn = drawn * ((x > left - 2) & (x < right + 2) & (y > top - 2) & (y < foot + 2))
        return rng.uniform(0.3, 0.75) * drawn
    return np.zeros(SHEET)


def print_cell(box: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Return the darkness of a table's cell: its lines, which come and go, and the paper beyond them.

    Thin lines look so in a picture that was reduced without care.
    """
    y, x = np.mgrid[: SHEET[0], : SHEET[1]].astype(np.float32)
    angle, width = rng.uniform(-0.02, 0.02), height * rng.uniform(0.03, 0.07)
    x, y = x + angle * y, y - angle * x
    dark = np.zeros(SHEET)
    for axis, (across, along) in enumerate(((x, y), (y, x))):
        first, last = box[:, 1 - axis]
        for position in box[:, axis]:
            presence = ndimage.gaussian_filter1d(rng.normal(size=max(SHEET)), 0.5 * height)
            is_seen = presence > presence.std() * rng.uniform(-1.5, 1.5)
            seen = is_seen[np.clip(along, 0, max(SHEET) - 1).astype(int)] & (along > first) & (along < last)
            line = np.clip(width / 2 + 0.5 - np.abs(across - position), 0, 1)
            dark = np.maximum(dark, rng.uniform(0.15, 0.6) * line * seen)
    is_beyond = (x < box[0, 0]) | (x > box[1, 0]) | (y < box[0, 1]) | (y > box[1, 1])
    return np.maximum(dark, rng.uniform(0, 0.12) * is_beyond)


def crop(kind: Kind, picture: np.ndarray, box: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Cut the picture around the numbers; at a cell's printed edge for a logbook."""
    margin = (0.2, 0.9) if kind.printed == "cell" else kind.margin
    if margin is None:
        return picture
    (x0, y0), (x1, y1) = box
    left, right, top, foot = height * rng.uniform(*margin, 4)
    rows = slice(max(0, int(y0 - top)), max(1, int(y1 + foot)))
    return picture[rows, max(0, int(x0 - left)) : int(x1 + right)]


def warp(sheet: np.ndarray, on_table: bool, rng: np.random.Generator) -> np.ndarray:
    """See the sheet in a slight perspective; on a table, smaller and turned, with the table around it."""
    height, width = sheet.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    if not on_table:
        return sheet
    angle, centre = rng.uniform(-0.06, 0.06), np.array([width, height]) / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = (corners - centre) * rng.uniform(0.7, 0.85) @ turn.T + centre + rng.uniform(-25, 25, (4, 2))
    # Eight equations give the projection from a seen point to a point of the sheet.
    rows = []
    for (u, v), (x, y) in zip(seen, corners, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
    projection = np.linalg.solve(np.array(rows), corners.ravel())
    image = Image.fromarray(sheet.astype(np.float32))
    mapped = image.transform(
        image.size, Image.Transform.PERSPECTIVE, projection.tolist(), Image.Resampling.BILINEAR, fillcolor=-1
    )
    values = np.asarray(mapped)
    grain = _smooth_noise(sheet.shape, (1, 30), rng) if rng.random() < 0.5 else _smooth_noise(sheet.shape, 5, rng)
    table = rng.uniform(0.1, 0.5) * (1 + 0.25 * grain)
    return np.where(values < 0, table, values).astype(np.float32)


def light(kind: Kind, rng: np.random.Generator) -> np.ndarray:
    """Return the light on each pixel: a gradient, the lens's vignette, and a hand's shadow."""
    y, x = np.mgrid[-1 : 1 : SHEET[0] * 1j, -1 : 1 : SHEET[1] * 1j]
    falloff = 1 - 0.15 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y) - rng.uniform(0, 0.12) * (x**2 + y**2)
    if kind.shadow:
        angle = rng.uniform(0, 2 * np.pi)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        inside = along - rng.uniform(-0.5, 0.3) + 0.25 * np.cos(across * rng.uniform(4, 10) + angle)  # fingers
        falloff = falloff * (1 - rng.uniform(0.25, 0.6) / (1 + np.exp(-inside / rng.uniform(0.01, 0.08))))
    return np.clip(falloff, 0.1, 1.2).astype(np.float32)


def surround(picture: np.ndarray, around: str, rng: np.random.Generator) -> np.ndarray:
    """Paste the picture on bars above and below, a black frame or a white margin."""
    if around not in ("bars", "black", "white"):
        return picture.astype(np.float32)
    y, x = (rng.uniform(0.06, 0.2, 2) * SHEET).astype(int)
    value = 1.0 if around == "white" else rng.uniform(0, 0.04)
    return np.pad(picture, ((y, y), (0, 0) if around == "bars" else (x, x)), constant_values=value).astype(np.float32)


def _specks(count: int, height: float, rng: np.random.Generator) -> np.ndarray:
    """Return the darkness of specks of dirt, at most a twelfth of a digit's height wide."""
    dark = np.zeros(SHEET, np.float32)
    y, x = np.mgrid[: SHEET[0], : SHEET[1]]
    for _ in range(count):
        radius = rng.uniform(0.7, max(1.0, height / 24))
        distance = np.hypot(y - rng.uniform(0, SHEET[0]), x - rng.uniform(0, SHEET[1]))
        dark = np.maximum(dark, rng.uniform(0.3, 0.8) * np.clip(radius - distance + 0.5, 0, 1))
    return dark


def _smooth_noise(size: tuple[int, int], sigma: float | tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.normal(size=size), sigma)
    return np.clip(noise / noise.std(), -2, 2)


def _through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), dtype=np.float32) / 255


if __name__ == "__main__":
    main()
