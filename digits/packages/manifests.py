"""Manifests: what a package says of its model, each statement checked before anything is done with it."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from digits.errors import InvalidHyperparameter, InvalidPackage
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, TFLITE_FILE
from digits.packages import archives
from digits.packages.pack import HISTORY_FILE, HYPERPARAMETERS_FILE
from digits.runs.hyperparameters import LIVE_KNOBS, Change, Hyperparameters, check
from digits.runs.schema import METRIC_NAMES

NEEDED = (KERAS_FILE, TFLITE_FILE, CARD, HYPERPARAMETERS_FILE)
MAX_JSON_BYTES = 256 * 1024
MAX_ROWS = 5_000  # of history; the longest run has 2,000
MAX_TITLE, MAX_TEXT = 80, 500  # characters

_KERAS_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_SENTENCE = set(" ,.:;()%+-_/'×–")  # beside letters and digits: no page takes any of it for a picture...
_LINKS = ("//", "www.")  # ...or, without these, for a link
_LAYERS = "Conv2D Dense Flatten Identity InputLayer MaxPooling2D ReLU Rescaling Reshape Softmax"
_INITIALIZERS = "Constant GlorotUniform HeNormal TruncatedNormal Zeros"
_KERAS_CLASSES = {  # all that `networks.build` makes, by module and name: there is no code among it
    ("keras.src.models.functional", "Functional"),
    ("keras", "DTypePolicy"),
    (None, "__keras_tensor__"),
    *(("keras.layers", name) for name in _LAYERS.split()),
    *(("keras.initializers", name) for name in _INITIALIZERS.split()),
}
_ACTIVATIONS = {"linear", "relu"}


@dataclass(frozen=True)
class Manifest:
    """What is taken over from a package beside its weights; accuracy and temperature are measured anew.

    Attributes:
        step: the iteration that the weights are from.
        seconds: how long it trained.
        data: the sentence on what it learned from.
        train_images: how many that were.
        changes: the knobs turned on the way.
        history: rows as `registry.Registry.history` gives them; none where the package has none.
    """

    hyperparameters: Hyperparameters
    step: int
    seconds: float
    data: str
    train_images: int
    changes: tuple[Change, ...]
    history: list[dict[str, Any]]


def read(files: Mapping[str, bytes], class_names: Sequence[str]) -> Manifest:
    """Check a package's files, without running anything, and return what they say.

    Args:
        class_names: the classes that there are test images of.

    Raises:
        InvalidPackage: a file is missing, or says what cannot be.
    """
    for name in NEEDED:
        if name not in files:
            raise InvalidPackage(f"A package must hold {', '.join(NEEDED)}; {name} is missing. Choose another file.")
    check_keras(files[KERAS_FILE])
    card, settings = _read_card(files[CARD], class_names), _parse(files[HYPERPARAMETERS_FILE], HYPERPARAMETERS_FILE)
    try:
        hyperparameters = Hyperparameters.from_dict(card.hyperparameters)
    except (InvalidHyperparameter, TypeError) as error:
        raise InvalidPackage(f"{CARD} must hold settings as Digits has them. {error}") from error
    if settings.get("hyperparameters") != card.hyperparameters:
        raise InvalidPackage(f"{HYPERPARAMETERS_FILE} and {CARD} must hold the same settings; theirs differ.")
    step = hyperparameters.iterations if card.step is None else card.step
    if step > hyperparameters.iterations:
        raise _wrong("step", f"a whole number up to its {hyperparameters.iterations:,} iterations", step)
    return Manifest(
        hyperparameters,
        step,
        card.seconds or 0.0,
        card.data,
        card.train_images,
        _changes(settings.get("changes", []), step),
        _history(files[HISTORY_FILE], step) if HISTORY_FILE in files else [],
    )


def check_keras(content: bytes) -> None:
    """Refuse a Keras file that holds anything but plain layers and their numbers; raises `InvalidPackage`."""
    try:
        members = archives.read(content)
    except InvalidPackage as error:
        raise InvalidPackage(f"{KERAS_FILE} must be a Keras file, which is a zip. {error}") from error
    if set(members) != _KERAS_MEMBERS:
        raise InvalidPackage(
            f"{KERAS_FILE} must hold {', '.join(sorted(_KERAS_MEMBERS))}; it holds {ascii(sorted(members))[:100]}."
        )
    config = _parse(members["config.json"], f"{KERAS_FILE}'s config.json")
    if config.get("compile_config"):
        raise InvalidPackage(f"{KERAS_FILE} must come without `compile_config`; it has one.")
    try:
        _check_config(config)
    except RecursionError as error:
        raise InvalidPackage(f"{KERAS_FILE} must describe a network; it is nested without end.") from error


def _parse(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > MAX_JSON_BYTES:
        raise InvalidPackage(f"{name} may have {MAX_JSON_BYTES:,} bytes; this has {len(content):,}.")
    try:
        facts = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidPackage(f"{name} must be JSON; this cannot be read ({str(error)[:100]}).") from error
    if not isinstance(facts, dict):
        raise InvalidPackage(f"{name} must be a JSON object; this is a {type(facts).__name__}.")
    return facts


def _read_card(content: bytes, class_names: Sequence[str]) -> Card:
    """Return the card, whose types say what any card may hold; a stranger's has words that are shown, too."""
    try:
        card = Card.from_dict(_parse(content, CARD))
    except ValueError as error:
        raise InvalidPackage(f"{CARD} must be as Digits writes it; {error}.") from error
    if card.class_names != tuple(class_names):
        raise _wrong("class_names", f"the classes {', '.join(class_names)}", card.class_names)
    for name, text, most in (("title", card.title, MAX_TITLE), ("data", card.data, MAX_TEXT)):
        if not _is_sentence(text, most):
            raise _wrong(name, f"up to {most} letters, digits and plain punctuation", text)
    return card


