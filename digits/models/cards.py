"""Cards: what is known about a model. A card is validated when it is read."""

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from digits.accuracy import Accuracy
from digits.data.datasets import Part
from digits.data.mixture import title
from digits.errors import ModelNotFound
from digits.files import write_whole
from digits.models.calibration import TEMPERATURES
from digits.models.figures import BeforeAfter, Strangers
from digits.models.identity import Weights

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]  # limits, because an imported card is untrusted
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Temperature = Annotated[float, msgspec.Meta(ge=TEMPERATURES[0], le=TEMPERATURES[1])]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known about a model: the content of its `card.json`.

    Unknown fields, as from a later version of Digits, are ignored. They stay in the file: this type writes only the
    cards of new models, and `calibration.write_temperature` changes a single field of the JSON.

    Attributes:
        id: the model's name in links and the name of its folder (see `identity.ModelId`).
        title: the model's name on the pages.
        order: the position of its network among the presets, the simplest first.
        class_names: its classes, in the order of its probabilities.
        data: a sentence about the data set.
        train_images: the number of training images, in [0, 1e9].
        hyperparameters: as `Hyperparameters.to_dict` returns them; not validated, because another version has others.
        test: the accuracy on the test images.
        tests: the same for each set that these are of, whose title is its `data`; empty if they are of one.
        versions: of Python and of the packages that the model was made with, by name.
        date: the day on which it was saved, in UTC.
        command: the command that trains it again.
        seconds: the training time, in [0, 1e9].
        precision: the number format used for training, such as "float32".
        run: the id of its run; None for a model trained on the command line.
        weights: which of the run's weights it has.
        step: the iteration that its weights are from.
        temperature: the number that its logits are divided by (see `calibration`), within `calibration.TEMPERATURES`;
            1 if the card has none, as in older versions.
        mixture: what its training images were made of, if more than the data set's own (see `mixture`).
        strangers: how it reads people from whom nothing was learned; None if it was not measured.
        provisional: whether only `test` has been measured, on some of the test images; None once all has been.
        parent: the id of the model that it was before it learned from a visitor's corrections; None for other models.
        taught: what the corrections changed; empty for other models.
    """

    id: str
    title: str
    order: int
    class_names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    data: str
    train_images: _Count
    hyperparameters: Mapping[str, Any]
    test: Accuracy
    versions: Mapping[str, str] = field(default_factory=dict)
    date: datetime.date | None = None
    command: str | None = None
    seconds: _Seconds | None = None
    precision: str | None = None
    run: str | None = None
    weights: Weights | None = None
    step: _Count | None = None
    temperature: _Temperature = 1.0
    mixture: Annotated[tuple[Part, ...], msgspec.Meta(max_length=100)] = ()
    strangers: Strangers | None = None
    tests: Annotated[tuple[Accuracy, ...], msgspec.Meta(max_length=10)] = ()
    provisional: bool | None = None
    parent: str | None = None
    taught: Annotated[tuple[BeforeAfter, ...], msgspec.Meta(max_length=10)] = ()

    @property
    def is_distilled(self) -> bool:
        """Whether it learned from larger networks, as no run in the app does."""
        return "distillation" in (self.command or "")

    @property
    def learned_from(self) -> str:
        """What it learned from, in a sentence or two."""
        parts = [
            f"{part.images:,} of {title(part.source)}" + f" ({part.way})" * bool(part.way) for part in self.mixture
        ]
        return f"{self.data} Learned from: {', '.join(parts)}." if parts else self.data

    @property
    def network(self) -> str:
        """The name of its network, a key of `presets.PRESETS`; empty if the hyperparameters name none."""
        name = self.hyperparameters.get("network")
        return name if isinstance(name, str) else ""

    @property
    def dataset(self) -> str:
        """The name of the data set that it learned to read; before there were several, it was MNIST."""
        name = self.hyperparameters.get("dataset", "mnist")
        return name if isinstance(name, str) else ""

    @classmethod
    def from_dict(cls, facts: Any) -> "Card":
        """Return the card that some parsed JSON describes.

        Args:
            facts: any JSON value; only an object with all required fields is a card.

        Raises:
            ValueError: a field is missing, has the wrong type or is out of range; the message names the field.
        """
        try:
            return msgspec.convert(facts, cls)
        except msgspec.ValidationError as error:
            complaint, _, path = str(error).partition(" - at `$.")
            complaint = complaint[0].lower() + complaint[1:100]
            if path:
                received = facts[re.split(r"[.\[`]", path)[0]]
                complaint = f"`{path}: {complaint}; received {ascii(received)[:80]}"
            raise ValueError(complaint) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the card in JSON's types, without the fields that are None or empty."""
        facts = msgspec.to_builtins(self) | {
            "test": self.test.to_dict(),
            "tests": [one.to_dict() for one in self.tests],
        }
        if self.strangers and self.strangers.pictures is None:
            facts["strangers"].pop("pictures", None)
        return {name: fact for name, fact in facts.items() if fact not in (None, [], ())}

    def to_json(self) -> str:
        """Return the content of `card.json`, in which a short list takes one line."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        return re.sub(r"\[\s+([^\[\]{}]+?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def read(path: Path) -> Card:
    """Read a card from a file.

    Args:
        path: `card.json` in the model's folder.

    Raises:
        ModelNotFound: the file is missing or is not a valid card.
    """
    name = path.parent.name
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelNotFound(f"{name}'s card must be JSON; {error}. Train the model again.") from error
    try:
        return Card.from_dict(facts)
    except ValueError as error:
        raise ModelNotFound(f"{name}'s card must be valid; {error}. Train the model again.") from error


def write(path: Path, card: Card) -> None:
    """Write a card to a file; raises `OSError` if that is impossible."""
    with write_whole(path) as stream:
        stream.write(card.to_json().encode())
