"""Claims: what a package states about its model, besides its numbers. Each is validated before it is used."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from digits.data import sets
from digits.data.datasets import Part
from digits.data.sets import DataSet
from digits.errors import DatasetUnavailable, InvalidHyperparameter, InvalidPackage
from digits.models.cards import Card
from digits.models.catalogue import CARD
from digits.packages.pack import HISTORY_FILE, HYPERPARAMETERS_FILE
from digits.runs.changes import Change
from digits.runs.hyperparameters import LIVE_KNOBS, Hyperparameters, check
from digits.runs.presets import PRESETS
from digits.runs.schema import METRIC_NAMES
from digits.settings import Settings

MAX_JSON_BYTES = 256 * 1024
MAX_DEPTH = 10  # of JSON; a card has 3
MAX_ROWS = 5_000  # of a history; the longest run has 2,000
MAX_LINE = 200  # characters in a row of a history; Digits writes fewer than 150
MAX_HISTORY_BYTES = MAX_ROWS * MAX_LINE
MAX_TITLE, MAX_TEXT = 80, 500  # characters

# Titles and data sentences appear on pages as Markdown. These characters, besides letters and digits, cannot form an
# image there, and without the parts in `_LINKS` they cannot form a link.
_PUNCTUATION = set(" ,.:;()%+-_/'×–")
_LINKS = ("//", "www.")


@dataclass(frozen=True)
class Claims:
    """The claims that an import keeps. Accuracy and temperature are not among them: they are measured again.

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


def read(files: Mapping[str, bytes]) -> Claims:
    """Validate a package's files and return what they state.

    Args:
        files: each file's content by its name, as `archives.read` returns them, with a card and hyperparameters.

    Raises:
        InvalidPackage: a file makes an impossible claim.
    """
    card = _read_card(files[CARD])
    settings = parse_json(files[HYPERPARAMETERS_FILE], HYPERPARAMETERS_FILE)
    try:
        hyperparameters = Hyperparameters.from_dict(card.hyperparameters)
    except (InvalidHyperparameter, TypeError) as error:
        raise InvalidPackage(f"{CARD} must contain valid hyperparameters. {error}") from error
    declared = _find_data(hyperparameters.dataset)
    _check_texts(card, _written_here(declared, hyperparameters))
    class_names = declared.class_names
    if card.class_names != class_names:
        raise _invalid_field("class_names", f"the classes {', '.join(class_names)}", card.class_names)
    if settings.get("hyperparameters") != card.hyperparameters:
        raise InvalidPackage(f"{HYPERPARAMETERS_FILE} and {CARD} must contain the same settings; they differ.")
    step = hyperparameters.iterations if card.step is None else card.step
    if step > hyperparameters.iterations:
        raise _invalid_field("step", f"at most its {hyperparameters.iterations:,} iterations", step)
    return Claims(
        hyperparameters,
        step,
        card.seconds or 0.0,
        card.data,
        card.train_images,
        card.mixture,
        _changes(settings.get("changes", []), step),
        _history(files[HISTORY_FILE], step) if HISTORY_FILE in files else [],
    )


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Return an untrusted JSON object.

    Args:
        content: the text in UTF-8, at most `MAX_JSON_BYTES`.
        name: the file's name, for the message.

    Raises:
        InvalidPackage: it is too long, is nested deeper than `MAX_DEPTH`, or is not a JSON object.
    """
    if len(content) > MAX_JSON_BYTES:
        raise InvalidPackage(f"{name} may have at most {MAX_JSON_BYTES:,} bytes; this one has {len(content):,}.")
    try:
        facts = json.loads(content.decode("utf-8"))
        _check_depth(facts, MAX_DEPTH)
    except RecursionError as error:
        raise InvalidPackage(f"{name} must be JSON; this one is nested too deeply. Choose another package.") from error
    except ValueError as error:
        reason = str(error)[:100]
        raise InvalidPackage(
            f"{name} must be JSON; this one cannot be read ({reason}). Choose another package."
        ) from error
    if not isinstance(facts, dict):
        raise InvalidPackage(f"{name} must be a JSON object; this one is a {type(facts).__name__}.")
    return facts


def _check_depth(item: Any, levels: int) -> None:
    if levels < 0:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(item, (dict, list)):
        for part in item.values() if isinstance(item, dict) else item:
            _check_depth(part, levels - 1)


def _read_card(content: bytes) -> Card:
    """Return the card of an untrusted package, whose types and ranges `Card` validates."""
    facts = parse_json(content, CARD)
    try:
        return Card.from_dict(facts)
    except ValueError as error:
        raise InvalidPackage(f"{CARD} must be a valid card; {error}.") from error


def _find_data(name: str) -> DataSet:
    try:
        return sets.find(name)
    except DatasetUnavailable as error:
        raise InvalidPackage(
            "This model learned from a visitor's set, which is needed to measure it; the set is not on this server. "
            "Take the set's export into the Data page, and train again."
        ) from error


def _check_texts(card: Card, known: set[str]) -> None:
    """Raise `InvalidPackage` unless the texts that pages show are plain, or known as written by this server."""
    for name, text, max_characters in (("title", card.title, MAX_TITLE), ("data", card.data, MAX_TEXT)):
        if not _is_plain_text(text, max_characters) and text not in known:
            raise _invalid_field(name, f"up to {max_characters} letters, digits and plain punctuation", text)


def _written_here(declared: DataSet, hyperparameters: Hyperparameters) -> set[str]:
    """Return the texts of a model of a visitor's set, whose name and classes may be any symbols."""
    if declared.name in sets.DATA_SETS:
        return set()
    title = declared.model_title(PRESETS[hyperparameters.network].title)
    return {title, declared.load_test(Settings.from_environment()).description}


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
        lines = content.decode("ascii").splitlines(keepends=True)
        if len(lines) > MAX_ROWS + 1 or max(map(len, lines), default=0) > MAX_LINE:
            raise ValueError(f"it may have at most {MAX_ROWS:,} rows of {MAX_LINE} characters")
        reader = csv.DictReader(lines, strict=True)
        if reader.fieldnames != METRIC_NAMES:
            raise ValueError(f"its columns must be {', '.join(METRIC_NAMES)}")
        rows: list[dict[str, Any]] = []
        for texts in reader:
            row: dict[str, Any] = {name: _metric(name, texts[name]) for name in METRIC_NAMES}
            if not (rows[-1]["step"] if rows else -1) < row["step"] <= last_step:
                raise ValueError("its steps must increase and end at the model's step or earlier")
            rows.append(row)
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