def _wrong(name: str, expected: str, received: Any) -> InvalidPackage:
    return InvalidPackage(f"A card's `{name}` must be {expected}; received {ascii(received)[:80]}.")


def _is_sentence(text: str, most: int) -> bool:
    return (
        0 < len(text) <= most
        and all(character.isalnum() or character in _SENTENCE for character in text)
        and not any(link in text.lower() for link in _LINKS)
    )


def _changes(listed: Any, step: int) -> tuple[Change, ...]:
    try:
        changes = msgspec.convert(listed, tuple[Change, ...])
        for change in changes:
            if change.name not in LIVE_KNOBS or change.step is None or not 0 <= change.step <= step:
                raise ValueError("a knob or an iteration that there is not")
            check(change.name, change.value)
            if change.old is not None:  # a planned change, as of a run repeated, does not know
                check(change.name, change.old)
    except ValueError as error:  # of the type, of a knob, or of this loop
        raise InvalidPackage(
            f"{HYPERPARAMETERS_FILE} must list changes with step, name, old and value; it cannot be used ({error})."
        ) from error
    if len(changes) > MAX_ROWS:
        raise InvalidPackage(f"{HYPERPARAMETERS_FILE} may list {MAX_ROWS:,} changes; it lists {len(changes):,}.")
    return changes


def _history(content: bytes, last: int) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("ascii")), strict=True)
        if reader.fieldnames != METRIC_NAMES:
            raise ValueError(f"its columns should be {', '.join(METRIC_NAMES)}")
        rows: list[dict[str, Any]] = []
        for texts in reader:
            row: dict[str, Any] = {name: _measure(name, texts[name]) for name in METRIC_NAMES}
            if not (rows[-1]["step"] if rows else -1) < row["step"] <= last:
                raise ValueError("its steps should rise, up to the model's")
            rows.append(row)
            if len(rows) > MAX_ROWS:
                raise ValueError(f"it should have at most {MAX_ROWS:,} rows")
    except (csv.Error, TypeError, ValueError) as error:
        raise InvalidPackage(f"{HISTORY_FILE} must be a run's history as Digits writes it; {error}.") from error
    return rows


def _measure(name: str, text: str) -> float | int | None:
    if name.startswith("val_") and text == "":
        return None
    number = int(text) if name == "step" else float(text)
    if not (math.isfinite(number) and number >= 0 and (not name.endswith("accuracy") or number <= 1)):
        raise ValueError(f"its {name} {text[:30]} is out of range")
    return number


def _check_config(item: Any) -> None:
    if isinstance(item, dict):
        made_by = (item.get("module"), item.get("class_name"))
        is_object = "class_name" in item or "module" in item
        if is_object and (not all(isinstance(part, str | None) for part in made_by) or made_by not in _KERAS_CLASSES):
            raise InvalidPackage(
                f"{KERAS_FILE} may hold the layers of Digits' own networks alone; it holds {ascii(made_by[1])[:60]} "
                "and was not opened, because such a thing could run code."
            )
        if item.get("registered_name") not in (None, made_by[1]):
            raise InvalidPackage(f"{KERAS_FILE} may hold nothing registered by others; it does, and was not opened.")
        if "activation" in item and item["activation"] not in tuple(_ACTIVATIONS):
            raise InvalidPackage(f"{KERAS_FILE} may use the activations {' and '.join(sorted(_ACTIVATIONS))} alone.")
    if isinstance(item, (dict, list)):
        for part in item.values() if isinstance(item, dict) else item:
            _check_config(part)
