"""Letters: alphabets of real handwriting, with the strokes of UNIPEN and Omniglot and the pictures of EMNIST.

Their test images are a sample of UNIPEN's validation writers that is part of Digits, so they are the same everywhere.
What a network learns from is declared in `mixture`: without the folder of handwriting, a sample of training writers.
"""

import string
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from digits.data import handwriting, samples
from digits.data.datasets import CLASS_NAMES, Dataset, Source, Split
from digits.data.drawings import Drawing
from digits.ink import glyphs
from digits.settings import IMAGE_SIZE, Settings

VALIDATION_DRAWINGS = 5_000  # at most
_KEPT_OUT_EXAMPLES = 6  # without the folder, one example of so many is for validation


@dataclass(frozen=True)
class Alphabet:
    """The classes of a set of letters.

    Attributes:
        name: a key of `ALPHABETS`.
        title: its name for people.
        class_names: in the order of the classes.
        labels: the class of each label of handwriting.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    labels: Mapping[str, int]


def _alphabet(name: str, title: str, class_names: Iterable[str], folded: Iterable[str] = ()) -> Alphabet:
    """Declare an alphabet; the letters in `folded` belong to the class of the same letter in the other case."""
    names = tuple(class_names)
    labels = {label: place for place, label in enumerate(names)}
    return Alphabet(name, title, names, labels | {label: labels[label.swapcase()] for label in folded})


# EMNIST's "balanced" classes: small letters that look like their capitals belong to these.
_LOOK_ALIKE = "cijklmopsuvwxyz"
_DISTINCT = sorted(set(string.ascii_lowercase) - set(_LOOK_ALIKE))
ALPHABETS = {
    alphabet.name: alphabet
    for alphabet in (
        _alphabet("capitals", "Letters A–Z", string.ascii_uppercase),
        _alphabet("small-letters", "Letters a–z", string.ascii_lowercase),
        _alphabet("letters", "Letters of both cases", string.ascii_uppercase, string.ascii_lowercase),
        _alphabet("characters", "Digits and letters", [*CLASS_NAMES, *string.ascii_uppercase, *_DISTINCT], _LOOK_ALIKE),
    )
}


def find_source(settings: Settings) -> Source:
    """Return where the letters that a network learns from would come from now."""
    has_handwriting = settings.data_dir is not None and (settings.data_dir / "handwriting").is_dir()
    return Source.FOLDER if has_handwriting else Source.BUNDLED


def load(alphabet: Alphabet, settings: Settings) -> Dataset:
    """Load an alphabet's validation and test images; `train` is empty, because the mixture adds what is learned from.

    Raises:
        DatasetUnavailable, DatasetCorrupt: as `handwriting.load_strokes`.
    """
    source = find_source(settings)
    if source is Source.FOLDER and settings.data_dir is not None:
        drawings = handwriting.load_strokes(settings.data_dir, "unipen", "development", alphabet.labels)
        drawings = [drawings[row] for row in np.random.default_rng(0).permutation(len(drawings))][:VALIDATION_DRAWINGS]
    else:
        drawings = kept_out(examples(alphabet.labels))
    return _build(alphabet, source, validation=_split(_mixed(drawings), alphabet.labels))


def load_test(alphabet: Alphabet, settings: Settings) -> Dataset:
    """Load an alphabet's test images, with `train` and `validation` empty; raises `DatasetCorrupt`."""
    return _build(alphabet, find_source(settings), validation=_split([], alphabet.labels))


def examples(labels: Collection[str]) -> list[Drawing]:
    """Return the examples of training writers that are part of Digits and have one of these labels."""
    known = [*samples.load(samples.EXAMPLES), *samples.load(samples.LETTER_EXAMPLES)]
    return [drawing for drawing in known if drawing.label in labels]


def kept_out(drawings: list[Drawing]) -> list[Drawing]:
    """Return the examples that are for validation and not learned from."""
    return drawings[::_KEPT_OUT_EXAMPLES]


def learned_from(drawings: list[Drawing]) -> list[Drawing]:
    """Return the other examples."""
    return [drawing for row, drawing in enumerate(drawings) if row % _KEPT_OUT_EXAMPLES]


def _build(alphabet: Alphabet, source: Source, *, validation: Split) -> Dataset:
    strangers = [*samples.load(samples.STRANGERS), *samples.load(samples.LETTER_STRANGERS)]
    drawings = _mixed([drawing for drawing in strangers if drawing.label in alphabet.labels])
    test = _split(drawings, alphabet.labels)
    learned = (
        "handwriting of UNIPEN, Omniglot and EMNIST"
        if source is Source.FOLDER
        else "a sample of UNIPEN's handwriting that is part of Digits"
    )
    return Dataset(
        alphabet.name,
        source,
        f"{alphabet.title}, {len(alphabet.class_names)} classes: {learned}, and {len(test):,} test images of other "
        "people's.",
        alphabet.class_names,
        True,
        _split([], alphabet.labels),
        validation,
        test,
        labels=alphabet.labels,
        writers=tuple(str(drawing.writer or "") for drawing in drawings),
    )


def _mixed(drawings: list[Drawing]) -> list[Drawing]:
    """Mix the order of drawings, so that a hundred of them show all classes."""
    return [drawings[row] for row in np.random.default_rng(0).permutation(len(drawings))]


def _split(drawings: list[Drawing], labels: Mapping[str, int]) -> Split:
    """Draw strokes as the Draw page does."""
    images = [glyphs.fit_strokes(drawing.strokes, size=(1, 1)).image for drawing in drawings]
    classes = [labels[drawing.label] for drawing in drawings]
    return Split(np.array(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE), np.array(classes, np.uint8))
