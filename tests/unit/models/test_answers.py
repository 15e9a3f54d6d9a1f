"""answers: one sentence with one confidence, and never a confident answer over a doubtful part."""

import dataclasses

import numpy as np
import pytest

from digits.ink import segmentation
from digits.ink import strokes as pen
from digits.models import answers, reading
from digits.models.answers import Tone

NAMES = tuple("0123456789")
STEM = [(100, 60), (101, 200)]
ANGLE = [(60, 40), (30, 110), (95, 110)]  # the first stroke of a 4
SCRIBBLE = [(140 + 60 * np.sin(3.1 * a), 140 + 55 * np.sin(4.3 * a + 1)) for a in np.linspace(0, 12, 120)]


def read(*marks, lines=None):
    """A reading of marks, each with its two likeliest classes, the first one's probability, whether it is accepted, and
    its stroke."""
    digits, rows, accepted = [], [], []
    for place, (first, second, share, is_digit, stroke) in enumerate(marks):
        digit = segmentation.find_digits(pen.check([stroke]), pen_width=12)[0]
        digits.append(segmentation.Digit(digit.glyph, digit.box, lines[place] if lines else 0))
        row = np.zeros(10, np.float32)
        row[[int(first), int(second)]] = share, 1 - share
        rows.append(row)
        accepted.append(is_digit)
    text = ""
    for place, row in enumerate(rows):
        text += "\n" * (place > 0 and digits[place].line != digits[place - 1].line) + str(row.argmax())
    probabilities = np.array(rows, np.float32).reshape(-1, 10)
    confidence = float(probabilities.max(axis=1).prod()) if rows else 0.0
    names = tuple(str(row.argmax()) for row in rows)
    either = np.zeros(len(rows), bool)
    return reading.Reading(text, tuple(digits), probabilities, np.array(accepted, bool), confidence, names, either)


SURE_7 = ("7", "1", 0.98, True, STEM)
MAYBE_4 = ("4", "9", 0.7, True, STEM)
LETTER = ("8", "3", 0.99, False, SCRIBBLE)
BEGINNING = ("6", "4", 0.94, False, ANGLE)
DOT = ("6", "0", 0.999, False, [(140, 140)])


@pytest.mark.parametrize(
    ("marks", "tone", "text", "headline", "sentence"),
    [
        ([SURE_7], Tone.SURE, "7", "The model reads 7", "It is 98.0% sure."),
        ([MAYBE_4], Tone.HESITANT, "4", "The model reads 4, perhaps 9", "It is 70.0% sure of 4."),
        ([LETTER], Tone.REFUSED, "?", "This does not look like a digit", "The closest match is 8."),
        ([BEGINNING], Tone.UNFINISHED, "?", "Not a digit yet", "Go on drawing."),
        ([DOT], Tone.UNFINISHED, "?", "Not a digit yet", "Go on drawing."),
        ([SURE_7, SURE_7], Tone.SURE, "77", "The model reads 77", "It is 96.0% sure of both digits."),
        (
            [SURE_7, MAYBE_4, SURE_7],
            Tone.HESITANT,
            "747",
            "The model reads 747",
            "It is 67.2% sure of all 3 digits; digit 2 may be 9.",
        ),
        (
            [SURE_7, LETTER],
            Tone.PARTIAL,
            "7?",
            "The model reads 7?",
            "Mark 2 does not look like a digit; the closest match is 8.",
        ),
        (
            [LETTER, SURE_7, BEGINNING, LETTER],
            Tone.PARTIAL,
            "?7??",
            "The model reads ?7??",
            "Marks 1 and 4 do not look like digits.",
        ),
        (
            [LETTER, LETTER, LETTER, LETTER, SURE_7],
            Tone.PARTIAL,
            "????7",
            "The model reads ????7",
            "4 of these 5 marks do not look like digits.",
        ),
        (
            [SURE_7, BEGINNING],
            Tone.UNFINISHED,
            "7?",
            "The model reads 7?",
            "Mark 2 is not a digit yet. Go on drawing.",
        ),
        (
            [SURE_7, DOT, BEGINNING],
            Tone.UNFINISHED,
            "7??",
            "The model reads 7??",
            "Marks 2 and 3 are not digits yet. Go on drawing.",
        ),
        ([BEGINNING, DOT], Tone.UNFINISHED, "??", "Not a number yet", "Go on drawing."),
        ([LETTER, BEGINNING], Tone.REFUSED, "??", "This does not look like a number", "The closest match is 86."),
    ],
)
def test_every_kind_of_reading_has_its_words(marks, tone, text, headline, sentence):
    """A digit, a hesitation, a refusal, a drawing in progress, and numbers with and without doubtful marks."""
    answer = answers.answer(read(*marks), NAMES, is_drawing=True)
    assert (answer.tone, answer.text, answer.headline, answer.sentence) == (tone, text, headline, sentence)


