"""The judge: decides whether a glyph looks like a digit at all, or like a letter, a face or a scribble.

A network with ten classes assigns every image to one of them, often with high confidence. So a second, small network,
trained on letters, signs and scribbles too (`digits.training.judge.fit`), judges the glyph. It uses no classifier's
output, so one judge serves every model of the ten digits. Those of letters have the same judge with other outputs
counted: what it knows as a letter is right there, too. Its file is a `.tflite` model like the others.
"""

import copy
import functools
import string
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from digits import logs
from digits.errors import InvalidImage, ModelNotFound
from digits.files import write_whole
from digits.models.recogniser import TFLITE_FILE, Recogniser
from digits.settings import BUNDLED_MODELS_DIR, IMAGE_SIZE

JUDGE_DIR = BUNDLED_MODELS_DIR / "judge"
FACTS_FILE = "judge.json"
TEN_DIGITS = tuple("0123456789")
SHAPED_LIKE_DIGITS = frozenset("OolSsZzbBGgq")  # a judge that knows these letters accepts them where it judges digits
_CHARACTERS = frozenset(string.digits + string.ascii_letters)
_FEWEST_LETTERS = 20  # of an alphabet; in a smaller set, which a visitor has made, a "v" may stand for a tick

_THIN = 0.03  # the largest ratio of a line's variance across its direction to that along it
_LEVEL = np.radians(35)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a judge, as its `judge.json` holds it.

    Attributes:
        classes: what its outputs stand for; the first ten are the digits, the others are letters, signs and scribbles.
        threshold: in [0, 1]; a glyph whose score as a digit is lower is refused.
        characters_threshold: the same for the score as a digit or a letter.
        data: a sentence on what it learned from.
        command: what trains it again.
        seconds: how long it trained.
    """

    classes: tuple[str, ...]
    threshold: float
    characters_threshold: float
    data: str = ""
    command: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.classes[:10] != TEN_DIGITS or len(self.classes) < 11:
            raise ValueError(f"`classes` must begin with the ten digits and have others; received {self.classes[:11]}.")
        for name in ("threshold", "characters_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must lie in [0, 1]; received {getattr(self, name)}.")

    def save(self, folder: Path) -> None:
        """Write `judge.json` into a folder."""
        with write_whole(folder / FACTS_FILE) as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


class Judge:
    """A network that tells the ten digits from other drawings. Threads may share it; they take turns.

    Attributes:
        facts: what is known of it.
        outputs: the places of the outputs that count as right.
        threshold: a glyph whose score is lower is refused.
    """

    def __init__(self, folder: Path = JUDGE_DIR) -> None:
        """Load the judge in `folder`.

        Raises:
            ModelNotFound: a file is missing or cannot be read.
        """
        try:
            facts = msgspec.json.decode((folder / FACTS_FILE).read_bytes(), type=Facts)
        except (OSError, ValueError) as error:
            raise _no_judge(folder, error) from error
        try:
            with logs.without_start_up_lines():
                self._recogniser = Recogniser(folder / TFLITE_FILE)
        except ModelNotFound as error:
            raise _no_judge(folder, error) from error
        self.facts, self.threshold = facts, facts.threshold
        self.outputs = self._places(SHAPED_LIKE_DIGITS.union(TEN_DIGITS))
        outputs = self._recogniser.probabilities(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)).shape[1]
        if outputs != len(facts.classes):
            raise _no_judge(folder, f"it has {outputs} outputs for {len(facts.classes)} classes")

    def of_characters(self) -> "Judge":
        """Return the judge that accepts letters as well as digits; it refuses signs, other scripts and scribbles."""
        other = copy.copy(self)
        other.outputs = self._places(_CHARACTERS)
        other.threshold = self.facts.characters_threshold
        return other

    def _places(self, names: frozenset[str]) -> list[int]:
        return [place for place, name in enumerate(self.facts.classes) if name in names]

    def score(self, images: np.ndarray) -> np.ndarray:
        """Return the probability that each image is a digit or shaped like one, or whatever else this judge accepts.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink, as `glyphs.fit` and `glyphs.fit_strokes` return them.

        Returns:
            float32 (n,) in [0, 1]; 0 for an image without ink and for a dash.

        Raises:
            InvalidImage: `images` has another shape or type.
        """
        if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
            raise InvalidImage(f"`images` must be uint8 (n, 28, 28); received {images.dtype} {images.shape}.")
        if len(images) == 0:
            return np.zeros(0, np.float32)
        shares = self._recogniser.probabilities(images)[:, self.outputs].sum(axis=1)
        is_mark = images.any(axis=(1, 2)) & ~_is_dash(images)
        return np.where(is_mark, np.clip(shares, 0, 1), 0).astype(np.float32)

    def accepts(self, images: np.ndarray) -> np.ndarray:
        """Return whether each image looks like one, bool (n,); arguments and errors as for `score`."""
        return self.score(images) >= self.threshold


def _is_dash(images: np.ndarray) -> np.ndarray:
    """Return which images are a single line within 35 degrees of horizontal, bool (n,), from the moments of their ink.

    None of MNIST's 10,000 test images and of 2,200 placings of pen digits is such a line within 40 degrees.
    """
    ink = images.astype(np.float64)
    line = np.arange(IMAGE_SIZE)
    mass = np.maximum(ink.sum(axis=(1, 2)), 1)
    x = line - (ink.sum(axis=1) @ line / mass)[:, None]  # relative to the centre of mass, (n, 28)
    y = line - (ink.sum(axis=2) @ line / mass)[:, None]
    across = (ink.sum(axis=1) * x**2).sum(axis=1) / mass
    down = (ink.sum(axis=2) * y**2).sum(axis=1) / mass
    both = (y * (ink @ x[:, :, None])[..., 0]).sum(axis=1) / mass
    mean, reach = (across + down) / 2, np.hypot((across - down) / 2, both)
    is_line = mean - reach < _THIN * (mean + reach)
    return is_line & (np.abs(np.arctan2(2 * both, across - down)) < 2 * _LEVEL)


def find_judge(class_names: tuple[str, ...]) -> Judge | None:
    """Return the bundled judge for these classes, read once: of digits, or of an alphabet; None for others.

    Raises:
        ModelNotFound: as `Judge`.
    """
    if class_names == TEN_DIGITS:
        return _bundled_judge()
    is_alphabet = len(class_names) >= _FEWEST_LETTERS and _CHARACTERS.issuperset(class_names)
    return _judge_of_characters() if is_alphabet else None


@functools.cache
def _bundled_judge() -> Judge:
    return Judge()


@functools.cache
def _judge_of_characters() -> Judge:
    return _bundled_judge().of_characters()


def _no_judge(folder: Path, reason: object) -> ModelNotFound:
    return ModelNotFound(
        f"The judge of what is a digit should be in {folder.name}; it cannot be read ({reason}). "
        "Restore it, or train it again with `python -m digits.training.judge.fit`."
    )
