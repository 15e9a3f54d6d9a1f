"""The answer card: what the Draw page says about a reading, as the data of the component that shows it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digits.accuracy import percent
from digits.models import answers
from digits.models.answers import Tone
from digits.models.reading import Reading
from digits.views import charts

# Where nothing is read.
NOTHING: dict[str, Any] = {
    "digits": [],
    "chosen": 0,
    "spoken": ["", ""],
    "title": "",
    "line": "",
}


def card(reading: Reading, class_names: Sequence[str], *, chosen: int = 0) -> dict[str, Any]:
    """Return what the card shows.

    Args:
        reading: of a drawing or a picture; without a digit the card says nothing.
        class_names: the model's classes.
        chosen: the digit whose probabilities are shown, counted from 0.

    Returns:
        digits: for each the `name` in large print, `?` where it does not look like one; its `label` for a screen
            reader; the `row` of writing; whether it is `doubtful`; its `probabilities`, one for each class.
        title, line: the words below the digits; the title may be empty.
        spoken: the whole answer in words, a headline and the rest.
        bars: the chosen digit's probabilities in words.
    """
    if not reading.digits:
        return NOTHING
    answer = answers.answer(reading, class_names, is_drawing=True)
    title, line = _words(answer, reading, class_names, chosen)
    symbols = answers.symbols(reading, class_names)
    is_unfinished = answer.tone is Tone.UNFINISHED
    return {
        "digits": [
            {
                "name": "…" if is_unfinished and symbols[place] == "?" else symbols[place],
                "label": answers.label(reading, class_names, place),
                "row": digit.line,
                "doubtful": not reading.accepted[place],
                "probabilities": reading.probabilities[place].astype(np.float64).round(5).tolist(),
            }
            for place, digit in enumerate(reading.digits)
        ],
        "title": title,
        "line": line,
        "spoken": [answer.headline, line],
        "bars": charts.describe_probabilities(reading.probabilities[chosen], class_names),
        "chosen": chosen,
        "names": list(class_names),
        "tone": str(answer.tone),
    }


def _words(answer: answers.Answer, reading: Reading, class_names: Sequence[str], chosen: int) -> tuple[str, str]:
    """Return the title, "" if the digits in large print need none, and the line below it."""
    if not reading.accepted.any():
        return answer.headline, answer.sentence
    if len(reading.digits) > 1:
        about = answers.describe(reading, class_names, chosen)
        return "", answer.sentence if about in answer.sentence else f"{answer.sentence} {about}"
    shares = reading.probabilities[0]
    second, first = shares.argsort()[-2:]
    both = f"{answers.both_cases(reading.names[0])}: " if reading.either[0] else ""
    return "", f"{both}{percent(shares[first])} confidence; next: {class_names[second]}, {percent(shares[second])}"
