"""Confirmation: what the server reads on the sheet, for the page and for a browser that has read the drawing already.

Such a browser asks at every pen-up, with a small request, instead of having the page run. The request carries all that
is needed, so that any server can answer it, and changes nothing.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from digits import trouble
from digits.errors import DigitsError, ModelNotFound
from digits.ink import strokes
from digits.metrics import ANSWERS
from digits.models import catalogue
from digits.models.reading import Classifier, Reading, read_strokes
from digits.settings import Settings
from digits.views import answer_card, sharing

SIZE = (400, 560)  # height and width of the sheet in pixels; it is shown as wide as its place


class _Question(msgspec.Struct):
    """What a browser asks: see `answer`."""

    model: str
    strokes: list[list[float]]
    widths: list[int] = []
    chosen: int = 0


def read(drawn: Sequence[np.ndarray], model: Classifier, pen_width: float) -> Reading:
    """Read what is drawn on the sheet.

    Args:
        drawn: float32 (n, 2) for each stroke, x and y in pixels of the sheet.
        model: the one that reads.
        pen_width: in pixels of the sheet.

    Raises:
        InvalidImage: as in `reading.read_strokes`.
    """
    ANSWERS.inc(bool(drawn))
    return read_strokes(drawn, model, size=SIZE, pen_width=pen_width)


def pen_width(widths: Any, default: int) -> int:
    """Return the middle one of the strokes' widths, or the default if these are no widths of a pen."""
    low, high, _ = sharing.PEN_WIDTHS
    if not isinstance(widths, list) or not widths:
        return default
    are_widths = all(isinstance(width, int) and low <= width <= high for width in widths)
    return int(np.median(widths)) if are_widths else default


def answer(question: bytes, settings: Settings) -> tuple[int, dict[str, Any]]:
    """Answer a browser that asks what is drawn.

    Args:
        question: JSON with `model`, an id; `strokes`, each a list x, y, x, y, … in pixels of the sheet; and perhaps
            their `widths`, and `chosen`, the place of the digit that is looked at.
        settings: they name the store of the models of runs.

    Returns:
        An HTTP status, and what `answer_card.card` says; or, instead, `error`, a sentence.
    """
    try:
        asked = msgspec.json.decode(question, type=_Question)
        model = catalogue.find(asked.model, settings)
        width = pen_width(asked.widths, sharing.PEN_WIDTHS[2])
        reading = read(strokes.parse(asked.strokes), model, width)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _refusal(422, f"A drawing must come with its model, as the sheet sends it ({error}). Reload the page.")
    except ModelNotFound as error:
        return _refusal(404, trouble.sentence(error))
    except DigitsError as error:
        return _refusal(422, trouble.sentence(error))
    chosen = asked.chosen if asked.chosen in range(len(reading.digits)) else 0
    return 200, answer_card.card(reading, model.class_names, chosen=chosen)


def _refusal(status: int, sentence: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": sentence}
