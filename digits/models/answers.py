"""Answers: what is said about a reading, in words. The pages, the command line and a table of pictures say the same.

An answer has one sentence and at most one confidence. Where a part of a reading is doubtful, the answer says which part
and gives no confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from digits.accuracy import percent
from digits.models.reading import Reading

_DIGITS = frozenset("0123456789")
_NAMED = 3  # of several doubtful marks, so many are named
_HESITATES = 0.1  # from this probability on, the second class is named too


class Tone(StrEnum):
    """How an answer is meant; each is shown in a way of its own."""

    NOTHING = "nothing"  # there is no ink
    SURE = "sure"
    HESITANT = "hesitant"  # a digit may be another one
    PARTIAL = "partial"  # a mark beside digits does not look like one
    UNFINISHED = "unfinished"  # what does not look like a digit yet may become one
    REFUSED = "refused"  # nothing looks like a digit


@dataclass(frozen=True)
class Answer:
    """What is said about a reading.

    Attributes:
        tone: how it is meant.
        text: the digits, with ? for a mark that does not look like one; a line for each line of writing.
        headline: a short clause without a full stop.
        sentence: what is added to the headline.
    """

    tone: Tone
    text: str
    headline: str
    sentence: str

    @property
    def remark(self) -> str:
        """What to print beside `text`: the sentence, after the headline where no digit is read."""
        return self.sentence if self.text.strip("?\n") else f"{self.headline}. {self.sentence}"


NOTHING_DRAWN = Answer(
    Tone.NOTHING,
    "",
    "Nothing is drawn yet",
    "Draw a digit on the sheet, anywhere and at any size. The answer appears here after every stroke.",
)
NO_INK = Answer(Tone.NOTHING, "", "No ink was found", "Use darker ink or more light, or come closer.")


def noun_of(class_names: Sequence[str]) -> str:
    """Return what one sample of these classes is called: "digit", "letter" or "character"."""
    if _DIGITS.issuperset(class_names):
        return "digit"
    return "letter" if all(len(name) == 1 and name.isalpha() for name in class_names) else "character"


def answer(reading: Reading, class_names: Sequence[str], *, is_drawing: bool = False) -> Answer:
    """Return what is said about a reading.

        answer(reading, names).headline, answer(reading, names).sentence
        # "The model reads 42", "It is 98.1% sure of both digits."

    Args:
        reading: of a drawing or a picture.
        class_names: the model's classes.
        is_drawing: whether it is a drawing; an empty sheet then asks for one.
    """
    if not reading.digits:
        return NOTHING_DRAWN if is_drawing else NO_INK
    shown = symbols(reading, class_names)
    text = shown[0]
    for place in range(1, len(shown)):
        is_new_line = reading.digits[place].line != reading.digits[place - 1].line
        text += "\n" * is_new_line + shown[place]
    if not reading.doubtful:
        return _read(reading, class_names, text)
    noun = noun_of(class_names)
    if len(shown) > 1:
        noun = "number" if noun == "digit" else "word"
    is_unfinished = bool(reading.beginnings[~reading.accepted].all())
    if reading.accepted.any():
        tone = Tone.UNFINISHED if is_unfinished else Tone.PARTIAL
        return Answer(tone, text, f"The model reads {_on_one_line(text)}", _doubt(reading, class_names))
    if is_unfinished:
        return Answer(Tone.UNFINISHED, text, f"Not a {noun} yet", "Go on drawing.")
    closest = f"The closest match is {_on_one_line(reading.text)}."
    return Answer(Tone.REFUSED, text, f"This does not look like a {noun}", closest)


def symbols(reading: Reading, class_names: Sequence[str]) -> list[str]:
    """Return for each digit its name, or ? where it does not look like a digit."""
    return [name if is_digit else "?" for name, is_digit in zip(reading.names, reading.accepted, strict=True)]


def describe(reading: Reading, class_names: Sequence[str], place: int) -> str:
    """Describe one digit of a number, counted from 0, in a sentence."""
    _, other, second = _top_two(reading.probabilities[place], class_names)
    name = reading.names[place]
    number, noun = place + 1, noun_of(class_names)
    if reading.accepted[place]:
        return f"{noun.capitalize()} {number} is read as {name}{f', perhaps {other}' if second >= _HESITATES else ''}."
    if reading.beginnings[place]:
        return f"Mark {number} is not a {noun} yet."
    return f"Mark {number} does not look like a {noun}; the closest match is {name}."


def label(reading: Reading, class_names: Sequence[str], place: int) -> str:
    """Name one digit of a reading, counted from 0, for those who press it."""
    probabilities, count = reading.probabilities[place], len(reading.digits)
    read = f"read as {reading.names[place]}, {percent(probabilities.max())} sure"
    noun = noun_of(class_names)
    said = read if reading.accepted[place] else f"does not look like a {noun}"
    return f"{noun.capitalize()} {place + 1} of {count}: {said}"


def _read(reading: Reading, class_names: Sequence[str], text: str) -> Answer:
    """Return the answer to a reading without doubtful marks."""
    count, sure = len(reading.digits), percent(reading.confidence)
    tops = [_top_two(probabilities, class_names) for probabilities in reading.probabilities]
    weakest = max(range(count), key=lambda place: tops[place][2])
    _, other, second = tops[weakest]
    tone = Tone.HESITANT if second >= _HESITATES else Tone.SURE
    headline = f"The model reads {_on_one_line(text)}"
    if count == 1:
        name = both_cases(reading.names[0]) if reading.either[0] else reading.names[0]
        headline = f"The model reads {name}"
        if tone is Tone.SURE:
            return Answer(tone, text, headline, f"It is {sure} sure.")
        return Answer(tone, text, f"{headline}, perhaps {other}", f"It is {sure} sure of {name}.")
    lines = len(text.splitlines())
    noun = noun_of(class_names)
    span = ("both" if count == 2 else f"all {count}") + f" {noun}s" + (f" on {lines} lines" if lines > 1 else "")
    doubt = f"; {_where(reading, weakest, noun)} may be {other}" if tone is Tone.HESITANT else ""
    return Answer(tone, text, headline, f"It is {sure} sure of {span}{doubt}.{_small(reading)}")


def both_cases(name: str) -> str:
    """Return a letter as a capital and as a small one, such as "C or c"."""
    return f"{name} or {name.lower()}"


def _small(reading: Reading) -> str:
    """Name the letters whose size does not tell their case, after a space; "" if there are none."""
    names = list(dict.fromkeys(name for name, is_open in zip(reading.names, reading.either, strict=True) if is_open))
    return f" {_listed(names)} may be small." if names else ""


def _doubt(reading: Reading, class_names: Sequence[str]) -> str:
    """Say which marks beside digits do not look like one, or not yet."""
    noun = noun_of(class_names)
    places = np.flatnonzero(~reading.accepted & ~reading.beginnings)
    is_one = len(places) == 1
    if len(places):
        closest = f"; the closest match is {reading.names[places[0]]}"
        claim = f"does not look like a {noun}{closest}" if is_one else f"do not look like {noun}s"
        return f"{_marks(reading, places)} {claim}."
    places = np.flatnonzero(reading.beginnings)
    claim = f"is not a {noun} yet" if len(places) == 1 else f"are not {noun}s yet"
    return f"{_marks(reading, places)} {claim}. Go on drawing."


def _marks(reading: Reading, places: np.ndarray) -> str:
    """Name some of the marks, as "Mark 2" or "Marks 2, 3 and 5"; or count them, if they are many."""
    if len(places) > _NAMED:
        return f"{len(places)} of these {len(reading.digits)} marks"
    names = [_where(reading, place) for place in places]
    return f"Mark{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _where(reading: Reading, place: int, noun: str = "") -> str:
    """Say where a mark is, counted from 1: "2", or "2 on line 1" if there are several lines."""
    lines = [digit.line for digit in reading.digits]
    line = lines[place]
    number = str(place - lines.index(line) + 1)
    return f"{noun} {number}".lstrip() + (f" on line {line + 1}" if lines[-1] else "")


def _top_two(probabilities: np.ndarray, class_names: Sequence[str]) -> tuple[str, str, float]:
    """Return the names of the two likeliest classes, and the probability of the second."""
    second, first = probabilities.argsort()[-2:]
    return class_names[first], class_names[second], float(probabilities[second])


def _on_one_line(text: str) -> str:
    return text.replace("\n", ", ")