def test_lines_of_writing_are_named():
    """Several lines are counted, and a doubtful mark is named with its line."""
    answer = answers.answer(read(SURE_7, SURE_7, SURE_7, lines=[0, 1, 1]), NAMES)
    assert (answer.text, answer.headline) == ("7\n77", "The model reads 7, 77")
    assert answer.sentence == "It is 94.1% sure of all 3 digits on 2 lines."
    doubtful = answers.answer(read(SURE_7, SURE_7, LETTER, lines=[0, 1, 1]), NAMES)
    assert doubtful.sentence == "Mark 2 on line 2 does not look like a digit; the closest match is 8."
    hesitant = answers.answer(read(SURE_7, SURE_7, MAYBE_4, lines=[0, 1, 1]), NAMES)
    assert hesitant.sentence.endswith("; digit 2 on line 2 may be 9.")


def test_nothing_is_asked_for_or_said_to_be_missing():
    """An empty sheet asks for a drawing; a picture without ink says what helps."""
    assert answers.answer(read(), NAMES, is_drawing=True) == answers.NOTHING_DRAWN
    assert answers.answer(read(), NAMES) == answers.NO_INK


@pytest.mark.parametrize("marks", [[SURE_7], [MAYBE_4], [LETTER], [SURE_7, LETTER], [SURE_7, MAYBE_4], [DOT, SURE_7]])
def test_there_is_one_confidence_and_none_over_a_doubtful_part(marks):
    """A percentage appears once, where every mark looks like a digit, and else never."""
    said = read(*marks)
    answer = answers.answer(said, NAMES)
    assert f"{answer.headline} {answer.sentence}".count("%") == (said.doubtful == 0)


def test_one_digit_of_a_number_is_described():
    """Each kind of mark has a sentence and a name for its button."""
    number = read(SURE_7, MAYBE_4, LETTER, BEGINNING)
    assert [answers.describe(number, NAMES, place) for place in range(4)] == [
        "Digit 1 is read as 7.",
        "Digit 2 is read as 4, perhaps 9.",
        "Mark 3 does not look like a digit; the closest match is 8.",
        "Mark 4 is not a digit yet.",
    ]
    assert answers.label(number, NAMES, 0) == "Digit 1 of 4: read as 7, 98.0% sure"
    assert answers.label(number, NAMES, 2) == "Digit 3 of 4: does not look like a digit"


@pytest.mark.parametrize(
    ("names", "either", "said"),
    [
        (("C",), [True], ("The model reads C or c", "It is 98.0% sure.")),
        (("c",), [False], ("The model reads c", "It is 98.0% sure.")),
        (("D", "o"), [False, False], ("The model reads Do", "It is 96.0% sure of both characters.")),
        (
            ("K", "O"),
            [True, True],
            ("The model reads KO", "It is 96.0% sure of both characters. K and O may be small."),
        ),
    ],
)
def test_letters_whose_case_is_open_are_named_in_both(names, either, said):
    found = dataclasses.replace(
        read(*[("7", "1", 0.98, True, STEM)] * len(names)), names=names, either=np.array(either), text="".join(names)
    )
    answer = answers.answer(found, [*"0123456789", "+"])
    assert (answer.headline, answer.sentence) == said


@pytest.mark.parametrize(
    ("marks", "headline", "sentence"),
    [
        ([LETTER], "This does not look like a letter", "The closest match is i."),
        ([LETTER, LETTER], "This does not look like a word", "The closest match is ii."),
        ([BEGINNING], "Not a letter yet", "Go on drawing."),
        ([SURE_7, LETTER], "The model reads h?", "Mark 2 does not look like a letter; the closest match is i."),
        ([SURE_7, LETTER, LETTER], "The model reads h??", "Marks 2 and 3 do not look like letters."),
        ([SURE_7, BEGINNING], "The model reads h?", "Mark 2 is not a letter yet. Go on drawing."),
    ],
)
def test_letters_are_called_letters(marks, headline, sentence):
    """Whatever the classes are called, the words are those for digits."""
    classes = tuple("abcdefghij")
    number = read(*marks)
    named = [classes[int(name)] for name in number.names]
    word = dataclasses.replace(number, text="".join(named), names=tuple(named))
    said = answers.answer(word, classes, is_drawing=True)
    assert (said.headline, said.sentence) == (headline, sentence)
    for place in np.flatnonzero(~word.accepted):
        assert "a letter" in answers.describe(word, classes, place)
        assert "a letter" in answers.label(word, classes, place)
