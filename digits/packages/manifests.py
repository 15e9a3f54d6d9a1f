"""Manifests: what a package states about its model. Every statement is validated before it is used."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from digits.data.datasets import Part
from digits.errors import InvalidHyperparameter, InvalidPackage
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, TFLITE_FILE
from digits.packages import archives
from digits.packages.pack import HISTORY_FILE, HYPERPARAMETERS_FILE
from digits.runs.hyperparameters import LIVE_KNOBS, Change, Hyperparameters, check
from digits.runs.schema import METRIC_NAMES

REQUIRED_FILES = (KERAS_FILE, TFLITE_FILE, CARD, HYPERPARAMETERS_FILE)
MAX_JSON_BYTES = 256 * 1024
MAX_ROWS = 5_000  # of a history; the longest run has 2,000
MAX_TITLE, MAX_TEXT = 80, 500  # characters

_KERAS_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
# Titles and data sentences appear on pages as Markdown. These characters, besides letters and digits, cannot form an
# image there, and without the parts in `_LINKS` they cannot form a link.
_PUNCTUATION = set(" ,.:;()%+-_/'×–")
_LINKS = ("//", "www.")
_LAYERS = "Conv2D Dense Flatten Identity InputLayer MaxPooling2D ReLU Rescaling Reshape Softmax"
_INITIALIZERS = "Constant GlorotUniform HeNormal TruncatedNormal Zeros"
_KERAS_CLASSES = {  # the module and class of everything that `networks.build` creates; none of them can hold code
    ("keras.src.models.functional", "Functional"),
    ("keras", "DTypePolicy"),
    (None, "__keras_tensor__"),
    *(("keras.layers", name) for name in _LAYERS.split()),
    *(("keras.initializers", name) for name in _INITIALIZERS.split()),
}
_ACTIVATIONS = {"linear", "relu"}


@dataclass(frozen=True)
class Manifest:
    """The statements that an import keeps, besides the weights. Accuracy and temperature are measured again.

    Attributes:
        hyperparameters: what the model was trained with.
        step: the iteration that the weights are from, in [0, `hyperparameters.iterations`].
        seconds: the training time; 0 if unknown.
        data: a sentence about the training data.
        train_images: the number of training images.
        mixture: what the training images consisted of.
        changes: the hyperparameters changed during the run.
        history: rows as `registry.Registry.history` returns them; empty if the package has no history.
    """

    hyperparameters: Hyperparameters
    step: int
    seconds: float
    data: str
    train_images: int
    mixture: tuple[Part, ...]
    changes: tuple[Change, ...]
    history: list[dict[str, Any]]


def read(files: Mapping[str, bytes], class_names: Sequence[str]) -> Manifest:
    """Validate a package's files, without running anything, and return what they state.

    Args:
        files: each file's content by its name, as `archives.read` returns them.
        class_names: the classes of the test images.

    Raises:
        InvalidPackage: a file is missing or makes an impossible statement.
    """
    for name in REQUIRED_FILES:
        if name not in files:
            raise InvalidPackage(
                f"A package must contain {', '.join(REQUIRED_FILES)}; {name} is missing. Choose another file."
            )
    check_keras(files[KERAS_FILE])
    card, settings = _read_card(files[CARD], class_names), _parse(files[HYPERPARAMETERS_FILE], HYPERPARAMETERS_FILE)
    try:
        hyperparameters = Hyperparameters.from_dict(card.hyperparameters)
    except (InvalidHyperparameter, TypeError) as error:
        raise InvalidPackage(f"{CARD} must contain valid hyperparameters. {error}") from error
    if settings.get("hyperparameters") != card.hyperparameters:
        raise InvalidPackage(f"{HYPERPARAMETERS_FILE} and {CARD} must contain the same settings; they differ.")
    step = hyperparameters.iterations if card.step is None else card.step
    if step > hyperparameters.iterations:
        raise _invalid_field("step", f"at most its {hyperparameters.iterations:,} iterations", step)
    return Manifest(
        hyperparameters,
        step,
        card.seconds or 0.0,
        card.data,
        card.train_images,
        card.mixture,
        _changes(settings.get("changes", []), step),
        _history(files[HISTORY_FILE], step) if HISTORY_FILE in files else [],
    )


def check_keras(content: bytes) -> None:
    """Verify that a Keras file contains only plain layers and their weights. The file is not opened with Keras.

    Args:
        content: a `.keras` file, which is a zip.

    Raises:
        InvalidPackage: it contains anything else, such as a Lambda layer, which could run code.
    """
    try:
        members = archives.read(content)
    except InvalidPackage as error:
        raise InvalidPackage(f"{KERAS_FILE} must be a Keras file, which is a zip. {error}") from error
    if set(members) != _KERAS_MEMBERS:
        raise InvalidPackage(
            f"{KERAS_FILE} must contain {', '.join(sorted(_KERAS_MEMBERS))}; "
            f"it contains {ascii(sorted(members))[:100]}."
        )
    config = _parse(members["config.json"], f"{KERAS_FILE}'s config.json")
    if config.get("compile_config"):
        raise InvalidPackage(f"{KERAS_FILE} must not have a `compile_config`; it has one.")
    try:
        _check_config(config)
    except RecursionError as error:
        raise InvalidPackage(f"{KERAS_FILE} must describe a network; it is nested too deeply.") from error


def _parse(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > MAX_JSON_BYTES:
        raise InvalidPackage(f"{name} may have at most {MAX_JSON_BYTES:,} bytes; this one has {len(content):,}.")
    try:
        facts = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidPackage(f"{name} must be JSON; this one cannot be read ({str(error)[:100]}).") from error
    if not isinstance(facts, dict):
        raise InvalidPackage(f"{name} must be a JSON object; this one is a {type(facts).__name__}.")
    return facts


def _read_card(content: bytes, class_names: Sequence[str]) -> Card:
    """Return the card of an untrusted package.

    `Card` validates types and ranges. Pages also show the card's texts, so these are validated here.
    """
    try:
        card = Card.from_dict(_parse(content, CARD))
    except ValueError as error:
        raise InvalidPackage(f"{CARD} must be a valid card; {error}.") from error
    if card.class_names != tuple(class_names):
        raise _invalid_field("class_names", f"the classes {', '.join(class_names)}", card.class_names)
    for name, text, max_characters in (("title", card.title, MAX_TITLE), ("data", card.data, MAX_TEXT)):
        if not _is_plain_text(text, max_characters):
            raise _invalid_field(name, f"up to {max_characters} letters, digits and plain punctuation", text)
    return card


def _invalid_field(name: str, expected: str, received: Any) -> InvalidPackage:
    return InvalidPackage(f"A card's `{name}` must be {expected}; received {ascii(received)[:80]}.")


def _is_plain_text(text: str, max_characters: int) -> bool:
    return (
        0 < len(text) <= max_characters
        and all(character.isalnum() or character in _PUNCTUATION for character in text)
        and not any(link in text.lower() for link in _LINKS)
    )


def _changes(listed: Any, step: int) -> tuple[Change, ...]:
    try:
        changes = msgspec.convert(listed, tuple[Change, ...])
        for change in changes:
            if change.name not in LIVE_KNOBS or change.step is None or not 0 <= change.step <= step:
                raise ValueError("an unknown hyperparameter or iteration")
            check(change.name, change.value)
            if change.old is not None:  # unknown for a planned change, as in a repeated run
                check(change.name, change.old)
    except ValueError as error:  # from msgspec, from `check` or from this loop
        raise InvalidPackage(
            f"{HYPERPARAMETERS_FILE} must list changes with step, name, old and value; these are invalid ({error})."
        ) from error
    if len(changes) > MAX_ROWS:
        raise InvalidPackage(
            f"{HYPERPARAMETERS_FILE} may list at most {MAX_ROWS:,} changes; it lists {len(changes):,}."
        )
    return changes


def _history(content: bytes, last_step: int) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("ascii")), strict=True)
        if reader.fieldnames != METRIC_NAMES:
            raise ValueError(f"its columns must be {', '.join(METRIC_NAMES)}")
        rows: list[dict[str, Any]] = []
        for texts in reader:
            row: dict[str, Any] = {name: _metric(name, texts[name]) for name in METRIC_NAMES}
            if not (rows[-1]["step"] if rows else -1) < row["step"] <= last_step:
                raise ValueError("its steps must increase and end at the model's step or earlier")
            rows.append(row)
            if len(rows) > MAX_ROWS:
                raise ValueError(f"it may have at most {MAX_ROWS:,} rows")
    except (csv.Error, TypeError, ValueError) as error:
        raise InvalidPackage(f"{HISTORY_FILE} must be a valid history of a run; {error}.") from error
    return rows


def _metric(name: str, text: str) -> float | int | None:
    if name.startswith("val_") and text == "":
        return None
    number = int(text) if name == "step" else float(text)
    if not (math.isfinite(number) and number >= 0 and (not name.endswith("accuracy") or number <= 1)):
        raise ValueError(f"its {name} {text[:30]} is out of range")
    return number


def _check_config(item: Any) -> None:
    if isinstance(item, dict):
        class_path = (item.get("module"), item.get("class_name"))
        is_object = "class_name" in item or "module" in item
        if is_object and (
            not all(isinstance(part, str | None) for part in class_path) or class_path not in _KERAS_CLASSES
        ):
            raise InvalidPackage(
                f"{KERAS_FILE} may contain only the layers of Digits' own networks; it contains "
                f"{ascii(class_path[1])[:60]}, which could run code, so it was not opened."
            )
        if item.get("registered_name") not in (None, class_path[1]):
            raise InvalidPackage(f"{KERAS_FILE} may not contain registered classes; it does, so it was not opened.")
        if "activation" in item and item["activation"] not in tuple(_ACTIVATIONS):
            raise InvalidPackage(f"{KERAS_FILE} may use only the activations {' and '.join(sorted(_ACTIVATIONS))}.")
    if isinstance(item, (dict, list)):
        for part in item.values() if isinstance(item, dict) else item:
            _check_config(part)
