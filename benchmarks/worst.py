"""Show the strangers' digits that a model misreads with the greatest confidence, as one picture.

    DIGITS_DATA_DIR=… python -m benchmarks.worst --output worst.png

Under each drawing stands its source, its label and what was read.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from digits.data import handwriting, strangers
from digits.data.datasets import CLASS_NAMES
from digits.data.drawings import place
from digits.ink.glyphs import fit_strokes
from digits.models import catalogue
from digits.models.reading import Reading, read_strokes
from digits.settings import Settings

COLUMNS, SIDE, TEXT = 10, 84, 26  # drawings in a row, and pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=catalogue.DEFAULT_MODEL)
    parser.add_argument("--most", type=int, default=2_000, help="drawings of each source (default: %(default)s)")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("worst.png"))
    options = parser.parse_args()
    settings, rng = Settings.from_environment(), np.random.default_rng(0)
    if settings.data_dir is None:
        raise SystemExit("Set DIGITS_DATA_DIR to the folder with handwriting/.")
    model = catalogue.find(options.model, settings)
    found = []
    for source in strangers.SOURCES:
        drawings = handwriting.load_strokes(settings.data_dir, source, "validation", CLASS_NAMES)
        for drawing in drawings[:: -(-len(drawings) // options.most)]:
            placed = place(drawing.strokes, rng)
            reading = read_strokes(placed.strokes, model, pen_width=placed.pen_width)
            if reading.text != drawing.label:
                found.append((reading.confidence, source, drawing, reading))
    found.sort(key=lambda one: -one[0])
    sheet = Image.new("L", (COLUMNS * SIDE, -(-options.count // COLUMNS) * (SIDE + TEXT)), 255)
    for number, (_, source, drawing, reading) in enumerate(found[: options.count]):
        corner = (number % COLUMNS * SIDE, number // COLUMNS * (SIDE + TEXT))
        image = fit_strokes(drawing.strokes, size=(1, 1)).image
        sheet.paste(Image.fromarray(255 - image).resize((SIDE, SIDE)), corner)
        words = f"{source.removeprefix('crohme-')[:9]}\n{drawing.label} as {_read(reading)}"
        ImageDraw.Draw(sheet).multiline_text((corner[0] + 4, corner[1] + SIDE), words, fill=0, spacing=1)
    sheet.save(options.output)
    print(f"{len(found)} misread; the surest {min(options.count, len(found))} are in {options.output}.")


def _read(reading: Reading) -> str:
    return f"{reading.text} {reading.confidence:.0%}" + " refused" * bool(reading.doubtful)


if __name__ == "__main__":
    main()
